"""Bayesian model averaging, and its tempered form: each weight is the probability that this member is the whole truth.

    w_m ∝ π_m · Π_x p_m(y|x)^T = π_m · exp(−T·n·NLL_m),     softmax of log π_m − T·n·NLL_m

Here the sum over members stands outside the product over images, in stacking inside it: averaging asks which member made
all the data, stacking which blend of members made each datum. So as n grows the weights become one-hot on the best member;
that is the rule's answer, not a fault of the fit (Minka 2002). T is how many observations each image counts as: T = 1 is
Bayes' rule, T = 0 leaves the prior, T < 1 trusts the data less because no member is the truth (Grünwald 2012). T = 1/n gives
softmax(−NLL), the "BMA" in the code of Zaidi et al. 2021.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from edgenes_core.combining.errors import CombiningError
from edgenes_core.combining.stacking import true_class
from edgenes_core.ensembles import combine


class Posterior(NamedTuple):
    """Weights (M,), and the members' own NLL (M,) on the images they were fitted on."""

    weights: np.ndarray
    nll: np.ndarray
    power: float

    @property
    def shares(self) -> np.ndarray:
        return self.weights

    def combine(self, probs: np.ndarray) -> np.ndarray:
        return combine(probs, self.weights)


def fit(probs: np.ndarray, y: np.ndarray, power: float = 1.0, prior: np.ndarray | None = None) -> Posterior:
    """Fit on members' probabilities (M, B, C) of images with true classes (B,): validation images only. `power` is T."""
    logs = np.log(true_class(probs, y))
    if not 0 <= power < np.inf:
        raise CombiningError(f"T, the observations that an image counts as, is a number from 0, got {power}.")
    prior = np.full(len(logs), 1 / len(logs)) if prior is None else np.asarray(prior, float)
    if prior.shape != logs.shape[:1] or not (prior > 0).all() or abs(prior.sum() - 1) > 1e-6:
        raise CombiningError(f"A prior is {len(logs)} numbers above 0 that sum to 1, got {prior.tolist()}.")
    log_weights = np.log(prior) + power * logs.sum(1)
    weights = np.exp(log_weights - log_weights.max())
    return Posterior(weights / weights.sum(), -logs.mean(1), power)


def fit_tempered(probs: np.ndarray, y: np.ndarray) -> Posterior:
    """T = 1/n: all images together count as one observation."""
    return fit(probs, y, 1 / max(1, len(y)))
