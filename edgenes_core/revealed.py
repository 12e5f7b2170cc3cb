"""What a look at the test set has shown, in numbers: each team on test beside validation, and against a reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from edgenes_core import looks
from edgenes_core.comparisons import Adjusted
from edgenes_core.looks import Look
from edgenes_core.optimism import Optimism, optimism
from edgenes_core.run_folder import Run
from edgenes_core.scored import Scored
from edgenes_core.severity import SeverityPoint, severity_points
from edgenes_core.side_by_side import PAIRED, resampled, simultaneous
from edgenes_core.team import Team, combined, combined_others
from edgenes_core.weighted import STATISTICS


class Seen(NamedTuple):
    """One team: a row of PAIRED each, on test beside validation, and its test predictions (B, C)."""

    team: Team
    optimism: tuple[Optimism, ...]
    says: np.ndarray


class Outcome(NamedTuple):
    """One metric of one ensemble on validation and test, each with a 95 % interval; `gap` is validation − test, with the
    interval of independent images; `minus` is ensemble − reference on test, paired, with the interval that all such
    differences keep together (NaN for the reference itself)."""

    ensemble: str
    metric: str
    val: float
    val_lo: float
    val_hi: float
    n_val: int
    test: float
    test_lo: float
    test_hi: float
    n_test: int
    gap: float
    gap_lo: float
    gap_hi: float
    minus: float
    minus_lo: float
    minus_hi: float


def judge(run: Run, scored: Scored, look: Look, teams: Sequence[Team]) -> tuple[Seen, ...]:
    """Teams of a look whose test images were the plain ones; their rules are fitted on validation alone."""
    probs, y = looks.again(run, look), run.targets("test")
    return tuple(_seen(scored, team, _members(probs, look, team), y) for team in teams)


def differences(seen: Sequence[Seen], y: np.ndarray, reference: int) -> dict[int, tuple[Adjusted, ...]]:
    """Of each other team (by its place) − the reference on test, in PAIRED: one family."""
    drawn = [resampled(each.says, y) for each in seen]
    others = [k for k in range(len(seen)) if k != reference]
    return dict(zip(others, simultaneous([drawn[k] for k in others], drawn[reference]), strict=True))


def outcomes(seen: Sequence[Seen], gaps: Mapping[int, tuple[Adjusted, ...]]) -> list[Outcome]:
    """As rows."""
    rows = []
    for place, each in enumerate(seen):
        for k, metric in enumerate(PAIRED):
            o, gap = each.optimism[k], gaps.get(place)
            against = (gap[k].mean, gap[k].lo, gap[k].hi) if gap else (float("nan"),) * 3
            parts = (*o.val, *o.test, o.gap, o.lo, o.hi)
            rows.append(Outcome(each.team.name, metric, *parts, *against))
    return rows


def corrupted_points(run: Run, scored: Scored, look: Look, teams: Sequence[Team]) -> list[SeverityPoint]:
    """Teams of a look at corrupted test images, by corruption and severity, with the images as they are."""
    clean, worse = looks.again_corrupted(run, look)
    points = []
    for team in teams:
        said = {
            condition: combined_others(scored, team, _members(probs, look, team))
            for condition, probs in zip(look.conditions, worse, strict=True)
        }
        as_they_are = combined_others(scored, team, _members(clean, look, team))
        points += severity_points(team.name, said, as_they_are, run.targets("test"))
    return points


def _seen(scored: Scored, team: Team, members: np.ndarray, y: np.ndarray) -> Seen:
    val, says = combined(scored, team), combined_others(scored, team, members)
    parts = tuple(
        optimism(STATISTICS[m](val[None], scored.y), len(scored.y), STATISTICS[m](says[None], y), len(y))
        for m in PAIRED
    )
    return Seen(team, parts, says)


def _members(probs: np.ndarray, look: Look, team: Team) -> np.ndarray:
    return probs[[look.members.index(member) for member in team.members]]
