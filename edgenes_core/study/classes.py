"""Class by class: where one method is better than another, with intervals that hold for all classes together (Bonferroni)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from edgenes_core.bootstrap import SeedDifference, seed_difference
from edgenes_core.side_by_side import verdict
from edgenes_core.study.folder import Study
from edgenes_core.study.table import LEVEL, Seen
from edgenes_core.weighted import mean_of


class ClassRow(NamedTuple):
    """a − b in accuracy on the `images` images of a class, over n and `reference_n` seeds."""

    name: str
    arm: str
    reference: str
    mean: float
    lo: float
    hi: float
    n: int
    reference_n: int
    images: int
    verdict: str


def class_differences(seen: Seen, a: str, b: str) -> dict[int, SeedDifference]:
    """By class, where it has images; its images are resampled together with the seeds of both methods."""
    present = np.unique(seen.y)
    level = 1 - (1 - LEVEL) / max(1, len(present))
    right = {arm: [each.said.argmax(-1) == seen.y for each in seen.of(arm)] for arm in (a, b)}
    if not (right[a] and right[b]):
        return {}
    found = {}
    for label in present.tolist():
        rows = np.flatnonzero(seen.y == label)
        ours, theirs = ([mean_of(hits[rows]) for hits in right[arm]] for arm in (a, b))
        found[label] = seed_difference(ours, theirs, len(rows), level=level)
    return found


def class_rows(study: Study, seen: Seen, a: str, b: str) -> list[ClassRow]:
    """The same as rows of a table."""
    return [
        ClassRow(study.classes[label], a, b, d.mean, d.lo, d.hi, *d.seeds, d.n, verdict("accuracy", d))
        for label, d in class_differences(seen, a, b).items()
    ]
