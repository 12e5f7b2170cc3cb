"""What a method may choose its members from, and whom it takes, from validation predictions alone.

equal pool   its first N candidates               equal cost   as many candidates as a budget pays for, its search included
first        the first n candidates               exhaustive   the best of all C(N, n)           forward   ForwardSelect
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from edgenes_core.ensembles import select
from edgenes_core.schema import ConfigError

POOL, SECONDS, SAMPLES, ALL = "pool", "seconds", "images", "all"
KINDS = (POOL, SECONDS, SAMPLES, ALL)


class Mode(NamedTuple):
    """What members are chosen among: with `kind` pool the first `limit` candidates, with seconds or images those that `limit`
    of them pays for, with all whatever was trained."""

    kind: str
    limit: float = 0.0

    @property
    def words(self) -> str:
        """For a table, which must say it."""
        return {
            POOL: f"equal pool: members chosen among the first {self.limit:.0f} candidates of each method",
            SECONDS: f"equal cost: members chosen among what {self.limit:.4g} s pay, search included",
            SAMPLES: f"equal cost: members chosen among what {self.limit:.4g} images pay, search included",
            ALL: "unequal: members chosen among all that each method trained",
        }[self.kind]


class Bill(NamedTuple):
    """Seconds and images (N,) that a repeat has spent when its k-th candidate is trained."""

    seconds: np.ndarray
    images: np.ndarray


def check_mode(mode: Mode) -> Mode:
    """The mode, if there is such a one; ConfigError if not."""
    if mode.kind not in KINDS:
        raise ConfigError(f"Members are chosen by mode {', '.join(KINDS)}, got {mode.kind[:40]!r}.")
    if mode.kind != ALL and not 0 < mode.limit < float("inf"):
        raise ConfigError(f"The limit of mode {mode.kind} is a number above 0, got {mode.limit}.")
    return mode


def paid(bill: Bill, mode: Mode, size: int) -> int:
    """How many candidates the mode leaves; a method whose ensemble is larger than the equal pool keeps enough for it."""
    if mode.kind == ALL:
        return len(bill.seconds)
    if mode.kind == POOL:
        return min(len(bill.seconds), max(int(mode.limit), size))
    spent = bill.seconds if mode.kind == SECONDS else bill.images
    return int(np.searchsorted(spent, mode.limit, side="right"))


def choose(rule: str, val: np.ndarray, y: np.ndarray, size: int) -> tuple[int, ...]:
    """Rows of the n members among networks (N, B, C) in the order of choice, fewer if there are no more."""
    size = min(size, len(val))
    if rule == "first":
        return tuple(range(size))
    names = [f"{k:04d}" for k in range(len(val))]
    return tuple(names.index(name) for name in select(val, y, names, size, rule).members)


def combined(probs: np.ndarray, rows: Sequence[int]) -> np.ndarray:
    """(B, C) float64: the mean of the members' probabilities, of (N, B, C)."""
    mean: np.ndarray = probs[list(rows)].mean(0, dtype=float)
    return mean
