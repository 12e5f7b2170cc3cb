"""Rules that fit nothing: (M, B, C) → (B, C). The mean, and a mixture with the user's weights, are `ensembles.combine`."""

from __future__ import annotations

import numpy as np

from edgenes_core import metrics


def geometric_mean(probs: np.ndarray) -> np.ndarray:
    """p̄(c) ∝ Π_m max(p_m(c), 1e-12)^(1/M): the softmax of the mean logits, which is not the mean of the probabilities.

    One member that rules a class out nearly rules it out for all. Hinton 2002 (product of experts, equal exponents 1/M).
    """
    logs = np.log(np.maximum(metrics.distributions(probs, "MBC"), metrics.FLOOR)).mean(0)
    powers = np.exp(logs - logs.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def majority_vote(probs: np.ndarray) -> np.ndarray:
    """(v(c) + p̄(c)) / (M + 1), v(c) the members that name class c (the first of their most probable).

    The class with most votes is the most probable; between equal votes the mean probability p̄ decides, as one more voter
    who splits its vote. So the numbers are shares of votes, and NLL and ECE judge those as a forecast. Lam and Suen 1997.
    """
    probs = metrics.distributions(probs, "MBC")
    votes = np.eye(probs.shape[2])[probs.argmax(-1)].sum(0)
    return (votes + probs.mean(0)) / (len(probs) + 1)
