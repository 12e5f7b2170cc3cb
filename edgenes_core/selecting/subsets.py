"""All C(N, n) subsets in lexicographic order, walked so that nearly all of the work is done once per pair.

A subset is a prefix of n − 2 members and a pair of later ones. Of values v (N, R) that are summed over the members, the
sums of all pairs are made once; those of a branch (one prefix) are the prefix's sum plus the tail of the pairs' sums,
contiguous in both.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations, islice
from typing import NamedTuple

import numpy as np

ROWS = 1 << 14  # subsets listed at once


class Branch(NamedTuple):
    """The subsets at `subsets` are a prefix whose values sum to `total` (R,), with each pair from number `pair` on."""

    total: np.ndarray
    pair: int
    subsets: slice


def branches(values: np.ndarray, size: int) -> Iterator[Branch]:
    """All branches of the C(N, n) subsets of values (N, R), n ≥ 2, in lexicographic order."""
    members, done = len(values), 0

    def prefixes(total: np.ndarray, start: int, left: int) -> Iterator[tuple[np.ndarray, int]]:
        if not left:
            yield total, start
            return
        for member in range(start, members - 1 - left):
            yield from prefixes(total + values[member], member + 1, left - 1)

    for total, start in prefixes(np.zeros(values.shape[1]), 0, size - 2):
        tail = math.comb(members - start, 2)
        yield Branch(total, math.comb(members, 2) - tail, slice(done, done + tail))
        done += tail


def pair_sums(values: np.ndarray) -> np.ndarray:
    """(N, R) → (C(N, 2), R): sums of two, in lexicographic order of i < j."""
    first, second = np.triu_indices(len(values), 1)
    return values[first] + values[second]


def listed(members: int, size: int) -> Iterator[np.ndarray]:
    """(R, n) subsets, at most ROWS at once, in lexicographic order."""
    every = combinations(range(members), size)
    while chunk := list(islice(every, ROWS)):
        yield np.array(chunk, dtype=np.intp)


def subset_at(members: int, size: int, index: int) -> tuple[int, ...]:
    """The subset with this number in lexicographic order."""
    found: list[int] = []
    for member in range(members):
        if len(found) == size:
            break
        with_it = math.comb(members - member - 1, size - len(found) - 1)
        if index < with_it:
            found.append(member)
        else:
            index -= with_it
    return tuple(found)


def counts(subsets: np.ndarray, members: int) -> np.ndarray:
    """(R, n) rows of members → (R, N): how often each is named."""
    found = np.zeros((len(subsets), members))
    for column in subsets.T:
        found[np.arange(len(subsets)), column] += 1
    return found


def weights(subsets: np.ndarray, members: int) -> np.ndarray:
    """(R, n) rows of members → (R, N): each one's share of the average."""
    return counts(subsets, members) / subsets.shape[1]
