"""Linear stacking: the mixture weights of greatest likelihood, by expectation maximisation.

    maximise over γ in the simplex   Σ_x log Σ_m γ_m p_m(y|x)
    γ_m ← mean_x [ γ_m p_m(y|x) / Σ_j γ_j p_j(y|x) ]

Concave, without a learning rate, and no step lowers the likelihood (Dempster, Laird, Rubin 1977). Smyth and Wolpert 1999
stack densities so, Yao et al. 2018 predictive distributions. Probabilities are raised to 1e-12 first. A member at weight 0
would stay there, so it starts uniform.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from edgenes_core import metrics
from edgenes_core.ensembles import combine

STEPS = 2000
CONVERGED = 1e-10  # nats gained in a step


class Stacking(NamedTuple):
    """Weights (M,) and the mixture's NLL on the images it was fitted on: before each step and at the end."""

    weights: np.ndarray
    nll: np.ndarray

    @property
    def shares(self) -> np.ndarray:
        return self.weights

    def combine(self, probs: np.ndarray) -> np.ndarray:
        return combine(probs, self.weights)


def fit(probs: np.ndarray, y: np.ndarray, steps: int = STEPS) -> Stacking:
    """Fit on members' probabilities (M, B, C) of images with true classes (B,): validation images only."""
    true = true_class(probs, y)
    weights, nll = np.full(len(true), 1 / len(true)), []
    for _ in range(steps):
        mixture = weights @ true
        nll.append(-float(np.log(mixture).mean()))
        if len(nll) > 1 and nll[-2] - nll[-1] < CONVERGED:
            break
        weights = weights * (true @ (1 / mixture)) / true.shape[1]
        weights /= weights.sum()  # 1 but for rounding
    else:
        nll.append(-float(np.log(weights @ true).mean()))
    return Stacking(weights, np.array(nll))


def true_class(probs: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(M, B): each member's probability of the true class, at least 1e-12."""
    probs = metrics.distributions(probs, "MBC")
    y = metrics.labels(y, *probs.shape[1:])
    return np.maximum(probs[:, np.arange(len(y)), y], metrics.FLOOR)
