"""Temperature scaling of an ensemble: softmax(log p̄ / T), one number T, fitted after averaging.

Scaling each member and then averaging usually leaves the average less sure than it is right, so T is fitted to the average
(Rahaman and Thiery 2021). T is fitted on one half of the validation images and judged on the other, since a T judged where it was
fitted always looks good. T > 1 makes predictions less sure, T < 1 surer; which class is named never changes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from edgenes_core.metrics import BINS, FLOOR, MetricError, distributions, ece, labels, nll
from edgenes_core.splits import split

SPAN = 3.0  # log T lies in [−3, 3]
PRECISION = 1e-9  # of log T


class Scores(NamedTuple):
    """NLL and ECE (15 equal-width bins) of n images."""

    nll: float
    ece: float
    n: int


class Temperature(NamedTuple):
    """T, the rows it was fitted on and the other rows, and scores of both without (T = 1) and with it.

    `fitted` is what was minimised; only `judged` says whether T helps.
    """

    value: float
    fit_rows: np.ndarray
    judge_rows: np.ndarray
    fitted: tuple[Scores, Scores]
    judged: tuple[Scores, Scores]


def fit_temperature(probs: np.ndarray, y: np.ndarray, bins: int = BINS) -> Temperature:
    """T for averaged probabilities (B, C) of validation images, from half of each class; MetricError if a half is empty.

    The halves depend on the true classes alone, so every ensemble of a run is fitted on the same images.
    """
    probs = distributions(probs, "BC")
    y = labels(y, *probs.shape)
    judge, fit = (np.sort(rows) for rows in split(y, 0.5))
    if not len(judge) or not len(fit):
        raise MetricError(
            f"A temperature needs images to fit and others to judge it, got {len(y)} with too few per class."
        )
    value = best_temperature(probs[fit], y[fit])
    scaled = temper(probs, value)
    pairs = [tuple(_scores(p[rows], y[rows], bins) for p in (probs, scaled)) for rows in (fit, judge)]
    return Temperature(value, fit, judge, (pairs[0][0], pairs[0][1]), (pairs[1][0], pairs[1][1]))


def best_temperature(probs: np.ndarray, y: np.ndarray) -> float:
    """The T with the least NLL of these images; 1 unless another is better.

    The NLL is convex in 1/T, so its slope there, mean(Σ_c q_c log p_c − log p_y) with q = softmax(log p / T), rises and has one root.
    """
    from scipy.optimize import brentq

    logs = np.log(np.maximum(distributions(probs, "BC"), FLOOR))
    logs -= logs.max(-1, keepdims=True)
    at_truth = logs[np.arange(len(logs)), labels(y, *logs.shape)].mean()
    q = np.empty_like(logs)

    def slope(log_t: float) -> float:
        np.exp(np.multiply(logs, np.exp(-log_t), out=q), out=q)
        return float((np.einsum("bc,bc->b", q, logs) / q.sum(-1)).mean() - at_truth)

    if slope(SPAN) >= 0:  # even the least sure of all is too sure
        log_t = SPAN
    elif slope(-SPAN) <= 0:
        log_t = -SPAN
    else:
        log_t = brentq(slope, -SPAN, SPAN, xtol=PRECISION)
    found = float(np.exp(log_t))
    return found if nll(temper(probs, found), y) < nll(probs, y) else 1.0


def temper(probs: np.ndarray, temperature: float) -> np.ndarray:
    """softmax(log max(p, 1e-12) / T) of (B, C), with the same class named as before; the same numbers at T = 1."""
    probs = distributions(probs, "BC")
    if not 0 < temperature < np.inf:
        raise MetricError(f"A temperature is a number above 0, got {temperature}.")
    if temperature == 1:
        return probs
    logs = np.log(np.maximum(probs, FLOOR)) / temperature
    scaled = np.exp(logs - logs.max(-1, keepdims=True))
    scaled /= scaled.sum(-1, keepdims=True)
    rows, named = np.arange(len(probs)), probs.argmax(-1)
    tied = scaled.argmax(-1) != named  # two classes so close that rounding made them equal
    scaled[rows[tied], named[tied]] = np.nextafter(scaled[tied].max(-1), 2)
    return scaled


def _scores(probs: np.ndarray, y: np.ndarray, bins: int) -> Scores:
    return Scores(nll(probs, y), ece(probs, y, bins), len(y))
