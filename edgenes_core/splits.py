"""Which training images serve for what: train-w, train-α, val.

The split is by class and in a fixed random order. It never depends on a run's seed: all runs on a dataset share their parts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

VAL_SHARE = 0.2
SPLIT_SEED = 0


class Rows(NamedTuple):
    """Indices into the training images, disjoint, together all of them."""

    train_w: np.ndarray
    train_alpha: np.ndarray
    val: np.ndarray


def split_rows(y: np.ndarray) -> Rows:
    """Of the training labels (B,), per class: a fifth to val, the rest in halves to train-w and train-α."""
    train, val = split(y, VAL_SHARE)
    part_w, part_alpha = split(y[train], 0.5)
    return Rows(train[part_w], train[part_alpha], val)


def split(y: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Indices of two parts, the second with `share` of each class (at least one image), in a fixed random order."""
    rng = np.random.default_rng(SPLIT_SEED)
    second = np.zeros(len(y), bool)
    for label in np.unique(y):
        members = rng.permutation(np.flatnonzero(y == label))
        second[members[: max(1, round(share * len(members)))]] = True
    order = rng.permutation(len(y))
    return order[~second[order]], order[second[order]]
