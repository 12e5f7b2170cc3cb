"""The numbers that charts plot, as rows: one source for the table on the page, the CSV file and the Python snippet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from edgenes_core.figures.curves import Traces
from edgenes_core.figures.forest import Compared
from edgenes_core.figures.quality import Reliability, wilson
from edgenes_core.lambda_path import LambdaPath
from edgenes_core.side_by_side import verdict

Record = dict[str, Any]


class Stretch(NamedTuple):
    """λ from lo to hi gives one cell; `soft` is the soft count in the middle of the stretch."""

    lo: float
    hi: float
    key: str
    shared: int
    soft: float


class Paired(NamedTuple):
    """Mean difference to the reference over the same n images, with its 95 % interval."""

    ensemble: str
    metric: str
    mean: float
    lo: float
    hi: float
    n: int
    verdict: str


class Bin(NamedTuple):
    """A filled bin of a reliability diagram, of confidences above `above` and up to `up_to`; lo and hi bound the accuracy
    (Wilson 95 %); `gap` is confidence − accuracy, above 0 too sure."""

    ensemble: str
    above: float
    up_to: float
    images: int
    confidence: float
    accuracy: float
    lo: float
    hi: float
    gap: float


def records(rows: Sequence[Any]) -> list[Record]:
    """Rows as dicts by column name, as pandas gives them back."""
    return [row._asdict() for row in rows]


def calibration_rows(path: LambdaPath, soft_lam: np.ndarray, soft_count: np.ndarray) -> list[Stretch]:
    """Every stretch of λ with what it shares with α*."""
    middles = [(i.lo + i.hi) / 2 for i in path.intervals]
    soft = np.interp(middles, soft_lam, soft_count).tolist()
    return [Stretch(i.lo, i.hi, i.architecture.key, i.shared, s) for i, s in zip(path.intervals, soft, strict=True)]


def trace_records(info: Traces) -> list[Record]:
    """One record per λ: the weight of every choice under its name."""
    lines = np.column_stack([info.lam, info.weight]).tolist()
    return [dict(zip(("λ", *info.names), line, strict=True)) for line in lines]


def difference_rows(compared: Sequence[Compared], metrics: Sequence[str]) -> list[Paired]:
    """What a forest plot shows, ensemble by ensemble."""
    return [
        Paired(row.name, metric, d.mean, d.lo, d.hi, d.n, verdict(metric, d))
        for row in compared
        for metric, d in zip(metrics, row.differences, strict=True)
    ]


def reliability_rows(infos: Sequence[Reliability]) -> list[Bin]:
    """All filled bins of all ensembles."""
    rows = []
    for info in infos:
        bounds = wilson(info.accuracy, info.images)
        columns = (
            info.lower,
            info.upper,
            info.images.astype(int),
            info.confidence,
            info.accuracy,
            *bounds,
            info.confidence - info.accuracy,
        )
        rows += [Bin(info.name, *line) for line in zip(*(column.tolist() for column in columns), strict=True)]
    return rows
