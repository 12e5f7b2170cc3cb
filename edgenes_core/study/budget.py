"""What a method reaches by what it has spent.

curve      after k = 1 … N trained candidates: cost = search + trainings so far, quality of the n chosen among them
area       mean of the quality over the costs that all curves have in common, on a log axis
paired     t test of the areas of two methods, seed by seed, and the difference that so many seeds find four times in five
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from edgenes_core.search import SEARCHERS
from edgenes_core.statistics import POWER
from edgenes_core.study.chosen import choose, combined
from edgenes_core.study.folder import Look, StoredRepeat, Study
from edgenes_core.study.table import LEVEL, over_seeds
from edgenes_core.weighted import measure


class Curve(NamedTuple):
    """One repeat's quality (K,) after each trained candidate, and what it has then cost (K,) in seconds and in images."""

    arm: str
    seed: int
    seconds: np.ndarray
    images: np.ndarray
    quality: np.ndarray


class Point(NamedTuple):
    """A curve's point, for a table."""

    arm: str
    seed: int
    networks: int
    seconds: float
    images: float
    quality: float


class Test(NamedTuple):
    """A paired t test over n seeds: mean difference with its interval, two-sided p, and the least difference found with a power
    of 80 % (Bloom 1995). NaN for fewer than two pairs."""

    mean: float
    lo: float
    hi: float
    p: float
    detectable: float
    n: int

    @property
    def tie(self) -> bool:
        return not (self.lo > 0 or self.hi < 0)


class AreaRow(NamedTuple):
    """An arm's mean quality over the common budget, n seeds; its difference to the reference over the seeds that both have, with
    a 95 % interval and an adjusted p that hold for all arms together (Bonferroni), so that p_adjusted < 0.05 is no tie."""

    arm: str
    title: str
    area: float
    sd: float
    n: int
    mean: float
    lo: float
    hi: float
    p: float
    p_adjusted: float
    detectable: float
    pairs: int
    tie: bool


def curves(
    study: Study, metric: str = "nll", look: Look | None = None, arms: Collection[str] | None = None
) -> list[Curve]:
    """Of every stored repeat (of some arms); members are chosen anew, on validation, after each candidate."""
    y = study.y if look is None else study.test_y(look)
    found = []
    for repeat in study.repeats()[0]:
        if arms is not None and repeat.arm.name not in arms:
            continue
        probs = repeat.val if look is None else study.test(repeat, look)
        size = study.config.config(repeat.arm, repeat.seed).ensemble.size
        found.append(curve(repeat, study.y, size, metric, probs, y))
    return found


def curve(
    repeat: StoredRepeat,
    y_val: np.ndarray,
    size: int,
    metric: str = "nll",
    probs: np.ndarray | None = None,
    y: np.ndarray | None = None,
) -> Curve:
    """One repeat's, judged on validation or on what is given."""
    probs, y = (repeat.val, y_val) if probs is None or y is None else (probs, y)
    rule, quality = SEARCHERS[repeat.arm.searcher].members, []
    for k in range(1, len(repeat.candidates) + 1):
        members = choose(rule, repeat.val[:k], y_val, size)
        quality.append(measure(metric, combined(probs, members)[None], y))
    return Curve(repeat.arm.name, repeat.seed, *repeat.bill, np.array(quality))


def points(found: Sequence[Curve]) -> list[Point]:
    """All points of all curves."""
    return [
        Point(c.arm, c.seed, k + 1, float(c.seconds[k]), float(c.images[k]), float(c.quality[k]))
        for c in found
        for k in range(len(c.quality))
    ]


def common(found: Sequence[Curve], cost: str = "seconds") -> tuple[float, float] | None:
    """The costs that all curves reach: from the dearest start to the cheapest end; None if there are none."""
    if not found:
        return None
    low = max(float(getattr(c, cost)[0]) for c in found)
    high = min(float(getattr(c, cost)[-1]) for c in found)
    return (low, high) if high > low > 0 else None


def at(of: Curve, budgets: np.ndarray, cost: str = "seconds") -> np.ndarray:
    """Quality (G,) of the last point that each budget pays for; NaN where it does not pay for the first."""
    place = np.searchsorted(getattr(of, cost), budgets, side="right")
    reached: np.ndarray = np.where(place > 0, of.quality[np.maximum(place, 1) - 1], np.nan)
    return reached


def area(of: Curve, low: float, high: float, cost: str = "seconds") -> float:
    """Mean quality over [low, high] of the step curve, log cost."""
    spent = getattr(of, cost)
    if not 0 < spent[0] <= low < high:
        raise ValueError(f"The curve begins at {spent[0]}, it has no area from {low} to {high}.")
    ends = np.r_[low, spent[(spent > low) & (spent < high)], high]
    widths = np.diff(np.log(ends))
    return float(widths @ at(of, ends[:-1], cost) / widths.sum())


def paired(a: Sequence[float], b: Sequence[float], level: float = LEVEL) -> Test:
    """a − b, the same seeds in the same order; the p of identical pairs is 1."""
    from scipy.stats import t

    differences = np.array(a, float) - np.array(b, float)
    n, mean, nan = len(differences), float(differences.mean()) if len(differences) else float("nan"), float("nan")
    if n < 2:
        return Test(mean, nan, nan, nan, nan, n)
    error = float(differences.std(ddof=1)) / n**0.5
    reach = float(t.ppf((1 + level) / 2, n - 1))
    p = 2 * float(t.sf(abs(mean) / error, n - 1)) if error > 0 else float(mean == 0)
    detectable = (reach + float(t.ppf(POWER, n - 1))) * error
    return Test(mean, mean - reach * error, mean + reach * error, p, detectable, n)


def areas(study: Study, found: Sequence[Curve], reference: str, cost: str = "seconds") -> list[AreaRow]:
    """Every arm's area over the budget common to these curves; nothing if they have none in common."""
    span = common(found, cost)
    if span is None:
        return []
    by_arm: dict[str, dict[int, float]] = {}
    for each in found:
        by_arm.setdefault(each.arm, {})[each.seed] = area(each, *span, cost)
    theirs, others = by_arm.get(reference, {}), [arm for arm in by_arm if arm != reference]
    level = 1 - (1 - LEVEL) / max(1, len(others))
    both = {arm: sorted(by_arm[arm].keys() & theirs.keys()) for arm in others}
    tests = {arm: paired([by_arm[arm][s] for s in both[arm]], [theirs[s] for s in both[arm]], level) for arm in others}
    nan, rows = float("nan"), []
    for arm, values in by_arm.items():
        mean, sd, _, _ = over_seeds(list(values.values()))
        test = tests.get(arm, Test(nan, nan, nan, nan, nan, 0))
        adjusted = float(np.minimum(1, test.p * len(others)))
        gap = (test.mean, test.lo, test.hi, test.p, adjusted, test.detectable, test.n)
        rows.append(AreaRow(arm, study.config.arm(arm).shown, mean, sd, len(values), *gap, test.tie))
    return rows
