"""Looks at the test set: each is counted and stored with what was looked at, and what one has shown can be shown again.

reveals.jsonl  one line per look: time, members, and if a page looked: teams; conditions for corrupted test images
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from edgenes_core import storage
from edgenes_core.run_folder import Run
from edgenes_core.shift_teams import members_of
from edgenes_core.shifted import Condition, name_of, read, reveal_corrupted
from edgenes_core.team import MEAN, Team, identity


class Look(NamedTuple):
    """Look `number` of a run, counted from 1, at `time` (seconds since 1970). `teams` is empty where members were named
    on the command line; `conditions` where the images were those of the test set as they are."""

    number: int
    time: float
    members: tuple[str, ...]
    teams: tuple[Team, ...] = ()
    conditions: tuple[Condition, ...] = ()


def looks(run: Run) -> tuple[Look, ...]:
    """All looks, the first one first; fields that cannot be read are empty, the look counts all the same."""
    lines, _ = storage.read_lines(run.path / "reveals.jsonl")
    return tuple(_look(number, line) for number, line in enumerate(lines, 1))


def latest(run: Run, teams: Sequence[Team], *, corrupted: bool = False) -> Look | None:
    """The last look at exactly these teams, whatever they were called and in whatever order; None if there is none."""
    wanted = {identity(team) for team in teams}
    found = (x for x in looks(run) if x.teams and bool(x.conditions) == corrupted)
    return next((x for x in reversed(list(found)) if {identity(team) for team in x.teams} == wanted), None)


def look(run: Run, teams: Sequence[Team]) -> Look:
    """Look at the test set with these teams: one more look. StorageError, and no look, if it cannot be counted."""
    run.reveal(members_of(teams), teams=[team._asdict() for team in teams])
    return looks(run)[-1]


def look_corrupted(run: Run, teams: Sequence[Team], conditions: Sequence[Condition]) -> Look:
    """The same for corrupted test images beside the images as they are, from stored predictions."""
    reveal_corrupted(run, members_of(teams), conditions, teams=[team._asdict() for team in teams])
    return looks(run)[-1]


def again(run: Run, seen: Look) -> np.ndarray:
    """Test probabilities (M, B, C) of a stored look's members: no further look, they have been seen."""
    return storage.read_stack([folder / "test.npy" for folder in run.folders(_stored(run, seen).members)])


def again_corrupted(run: Run, seen: Look) -> tuple[np.ndarray, list[np.ndarray]]:
    """The same, and (M, B, C) under each of its conditions."""
    return again(run, seen), [read(run, seen.members, name_of(*condition, "test")) for condition in seen.conditions]


def _stored(run: Run, seen: Look) -> Look:
    if seen not in looks(run):
        raise storage.StorageError(f"Run {run.id} has no such look at its test set; look first, which is counted.")
    return seen


def _look(number: int, line: dict[str, Any]) -> Look:
    try:
        teams = tuple(
            Team(
                str(t["name"]),
                tuple(map(str, t["members"])),
                str(t.get("combiner", MEAN)),
                tuple(map(int, t["weights"])),
            )
            for t in line.get("teams", ())
        )
        conditions = tuple((str(name), int(severity)) for name, severity in line.get("conditions", ()))
        return Look(number, float(line["time"]), tuple(map(str, line["members"])), teams, conditions)
    except (KeyError, TypeError, ValueError, AttributeError):
        return Look(number, 0.0, ())
