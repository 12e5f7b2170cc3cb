"""How sure a difference between two predictors is (paired bootstrap over the same images), and how sure a slope is.

Both predictors are judged image by image, so what is resampled is the difference on each image. That removes the part
that all predictors share (hard images are hard for all), which an unpaired interval would count as noise.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from edgenes_core import EdgeNESError
from edgenes_core.metrics import FLOOR

RESAMPLES = 1000
LARGEST = 4_000_000  # counts held at once, 32 MB
SLOPE_RESAMPLES = 2000
LEAST_GROUPS, LEAST_PLACES = 4, 3  # of a slope with an interval
POWER = 0.8  # with which a slope of the detectable size is found
ROUNDING = 1e-12
GRID = 25  # places at which the band of a fitted line is drawn


class StatisticsError(EdgeNESError):
    """Scores that cannot be compared, or points too few for a slope: of other images, or not finite."""


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


class Slope(NamedTuple):
    """Slope of y over x through n points of `groups` independent groups, with its interval; a tie when that includes 0.

    `detectable`: the smallest slope that this design finds with a power of 80 %. The fitted line `mid` and its pointwise
    band are given at the places `x`.
    """

    slope: float
    lo: float
    hi: float
    detectable: float
    groups: int
    n: int
    x: np.ndarray
    mid: np.ndarray
    band_lo: np.ndarray
    band_hi: np.ndarray

    @property
    def tie(self) -> bool:
        return self.lo <= 0 <= self.hi


def image_scores(probs: np.ndarray, y: np.ndarray) -> Scores:
    """Scores of probabilities (B, C) against true classes (B,)."""
    probs = np.asarray(probs, float)
    right = probs[np.arange(len(y)), y]
    squares = np.einsum("bc,bc->b", probs, probs) - 2 * right + 1
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
    means = np.concatenate([counts @ gap for counts in resampled_counts(len(gap), resamples, seed)]) / len(gap)
    lo, hi = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Difference(float(gap.mean()), float(lo), float(hi), len(gap))


def resampled_counts(n: int, resamples: int = RESAMPLES, seed: int = 0) -> Iterator[np.ndarray]:
    """(r, n) in chunks of at most 32 MB: how often each image occurs in each resample. Nothing of it need be stored: the
    same three arguments give the same resamples, whatever is judged on them."""
    rows = max(1, LARGEST // n)
    for start in range(0, resamples, rows):
        yield _counts(n, min(rows, resamples - start), seed + start)


def slope(
    x: np.ndarray,
    y: np.ndarray,
    groups: np.ndarray,
    resamples: int = SLOPE_RESAMPLES,
    seed: int = 0,
    level: float = 0.95,
) -> Slope:
    """Least-squares slope Σ(x − x̄)(y − ȳ) / Σ(x − x̄)² of points x, y (n,), every point counted once.

    Points of one group (seeds of one cell) are not independent, so whole groups are resampled (cluster bootstrap of pairs;
    Davison & Hinkley 1997, §3.8). With G groups the percentile interval is too narrow; it is expanded to the quantiles
    Φ(±√(G/(G−2))·t) with t of G − 2 degrees of freedom (Hesterberg 2015, The American Statistician 69). Resamples in which
    all x are equal have no slope and are left out. The detectable size is (t₀.₉₇₅ + t₀.₈)·se (Bloom 1995), se the spread of the
    resampled slopes times √(G/(G−2)). Deterministic by `seed` and whatever the order of the points.

    StatisticsError for fewer than 4 groups or 3 different x, or for values that are not finite.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    names, of = np.unique(groups, return_inverse=True)
    _check_points(x, y, len(of), len(names))
    centre, middle = x.mean(), y.mean()
    run, rise = x - centre, y - middle
    rise[np.abs(rise) <= ROUNDING * np.abs(y).max()] = 0  # equal values have no slope, not one of 1e-19
    columns = (np.ones(len(x)), run, rise, run**2, run * rise)
    sums = np.stack([np.bincount(of, column) for column in columns], axis=1)
    found, level_at = _fit(sums.sum(0)[None])
    drawn, heights = _fit(_drawn(len(names), resamples, seed) @ sums)
    tail, widened, t_power = _tails(len(names), level)
    lo, hi = np.quantile(drawn, [tail, 1 - tail])
    grid = np.linspace(x.min(), x.max(), GRID)
    lines = heights[:, None] + drawn[:, None] * (grid - centre)
    band_lo, band_hi = np.quantile(lines, [tail, 1 - tail], axis=0) + middle
    mid = middle + level_at[0] + found[0] * (grid - centre)
    detectable = float(t_power * widened * drawn.std())
    return Slope(float(found[0]), float(lo), float(hi), detectable, len(names), len(x), grid, mid, band_lo, band_hi)


def _check_points(x: np.ndarray, y: np.ndarray, labelled: int, groups: int) -> None:
    if x.ndim != 1 or not len(x) == len(y) == labelled:
        raise StatisticsError(
            f"A slope needs x, y and a group for each point, got {x.shape}, {y.shape} and {labelled}."
        )
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise StatisticsError("A slope needs finite values; leave out the points that have none.")
    places = len(np.unique(x))
    if groups < LEAST_GROUPS or places < LEAST_PLACES:
        raise StatisticsError(
            f"A slope with an interval needs at least {LEAST_GROUPS} groups at {LEAST_PLACES} different places, "
            f"got {groups} at {places}."
        )


def _fit(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slopes and heights at x = 0 from rows of sums (R, 5) over 1, x, y, x², xy; rows with a single x are left out."""
    n, sx, sy, sxx, sxy = sums.T
    spread = sxx - sx**2 / n
    usable = spread > 1e-9 * sxx.max()
    fitted = (sxy[usable] - (sx * sy / n)[usable]) / spread[usable]
    return fitted, (sy[usable] - fitted * sx[usable]) / n[usable]


def _tails(groups: int, level: float) -> tuple[float, float, float]:
    """Expanded tail probability, the factor √(G/(G−2)) of the spread, and t₀.₉₇₅ + t₀.₈ at G − 2 degrees of freedom."""
    from scipy.stats import norm, t

    widened, side = float(np.sqrt(groups / (groups - 2))), (1 + level) / 2
    tail = float(norm.cdf(-widened * t.ppf(side, groups - 2)))
    return tail, widened, float(t.ppf(side, groups - 2) + t.ppf(POWER, groups - 2))


@lru_cache(maxsize=6)
def _counts(n: int, resamples: int, seed: int) -> np.ndarray:
    """As `_drawn`. Kept, as every pair of a page is compared on the same images, and of the images of two runs beside it."""
    return _drawn(n, resamples, seed)


def _drawn(n: int, resamples: int, seed: int) -> np.ndarray:
    """(resamples, n): how often each of n occurs in each resample."""
    drawn = np.random.default_rng(seed).integers(n, size=(resamples, n))
    drawn += np.arange(resamples)[:, None] * n
    return np.bincount(drawn.ravel(), minlength=resamples * n).reshape(resamples, n).astype(float)
