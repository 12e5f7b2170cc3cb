"""What is chosen from: a pool's members with their validation predictions, checked and in the order of their keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from edgenes_core import EdgeNESError, metrics

TIE = 1e-9  # losses this close are equal: rounding decides nothing
CHUNK_BYTES = 4 << 20  # of one array while ensembles are scored; fits a core's caches
BLOCK_BYTES = 32 << 20  # of predictions held as float64 at once


class SelectionError(EdgeNESError):
    """A choice that cannot be made: unusable members, an unknown rule, or too many ensembles to score."""


class StoppedError(SelectionError):
    """The caller's `cancel` said so."""


@dataclass
class Watch:
    """Tells `progress(done, total)` each further hundredth, and asks `cancel()` at every step: a few milliseconds."""

    progress: Callable[[int, int], None] | None = None
    cancel: Callable[[], bool] | None = None
    told: int = -1

    def at(self, done: int, total: int) -> None:
        if self.cancel is not None and self.cancel():
            raise StoppedError(f"The selection was stopped at {100 * done // total} %; nothing was chosen.")
        if self.progress is not None and (100 * done // total > self.told or done == total):
            self.told = 100 * done // total
            self.progress(done, total)


@dataclass(frozen=True, eq=False)
class Pool:
    """N members; `keys` and `true` (N, B), each member's probability of the true class, are in the order of the keys.

    `probs` (N, B, C) stays as it was given, uncopied; `order` (N,) holds its rows in the order of the keys.
    """

    keys: tuple[str, ...]
    probs: np.ndarray
    y: np.ndarray
    order: np.ndarray
    true: np.ndarray

    def blocks(self) -> Iterator[slice]:
        """Images by as many as fit BLOCK_BYTES as float64 of all members and classes."""
        members, images, classes = self.probs.shape
        return spans(images, BLOCK_BYTES // (8 * members * classes))

    @cached_property
    def gram(self) -> np.ndarray:
        """(N, N): mean over images of Σ_c p_i(c)·p_j(c). Every Brier score and every ambiguity follows from it."""
        members, images, _ = self.probs.shape
        total = np.zeros((members, members))
        for part in self.blocks():
            block = self.probs[self.order, part].reshape(members, -1).astype(float)
            total += block @ block.T
        return total / images


def pool_of(probs: np.ndarray, y: np.ndarray, keys: Sequence[str]) -> Pool:
    """A pool from predictions (N, B, C), true classes (B,) and a key for each member; SelectionError names a broken one."""
    probs = np.asarray(probs)
    if probs.ndim != 3 or len(keys) != len(probs) or len(set(keys)) != len(keys):
        raise SelectionError(
            f"A pool is an array (N, B, C) with one distinct key per member, got shape {probs.shape} and "
            f"{len(keys)} keys, {len(set(keys))} of them distinct."
        )
    if not len(keys):
        raise SelectionError("The pool is empty: at least one member with predictions is needed.")
    order = np.argsort(np.array(keys), kind="stable")
    for row in order:
        try:
            metrics.distributions(probs[row], "BC")
        except metrics.MetricError as error:
            raise SelectionError(f"Member {keys[row]} cannot be used: {error} Retrain it or leave it out.") from None
    y = metrics.labels(y, *probs.shape[1:])
    true = probs[:, np.arange(len(y)), y][order].astype(float)
    return Pool(tuple(keys[row] for row in order), probs, y, order, true)


def spans(count: int, size: int) -> Iterator[slice]:
    """0..count in slices of `size`, at least 1."""
    size = max(1, size)
    return (slice(start, min(start + size, count)) for start in range(0, count, size))
