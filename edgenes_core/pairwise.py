"""Who is wrong together: each pair of M members as a 2×2 table of right and wrong, and what is read from it.

    a both right   b only the first   c only the second   d both wrong          a + b + c + d = 1

All measures are (M, M) matrices; a measure is NaN for a pair that does not define it, never 0. Their mean is `over_pairs`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from edgenes_core.architecture import Architecture, edit_distance, shared_edges
from edgenes_core.diversity import pairwise_disagreement, right, true_class
from edgenes_core.metrics import probabilities

STILL = 1e-6  # standard deviation of a probability that does not vary


class Overlap(NamedTuple):
    """Shares of images, each (M, M) or of any other shape: a both right, b and c one of the two, d both wrong."""

    a: np.ndarray
    b: np.ndarray
    c: np.ndarray
    d: np.ndarray


def overlap(probs: np.ndarray, y: np.ndarray) -> Overlap:
    """The 2×2 tables of all pairs, from probabilities (M, B, C) and true classes (B,)."""
    good = right(probs, y).astype(float)
    both, each = good @ good.T / good.shape[1], good.mean(1)
    return overlap_of(both, each[:, None], each)


def overlap_of(both: np.ndarray, first: np.ndarray, second: np.ndarray) -> Overlap:
    """The same from the shares of images that both, the first and the second get right."""
    b, c = first - both, second - both
    return Overlap(both, *(_share(part) for part in (b, c, 1 - both - b - c)))


def right_disagreement(table: Overlap) -> np.ndarray:
    """b + c: exactly one is right (Kuncheva and Whitaker's disagreement, which two different wrong answers do not raise)."""
    return table.b + table.c


def q_statistic(table: Overlap) -> np.ndarray:
    """Yule's Q = (ad − bc)/(ad + bc) in [−1, 1]: 0 if errors are independent, 1 if only together; NaN where ad + bc = 0."""
    same, apart = table.a * table.d, table.b * table.c
    return _divided(same - apart, same + apart)


def error_correlation(table: Overlap) -> np.ndarray:
    """Pearson's correlation of being wrong, in [−1, 1]; NaN where a member is always right or always wrong."""
    a, b, c, d = table
    return _divided(a * d - b * c, np.sqrt((a + b) * (c + d) * (a + c) * (b + d)))


def normalised_disagreement(probs: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Disagreement on classes divided by the pair's mean error (Zaidi et al. 2021), in [0, 2]; NaN if neither ever errs."""
    error = 1 - right(probs, y).mean(1)
    return _divided(pairwise_disagreement(probs), (error[:, None] + error) / 2)


def kappa(probs: np.ndarray) -> np.ndarray:
    """Cohen's κ of the named classes: (agreement − chance)/(1 − chance); NaN where both always name one and the same class."""
    probs = probabilities(probs, "MBC")
    named = np.stack([np.bincount(row, minlength=probs.shape[2]) for row in probs.argmax(-1)]) / probs.shape[1]
    return kappa_of(1 - pairwise_disagreement(probs), named @ named.T)


def kappa_of(agreement: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """κ from the share of images named alike and what it would be by chance."""
    return _divided(agreement - chance, 1 - chance)


def residual_correlation(probs: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Correlation over images of the residuals 1 − p_m(y), in [−1, 1]; NaN for a member whose residual hardly varies."""
    residual = 1 - true_class(probs, y)
    residual -= residual.mean(1, keepdims=True)
    covariance = residual @ residual.T / residual.shape[1]
    spread = np.sqrt(covariance.diagonal())
    return correlation_of(covariance, spread[:, None], spread)


def correlation_of(covariance: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """From a covariance and two standard deviations; NaN where one is below 1e-6, which rounding alone can make."""
    return _divided(covariance, np.where(np.minimum(first, second) < STILL, 0.0, first * second))


def over_pairs(matrix: np.ndarray) -> float:
    """Mean over the pairs i < j that define the measure; NaN for one member, and where no pair defines it."""
    pairs = matrix[np.triu_indices(len(matrix), 1)]
    defined = pairs[np.isfinite(pairs)]
    return float(defined.mean()) if len(defined) else float("nan")


def member_shared(cells: Sequence[Architecture]) -> np.ndarray:
    """(M, M): edges that two members' cells share; the diagonal counts each cell's own."""
    return _each_pair(cells, shared_edges)


def member_edits(cells: Sequence[Architecture]) -> np.ndarray:
    """(M, M): fewest edits between two members' cells. Two far from α* can still be one and the same."""
    return _each_pair(cells, edit_distance)


def _each_pair(cells: Sequence[Architecture], measure: Callable[[Architecture, Architecture], int]) -> np.ndarray:
    return np.array([[measure(a, b) for b in cells] for a in cells], int).reshape(len(cells), len(cells))


def _share(part: np.ndarray) -> np.ndarray:
    """A difference of shares: what rounding leaves of nothing is 0, since Q and ρ depend on whether a share is."""
    return np.where(part > 1e-12, part, 0.0)


def _divided(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """NaN where the bottom is 0, or within rounding of it."""
    usable = bottom > 1e-15
    return np.where(usable, top / np.where(usable, bottom, 1.0), np.nan)
