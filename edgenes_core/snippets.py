"""Copy as Python: short scripts that make a view's numbers again from the stored run, without the app.

Each script leaves the numbers in `table`, a list of dicts. Text goes in through `literal` alone, so nothing that a user
typed or a folder is called can end a string and become code.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from edgenes_core.architecture import Architecture
from edgenes_core.run_folder import Run

BUNDLED = Path(__file__).parents[1] / "assets" / "demo"
HOW_TO_RUN = "Save it as `view.py` beside README.md and run `.venv/bin/python view.py` there."
Named = Sequence[tuple[str, Sequence[str]]]  # ensembles: name, members


def snippet(run: Run, imports: Sequence[str], body: str, command: Sequence[str] = ()) -> str:
    """A whole script: the command that says nearly the same, imports, the open run, then `body`, which sets `table`.

    `imports` are lines `from edgenes_core.x import y`; the run is put after the first word of `command`.
    """
    bundled = run.path.resolve() == BUNDLED.resolve()
    name = "assets/demo" if bundled else run.id
    root = 'Path("runs")' if bundled else 'Path(os.environ.get("EDGENES_RUNS", "runs"))'
    words = shlex.join([*command[:1], name, *command[1:]])
    words = "".join(letter if letter.isprintable() else " " for letter in words)  # a comment ends with its line
    said = [f"# On the command line: python -m edgenes_core {words}"] if command else []
    standard = ["from pathlib import Path"] if bundled else ["import os", "from pathlib import Path"]
    ours = sorted({*imports, "from edgenes_core.runs import RunStore"})
    opened = f"run = RunStore({root}).open({literal(name)})"
    shown = ["", "for row in table:", "    print(row)", ""]
    return "\n".join([*said, *standard, "", *ours, "", opened, body.strip(), *shown])


def literal(value: Any) -> str:
    """Python text of a plain value (text, number, None, or a sequence of them); TypeError for anything else."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, float) and not isfinite(value):
        return f'float("{value}")'
    if value is None or type(value) in (str, int, float, bool):
        return repr(value)
    raise TypeError(f"A script can hold text, numbers and lists of them, got {type(value).__name__}.")


def calibration(run: Run) -> str:
    """λ asked for against edges shared: every stretch of the path."""
    body = """
soft = run.soft_count()
table = records(calibration_rows(run.lambda_path(), soft.lam, soft.count))
"""
    return snippet(run, ["from edgenes_core.figures.tables import calibration_rows, records"], body, ["path"])


def operation_traces(run: Run, edge: int) -> str:
    """softmax α(λ) of one candidate edge, by its number in `run.space.edges`."""
    return _traces(run, "operations_info", edge)


def input_traces(run: Run, slot: int) -> str:
    """softmax β(λ) of one node, by its number in `run.space.slots`."""
    return _traces(run, "parents_info", slot)


def _traces(run: Run, info: str, place: int) -> str:
    imports = [
        f"from edgenes_core.figures.curves import {info}",
        "from edgenes_core.figures.tables import trace_records",
    ]
    return snippet(run, imports, f"table = trace_records({info}(run.space, run.knots(), {literal(place)}))")


def cell_edges(run: Run, cell: Architecture, lam: float | None = None, pinned: Architecture | None = None) -> str:
    """The edges of a cell beside α*, or beside the pinned cell B; with `lam` the cell is looked up on the path."""
    imports = [
        "from edgenes_core.figures.cells import table as edges",
        "from edgenes_core.figures.tables import records",
    ]
    found = _cell(cell) if lam is None else f"run.lambda_path().at({literal(lam)}).architecture"
    other = "run.base().architecture" if pinned is None else f'{_cell(pinned)}, "B"'
    if lam is None or pinned:
        imports.append("from edgenes_core.architecture import Architecture")
    body = f"cell = {found}\ntable = records(edges(run.space, cell, {other}))"
    return snippet(run, imports, body, [] if lam is None else ["path"])


def _cell(cell: Architecture) -> str:
    return f"Architecture.from_json({literal(cell.to_json())})"


