"""Mixture of experts with a small gate: weights that depend on the image, as far as the members' own sureness tells.

    p̄(c|x) = Σ_m g_m(x) p_m(c|x),   g(x) = softmax(V·h(x) + b)
    minimise   −Σ_x log p̄(y|x) + (ℓ/2)·(‖V‖² + ‖b‖²)

h holds each member's confidence max p_m and entropy H(p_m), standardised on the images it is fitted on: 2M features,
M(2M + 1) numbers. V = 0, b = 0 is the simple mean, and the penalty (a normal prior of variance 1/ℓ) pulls there, which also
balances the load. On few validation images it over-fits: judge it only on images it did not see, and beside the simple mean
(judging.py does both). Jacobs et al. 1991.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from edgenes_core import metrics
from edgenes_core.combining.errors import CombiningError
from edgenes_core.combining.stacking import true_class

PENALTY = 10.0
STEPS = 500


class Gate(NamedTuple):
    """V and b as one matrix (M, 2M + 1), centre and scale (2M,) of the features, and each member's mean weight (M,)."""

    coefficients: np.ndarray
    centre: np.ndarray
    scale: np.ndarray
    load: np.ndarray

    @property
    def shares(self) -> np.ndarray:
        return self.load

    def weights(self, probs: np.ndarray) -> np.ndarray:
        """(M, B, C) → (M, B): each image's weights of the members."""
        inputs = (features(probs) - self.centre) / self.scale
        return _softmax(self.coefficients @ _with_one(inputs))

    def combine(self, probs: np.ndarray) -> np.ndarray:
        probs = metrics.distributions(probs, "MBC")
        if len(probs) != len(self.coefficients):
            raise CombiningError(f"This gate was fitted on {len(self.coefficients)} members, got {len(probs)}.")
        return np.einsum("mb,mbc->bc", self.weights(probs), probs)


def features(probs: np.ndarray) -> np.ndarray:
    """(M, B, C) → (B, 2M): confidences, then entropies in nats."""
    probs = metrics.distributions(probs, "MBC")
    safe = np.maximum(probs, metrics.FLOOR)
    return np.vstack([probs.max(-1), -(safe * np.log(safe)).sum(-1)]).T


def fit(probs: np.ndarray, y: np.ndarray, penalty: float = PENALTY) -> Gate:
    """Fit on members' probabilities (M, B, C) of images with true classes (B,): validation images only.

    The loss is not convex: L-BFGS starts from the simple mean, so the same images give the same gate.
    """
    from scipy.optimize import minimize

    if not 0 < penalty < np.inf:
        raise CombiningError(
            f"The gate's penalty ℓ is a number above 0, got {penalty}; a large one gives the simple mean."
        )
    true, raw = true_class(probs, y), features(probs)
    pull = penalty / len(raw)
    spread = raw.std(0)
    centre, scale = raw.mean(0), np.where(spread > 1e-9, spread, 1.0)
    inputs = _with_one((raw - centre) / scale)
    shape = (len(true), len(inputs))

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        gate = _softmax(flat.reshape(shape) @ inputs)
        parts = gate * true
        mixture = parts.sum(0)
        slope = (gate - parts / mixture) @ inputs.T / true.shape[1]
        return -np.log(mixture).mean() + pull / 2 * flat @ flat, slope.ravel() + pull * flat

    found = minimize(loss, np.zeros(shape[0] * shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": STEPS})
    coefficients = found.x.reshape(shape)
    return Gate(coefficients, centre, scale, _softmax(coefficients @ inputs).mean(1))


def _with_one(inputs: np.ndarray) -> np.ndarray:
    """(B, F) → (F + 1, B), the last row ones."""
    return np.vstack([inputs.T, np.ones(len(inputs))])


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(0))
    return powers / powers.sum(0)
