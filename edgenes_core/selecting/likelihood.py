"""NLL of averages: from each member's probability of the true class alone, and the best of all subsets by proof.

−log a ≥ −log b + 1 − a/b for all a, b > 0. Averaged over the images this bounds the NLL of every subset S from one
average b that has been scored:

    NLL(S) ≥ NLL(b) + 1 − (1/n) Σ_{m∈S} r_m,     r_m = mean_x p_m(y|x) / b(y|x)

Members' probabilities are raised to 1e-12 in the bound, so that it holds where the NLL is floored. It costs n additions a
subset and looks at no image. Subsets of least bound are scored first; most others are then proven worse than the best by
more than a rounding error (benchmarks/README.md has how many).
"""

from __future__ import annotations

import numpy as np

from edgenes_core import metrics
from edgenes_core.selecting import pool as pools
from edgenes_core.selecting.pool import TIE, Pool, Watch, spans
from edgenes_core.selecting.subsets import listed, weights

LOG_BLOCK = 16
BATCH = 16  # subsets scored, and bounds made, in one round
ROUNDS = 64  # of bounds; what they leave is scored


class NLL:
    """−mean log max(p̄_y, 1e-12)."""

    def __init__(self, pool: Pool) -> None:
        self.true = pool.true
        self.raised = np.maximum(pool.true, metrics.FLOOR)

    def losses(self, subsets: np.ndarray) -> np.ndarray:
        parts = spans(len(subsets), pools.CHUNK_BYTES // self.true[0].nbytes)
        return np.concatenate([_nll(weights(subsets[rows], len(self.true)) @ self.true) for rows in parts])

    def every(self, size: int, watch: Watch, extra: np.ndarray | float = 0.0) -> np.ndarray:
        """Infinite where the loss is proven to exceed the least by more than TIE."""
        members = len(self.true)
        subsets = np.concatenate([some.astype(np.int32) for some in listed(members, size)])
        count = len(subsets)
        extra = np.broadcast_to(extra, count)
        losses = np.full(count, np.inf)
        left, lower = np.arange(count), self._bounds(np.full((1, members), 1 / members), subsets) + extra
        for _ in range(ROUNDS):
            watch.at(count - len(left), count)
            if not len(left):
                break
            least = np.argpartition(lower, min(BATCH, len(left)) - 1)[:BATCH]
            scored = left[least]
            losses[scored] = self.losses(subsets[scored]) + extra[scored]
            rest = np.delete(left, least)
            raised = self._bounds(weights(subsets[scored], members), subsets[rest]) + extra[rest]
            lower = np.maximum(np.delete(lower, least), raised)
            open_ = lower <= losses.min() + TIE
            left, lower = rest[open_], lower[open_]
        for part in spans(len(left), pools.CHUNK_BYTES // self.true[0].nbytes):
            watch.at(count - len(left) + part.start, count)
            losses[left[part]] = self.losses(subsets[left[part]]) + extra[left[part]]
        watch.at(count, count)
        return losses

    def _bounds(self, scored: np.ndarray, subsets: np.ndarray) -> np.ndarray:
        """(R,) largest lower bound of each of R subsets that mixtures with weights (Q, N) give."""
        average = scored @ self.raised
        ratio = np.ascontiguousarray(((1 / average) @ self.raised.T).T) / average.shape[1]
        ratio /= subsets.shape[1]
        height = 1 - np.log(average).mean(1)
        found = np.empty(len(subsets))
        for rows in spans(len(subsets), pools.CHUNK_BYTES // height.nbytes):
            total = np.zeros((rows.stop - rows.start, len(height)))
            for column in subsets[rows].T:
                total += ratio[column]
            found[rows] = (height - total).max(1)
        return found


def _nll(true: np.ndarray) -> np.ndarray:
    """(R, B) → (R,), changing `true`. Logs of products of 16 take a 16th of the logarithms; 1e-192 still fits."""
    images = true.shape[1]
    blocks = images // LOG_BLOCK
    np.maximum(true, metrics.FLOOR, out=true)
    product = true[:, : blocks * LOG_BLOCK].reshape(len(true), LOG_BLOCK, blocks).prod(1)
    return -(np.log(product).sum(1) + np.log(true[:, blocks * LOG_BLOCK :]).sum(1)) / images
