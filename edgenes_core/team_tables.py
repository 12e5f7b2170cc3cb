"""Teams as rows of numbers: what each is made of and worth, and every measure of those that stand side by side."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import NamedTuple

import numpy as np

from edgenes_core import pairwise
from edgenes_core.bootstrap import Interval, interval, whole
from edgenes_core.measures import DIVERSITY, QUALITY
from edgenes_core.records import Evaluation
from edgenes_core.scored import Scored
from edgenes_core.team import Team, combined, evaluation
from edgenes_core.weighted import STATISTICS

FORECAST = ("accuracy", "nll", "brier", "ece", "adaptive_ece", "signed_gap", "aurc")
"""Measures of what the team says; the others are of its members, who count alike whatever their weights."""
MEASURED = (*FORECAST, *(name for name in (*QUALITY, *DIVERSITY) if name not in (*FORECAST, "auroc")))


class TeamRow(NamedTuple):
    """A team on n validation images. `members` and `weights` are joined by commas, as `evaluate` takes them; `networks` is what an
    image costs: how many networks must look at it."""

    ensemble: str
    members: str
    rule: str
    weights: str
    networks: int
    n: int
    accuracy: float
    nll: float
    brier: float
    ece: float
    disagreement: float
    oracle_accuracy: float


class Measured(NamedTuple):
    """One measure of one team on n validation images with its 95 % interval; NaN where it is not defined or was not asked for."""

    metric: str
    ensemble: str
    value: float
    lo: float
    hi: float
    n: int


def team_rows(judged: Sequence[tuple[Team, Evaluation]]) -> list[TeamRow]:
    """What each team is made of and worth."""
    return [
        TeamRow(
            team.name,
            ",".join(team.members),
            team.combiner,
            ",".join(map(str, team.weights)),
            len(set(team.members)),
            *(getattr(val, field) for field in TeamRow._fields[5:]),
        )
        for team, val in judged
    ]


def judged_rows(scored: Scored, teams: Sequence[Team]) -> list[TeamRow]:
    """The same from the networks' predictions."""
    return team_rows([(team, evaluation(scored, team)) for team in teams])


def measured(
    scored: Scored, team: Team, says: np.ndarray | None = None, *, intervals: bool = False
) -> tuple[Interval, ...]:
    """Every measure of MEASURED; with `intervals` also how sure it is (edges and edits of cells do not depend on images, so they
    have none). `says` is `combined`, where the caller has it."""
    rows, y = scored.rows(team.members), scored.y
    forecast, members = (combined(scored, team) if says is None else says)[None], scored.probs[rows]
    cells = [scored.trainings[row].architecture for row in rows]
    known = {
        "member_shared": lambda: pairwise.over_pairs(pairwise.member_shared(cells)),
        "member_edits": lambda: pairwise.over_pairs(pairwise.member_edits(cells)),
    }

    def judged(name: str) -> Interval:
        if name in known:
            return Interval(known[name](), nan, nan, len(y))
        statistic = STATISTICS[name](forecast if name in FORECAST else members, y)
        return interval(statistic, len(y)) if intervals else Interval(whole(statistic, len(y)), nan, nan, len(y))

    return tuple(map(judged, MEASURED))


def measured_rows(teams: Sequence[Team], values: Sequence[Sequence[Interval]]) -> list[Measured]:
    """Measure by measure, the teams beside each other."""
    return [
        Measured(name, team.name, *found[k])
        for k, name in enumerate(MEASURED)
        for team, found in zip(teams, values, strict=True)
    ]
