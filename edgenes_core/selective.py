"""Selective prediction: answer only where the prediction is sure, and see what error is left (Geifman and El-Yaniv 2017)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from edgenes_core.metrics import by_score, confidences


class RiskCoverage(NamedTuple):
    """Error among the k surest of n images, for k = 1 … n; `aurc` is its mean, `best` what a perfect order would reach.

    `coverage` is k/n. `error` is the risk at full coverage. Images of one confidence are rejected together: their risk is the
    expected one of all their orders, so that the curve does not depend on how images are stored.
    """

    coverage: np.ndarray
    risk: np.ndarray
    aurc: float
    best: float
    error: float

    @property
    def excess(self) -> float:
        """AURC above the best that any order of the same errors could reach; 0 if all errors are less sure than all right answers."""
        return self.aurc - self.best


def risk_coverage(probs: np.ndarray, y: np.ndarray) -> RiskCoverage:
    """Of averaged probabilities (B, C), the surest by max p̄ first."""
    confidence, right = confidences(probs, y)
    _, wrong = by_score(-confidence, ~right)
    images = np.arange(1, len(y) + 1)
    risk, ideal = wrong.cumsum() / images, np.sort(~right).cumsum() / images
    return RiskCoverage(images / len(y), risk, float(risk.mean()), float(ideal.mean()), float((~right).mean()))


def aurc(probs: np.ndarray, y: np.ndarray) -> float:
    """Area under the risk–coverage curve, in [0, 1], lower is better."""
    return risk_coverage(probs, y).aurc
