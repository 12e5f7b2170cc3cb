"""A relaxed cell as distributions, and how far apart two of them are.

    q_n(p, o) = B̃[n]_p · Ã[n,p]_o / k              what feeds node n: input p through operation o       (method 2.1)
    JSD(a, b) = mean over nodes n of  H((q_n^a + q_n^b)/2) − (H(q_n^a) + H(q_n^b))/2     in nats, from 0 to ln 2

Ã and B̃ are the noise-free mixing weights at temperature 1: Ã is then the chance that a Gumbel draw takes the operation. Edges are
weighted by their inclusion, so what discretisation is sure to drop counts for nothing (the mean over all candidate edges, as the
2023 variant takes it, counts dropped and kept edges alike). JSD: Lin 1991; its root is a metric: Endres and Schindelin 2003.
"""

from __future__ import annotations

import numpy as np

from edgenes_core.architecture import Architecture
from edgenes_core.lambda_path import split_logits
from edgenes_core.space import SearchSpace

LEAST = 1e-6  # of the chance that is left to the inputs not yet taken, as in `alpha.relax`
DIGITS = 12  # equal distances stay equal: sums of the same terms in another order differ in the 16th


def soft_weights(space: SearchSpace, logits: np.ndarray) -> np.ndarray:
    """(…, S) logits → (…, E, O) mixing weights that sum to k at each node: `alpha.mixing` at temperature 1, without torch."""
    alpha, beta = split_logits(space, np.asarray(logits, float))
    inclusion = [_inclusion(beta[..., where], space.inputs_per_node) for where in space.slices]
    return np.concatenate(inclusion, -1)[..., None] * _softmax(alpha)


def smoothed(space: SearchSpace, architecture: Architecture, tau: float) -> np.ndarray:
    """(E, O) weights of a cell that has no logits: τ·onehot + (1 − τ)/O on the edges it keeps."""
    encoded = space.encode(architecture)
    return tau * encoded + (1 - tau) / len(space.operations) * encoded.sum(-1, keepdims=True)


def soft_distances(space: SearchSpace, weights: np.ndarray) -> np.ndarray:
    """(P, E, O) mixing weights → (P, P) JSD. For cells without softness (τ = 1) it is ln 2·(1 − shared/Λ)."""
    flat = weights.reshape(len(weights), -1) / space.inputs_per_node
    own = _entropy(flat)
    rows = [_entropy((flat + row) / 2) - (own + mine) / 2 for row, mine in zip(flat, own, strict=True)]
    return np.maximum(0.0, np.round(np.array(rows) / len(space.slots), DIGITS))


def hellinger_rows(space: SearchSpace, weights: np.ndarray) -> np.ndarray:
    """(P, E, O) → (P, E·O) with ‖a − b‖² = mean over nodes of Σ(√q^a − √q^b)², which orders cells nearly as JSD does."""
    return np.sqrt(weights.reshape(len(weights), -1) / space.lambda_max)


def _inclusion(beta: np.ndarray, k: int) -> np.ndarray:
    """(…, n) edge logits of a node → inclusion weights that sum to k (Xie and Ermon 2019)."""
    z, p = beta, _softmax(beta)
    total = p
    for _ in range(k - 1):
        z = z + np.log1p(-np.minimum(p, 1 - LEAST))
        p = _softmax(z)
        total = total + p
    return total


def _softmax(logits: np.ndarray) -> np.ndarray:
    shifted = np.exp(logits - logits.max(-1, keepdims=True))
    return shifted / shifted.sum(-1, keepdims=True)


def _entropy(flat: np.ndarray) -> np.ndarray:
    """(P, F) → (P,) −Σ q log q, in nats."""
    return -(flat * np.log(np.where(flat > 0, flat, 1.0))).sum(-1)