def feature_maps(run: Run, cell: Architecture, network: str, image: int) -> str:
    """What every node makes of a validation image; `network` is the id of a retrained network, empty for the supernet."""
    maps = "supernet_maps(probe, cell, image)"
    if network:
        maps = f"trained_maps(probe, next(t for t in with_weights(run, cell) if t.id == {literal(network)}), image)"
    imports = [
        "from edgenes_core.architecture import Architecture",
        f"from edgenes_core.feature_maps import {'trained_maps, with_weights' if network else 'supernet_maps'}",
        "from edgenes_core.figures.flow import table as nodes",
        "from edgenes_core.figures.tables import records",
        "from edgenes_core.one_shot import load_probe",
    ]
    body = f"cell, image = {_cell(cell)}, {literal(image)}\nprobe = load_probe(run)\ntable = records(nodes({maps}))"
    return snippet(run, imports, body, ["inspect", "--cell", cell.key, "--image", str(image)])


def ensemble_scores(run: Run, chosen: Named) -> str:
    """Every metric of ensembles on the validation images."""
    imports = [
        "from edgenes_core.ensembles import evaluate",
        "from edgenes_core.figures.tables import records, score_rows",
    ]
    body = f"""
y = run.targets("val")
chosen = {_named(chosen)}
judged = [(name, members, evaluate(run.val_probabilities(members), y, "val")) for name, members in chosen]
table = records(score_rows(judged))
"""
    return snippet(run, imports, body, _evaluate(chosen))


def ensemble_differences(run: Run, chosen: Named, reference: Sequence[str], metrics: Sequence[str]) -> str:
    """Each ensemble minus the reference on the same images, with paired bootstrap intervals."""
    imports = [
        "from edgenes_core.ensembles import combine",
        "from edgenes_core.figures.forest import Compared",
        "from edgenes_core.figures.tables import difference_rows, records",
        "from edgenes_core.statistics import image_scores, paired_bootstrap",
    ]
    body = f"""
metrics = {literal(metrics)}
reference = {literal(reference)}
chosen = {_named(chosen)}


def scores(members):
    return image_scores(combine(run.val_probabilities(members)), run.targets("val"))


def differences(members):
    ours, theirs = scores(members), scores(reference)
    return tuple(paired_bootstrap(getattr(ours, m), getattr(theirs, m)) for m in metrics)


table = records(difference_rows([Compared(name, differences(members)) for name, members in chosen], metrics))
"""
    return snippet(run, imports, body, _evaluate(chosen))


def best_by_size(run: Run, pool: Sequence[str], sizes: Sequence[int], rule: str) -> str:
    """What a selection rule finds at each size."""
    imports = [
        "from edgenes_core.ensembles import select",
        "from edgenes_core.figures.tables import records, size_rows",
    ]
    body = f"""
pool = {_listed(pool)}
probs, y = run.val_probabilities(pool), run.targets("val")
table = records(size_rows([select(probs, y, pool, size, {literal(rule)}) for size in {literal(sizes)}]))
"""
    size = str(max(sizes, default=1))
    return snippet(run, imports, body, ["select", "--size", size, "--rule", rule])


def reliability(run: Run, chosen: Named) -> str:
    """Confidence and accuracy in bins."""
    imports = [
        "from edgenes_core.ensembles import combine",
        "from edgenes_core.figures.quality import reliability_info",
        "from edgenes_core.figures.tables import records, reliability_rows",
        "from edgenes_core.figures.theme import ROLE_STYLE",
    ]
    body = f"""
y, style = run.targets("val"), ROLE_STYLE["member"]
chosen = {_named(chosen)}
table = records(
    reliability_rows([reliability_info(name, style, combine(run.val_probabilities(m)), y) for name, m in chosen])
)
"""
    return snippet(run, imports, body, _evaluate(chosen))


def disagreements(run: Run, members: Named) -> str:
    """Each pair of members; `members` are (name, [id])."""
    imports = [
        "from edgenes_core.diversity import pairwise_disagreement",
        "from edgenes_core.figures.tables import disagreement_rows, records",
    ]
    names, ids = [name for name, _ in members], [one for _, (one,) in members]
    body = f"""
members = {_listed(ids)}
matrix = pairwise_disagreement(run.val_probabilities(members))
table = records(disagreement_rows({_listed(names)}, matrix))
"""
    return snippet(run, imports, body, ["evaluate", "--keys", ",".join(ids)])


def _evaluate(chosen: Named) -> list[str]:
    """The command for the first ensemble."""
    return ["evaluate", "--keys", ",".join(chosen[0][1])] if chosen else []


def _listed(values: Sequence[str]) -> str:
    return "[\n" + "".join(f"    {literal(value)},\n" for value in values) + "]" if values else "[]"


def _named(chosen: Named) -> str:
    return "[\n" + "".join(f"    ({literal(name)}, {literal(members)}),\n" for name, members in chosen) + "]"
