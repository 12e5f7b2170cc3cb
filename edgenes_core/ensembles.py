"""Average members' probabilities, judge the average, and choose members on validation by NLL.

The NLL of an average needs only what each member gives to the true class, p̄_y = Σ_m p_{m,y} / n, so all C(N, n)
ensembles are scored by one product (subsets, N) @ (N, B), in chunks. Ties (within 1e-9 nats) go to the smaller key.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain, combinations

import numpy as np

from edgenes_core import EdgeNESError, diversity, metrics
from edgenes_core.records import Evaluation, Selection

TIE = 1e-9
MOST_SUBSETS = 2_000_000
CHUNK_BYTES = 4 << 20
LOG_BLOCK = 16


class SelectionError(EdgeNESError):
    """A choice that cannot be made: unusable members, an unknown rule, or too many ensembles to score."""


def combine(probs: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """(M, B, C) → (B, C): mean of the members' probabilities, or their mixture with weights (M,) that sum to 1."""
    probs = metrics.distributions(probs, "MBC")
    if weights is None:
        return probs.mean(0)
    weights = np.asarray(weights, float)
    if weights.shape != probs.shape[:1] or not (weights >= 0).all() or abs(weights.sum() - 1) > 1e-6:
        raise SelectionError(f"Weights must be {len(probs)} numbers from 0 that sum to 1, got {weights.tolist()}.")
    return np.tensordot(weights, probs, 1)


def evaluate(probs: np.ndarray, y: np.ndarray, split: str) -> Evaluation:
    """Judge the average of members (M, B, C) on the B images of one split."""
    mean = combine(probs)
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


def select(probs: np.ndarray, y: np.ndarray, keys: Sequence[str], size: int, rule: str = "exhaustive") -> Selection:
    """Choose members from a pool (N, B, C) by the NLL of their average on these validation images.

    The result does not depend on the order of the pool. `evaluated` counts the ensembles scored; `greedy` may name a
    member twice, which gives it twice the weight, and may return fewer than `size`.
    """
    probs = np.asarray(probs)
    _check_pool(probs, keys, size, rule)
    order = np.argsort(np.array(keys), kind="stable")
    y = metrics.labels(y, *probs.shape[1:])
    true = probs[order][:, np.arange(len(y)), y].astype(float)
    chosen, evaluated = SELECTION_RULES[rule](true, size)
    rows = order[chosen]
    return Selection(rule, size, evaluated, tuple(keys[i] for i in rows), evaluate(probs[rows], y, "val"))


def _check_pool(probs: np.ndarray, keys: Sequence[str], size: int, rule: str) -> None:
    if rule not in SELECTION_RULES:
        raise SelectionError(f"A selection rule is one of {', '.join(SELECTION_RULES)}, got {rule!r}.")
    if probs.ndim != 3 or len(keys) != len(probs) or len(set(keys)) != len(keys):
        raise SelectionError(
            f"A pool is an array (N, B, C) with one distinct key per member, got shape {probs.shape} and "
            f"{len(keys)} keys, {len(set(keys))} of them distinct."
        )
    if size < 1 or (size > len(keys) and rule != "greedy"):
        raise SelectionError(f"The ensemble's size n lies between 1 and the pool's N = {len(keys)}, got {size}.")
    for key, member in sorted(zip(keys, probs, strict=True), key=lambda pair: pair[0]):
        try:
            metrics.distributions(member, "BC")
        except metrics.MetricError as error:
            raise SelectionError(f"Member {key} cannot be used: {error} Retrain it or leave it out.") from None


def _exhaustive(true: np.ndarray, size: int) -> tuple[list[int], int]:
    """The best of all C(N, n) ensembles, by key order."""
    members = len(true)
    count = math.comb(members, size)
    if count > MOST_SUBSETS:
        raise SelectionError(
            f"All C({members}, {size}) = {count:,} ensembles are too many to score (at most {MOST_SUBSETS:,}); "
            "use the rule 'forward' or 'greedy', or a smaller pool or size."
        )
    flat = chain.from_iterable(combinations(range(members), size))
    subsets = np.fromiter(flat, np.intp, count * size).reshape(count, size)
    rows = max(1, CHUNK_BYTES // true[0].nbytes)
    losses = np.concatenate([_subset_nll(true, subsets[i : i + rows]) for i in range(0, count, rows)])
    return subsets[_first_best(losses)].tolist(), count


def _forward(true: np.ndarray, size: int) -> tuple[list[int], int]:
    """ForwardSelect (Zaidi et al. 2021): start from the best member, add the one that helps most, never twice."""
    members: list[int] = []
    total = np.zeros(true.shape[1])
    for step in range(size):
        losses = _nll((total + true) / (step + 1))
        losses[members] = np.inf
        members.append(_first_best(losses))
        total += true[members[-1]]
    return members, sum(len(true) - step for step in range(size))


def _greedy(true: np.ndarray, size: int) -> tuple[list[int], int]:
    """Caruana et al. (2004): as forward but with replacement, then the best prefix (the shorter of two alike)."""
    members: list[int] = []
    prefix = np.empty(size)
    total = np.zeros(true.shape[1])
    for step in range(size):
        losses = _nll((total + true) / (step + 1))
        members.append(_first_best(losses))
        prefix[step] = losses[members[-1]]
        total += true[members[-1]]
    return members[: _first_best(prefix) + 1], len(true) * size


SELECTION_RULES = {"exhaustive": _exhaustive, "forward": _forward, "greedy": _greedy}


def _first_best(losses: np.ndarray) -> int:
    """The first loss no more than a rounding error above the least."""
    return int(np.argmax(losses <= losses.min() + TIE))


def _subset_nll(true: np.ndarray, subsets: np.ndarray) -> np.ndarray:
    """(R,) NLL of the averages of subsets (R, n), from the true-class column (N, B)."""
    membership = np.zeros((len(subsets), len(true)))
    np.put_along_axis(membership, subsets, 1 / subsets.shape[1], axis=1)
    return _nll(membership @ true)


def _nll(true: np.ndarray) -> np.ndarray:
    """(R, B) → (R,) −mean log max(p, 1e-12). Logs of products of 16 take a 16th of the logarithms; 1e-192 still fits."""
    images = true.shape[1]
    blocks = images // LOG_BLOCK
    true = np.maximum(true, metrics.FLOOR)
    product = true[:, : blocks * LOG_BLOCK].reshape(len(true), LOG_BLOCK, blocks).prod(1)
    rest = true[:, blocks * LOG_BLOCK :]
    return -(np.log(product).sum(1) + np.log(rest).sum(1)) / images
