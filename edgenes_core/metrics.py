"""How good and how honest class probabilities are: accuracy, NLL, Brier score, calibration.

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
    """A reliability diagram: bin k holds confidences in (lo, hi]; NaN in a bin without images."""

    lo: np.ndarray
    hi: np.ndarray
    count: np.ndarray  # type: ignore[assignment]  # images; hides tuple.count, which nobody needs here
    accuracy: np.ndarray
    confidence: np.ndarray


def distributions(probs: np.ndarray, axes: str) -> np.ndarray:
    """Probabilities as float64, checked: one dimension per letter of `axes`, finite, and summing to 1 (± 1e-3) over the last."""
    try:
        array = np.asarray(probs, np.float64)
    except (TypeError, ValueError) as error:
        raise MetricError(
            f"Probabilities must be an array of numbers with axes ({', '.join(axes)}): {error}."
        ) from None
    if array.ndim != len(axes) or 0 in array.shape:
        raise MetricError(f"Probabilities need axes ({', '.join(axes)}), none of them empty, got shape {array.shape}.")
    if not np.isfinite(array).all():
        raise MetricError(f"Probabilities must be finite, but {int((~np.isfinite(array)).sum())} are NaN or infinite.")
    low, off = float(array.min()), float(np.abs(array.sum(-1) - 1).max())
    if low < -TOLERANCE or off > TOLERANCE:
        raise MetricError(
            f"Probabilities must be at least 0 and sum to 1 over the classes; the smallest is {low:.4g} and a sum "
            f"is off by {off:.4g}. Apply softmax to logits first."
        )
    return array


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
    """mean Σ_c (p_c − y_c)², in [0, 2]."""
    probs, y = _checked(probs, y)
    error = probs.copy()
    error[np.arange(len(y)), y] -= 1
    return float((error**2).sum(-1).mean())


def calibration(probs: np.ndarray, y: np.ndarray, bins: int = BINS) -> Calibration:
    """Accuracy and mean confidence of the predicted class in equal-width bins of confidence."""
    probs, y = _checked(probs, y)
    if bins < 1:
        raise MetricError(f"Calibration needs at least 1 bin, got {bins}.")
    edges = np.arange(bins + 1) / bins
    confidence, right = probs.max(-1), probs.argmax(-1) == y
    where = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    count = np.bincount(where, minlength=bins)
    share = np.where(count > 0, count, np.nan)
    return Calibration(
        edges[:-1],
        edges[1:],
        count,
        np.bincount(where, right, bins) / share,
        np.bincount(where, confidence, bins) / share,
    )


def ece(probs: np.ndarray, y: np.ndarray, bins: int = BINS) -> float:
    """Expected calibration error Σ_k n_k/n·|accuracy_k − confidence_k|, in [0, 1]."""
    table = calibration(probs, y, bins)
    gap = np.abs(table.accuracy - table.confidence)
    return float(np.nansum(gap * table.count) / table.count.sum())
