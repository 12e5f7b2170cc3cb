"""A study's networks by the edges they share with α*: what λ controls, and whether farther from α* is worse.

α* of a repeat is the cell of its largest λ (a pool along λ holds α*). Candidates of a census and of random deviations have the
number of shared edges itself as their λ. Every quality is on validation.

stratum   networks of an arm with the same number of shared edges; a cell's seeds are averaged, then a repeat's cells, then repeats:
          n is the number of repeats, each with an α* of its own
slope     least squares of the quality over the distance Λ − shared through a repeat's networks; t interval over the repeats
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from edgenes_core.architecture import shared_edges
from edgenes_core.metrics import accuracy, brier, nll
from edgenes_core.run_records import build_space
from edgenes_core.study.budget import Test, paired
from edgenes_core.study.folder import StoredRepeat, Study
from edgenes_core.study.table import over_seeds

COUNTED = ("census", "deviation")  # searchers whose λ is the number of shared edges
QUALITIES = {"accuracy": accuracy, "nll": nll, "brier": brier}


class Network(NamedTuple):
    """One trained network: its λ, edges shared with α* and quality on validation."""

    study: str
    arm: str
    title: str
    seed: int
    lam: float
    shared: int
    cell: str
    accuracy: float
    nll: float
    brier: float


class Stratum(NamedTuple):
    """An arm's networks with one number of shared edges: mean over n repeats, sd and 95 % t interval (NaN for one repeat)."""

    study: str
    arm: str
    title: str
    shared: int
    metric: str
    value: float
    sd: float
    lo: float
    hi: float
    n: int
    cells: int
    networks: int


class Farther(NamedTuple):
    """Change of a quality for each edge of distance from α*: mean slope over n repeats with its 95 % t interval, two-sided p, and the
    slope that such a design finds four times in five (NaN for one repeat)."""

    study: str
    arm: str
    title: str
    metric: str
    slope: float
    lo: float
    hi: float
    p: float
    detectable: float
    n: int
    cells: int
    networks: int

    @property
    def tie(self) -> bool:
        return not (self.lo > 0 or self.hi < 0)


class Control(NamedTuple):
    """How well λ sets the number of shared edges: mean |shared − λ| over n repeats, and falls of the number along rising λ."""

    study: str
    arm: str
    title: str
    error: float
    lo: float
    hi: float
    falls: float
    n: int
    networks: int


def networks(study: Study, arms: Collection[str]) -> list[Network]:
    """Those of some arms, in order of arm, seed and λ; arms whose candidates have no λ have none."""
    found = [
        each for repeat in study.repeats()[0] if repeat.arm.name in arms for each in _networks(study, repeat)
    ]  # fmt: skip
    return sorted(found, key=lambda each: (list(arms).index(each.arm), each.seed, each.lam))


def strata(study: Study, arms: Collection[str], metric: str) -> list[Stratum]:
    """By arm and number of shared edges."""
    every, found = networks(study, arms), list[Stratum]()
    for arm in arms:
        mine = [each for each in every if each.arm == arm]
        for shared in sorted({each.shared for each in mine}):
            here = [each for each in mine if each.shared == shared]
            means = list(_repeat_means(here, metric).values())
            cells = len({(each.seed, each.cell) for each in here})
            counts = len(means), cells, len(here)
            found.append(Stratum(study.id, arm, here[0].title, shared, metric, *over_seeds(means), *counts))
    return found


def compared(study: Study, arm: str, other: str, metric: str) -> dict[int, Test]:
    """Arm − other at each number of shared edges, t over the seeds that both have there."""
    every = networks(study, (arm, other))
    found = dict[int, Test]()
    for shared in sorted({each.shared for each in every}):
        sides = [
            _repeat_means([each for each in every if each.arm == name and each.shared == shared], metric)
            for name in (arm, other)
        ]
        both = sorted(sides[0].keys() & sides[1].keys())
        if both:
            found[shared] = paired([sides[0][seed] for seed in both], [sides[1][seed] for seed in both])
    return found


def farther(study: Study, arms: Collection[str], metric: str) -> list[Farther]:
    """The slope of each arm; a repeat whose networks all lie at one distance has none."""
    every, top, found = networks(study, arms), build_space(study.config.base.space).lambda_max, list[Farther]()
    for arm in arms:
        mine = [each for each in every if each.arm == arm]
        slopes = [
            slope
            for seed in sorted({each.seed for each in mine})
            if np.isfinite(slope := _slope([each for each in mine if each.seed == seed], metric, top))
        ]
        if slopes:
            test = paired(slopes, [0.0] * len(slopes))
            counts = len({(each.seed, each.cell) for each in mine}), len(mine)
            known = test.mean, test.lo, test.hi, test.p, test.detectable, test.n
            found.append(Farther(study.id, arm, mine[0].title, metric, *known, *counts))
    return found


def control(study: Study, arms: Collection[str]) -> list[Control]:
    """How well λ controls what is shared, arm by arm."""
    every, found = networks(study, arms), list[Control]()
    for arm in arms:
        mine = [each for each in every if each.arm == arm]
        by_seed = [[each for each in mine if each.seed == seed] for seed in sorted({each.seed for each in mine})]
        if by_seed:
            mean, _, lo, hi = over_seeds([float(np.mean([abs(n.shared - n.lam) for n in group])) for group in by_seed])
            falls = float(np.mean([sum(b.shared < a.shared for a, b in itertools.pairwise(g)) for g in by_seed]))
            found.append(Control(study.id, arm, mine[0].title, mean, lo, hi, falls, len(by_seed), len(mine)))
    return found


def _networks(study: Study, repeat: StoredRepeat) -> list[Network]:
    """Of one repeat; nothing if its candidates have no λ."""
    placed = [(k, each, each.lam) for k, each in enumerate(repeat.candidates) if each.lam is not None]
    if not placed:
        return []
    base = max(placed, key=lambda each: each[2])[1].architecture
    counted, found = repeat.arm.searcher in COUNTED, list[Network]()
    for k, candidate, lam in placed:
        shared = round(lam) if counted else shared_edges(candidate.architecture, base)
        values = (judged(repeat.val[k], study.y) for judged in QUALITIES.values())
        place = repeat.seed, lam, shared, candidate.architecture.key
        found.append(Network(study.id, repeat.arm.name, repeat.arm.shown, *place, *values))
    return found


def _repeat_means(found: Sequence[Network], metric: str) -> dict[int, float]:
    """By repeat: the mean over its cells of the mean over a cell's seeds."""
    by_seed = dict[int, dict[str, list[float]]]()
    for each in found:
        by_seed.setdefault(each.seed, {}).setdefault(each.cell, []).append(getattr(each, metric))
    return {seed: float(np.mean([np.mean(values) for values in cells.values()])) for seed, cells in by_seed.items()}


def _slope(found: Sequence[Network], metric: str, top: int) -> float:
    """Least squares through one repeat's networks; NaN if they all lie at one distance."""
    x = np.array([top - each.shared for each in found], float)
    y = np.array([getattr(each, metric) for each in found], float)
    if np.ptp(x) == 0:
        return float("nan")
    return float(((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum())
