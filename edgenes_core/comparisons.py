"""Many comparisons at once: among twenty ensembles that are all alike, one looks better at the 5 % level.

Chosen here: simultaneous (max-T) intervals wherever all comparisons share their resamples, as all ensembles judged on the same
images do (Westfall and Young 1993, single step; Romano and Wolf 2005). They account for how much the comparisons resemble each
other, so they are narrower than Bonferroni's, and the interval and the decision are the same thing: a tie is an interval that
includes 0. Where each comparison has seeds of its own (`study.budget`, `study.table`) Bonferroni's are used, for the same reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from edgenes_core.bootstrap import values, whole
from edgenes_core.statistics import RESAMPLES, StatisticsError
from edgenes_core.weighted import Statistic

METHOD = "max-T (simultaneous over all comparisons shown)"


class Adjusted(NamedTuple):
    """One of `comparisons` differences a − b over n images: its simultaneous interval and adjusted p-value.

    All intervals of a family hold together with the family's level; a tie when this one includes 0.
    """

    mean: float
    lo: float
    hi: float
    n: int
    p: float
    comparisons: int

    @property
    def tie(self) -> bool:
        return self.lo <= 0 <= self.hi


def simultaneous(
    pairs: Sequence[tuple[Statistic, Statistic]],
    n: int,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[Adjusted, ...]:
    """All differences a − b judged together, as `judged_together` does."""
    if not pairs:
        return ()
    drawn = np.stack([values(a, n, resamples, seed) - values(b, n, resamples, seed) for a, b in pairs])
    return judged_together(np.array([whole(a, n) - whole(b, n) for a, b in pairs]), drawn, n, level)


def judged_together(found: np.ndarray, drawn: np.ndarray, n: int, level: float = 0.95) -> tuple[Adjusted, ...]:
    """A family of K differences found (K,), and drawn (K, R) from the same R resamples of n images. With spread s_j of a
    resampled difference and q the `level` quantile of max_j |d*_j − d_j| / s_j, each interval is d_j ± q·s_j."""
    if not (np.isfinite(drawn).all() and np.isfinite(found).all()):
        raise StatisticsError(
            "A family of comparisons needs measures that every resample defines; leave out the others."
        )
    resamples = drawn.shape[1]
    spread = drawn.std(1)
    spread[spread <= 1e-12 * np.maximum(1, np.abs(found))] = 0  # equal, but for rounding, in every resample
    varying = spread > 0
    largest = np.zeros(resamples)
    if varying.any():
        largest = (np.abs(drawn - found[:, None])[varying] / spread[varying, None]).max(0)
    reach = float(np.quantile(largest, level))
    statistic = np.divide(np.abs(found), spread, out=np.full(len(found), np.inf), where=varying)
    statistic[(found == 0) & ~varying] = 0
    p = (1 + (largest >= statistic[:, None]).sum(1)) / (1 + resamples)
    return tuple(
        Adjusted(float(d), float(d - reach * s), float(d + reach * s), n, float(chance), len(found))
        for d, s, chance in zip(found, spread, p, strict=True)
    )
