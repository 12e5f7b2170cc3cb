"""Every ensemble that a selection can choose: all n of N, or a seeded sample of them, each judged on the same images."""

from __future__ import annotations

import math
from itertools import chain, combinations
from typing import NamedTuple

import numpy as np

from edgenes_core import metrics
from edgenes_core.ensembles import MOST_SUBSETS, SelectionError

MOST = 5000  # ensembles judged and drawn, at most
MOST_VALUES = 200_000_000  # averaged probabilities computed, at most: a second or two
CHUNK = 1 << 20  # values held at once


class Cloud(NamedTuple):
    """R ensembles of n of the N networks of a pool of `total` such ensembles: rows (R, n) ascending, and their scores (R,)."""

    members: np.ndarray
    total: int
    accuracy: np.ndarray
    nll: np.ndarray
    brier: np.ndarray

    @property
    def sampled(self) -> bool:
        return len(self.members) < self.total


def all_ensembles(probs: np.ndarray, y: np.ndarray, size: int, most: int = MOST, seed: int = 0) -> Cloud:
    """Judge the averages of all C(N, n) choices of n = `size` from probs (N, B, C).

    Above `most` ensembles, or where the images make them too many to average in about a second, a sample drawn uniformly by
    `seed`. SelectionError if the pool has fewer than n.
    """
    probs = metrics.distributions(probs, "NBC") if len(probs) else np.zeros((0, 1, 1))
    networks, images, classes = probs.shape
    if not 1 <= size <= networks:
        raise SelectionError(f"The ensemble's size n lies between 1 and the pool's N = {networks}, got {size}.")
    y = metrics.labels(y, images, classes)
    total = math.comb(networks, size)
    members = _members(networks, size, min(most, max(1, MOST_VALUES // (images * classes))), seed)
    rows = max(1, CHUNK // (images * classes))
    flat = probs.reshape(networks, -1)
    parts = [_judge(flat, y, members[i : i + rows]) for i in range(0, len(members), rows)]
    return Cloud(members, total, *(np.concatenate(scores) for scores in zip(*parts, strict=True)))


def _members(networks: int, size: int, most: int, seed: int) -> np.ndarray:
    """(R, n) different subsets, each ascending, in lexicographic order."""
    total = math.comb(networks, size)
    if total <= MOST_SUBSETS:
        flat = chain.from_iterable(combinations(range(networks), size))
        every = np.fromiter(flat, np.intp, total * size).reshape(total, size)
        if total <= most:
            return every
        return every[np.sort(np.random.default_rng(seed).choice(total, most, replace=False))]
    # So many that two draws hardly ever meet: sizes of the first `size` places of random orders are uniform subsets.
    orders = np.random.default_rng(seed).random((most, networks)).argpartition(size - 1, axis=1)[:, :size]
    return np.unique(np.sort(orders, axis=1), axis=0)


def _judge(flat: np.ndarray, y: np.ndarray, members: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Accuracy, NLL and Brier score (R,) of the averages of rows of flat (N, B·C)."""
    weights = np.zeros((len(members), len(flat)))
    np.put_along_axis(weights, members, 1 / members.shape[1], axis=1)
    mean = (weights @ flat).reshape(len(members), len(y), -1)
    true = mean[:, np.arange(len(y)), y]
    brier = ((mean**2).sum(-1) - 2 * true + 1).mean(-1)
    return (mean.argmax(-1) == y).mean(-1), -np.log(np.maximum(true, metrics.FLOOR)).mean(-1), brier
