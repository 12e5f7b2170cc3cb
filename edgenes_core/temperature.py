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
STEPS = 32  # the golden section then knows log T to 2e-6
GOLDEN = (5**0.5 - 1) / 2


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

    The NLL is convex in 1/T, so it has one valley in log T, and a golden section finds its bottom.
    """
    logs = np.log(np.maximum(distributions(probs, "BC"), FLOOR))
    logs -= logs.max(-1, keepdims=True)
    at_truth = logs[np.arange(len(logs)), labels(y, *logs.shape)]

    def loss(log_t: float) -> float:
        inverse = np.exp(-log_t)
        return float((np.log(np.exp(logs * inverse).sum(-1)) - at_truth * inverse).mean())

    low, high = -SPAN, SPAN
    inner = [high - GOLDEN * (high - low), low + GOLDEN * (high - low)]
    losses = [loss(place) for place in inner]
    for _ in range(STEPS):
        if losses[0] <= losses[1]:
            high, inner[1], losses[1] = inner[1], inner[0], losses[0]
            inner[0] = high - GOLDEN * (high - low)
            losses[0] = loss(inner[0])
        else:
            low, inner[0], losses[0] = inner[0], inner[1], losses[1]
            inner[1] = low + GOLDEN * (high - low)
            losses[1] = loss(inner[1])
    found = float(np.exp((low + high) / 2))
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
