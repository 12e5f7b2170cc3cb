"""How good and how honest class probabilities are: accuracy, NLL, Brier score, calibration (see `measures` for sources).

All take probabilities (B, C) and true classes (B,). NLL and Brier are proper scores; the Brier score is summed over
classes (some tools divide it by C), and ECE depends on its number of bins, 15 by default (Guo et al. 2017).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from edgenes_core import EdgeNESError

FLOOR = 1e-12
TOLERANCE = 1e-3
BINS = 15


class MetricError(EdgeNESError):
    """Predictions or true classes that no metric can judge."""


class Calibration(NamedTuple):
    """A reliability diagram: bin k holds confidences from lo to hi; NaN in a bin without images.

    Bins of equal width are (lo, hi]. Bins of equally many images run from their least to their largest confidence.
    """

    lo: np.ndarray
    hi: np.ndarray
    count: np.ndarray  # type: ignore[assignment]  # images; hides tuple.count, which nobody needs here
    accuracy: np.ndarray
    confidence: np.ndarray

    @property
    def gap(self) -> np.ndarray:
        """confidence − accuracy of each bin: above 0 it is too sure of itself, below 0 not sure enough."""
        return self.confidence - self.accuracy

    @property
    def ece(self) -> float:
        """Σ_k n_k/n·|gap_k|, in [0, 1]: never less than |signed|, equal to it where all gaps point the same way."""
        return float(np.nansum(np.abs(self.gap) * self.count) / self.count.sum())

    @property
    def signed(self) -> float:
        """Σ_k n_k/n·gap_k = mean confidence − accuracy, whatever the bins."""
        return float(np.nansum(self.gap * self.count) / self.count.sum())


def probabilities(probs: np.ndarray, axes: str) -> np.ndarray:
    """Probabilities, checked: one dimension per letter of `axes`, finite, and summing to 1 (± 1e-3) over the last.

    float32 stays float32, so that members are not copied; everything else becomes float64.
    """
    try:
        array = np.asarray(probs)
        array = array if array.dtype == np.float32 else array.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise MetricError(
            f"Probabilities must be an array of numbers with axes ({', '.join(axes)}): {error}."
        ) from None
    if array.ndim != len(axes) or 0 in array.shape:
        raise MetricError(f"Probabilities need axes ({', '.join(axes)}), none of them empty, got shape {array.shape}.")
    with np.errstate(invalid="ignore", over="ignore"):
        low, off = float(array.min()), float(np.abs(array @ np.ones(array.shape[-1], array.dtype) - 1).max())
    if low >= -TOLERANCE and off <= TOLERANCE:  # false for NaN
        return array
    if not np.isfinite(array).all():
        raise MetricError(f"Probabilities must be finite, but {int((~np.isfinite(array)).sum())} are NaN or infinite.")
    raise MetricError(
        f"Probabilities must be at least 0 and sum to 1 over the classes; the smallest is {low:.4g} and a sum "
        f"is off by {off:.4g}. Apply softmax to logits first."
    )


def distributions(probs: np.ndarray, axes: str) -> np.ndarray:
    """The same as float64."""
    return probabilities(probs, axes).astype(np.float64, copy=False)


def average(probs: np.ndarray) -> np.ndarray:
    """(M, B, C) → (B, C) float64: the mean over members, checked, without a float64 copy of them."""
    return probabilities(probs, "MBC").mean(0, dtype=np.float64)


def labels(y: np.ndarray, images: int, classes: int) -> np.ndarray:
    """True classes, checked: whole numbers 0..classes−1, one per image."""
    y = np.asarray(y)
    if y.shape != (images,) or y.dtype.kind not in "iu":
        raise MetricError(f"True classes must be {images} whole numbers, got shape {y.shape} of type {y.dtype}.")
    if y.min() < 0 or y.max() >= classes:
        raise MetricError(f"True classes lie between 0 and {classes - 1}, got {y.min()} to {y.max()}.")
    return y


def _checked(probs: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    probs = distributions(probs, "BC")
    return probs, labels(y, *probs.shape)


def accuracy(probs: np.ndarray, y: np.ndarray) -> float:
    """Share of images whose most probable class is the true one; the first class wins a tie."""
    probs, y = _checked(probs, y)
    return float((probs.argmax(-1) == y).mean())


def nll(probs: np.ndarray, y: np.ndarray) -> float:
    """−mean log max(p_y, 1e-12), in nats."""
    probs, y = _checked(probs, y)
    return -float(np.log(np.maximum(probs[np.arange(len(y)), y], FLOOR)).mean())


def brier(probs: np.ndarray, y: np.ndarray) -> float:
    """mean Σ_c (p_c − y_c)² = mean (Σ_c p_c² − 2 p_y + 1), in [0, 2]."""
    probs, y = _checked(probs, y)
    squares = np.einsum("bc,bc->b", probs, probs)
    return max(0.0, float((squares - 2 * probs[np.arange(len(y)), y] + 1).mean()))


def confidences(probs: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of (B, C): the probability (B,) of the named class, and whether (B,) it is the true one."""
    probs, y = _checked(probs, y)
    named = probs.argmax(-1)
    return probs[np.arange(len(y)), named], named == y


