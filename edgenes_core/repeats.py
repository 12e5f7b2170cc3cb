"""The recipe of a team: its cells retrained with other seeds. Judged over seeds, a difference speaks of the cells, not of these
networks alone.

A repeat has the team's cells, each as often, its rule and its weights, but networks of its own: no network is in two repeats. The
first repeat is the team as it is; the others take the cells' further networks in order of their seeds. A cell that a team holds m
times (a deep ensemble is one cell, n times) allows ⌊networks / m⌋ repeats, and the scarcest cell decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from edgenes_core.bootstrap import Drawn, SeedDifference, over_seeds
from edgenes_core.scored import Scored
from edgenes_core.side_by_side import PAIRED, Resampled, resampled, verdict
from edgenes_core.team import Team, combined


class Repeats(NamedTuple):
    """Teams that share no network, the first is the team itself. No more are possible, as each needs `needed` networks of the cell
    with this key, which has `trained`."""

    teams: tuple[Team, ...]
    cell: str
    needed: int
    trained: int


class RecipeRow(NamedTuple):
    """A team − a reference in one measure, mean over the seeds of each, with a 95 % t interval of `freedom` degrees.

    `value` and `sd` are over the team's seeds (NaN for one), `reference_value` and `reference_sd` over the reference's.
    """

    ensemble: str
    reference: str
    metric: str
    value: float
    sd: float
    seeds: int
    reference_value: float
    reference_sd: float
    reference_seeds: int
    mean: float
    lo: float
    hi: float
    freedom: float
    n: int
    verdict: str


def repeats_of(scored: Scored, team: Team) -> Repeats:
    """As many as the trained networks allow, at least the team itself."""
    held: dict[str, list[str]] = {}
    for name in dict.fromkeys(team.members):
        held.setdefault(scored.keys[scored.rows([name])[0]], []).append(name)
    known = {key: [*names, *_further(scored, key, names)] for key, names in held.items()}
    cell = min(held, key=lambda key: len(known[key]) // len(held[key]))
    teams = []
    for k in range(len(known[cell]) // len(held[cell])):
        instead = {
            name: known[key][k * len(names) + place] for key, names in held.items() for place, name in enumerate(names)
        }
        teams.append(team._replace(members=tuple(instead[name] for name in team.members)))
    return Repeats(tuple(teams), cell, len(held[cell]), len(known[cell]))


def in_both(a: Repeats, b: Repeats) -> int:
    """How many networks two sides have in common."""
    ours, theirs = ({name for team in side.teams for name in team.members} for side in (a, b))
    return len(ours & theirs)


def recipe_differences(
    a: Sequence[Resampled], b: Sequence[Resampled], level: float = 0.95
) -> tuple[SeedDifference, ...]:
    """a − b in each measure of PAIRED, from the repeats of each; seeds are resampled with the images."""
    return tuple(over_seeds(_measure(a, k), _measure(b, k), a[0].n, level=level) for k in range(len(PAIRED)))


def recipe_rows(team: Team, reference: Team, a: Sequence[Resampled], b: Sequence[Resampled]) -> list[RecipeRow]:
    """The same with what is subtracted, from the resampled measures of the repeats of each."""
    rows = []
    for k, (metric, gap) in enumerate(zip(PAIRED, recipe_differences(a, b), strict=True)):
        sides = (*_over(_measure(a, k)), *_over(_measure(b, k)))
        found = (*sides, gap.mean, gap.lo, gap.hi, gap.freedom, gap.n, verdict(metric, gap))
        rows.append(RecipeRow(team.name, reference.name, metric, *found))
    return rows


def judged_recipe(scored: Scored, team: Team, reference: Team) -> list[RecipeRow]:
    """The same from the networks' predictions."""
    sides = [
        [resampled(combined(scored, t), scored.y) for t in repeats_of(scored, each).teams] for each in (team, reference)
    ]
    return recipe_rows(team, reference, *sides)


def _further(scored: Scored, key: str, held: Sequence[str]) -> list[str]:
    """Networks of a cell that a team does not hold, in order of their seeds. Imported ones are of nobody's recipe but their own."""
    known = [scored.trainings[row] for row in scored.cells()[key]]
    if any("imported" in training.roles for training in known if training.id in held):
        return []
    ours = [training for training in known if "imported" not in training.roles and training.id not in held]
    return [training.id for training in sorted(ours, key=lambda training: training.seed)]


def _measure(side: Sequence[Resampled], k: int) -> list[Drawn]:
    """One measure of PAIRED of each repeat."""
    return [Drawn(float(repeat.whole[k]), repeat.drawn[:, k]) for repeat in side]


def _over(side: Sequence[Drawn]) -> tuple[float, float, int]:
    """Mean, sd and how many."""
    values = [repeat.whole for repeat in side]
    return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else float("nan"), len(values)
