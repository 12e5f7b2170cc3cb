"""Copy as Python: short scripts that make a view's numbers again from the stored run, without the app.

Each script leaves the numbers in `table`, a list of dicts. Text goes in through `literal` alone, so nothing that a user
typed or a folder is called can end a string and become code.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from edgenes_core.architecture import Architecture
from edgenes_core.run_folder import Run

BUNDLED = Path(__file__).parents[1] / "assets" / "demo"
HOW_TO_RUN = "Save it as `view.py` beside README.md and run `.venv/bin/python view.py` there."


def same_folder(run: Run, folder: Path) -> bool:
    """Whether a run is stored in this folder, be it reached by a link."""
    return run.path.resolve() == folder.resolve()


def snippet(run: Run, imports: Sequence[str], body: str, command: Sequence[str] = ()) -> str:
    """A whole script: the command that says nearly the same, imports, the open run, then `body`, which sets `table`.

    `imports` are lines `from edgenes_core.x import y`; the run is put after the first word of `command`.
    """
    bundled = same_folder(run, BUNDLED)
    name = "assets/demo" if bundled else run.id
    root = 'Path("runs")' if bundled else 'Path(os.environ.get("EDGENES_RUNS", "runs"))'
    words = shlex.join([*command[:1], name, *command[1:]])
    standard = ["from pathlib import Path"] if bundled else ["import os", "from pathlib import Path"]
    ours = {*imports, "from edgenes_core.runs import RunStore"}
    opened = f"run = RunStore({root}).open({literal(name)})"
    return assembled(words if command else "", standard, ours, opened, body)


def assembled(command: str, standard: Sequence[str], ours: Collection[str], opened: str, body: str) -> str:
    """Command, imports, what is opened, and a body that sets `table`."""
    words = "".join(letter if letter.isprintable() else " " for letter in command)  # a comment ends with its line
    said = [f"# On the command line: python -m edgenes_core {words}"] if command else []
    shown = ["", "for row in table:", "    print(row)", ""]
    return "\n".join([*said, *standard, "", *sorted(ours), "", opened, body.strip(), *shown])


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
