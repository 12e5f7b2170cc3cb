"""Every team that was tried with a run, each once: `tried.jsonl` in the run folder, which is only ever appended to.

The more teams are tried, the more the best of them owes to luck, so how many there were belongs to the result.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from edgenes_core import EdgeNESError, storage
from edgenes_core.records import Evaluation
from edgenes_core.run_folder import Run
from edgenes_core.schema import from_dict, to_dict
from edgenes_core.team import Team, check, identity

FILE = "tried.jsonl"


class Tried(NamedTuple):
    """A team, its evaluation on validation, and when it was first tried (seconds since 1970)."""

    time: float
    team: Team
    val: Evaluation


def note(run: Run, found: Tried) -> bool:
    """Append a team unless it was tried before; False if it was. StorageError where the folder cannot be written."""
    if identity(found.team) in {identity(earlier.team) for earlier in tried(run)}:
        return False
    team = found.team
    line = {"time": found.time, "members": list(team.members), "combiner": team.combiner, "weights": list(team.weights)}
    storage.append_line(run.path / FILE, {**line, "val": to_dict(found.val)})
    return True


def tried(run: Run) -> tuple[Tried, ...]:
    """All teams tried with a run, the newest first; lines that hold none are skipped."""
    lines, _ = storage.read_lines(run.path / FILE)
    return newest_first(found for line in lines if (found := _read(line)))


def newest_first(found: Iterable[Tried]) -> tuple[Tried, ...]:
    """Each distinct team once, as it was first tried."""
    first: dict[Any, Tried] = {}
    for each in sorted(found, key=lambda t: t.time):
        first.setdefault(identity(each.team), each)
    return tuple(reversed(first.values()))


def _read(line: dict[str, Any]) -> Tried | None:
    try:
        members, weights = tuple(map(str, line["members"])), tuple(map(int, line["weights"]))
        team = Team("", members, str(line["combiner"]), weights)
        check(team)
        return Tried(float(line["time"]), team, from_dict(Evaluation, line["val"]))
    except (EdgeNESError, KeyError, TypeError, ValueError, AttributeError):
        return None
