"""Pairs of members in numbers: one matrix for each way to say how alike two networks are, in errors, in answers or as cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from edgenes_core import pairwise
from edgenes_core.architecture import Architecture
from edgenes_core.diversity import double_fault, pairwise_disagreement, pairwise_jsd
from edgenes_core.scored import Scored


class Members(NamedTuple):
    """Names, probabilities (M, B, C), true classes (B,) and the M cells."""

    names: Sequence[str]
    probs: np.ndarray
    y: np.ndarray
    cells: Sequence[Architecture]


OVERLAPS: dict[str, Callable[[Members], np.ndarray]] = {
    "double_fault": lambda m: double_fault(m.probs, m.y),
    "disagreement": lambda m: pairwise_disagreement(m.probs),
    "error_correlation": lambda m: pairwise.error_correlation(pairwise.overlap(m.probs, m.y)),
    "q_statistic": lambda m: pairwise.q_statistic(pairwise.overlap(m.probs, m.y)),
    "kappa": lambda m: pairwise.kappa(m.probs),
    "jsd": lambda m: pairwise_jsd(m.probs),
    "member_shared": lambda m: pairwise.member_shared(m.cells),
    "member_edits": lambda m: pairwise.member_edits(m.cells),
}
"""By the name in `records.METRICS`: an (M, M) matrix, NaN for a pair that does not define the measure."""


class PairRow(NamedTuple):
    """One measure of two members; `value` is NaN where it is not defined."""

    a: str
    b: str
    measure: str
    value: float


def members_of(scored: Scored, ids: Iterable[str]) -> Members:
    """These networks of a run, each once."""
    rows = scored.rows(dict.fromkeys(ids))
    names = [scored.name(scored.ids[row]) for row in rows]
    return Members(names, scored.probs[rows], scored.y, [scored.trainings[row].architecture for row in rows])


def pair_matrix(measure: str, members: Members) -> np.ndarray:
    """(M, M) float64."""
    return np.asarray(OVERLAPS[measure](members), float)


def pair_rows(measure: str, names: Sequence[str], matrix: np.ndarray) -> list[PairRow]:
    """Each pair once."""
    pairs = combinations(range(len(names)), 2)
    return [PairRow(names[i], names[j], measure, float(matrix[i, j])) for i, j in pairs]
