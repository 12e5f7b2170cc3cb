"""How much members differ in what they predict. All take probabilities (M, B, C); one member alone does not differ.

Disagreement compares named classes, so it also counts two different wrong answers; `pairwise` compares who is right. Of float32
predictions entropies are computed in float32, which costs about 1e-6 nats.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from itertools import combinations
from typing import NamedTuple

import numpy as np

from edgenes_core.metrics import FLOOR, average, labels, probabilities

ROUNDING = 1e-12  # nats: what rounding makes of members that say the same
BLOCK = 2**16  # probabilities of one member at a time, so that what is worked out on the way stays in the cache


class Ambiguity(NamedTuple):
    """Score of the average = mean score of the members − ambiguity: exact."""

    ensemble: float
    members: float
    ambiguity: float


def _in_blocks(score: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """A score of each image, (M, B, C) → (…, B), worked out for a block of images at a time: the same numbers, sooner."""

    @wraps(score)
    def scored(probs: np.ndarray) -> np.ndarray:
        probs = probabilities(probs, "MBC")
        images = max(1, BLOCK // probs.shape[2])
        return np.concatenate([score(probs[:, k : k + images]) for k in range(0, probs.shape[1], images)], -1)

    return scored


def pairwise_disagreement(probs: np.ndarray) -> np.ndarray:
    """(M, M): share of images on which two members name different classes."""
    named = probabilities(probs, "MBC").argmax(-1)
    return np.array([(named != member).mean(-1) for member in named])


def pairwise_jsd(probs: np.ndarray) -> np.ndarray:
    """(M, M): Jensen–Shannon divergence H((p + q)/2) − (H(p) + H(q))/2 of two members, mean over images, in nats.

    Symmetric, 0 on the diagonal, at most ln 2 (Lin 1991); with 0·log 0 = 0, nothing need be clipped.
    """
    probs = probabilities(probs, "MBC")
    own, found = [entropy(member).mean(dtype=float) for member in probs], np.zeros((len(probs), len(probs)))
    for i, member in enumerate(probs):
        for j in range(i):
            mixed = entropy((member + probs[j]) / 2).mean(dtype=float)
            found[i, j] = found[j, i] = max(0.0, float(mixed - (own[i] + own[j]) / 2))
    return found


def image_disagreement(probs: np.ndarray) -> np.ndarray:
    """(B,): share of the pairs of members that name different classes, for each image; 0 for one member."""
    named = probabilities(probs, "MBC").argmax(-1)
    pairs = len(named) * (len(named) - 1) / 2
    apart = sum((member != named[:i]).sum(0) for i, member in enumerate(named))
    return np.asarray(apart / max(1.0, pairs))


@_in_blocks
def image_jsd(probs: np.ndarray) -> np.ndarray:
    """(B,): mean over pairs of H((p + q)/2) − (H(p) + H(q))/2 of each image, in nats; NaN for one member."""
    probs = probs.astype(float)
    pairs = list(combinations(range(len(probs)), 2))
    if not pairs:
        return np.full(probs.shape[1], np.nan)
    mixed = sum(entropy((probs[i] + probs[j]) / 2) for i, j in pairs) / len(pairs)
    return np.asarray(np.maximum(0, mixed - np.mean([entropy(member) for member in probs], axis=0)))


def disagreement(probs: np.ndarray) -> float:
    """Mean pairwise disagreement over the M(M−1)/2 pairs; 0.0 for one member."""
    pairs = pairwise_disagreement(probs)
    members = len(pairs)
    return float(pairs.sum() / (members * (members - 1))) if members > 1 else 0.0


def oracle_accuracy(probs: np.ndarray, y: np.ndarray) -> float:
    """Share of images that at least one member gets right: the most any choice among members could reach."""
    return float(right(probs, y).any(0).mean())


def oracle_nll(probs: np.ndarray, y: np.ndarray) -> float:
    """−mean log max_m p_m(y), in nats: the member that gives the true class most is chosen image by image."""
    return -float(np.log(np.maximum(true_class(probs, y).max(0), FLOOR)).mean())


def double_fault(probs: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(M, M): share of images that both members get wrong; the diagonal is each member's error."""
    wrong = (~right(probs, y)).astype(float)
    return wrong @ wrong.T / wrong.shape[1]


