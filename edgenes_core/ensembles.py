"""Average members' probabilities, judge the average, and choose members on validation (selecting/ searches and scores)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgenes_core import diversity, metrics
from edgenes_core.records import Evaluation, Selection
from edgenes_core.selecting import MOST_SUBSETS, SELECTION_RULES, WIDTH, SelectionError, choose, pool_of

__all__ = ["MOST_SUBSETS", "SELECTION_RULES", "SelectionError", "combine", "evaluate", "select"]


def combine(probs: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """(M, B, C) → (B, C): mean of the members' probabilities, or their mixture with weights (M,) that sum to 1."""
    probs = metrics.distributions(probs, "MBC")
    if weights is None:
        return probs.mean(0)
    weights = np.asarray(weights, float)
    if weights.shape != probs.shape[:1] or not (weights >= 0).all() or abs(weights.sum() - 1) > 1e-6:
        raise SelectionError(f"Weights must be {len(probs)} numbers from 0 that sum to 1, got {weights.tolist()}.")
    return np.tensordot(weights, probs, 1)


def evaluate(probs: np.ndarray, y: np.ndarray, split: str, combined: np.ndarray | None = None) -> Evaluation:
    """Judge the average of members (M, B, C), or what another rule made of them (B, C), on the B images of one split."""
    mean = combine(probs) if combined is None else combined
    return Evaluation(
        split=split,
        n=len(mean),
        accuracy=metrics.accuracy(mean, y),
        nll=metrics.nll(mean, y),
        brier=metrics.brier(mean, y),
        ece=metrics.ece(mean, y),
        disagreement=diversity.disagreement(probs),
        oracle_accuracy=diversity.oracle_accuracy(probs, y),
    )


def select(
    probs: np.ndarray,
    y: np.ndarray,
    keys: Sequence[str],
    size: int,
    rule: str = "exhaustive",
    criterion: str = "nll",
    gamma: float = 0.0,
    width: int = WIDTH,
) -> Selection:
    """Choose members from a pool (N, B, C) on these validation images: `choose`, with the average's evaluation.

    The result does not depend on the order of the pool. `evaluated` counts the ensembles scored; `greedy` may name a
    member twice, which gives it twice the weight, and may return fewer than `size`.
    """
    pool = pool_of(probs, y, keys)
    chosen = choose(pool, size, rule, criterion, gamma=gamma, width=width)
    rows = [list(keys).index(key) for key in chosen.members]
    return Selection(rule, size, chosen.evaluated, chosen.members, evaluate(pool.probs[rows], pool.y, "val"))
