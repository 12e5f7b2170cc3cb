"""What a choice is judged by. A criterion gives losses, lower is better, of averages named by their members' rows.

    nll        −mean log max(p̄_y, 1e-12) (likelihood.py)
    brier      wᵀGw − 2 wᵀt + 1 with the Gram matrix G of the members and t their mean probability of the truth
    accuracy   share of wrong images, exactly (rivals.py)

With γ > 0 each becomes loss − γ·ambiguity (Krogh and Vedelsby 1995), the members' mean ‖p_m − p̄‖² over the images:
ambiguity = Σ_m w_m G_mm − wᵀGw.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np

from edgenes_core.selecting import pool as pools
from edgenes_core.selecting import rivals
from edgenes_core.selecting.likelihood import NLL
from edgenes_core.selecting.pool import Pool, SelectionError, Watch, spans
from edgenes_core.selecting.subsets import counts, listed


class Criterion(Protocol):
    """Losses of some averages, and of all n-subsets in lexicographic order."""

    def losses(self, subsets: np.ndarray) -> np.ndarray:
        """(R, n) rows of members, a row twice counts twice → (R,)."""
        ...

    def every(self, size: int, watch: Watch, extra: np.ndarray | float = 0.0) -> np.ndarray:
        """(C(N, n),) losses + extra; may be infinite where that exceeds the least by more than TIE."""
        ...


class Brier:
    def __init__(self, pool: Pool) -> None:
        self.gram, self.right = pool.gram, pool.true.mean(1)

    def losses(self, subsets: np.ndarray) -> np.ndarray:
        return _square(self.gram, subsets) - 2 * self.right[subsets].mean(1) + 1

    def every(self, size: int, watch: Watch, extra: np.ndarray | float = 0.0) -> np.ndarray:
        return _in_parts(self.losses, len(self.gram), size, watch) + extra


class Error:
    """1 − accuracy."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    @cached_property
    def contests(self) -> list[rivals.Contest]:
        return list(rivals.contests(self.pool, 1))

    def losses(self, subsets: np.ndarray) -> np.ndarray:
        members = len(self.pool.keys)
        parts = spans(len(subsets), pools.CHUNK_BYTES // (8 * members))
        return np.concatenate([rivals.errors(self.contests, counts(subsets[rows], members)) for rows in parts])

    def every(self, size: int, watch: Watch, extra: np.ndarray | float = 0.0) -> np.ndarray:
        if size == 1:
            return self.losses(np.arange(len(self.pool.keys))[:, None]) + extra
        return rivals.every_error(self.pool, size, watch) + extra


class Diverse:
    """Another criterion − γ·ambiguity."""

    def __init__(self, criterion: Criterion, pool: Pool, gamma: float) -> None:
        self.criterion, self.gram, self.gamma = criterion, pool.gram, gamma

    def losses(self, subsets: np.ndarray) -> np.ndarray:
        return self.criterion.losses(subsets) - self.gamma * self._ambiguity(subsets)

    def every(self, size: int, watch: Watch, extra: np.ndarray | float = 0.0) -> np.ndarray:
        ambiguity = _in_parts(self._ambiguity, len(self.gram), size, Watch(cancel=watch.cancel))
        return self.criterion.every(size, watch, extra - self.gamma * ambiguity)

    def _ambiguity(self, subsets: np.ndarray) -> np.ndarray:
        return self.gram.diagonal()[subsets].mean(1) - _square(self.gram, subsets)


class CriterionSpec(NamedTuple):
    """Name, what is minimised, and how it is made from a pool."""

    name: str
    about: str
    of: Callable[[Pool], Criterion]


CRITERIA: dict[str, CriterionSpec] = {
    spec.name: spec
    for spec in (
        CriterionSpec("nll", "negative log-likelihood of the average, a proper score (Zaidi et al. 2021)", NLL),
        CriterionSpec("brier", "Brier score of the average, a proper score; less harsh on rare sure errors", Brier),
        CriterionSpec("accuracy", "share of wrong images; coarse, so ties are many", Error),
    )
}


def criterion_of(pool: Pool, name: str, gamma: float) -> Criterion:
    """The criterion of this name on this pool, minus γ times the ambiguity."""
    if name not in CRITERIA:
        raise SelectionError(f"A criterion is one of {', '.join(CRITERIA)}, got {name!r}.")
    if not 0 <= gamma < math.inf:
        raise SelectionError(f"γ, the weight of the ambiguity, is a number from 0, got {gamma}.")
    criterion = CRITERIA[name].of(pool)
    return Diverse(criterion, pool, gamma) if gamma else criterion


def _in_parts(losses: Callable[[np.ndarray], np.ndarray], members: int, size: int, watch: Watch) -> np.ndarray:
    total, done, found = math.comb(members, size), 0, []
    for subsets in listed(members, size):
        watch.at(done, total)
        found.append(losses(subsets))
        done += len(subsets)
    watch.at(total, total)
    return np.concatenate(found)


def _square(gram: np.ndarray, subsets: np.ndarray) -> np.ndarray:
    """wᵀGw of each subset's weights w: the mean of G over its n² pairs."""
    columns = subsets.T
    return sum(gram[a, b] for a in columns for b in columns) / len(columns) ** 2
