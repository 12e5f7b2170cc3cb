"""A metric against severity: one ensemble on images that are made worse, corruption by corruption and on average."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from edgenes_core.bootstrap import interval
from edgenes_core.records import Evaluation
from edgenes_core.weighted import STATISTICS, Statistic, measure

MEASURED = ("accuracy", "nll", "brier", "ece", "disagreement")
DRAWN = ("accuracy", "nll", "ece")
CLEAN, MEAN = "clean", "mean"


class ShiftRow(NamedTuple):
    """An ensemble on the images of one split, made worse by one corruption; severity 0 are the images as they are."""

    corruption: str
    severity: int
    evaluation: Evaluation


class ShiftMean(NamedTuple):
    """Means over `corruptions` corruptions of one severity, each of the same n images."""

    severity: int
    corruptions: int
    n: int
    accuracy: float
    nll: float
    brier: float
    ece: float
    disagreement: float


def shift_means(rows: Sequence[ShiftRow]) -> tuple[ShiftMean, ...]:
    """One row per severity, ascending. Corruptions count alike, however much they hurt."""
    means = []
    for severity in sorted({row.severity for row in rows}):
        here = [row.evaluation for row in rows if row.severity == severity]
        values = (float(np.mean([getattr(e, name) for e in here])) for name in MEASURED)
        means.append(ShiftMean(severity, len(here), here[0].n, *values))
    return tuple(means)


class SeverityPoint(NamedTuple):
    """One metric of one ensemble on n images made worse by one corruption, or the mean over `corruptions` of them, which
    alone has a 95 % interval over images. Severity 0 are the images as they are."""

    ensemble: str
    corruption: str
    severity: int
    metric: str
    value: float
    lo: float
    hi: float
    corruptions: int
    n: int


def severity_points(
    name: str, said: Mapping[tuple[str, int], np.ndarray], clean: np.ndarray, y: np.ndarray
) -> list[SeverityPoint]:
    """Of what an ensemble says (B, C) about clean images and under each (corruption, severity): metric by metric, the clean
    images, each corruption by severity, then means over the severities at which every corruption was seen."""
    names = list(dict.fromkeys(corruption for corruption, _ in said))
    common = [s for s in sorted({s for _, s in said}) if all((corruption, s) in said for corruption in names)]
    points = []
    for metric in DRAWN:
        build, nan = STATISTICS[metric], float("nan")
        points.append(SeverityPoint(name, CLEAN, 0, metric, *interval(build(clean[None], y), len(y))[:3], 0, len(y)))
        for (corruption, severity), probs in sorted(
            said.items(), key=lambda item: (names.index(item[0][0]), item[0][1])
        ):
            value = measure(metric, probs[None], y)
            points.append(SeverityPoint(name, corruption, severity, metric, value, nan, nan, 1, len(y)))
        for severity in common:
            mean = mean_statistic(metric, [said[corruption, severity] for corruption in names], y)
            found = interval(mean, len(y))[:3]
            points.append(SeverityPoint(name, MEAN, severity, metric, *found, len(names), len(y)))
    return points


def mean_statistic(metric: str, said: Sequence[np.ndarray], y: np.ndarray) -> Statistic:
    """Mean of a metric over several predictions (B, C) of the same images."""
    statistics = [STATISTICS[metric](probs[None], y) for probs in said]
    return lambda counts: np.mean([statistic(counts) for statistic in statistics], axis=0)
