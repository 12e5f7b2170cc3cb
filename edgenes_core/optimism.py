"""What choosing on validation promised too much: a measure on validation minus the same on test, with intervals.

The two parts hold different images, so they are resampled independently of each other; nothing here is paired.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from edgenes_core.bootstrap import Interval, interval, values
from edgenes_core.statistics import RESAMPLES
from edgenes_core.weighted import Statistic


class Optimism(NamedTuple):
    """A measure on both parts, each with its interval, and the interval lo … hi of `gap`."""

    val: Interval
    test: Interval
    lo: float
    hi: float

    @property
    def gap(self) -> float:
        """Validation − test."""
        return self.val.value - self.test.value

    @property
    def tie(self) -> bool:
        return self.lo <= 0 <= self.hi


def optimism(
    val: Statistic, n_val: int, test: Statistic, n_test: int, resamples: int = RESAMPLES, level: float = 0.95
) -> Optimism:
    """Percentile intervals; the resamples of the test images are those of every paired comparison on them."""
    gaps = values(val, n_val, resamples, seed=1) - values(test, n_test, resamples)
    lo, hi = np.quantile(gaps, [(1 - level) / 2, (1 + level) / 2])
    return Optimism(interval(val, n_val, resamples), interval(test, n_test, resamples), float(lo), float(hi))
