"""Intervals of any measure, and of differences, from resampled images; and with several seeds, from resampled seeds as well.

Every measure and every ensemble is judged on the same resamples, so differences are paired. What identifies the resamples is
(n, resamples, seed): `resampled_rows` gives the images of each again, on any machine. The intervals of `statistics` use the same.

Seeds. One network per ensemble says how sure a number is for these weights; whether a recipe is better needs several seeds. Then the
seeds are resampled too, independently for both sides, and all of them are judged on the same resampled images, as they were on the
real ones (the two are crossed, not nested: Owen 2007). A handful of seeds spreads too little when resampled, by (S − 1)/S of its
variance, which is added back, and the interval is a t interval (Welch and Satterthwaite) instead of a percentile one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from edgenes_core.statistics import RESAMPLES, Difference, StatisticsError, resampled_counts
from edgenes_core.weighted import Statistic


class Interval(NamedTuple):
    """A measure of n images with its percentile interval; NaN where the measure is not defined."""

    value: float
    lo: float
    hi: float
    n: int


class Drawn(NamedTuple):
    """A measure of the images as they are, and of each resample of them (R,)."""

    whole: float
    resampled: np.ndarray


class SeedDifference(NamedTuple):
    """Mean over seeds of a minus mean over seeds of b, n images, `seeds` on each side, t interval of `freedom` degrees.

    With one seed on both sides it speaks of these networks only: `units` says so.
    """

    mean: float
    lo: float
    hi: float
    n: int
    seeds: tuple[int, int]
    freedom: float

    @property
    def tie(self) -> bool:
        return self.lo <= 0 <= self.hi

    @property
    def units(self) -> str:
        return "images" if max(self.seeds) == 1 else "seeds and images"


def resampled_rows(n: int, resamples: int = RESAMPLES, seed: int = 0) -> Iterator[np.ndarray]:
    """Rows (r, n) of the images in each resample, in chunks that fit the memory budget; they depend on the arguments alone."""
    for counts in resampled_counts(n, resamples, seed):
        yield np.repeat(np.tile(np.arange(n), len(counts)), counts.astype(int).ravel()).reshape(len(counts), n)


def values(statistic: Statistic, n: int, resamples: int = RESAMPLES, seed: int = 0) -> np.ndarray:
    """(resamples,): the measure of each resample."""
    return np.concatenate([statistic(counts) for counts in resampled_counts(n, resamples, seed)])


def interval(statistic: Statistic, n: int, resamples: int = RESAMPLES, seed: int = 0, level: float = 0.95) -> Interval:
    """The measure of all n images with its percentile interval. Resamples that leave it undefined are not counted."""
    return Interval(whole(statistic, n), *_percentiles(values(statistic, n, resamples, seed), level), n)


def difference(
    a: Statistic, b: Statistic, n: int, resamples: int = RESAMPLES, seed: int = 0, level: float = 0.95
) -> Difference:
    """a − b on the same n images, with a paired percentile interval, for any measure."""
    gaps = values(a, n, resamples, seed) - values(b, n, resamples, seed)
    return Difference(whole(a, n) - whole(b, n), *_percentiles(gaps, level), n)


def seed_difference(
    a: Sequence[Statistic],
    b: Sequence[Statistic],
    n: int,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = 0.95,
) -> SeedDifference:
    """Two recipes, each with one statistic per seed; seeds must not share members. StatisticsError without any."""
    sides = [[Drawn(whole(each, n), values(each, n, resamples, seed)) for each in side] for side in (a, b)]
    return over_seeds(sides[0], sides[1], n, seed, level)


def over_seeds(a: Sequence[Drawn], b: Sequence[Drawn], n: int, seed: int = 0, level: float = 0.95) -> SeedDifference:
    """The same of measures that are drawn already, on the same resamples of n images."""
    from scipy.stats import t

    if not a or not b:
        raise StatisticsError(
            f"A comparison over seeds needs at least one seed on each side, got {len(a)} and {len(b)}."
        )
    rng = np.random.default_rng((seed, n))
    sides, spreads = [], []
    for side in (a, b):
        table = np.stack([each.resampled for each in side])
        drawn = rng.multinomial(len(side), np.full(len(side), 1 / len(side)), table.shape[1]) / len(side)
        sides.append(np.einsum("rs,sr->r", drawn, table))
        spreads.append(float(np.var([each.whole for each in side], ddof=1)) / len(side) if len(side) > 1 else 0.0)
    missing = sum(v / len(side) for v, side in zip(spreads, (a, b), strict=True))
    variance = float(np.var(sides[0] - sides[1]) + missing)
    of_seeds = sum(v**2 / (len(side) - 1) for v, side in zip(spreads, (a, b), strict=True) if len(side) > 1)
    freedom = min(float(n), variance**2 / of_seeds) if of_seeds > 0 else float(n)
    mean = float(np.mean([each.whole for each in a]) - np.mean([each.whole for each in b]))
    half = float(t.ppf((1 + level) / 2, freedom)) * variance**0.5
    return SeedDifference(mean, mean - half, mean + half, n, (len(a), len(b)), freedom)


def whole(statistic: Statistic, n: int) -> float:
    """The measure of the n images as they are."""
    return float(statistic(np.ones((1, n)))[0])


def _percentiles(drawn: np.ndarray, level: float) -> tuple[float, float]:
    defined = drawn[np.isfinite(drawn)]
    if not len(defined):
        return float("nan"), float("nan")
    lo, hi = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(lo), float(hi)