def ambiguity(probs: np.ndarray, y: np.ndarray) -> Ambiguity:
    """The Brier score's exact split ‖p̄ − y‖² = mean_m ‖p_m − y‖² − mean_m ‖p_m − p̄‖², mean over images.

    Krogh and Vedelsby 1995. The ambiguity needs no labels and is never negative.
    """
    at_truth, mean = true_class(probs, y).mean(0), average(probs)
    apart = float(image_ambiguity(probs).mean())
    ensemble = float((_squares(mean) - 2 * at_truth + 1).mean())
    return Ambiguity(ensemble, ensemble + apart, apart)


@_in_blocks
def image_ambiguity(probs: np.ndarray) -> np.ndarray:
    """(B,): mean_m ‖p_m − p̄‖² of each image."""
    mean = probs.mean(0, dtype=float)
    return np.mean([_squares(member - mean) for member in probs], axis=0)


def log_ambiguity(probs: np.ndarray, y: np.ndarray) -> Ambiguity:
    """The NLL's exact split −log p̄_y = mean_m(−log p_m,y) − (log p̄_y − mean_m log p_m,y), mean over images, in nats.

    The ambiguity depends on the labels, and is not negative (Jensen) unless a member gives the true class less than 1e-12.
    """
    apart = float(image_log_ambiguity(probs, y).mean())
    members = -float(np.log(np.maximum(true_class(probs, y), FLOOR)).mean())
    return Ambiguity(members - apart, members, apart)


def image_log_ambiguity(probs: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(B,): log p̄ − mean_m log p_m at the true class of each image, each with the floor of `metrics.nll`."""
    at_truth = true_class(probs, y)
    return np.log(np.maximum(at_truth.mean(0), FLOOR)) - np.log(np.maximum(at_truth, FLOOR)).mean(0)


def mutual_information(probs: np.ndarray) -> float:
    """Generalised Jensen–Shannon divergence H(p̄) − mean_m H(p_m), mean over images, in nats; within [0, log M]."""
    probs = probabilities(probs, "MBC")
    own = np.mean([entropy(member).mean(dtype=float) for member in probs])
    found = float(entropy(average(probs).astype(probs.dtype)).mean(dtype=float) - own)
    return found if found > 8 * np.finfo(probs.dtype).eps else 0.0  # what rounding makes of members that say the same


def image_information(probs: np.ndarray) -> np.ndarray:
    """(B,) float64: the same of each image; exactly 0 where all members say the same, so always 0 for one member."""
    return image_doubt(probs)[2]


@_in_blocks
def image_doubt(probs: np.ndarray) -> np.ndarray:
    """(3, B) float64, in nats: H(p̄), mean_m H(p_m) and their difference, the mutual information, of each image."""
    total = entropy(probs.mean(0, dtype=float))
    own = np.mean([entropy(member.astype(float)) for member in probs], axis=0)
    apart = total - own
    return np.stack([total, own, np.where(apart > ROUNDING, apart, 0.0)])


def entropy(probs: np.ndarray) -> np.ndarray:
    """−Σ_c p_c log p_c over the last axis, in nats and in the precision of `probs`, with 0·log 0 = 0."""
    logs = np.maximum(probs, np.finfo(probs.dtype).tiny)
    np.log(logs, out=logs)
    return -np.einsum("...c,...c->...", probs, logs)


def right(probs: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(M, B) bool: whether each member names the true class."""
    probs = probabilities(probs, "MBC")
    return probs.argmax(-1) == labels(y, *probs.shape[1:])


def true_class(probs: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(M, B) float64: what each member gives to the true class."""
    probs = probabilities(probs, "MBC")
    y = labels(y, *probs.shape[1:])
    return probs[:, np.arange(len(y)), y].astype(float)


def _squares(probs: np.ndarray) -> np.ndarray:
    return np.einsum("bc,bc->b", probs, probs)
