"""How sure a difference between two predictors is: paired bootstrap over the same images.

Both predictors are judged image by image, so what is resampled is the difference on each image. That removes the part
that all predictors share (hard images are hard for all), which an unpaired interval would count as noise.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from edgenes_core import EdgeNESError
from edgenes_core.metrics import FLOOR

RESAMPLES = 1000
LARGEST = 4_000_000  # counts held at once, 32 MB


class StatisticsError(EdgeNESError):
    """Scores that cannot be compared: of other images, or not finite."""


class Scores(NamedTuple):
    """Per-image scores (B,); their means are the accuracy, NLL and Brier score of the whole split."""

    accuracy: np.ndarray
    nll: np.ndarray
    brier: np.ndarray


class Difference(NamedTuple):
    """Mean of a − b over n images with a percentile interval; a tie when the interval includes 0."""

    mean: float
    lo: float
    hi: float
    n: int

    @property
    def tie(self) -> bool:
        return self.lo <= 0 <= self.hi


def image_scores(probs: np.ndarray, y: np.ndarray) -> Scores:
    """Scores of probabilities (B, C) against true classes (B,)."""
    right = probs[np.arange(len(y)), y].astype(float)
    squares = (probs.astype(float) ** 2).sum(-1) - 2 * right + 1
    return Scores((probs.argmax(-1) == y).astype(float), -np.log(np.maximum(right, FLOOR)), squares)


def paired_bootstrap(
    a: np.ndarray, b: np.ndarray, resamples: int = RESAMPLES, seed: int = 0, level: float = 0.95
) -> Difference:
    """Percentile bootstrap of mean(a − b) for per-image scores a, b (B,) of the same images (Efron & Tibshirani 1993, ch. 13).

    Deterministic by `seed`: the same images always give the same interval, for every pair compared.
    """
    if a.shape != b.shape or a.ndim != 1 or not len(a):
        raise StatisticsError(
            f"A paired comparison needs scores of the same images, at least one; got {a.shape} and {b.shape}."
        )
    gap = a.astype(float) - b.astype(float)
    if not np.isfinite(gap).all():
        raise StatisticsError("A paired comparison needs finite scores; one predictor has NaN or infinity.")
    rows = max(1, LARGEST // len(gap))
    starts = range(0, resamples, rows)
    means = np.concatenate([_counts(len(gap), min(rows, resamples - s), seed + s) @ gap for s in starts]) / len(gap)
    lo, hi = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Difference(float(gap.mean()), float(lo), float(hi), len(gap))


@lru_cache(maxsize=3)
def _counts(n: int, resamples: int, seed: int) -> np.ndarray:
    """(resamples, n): how often each image occurs in each resample. Kept, as every pair of a page is compared on the same images."""
    drawn = np.random.default_rng(seed).integers(n, size=(resamples, n))
    drawn += np.arange(resamples)[:, None] * n
    return np.bincount(drawn.ravel(), minlength=resamples * n).reshape(resamples, n).astype(float)
