"""Copy as Python for studies: scripts that make the numbers of the Compare page again from what is stored."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from edgenes_core.snippets import assembled, literal
from edgenes_core.study.chosen import Mode
from edgenes_core.study.folder import Look, Study
from edgenes_core.study.store import is_bundled

RECORDS = "from edgenes_core.figures.tables import records"


def table(study: Study, mode: Mode, look: Look | None, reference: str) -> str:
    """Methods × metrics."""
    limit = [] if mode.kind == "all" else ["--limit", f"{mode.limit!r}"]
    command = ["compare", study.id, "--reference", reference, "--mode", mode.kind, *limit, "--csv"]
    imports = [RECORDS, "from edgenes_core.study.table import rows"]
    return _judged(study, mode, look, imports, f"table = records(rows(study, seen, {literal(reference)}))", command)


def differences(study: Study, mode: Mode, look: Look | None, reference: str) -> str:
    """The same as a forest plot shows it."""
    imports = [
        "from edgenes_core.figures.forest import Compared",
        "from edgenes_core.figures.tables import difference_rows, records",
        "from edgenes_core.study.table import METRICS, differences",
    ]
    body = f"""
found = differences(seen, {literal(reference)})
table = records(difference_rows([Compared(study.config.arm(a).shown, gaps) for a, gaps in found.items()], METRICS))
"""
    return _judged(study, mode, look, imports, body)


def worths(study: Study, mode: Mode, look: Look | None) -> str:
    """DEE of each method."""
    imports = [RECORDS, "from edgenes_core.study.worth import worths"]
    return _judged(study, mode, look, imports, "table = records(worths(study, seen, look))")


def plane(study: Study, mode: Mode, look: Look | None, metric: str, cost: str) -> str:
    """Quality against cost."""
    imports = [RECORDS, "from edgenes_core.study.plane import cost_points"]
    body = f"table = records(cost_points(study, seen, {literal(metric)}, {literal(cost)}))"
    return _judged(study, mode, look, imports, body)


def classes(study: Study, mode: Mode, look: Look | None, a: str, b: str) -> str:
    """Class by class."""
    imports = [RECORDS, "from edgenes_core.study.classes import class_rows"]
    return _judged(study, mode, look, imports, f"table = records(class_rows(study, seen, {literal(a)}, {literal(b)}))")


def curves(study: Study, look: Look | None, metric: str, arms: Sequence[str]) -> str:
    """Quality after each trained candidate."""
    body = f"""
found = curves(study, {literal(metric)}, look, arms={literal(arms)})
table = records(points(found))
"""
    return _opened(study, look, [RECORDS, "from edgenes_core.study.budget import curves, points"], body)


def areas(study: Study, look: Look | None, metric: str, cost: str, arms: Sequence[str], reference: str) -> str:
    """Areas under these curves, and their paired test."""
    body = f"""
found = curves(study, {literal(metric)}, look, arms={literal(arms)})
table = records(areas(study, found, {literal(reference)}, {literal(cost)}))
"""
    return _opened(study, look, [RECORDS, "from edgenes_core.study.budget import areas, curves"], body)


def _judged(
    study: Study, mode: Mode, look: Look | None, imports: Sequence[str], body: str, command: Sequence[str] = ()
) -> str:
    """A script with `seen`: the ensembles that this mode makes."""
    ours = ["from edgenes_core.study.chosen import Mode", "from edgenes_core.study.table import judge", *imports]
    head = f"seen = judge(study, Mode({literal(mode.kind)}, {literal(mode.limit)}), look)\n"
    return _opened(study, look, ours, head + body.strip(), command)


def _opened(study: Study, look: Look | None, imports: Sequence[str], body: str, command: Sequence[str] = ()) -> str:
    """A script with `study` and `look`: one that was made; run by hand it is no further look."""
    own = not is_bundled(study)
    standard = ["import os", "from pathlib import Path"] if own else ["from pathlib import Path"]
    root = 'Path(os.environ.get("EDGENES_RUNS", "runs"))' if own else 'Path("runs")'
    seen = "None" if look is None else f"study.looks()[{look.number - 1}]"
    opened = f"study = StudyStore({root}).open({literal(study.id)})\nlook = {seen}"
    return assembled(
        shlex.join(command), standard, {*imports, "from edgenes_core.study.store import StudyStore"}, opened, body
    )


def by_shared(studies: Sequence[Study], what: str, arms: Sequence[str], metric: str = "") -> str:
    """`networks`, `strata`, `farther` or `control` of some arms, of several studies in one table."""
    more = f", {literal(metric)}" if metric else ""
    body = f"""
table = []
for name in {literal([study.id for study in studies])}:
    table += records({what}(store.open(name), {literal(list(arms))}{more}))
"""
    standard = ["import os", "from pathlib import Path"]
    ours = [
        RECORDS,
        f"from edgenes_core.study.by_shared import {what}",
        "from edgenes_core.study.store import StudyStore",
    ]
    opened = 'store = StudyStore(Path(os.environ.get("EDGENES_RUNS", "runs")))'
    return assembled("", standard, set(ours), opened, body)
