"""Teams on shifted images, from stored predictions: what each says about corrupted images, and how it tells foreign ones apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from edgenes_core import ood, shifted
from edgenes_core.bootstrap import difference
from edgenes_core.ood import Separation
from edgenes_core.run_folder import Run
from edgenes_core.scored import Scored
from edgenes_core.severity import DRAWN, SeverityPoint, mean_statistic, severity_points
from edgenes_core.shifted import Condition
from edgenes_core.statistics import Difference
from edgenes_core.team import Team, combined

OWN = "corrupted"  # foreign images made of the run's own: the validation corruptions at their highest severity


class Told(NamedTuple):
    """How well a score of one ensemble tells foreign images from own ones: AUROC with its 95 % interval over both."""

    ensemble: str
    score: str
    auroc: float
    lo: float
    hi: float
    own: int
    foreign: int


def common(run: Run, teams: Sequence[Team], split: str = "val") -> tuple[Condition, ...]:
    """The conditions that all members of all teams have predictions for."""
    return shifted.stored(run, members_of(teams), split)


def common_foreign(run: Run, teams: Sequence[Team]) -> tuple[str, ...]:
    """The same for sources of foreign images."""
    return shifted.stored_foreign(run, members_of(teams))


def members_of(teams: Sequence[Team]) -> list[str]:
    """Every member once."""
    return list(dict.fromkeys(member for team in teams for member in team.members))


def points_of(run: Run, scored: Scored, team: Team, conditions: Sequence[Condition]) -> list[SeverityPoint]:
    """A team's metrics on validation images made worse."""
    said = {c: combined(scored, team, _expanded(run, team, shifted.name_of(*c, "val"))) for c in conditions}
    return severity_points(team.name, said, combined(scored, team), scored.y)


def gaps_of(
    run: Run, scored: Scored, team: Team, other: Team, conditions: Sequence[Condition]
) -> tuple[tuple[str, Difference], ...]:
    """Team − other in each metric, mean over conditions of the same images, paired; each interval by itself."""
    said = [
        [combined(scored, each, _expanded(run, each, shifted.name_of(*c, "val"))) for c in conditions]
        for each in (team, other)
    ]
    return tuple(
        (metric, difference(ours, theirs, len(scored.y)))
        for metric in DRAWN
        for ours, theirs in [[mean_statistic(metric, each, scored.y) for each in said]]
    )


def separations_of(run: Run, scored: Scored, team: Team, source: str) -> tuple[Separation, ...]:
    """How the mean of a team's members tells a source's images from the validation images, score by score."""
    return ood.separate(scored.probs[scored.rows(team.members)], foreign_of(run, team, source))


def foreign_of(run: Run, team: Team, source: str) -> np.ndarray:
    """Stored probabilities (M, B', C) of foreign images, by the name that their files have, or OWN."""
    if source != OWN:
        return _expanded(run, team, f"outside-{source}")
    return np.concatenate([_expanded(run, team, shifted.name_of(*c, "val")) for c in hardest(run, team)], axis=1)


def hardest(run: Run, team: Team) -> list[Condition]:
    """The highest stored severity of each corruption that selection may look at."""
    stored = dict(c for c in shifted.stored(run, members_of([team])) if c[0] in shifted.VALIDATION_CORRUPTIONS)
    return list(stored.items())


def told(name: str, found: Sequence[Separation]) -> list[Told]:
    """As rows."""
    return [Told(name, s.score, *s.auroc[:3], s.own, s.foreign) for s in found]


def _expanded(run: Run, team: Team, file: str) -> np.ndarray:
    """(M, B, C) in the order of the team, where a member may stand twice."""
    once = members_of([team])
    return shifted.read(run, once, file)[[once.index(member) for member in team.members]]
