"""How the space of ensembles is searched. A rule sees a criterion and numbers of members, never predictions.

Members are numbered in the order of their keys. Losses within 1e-9 of the least are ties, and the first of them is
taken: the smaller key, or the lexicographically first set of keys.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from edgenes_core.selecting.criteria import Criterion
from edgenes_core.selecting.pool import TIE, SelectionError, Watch
from edgenes_core.selecting.subsets import subset_at

MOST_SUBSETS = 2_000_000


class Found(NamedTuple):
    """Members as chosen, the loss after each choice (once for sets), ensembles compared, and how many of the last tie."""

    members: list[int]
    losses: list[float]
    evaluated: int
    tied: int


def exhaustive(criterion: Criterion, members: int, size: int, width: int, watch: Watch) -> Found:
    """The best of all C(N, n)."""
    count = math.comb(members, size)
    if count > MOST_SUBSETS:
        raise SelectionError(
            f"All C({members}, {size}) = {count:,} ensembles are too many to score (at most {MOST_SUBSETS:,}); "
            "use the rule 'beam', 'forward' or 'greedy', or a smaller pool or size."
        )
    losses = criterion.every(size, watch)
    best = first_best(losses)
    return Found(list(subset_at(members, size, best)), [float(losses[best])], count, _ties(losses))


def forward(criterion: Criterion, members: int, size: int, width: int, watch: Watch) -> Found:
    """ForwardSelect (Zaidi et al. 2021): start from the best member, add the one that helps most, never twice."""
    return _one_by_one(criterion, members, size, watch, repeat=False)


def greedy(criterion: Criterion, members: int, size: int, width: int, watch: Watch) -> Found:
    """Caruana et al. (2004): as forward but with replacement, then the best prefix (the shorter of two alike)."""
    found = _one_by_one(criterion, members, size, watch, repeat=True)
    kept = first_best(np.array(found.losses)) + 1
    return found._replace(members=found.members[:kept], losses=found.losses[:kept])


def beam(criterion: Criterion, members: int, size: int, width: int, watch: Watch) -> Found:
    """The best `width` sets of each size are extended by every member, and forward's set of that size with them.

    So it is never worse than forward, and with a width of at least C(N, k) for each k < n it is exhaustive.
    """
    if not 1 <= width * members <= MOST_SUBSETS:
        raise SelectionError(
            f"A beam is 1 to {MOST_SUBSETS // members:,} sets wide for this pool of {members} members, got {width}; "
            "the rule 'forward' is the narrowest."
        )
    path = forward(criterion, members, size, width, Watch(cancel=watch.cancel))
    sets, evaluated = np.zeros((1, 0), np.intp), path.evaluated
    for step in range(size):
        watch.at(step, size)
        sets = _extended(sets, members)
        losses = criterion.losses(sets)
        evaluated += len(sets)
        if step < size - 1:
            kept = np.sort(_ranked(losses)[:width])
            sets = np.unique(np.vstack([sets[kept], np.sort(path.members[: step + 1])[None]]), axis=0)
    watch.at(size, size)
    best = first_best(losses)
    return Found(sets[best].tolist(), [float(losses[best])], evaluated, _ties(losses))


def top(criterion: Criterion, members: int, size: int, width: int, watch: Watch) -> Found:
    """The n members that are best alone."""
    watch.at(0, 1)
    losses = criterion.losses(np.arange(members)[:, None])
    ranked = _ranked(losses)
    chosen = ranked[:size]
    together = criterion.losses(chosen[None])
    watch.at(1, 1)
    last = int((np.abs(losses - losses[chosen[-1]]) <= TIE).sum())
    return Found(chosen.tolist(), [float(together[0])], members + 1, last)


def first_best(losses: np.ndarray) -> int:
    """The first loss no more than a rounding error above the least."""
    return int(np.argmax(losses <= losses.min() + TIE))


def _one_by_one(criterion: Criterion, members: int, size: int, watch: Watch, repeat: bool) -> Found:
    chosen: list[int] = []
    losses, evaluated, tied = [], 0, 1
    for step in range(size):
        watch.at(step, size)
        free = np.array([m for m in range(members) if repeat or m not in chosen])
        tried = criterion.losses(np.column_stack([np.tile(chosen, (len(free), 1)), free]).astype(np.intp))
        best = first_best(tried)
        chosen.append(int(free[best]))
        losses.append(float(tried[best]))
        evaluated += len(free)
        tied = _ties(tried)
    watch.at(size, size)
    return Found(chosen, losses, evaluated, tied)


def _extended(sets: np.ndarray, members: int) -> np.ndarray:
    """(R, k) ascending rows → all different ascending rows (R′, k + 1) with one member more, in lexicographic order."""
    rows, added = np.nonzero(~(sets[:, :, None] == np.arange(members)).any(1))
    return np.unique(np.sort(np.column_stack([sets[rows], added]), axis=1), axis=0)


def _ranked(losses: np.ndarray) -> np.ndarray:
    """Best first; equal to a rounding error means equal."""
    return np.argsort(np.round(losses / TIE), kind="stable")


def _ties(losses: np.ndarray) -> int:
    return int((losses <= losses.min() + TIE).sum())
