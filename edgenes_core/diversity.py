"""How much members differ in what they predict. All take probabilities (M, B, C); one member alone does not differ.

Disagreement compares named classes, so it also counts two different wrong answers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from edgenes_core.metrics import distributions, labels


class Ambiguity(NamedTuple):
    """Brier score of the average = mean Brier score of the members − ambiguity (Krogh and Vedelsby 1995): exact."""

    ensemble: float
    members: float
    ambiguity: float


def pairwise_disagreement(probs: np.ndarray) -> np.ndarray:
    """(M, M): share of images on which two members name different classes."""
    named = distributions(probs, "MBC").argmax(-1)
    return np.array([(named != member).mean(-1) for member in named])


def pairwise_jsd(probs: np.ndarray) -> np.ndarray:
    """(M, M): Jensen–Shannon divergence H((p + q)/2) − (H(p) + H(q))/2 of two members, mean over images, in nats.

    Symmetric, 0 on the diagonal, at most ln 2 (Lin 1991); with 0·log 0 = 0, nothing need be clipped.
    """
    probs = distributions(probs, "MBC")
    own, found = _entropy(probs).mean(-1), np.zeros((len(probs), len(probs)))
    for i, member in enumerate(probs):
        for j in range(i):
            mixed = _entropy((member + probs[j]) / 2).mean()
            found[i, j] = found[j, i] = max(0.0, float(mixed - (own[i] + own[j]) / 2))
    return found


def disagreement(probs: np.ndarray) -> float:
    """Mean pairwise disagreement over the M(M−1)/2 pairs; 0.0 for one member."""
    pairs = pairwise_disagreement(probs)
    members = len(pairs)
    return float(pairs.sum() / (members * (members - 1))) if members > 1 else 0.0


def oracle_accuracy(probs: np.ndarray, y: np.ndarray) -> float:
    """Share of images that at least one member gets right: the most any choice among members could reach."""
    return float(_right(probs, y).any(0).mean())


def double_fault(probs: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(M, M): share of images that both members get wrong; the diagonal is each member's error."""
    wrong = (~_right(probs, y)).astype(float)
    return wrong @ wrong.T / wrong.shape[1]


def ambiguity(probs: np.ndarray, y: np.ndarray) -> Ambiguity:
    """The exact split ‖p̄ − y‖² = mean_m ‖p_m − y‖² − mean_m ‖p_m − p̄‖², mean over images."""
    probs = distributions(probs, "MBC")
    truth = np.eye(probs.shape[2])[labels(y, *probs.shape[1:])]
    mean = probs.mean(0)
    ensemble, members, spread = (float((d**2).sum(-1).mean()) for d in (mean - truth, probs - truth, probs - mean))
    return Ambiguity(ensemble, members, spread)


def mutual_information(probs: np.ndarray) -> float:
    """Generalised Jensen–Shannon divergence H(p̄) − mean_m H(p_m), mean over images, in nats; within [0, log M]."""
    probs = distributions(probs, "MBC")
    return max(0.0, float((_entropy(probs.mean(0)) - _entropy(probs).mean(0)).mean()))


def _right(probs: np.ndarray, y: np.ndarray) -> np.ndarray:
    probs = distributions(probs, "MBC")
    return probs.argmax(-1) == labels(y, *probs.shape[1:])


def _entropy(probs: np.ndarray) -> np.ndarray:
    safe = np.where(probs > 0, probs, 1.0)
    return -(safe * np.log(safe)).sum(-1)