def calibration(probs: np.ndarray, y: np.ndarray, bins: int = BINS) -> Calibration:
    """Accuracy and mean confidence of the predicted class in equal-width bins of confidence."""
    confidence, right = confidences(probs, y)
    where = width_bins(confidence, bins)
    count = np.bincount(where, minlength=bins)
    share = np.where(count > 0, count, np.nan)
    edges = np.arange(bins + 1) / bins
    return Calibration(
        edges[:-1],
        edges[1:],
        count,
        np.bincount(where, right, bins) / share,
        np.bincount(where, confidence, bins) / share,
    )


def width_bins(confidence: np.ndarray, bins: int) -> np.ndarray:
    """Number (B,) of the bin (k/bins, (k+1)/bins] that each confidence lies in; 0 counts to the first."""
    if bins < 1:
        raise MetricError(f"Calibration needs at least 1 bin, got {bins}.")
    return np.clip(np.searchsorted(np.arange(bins + 1) / bins, confidence, side="left") - 1, 0, bins - 1)


def adaptive_calibration(probs: np.ndarray, y: np.ndarray, bins: int = BINS) -> Calibration:
    """The same in bins of equally many images (± 1, the first ones larger), by confidence; at most one bin per image.

    Images of one confidence that a border parts count as right to the same share on both sides, so that their order is free.
    """
    confidence, right = confidences(probs, y)
    if bins < 1:
        raise MetricError(f"Calibration needs at least 1 bin, got {bins}.")
    order, right = by_score(confidence, right)
    confidence, bins = confidence[order], min(bins, len(order))
    count = np.full(bins, len(order) // bins)
    count[: len(order) % bins] += 1
    ends = count.cumsum()
    sums = [np.add.reduceat(values, ends - count) / count for values in (right, confidence)]
    return Calibration(confidence[ends - count], confidence[ends - 1], count, *sums)


def by_score(score: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows (B,) in ascending order of score, and the values in that order, those of equal scores replaced by their mean."""
    order = np.argsort(score, kind="stable")
    ordered, values = score[order], values[order].astype(float)
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    sizes = np.diff(np.r_[starts, len(order)])
    return order, np.repeat(np.add.reduceat(values, starts) / sizes, sizes)


def ece(probs: np.ndarray, y: np.ndarray, bins: int = BINS) -> float:
    """Expected calibration error Σ_k n_k/n·|accuracy_k − confidence_k| over bins of equal width, in [0, 1]."""
    return calibration(probs, y, bins).ece


def adaptive_ece(probs: np.ndarray, y: np.ndarray, bins: int = BINS) -> float:
    """The same over bins of equally many images, none of which is empty."""
    return adaptive_calibration(probs, y, bins).ece


def signed_gap(probs: np.ndarray, y: np.ndarray) -> float:
    """Mean confidence − accuracy, in [−1, 1]: above 0 too sure, below 0 not sure enough, as averages of many members are."""
    confidence, right = confidences(probs, y)
    return float(confidence.mean() - right.mean())
