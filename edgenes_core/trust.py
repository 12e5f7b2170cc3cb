"""How far a team can be trusted, as rows: its calibration, its temperature, how its members differ, where its doubt comes from.

What a team says (B, C) is judged by its own rule; diversity and the split of doubt are about its members (M, B, C).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from edgenes_core import bootstrap, pairwise
from edgenes_core.architecture import Architecture
from edgenes_core.bootstrap import Interval
from edgenes_core.comparisons import judged_together
from edgenes_core.diversity import image_doubt
from edgenes_core.measures import DIVERSITY
from edgenes_core.statistics import RESAMPLES, image_scores, paired_bootstrap
from edgenes_core.temperature import Temperature, fit_temperature, temper
from edgenes_core.weighted import STATISTICS, Statistic, measure

CALIBRATION = ("ece", "adaptive_ece", "signed_gap", "aurc", "nll", "brier")
STRUCTURAL = ("member_shared", "member_edits")
UNDEFINED = {
    "q_statistic": "no pair has both a common error and a common right answer, or errors apart in both ways",
    "error_correlation": "in every pair a member is always right or always wrong",
    "normalised_disagreement": "no member of any pair ever errs",
    "kappa": "all members name one and the same class",
    "residual_correlation": "what a member misses of the true class hardly varies",
}


class Score(NamedTuple):
    """One measure of one ensemble over n images with its 95 % interval; NaN where it is not defined or not asked for."""

    ensemble: str
    measure: str
    value: float
    lo: float
    hi: float
    n: int


class Drawn(NamedTuple):
    """The K measures of CALIBRATION over n images (K,), and on each of R resamples of them (K, R)."""

    whole: np.ndarray
    drawn: np.ndarray
    n: int


class Calibrated(NamedTuple):
    """One measure of one ensemble over n images with its own 95 % interval; `minus` is the first ensemble minus this one, with
    the interval that all differences keep together (`comparisons.METHOD`). NaN where it is not defined or not asked for."""

    ensemble: str
    measure: str
    value: float
    lo: float
    hi: float
    n: int
    minus: float
    minus_lo: float
    minus_hi: float

    @property
    def tie(self) -> bool:
        return self.minus_lo <= 0 <= self.minus_hi


class Tempered(NamedTuple):
    """One ensemble on one half, without (T = 1) and with its temperature; the change in NLL has a paired 95 % interval."""

    ensemble: str
    temperature: float
    half: str
    n: int
    nll: float
    nll_tempered: float
    change: float
    lo: float
    hi: float
    ece: float
    ece_tempered: float


class Doubt(NamedTuple):
    """Of each image (B,), in nats: H(p̄) = mean_m H(p_m) + mutual information; and whether the team was wrong."""

    total: np.ndarray
    own: np.ndarray
    apart: np.ndarray
    wrong: np.ndarray


class DoubtBin(NamedTuple):
    """Images with a doubt above `above` and up to `up_to` nats (the first bin holds 0 too)."""

    above: float
    up_to: float
    right: int
    wrong: int


def drawn(said: np.ndarray, y: np.ndarray, *, intervals: bool = True) -> Drawn:
    """The measures of CALIBRATION of what one ensemble says (B, C), with what they are on every resample."""
    statistics = [STATISTICS[measured](said[None], y) for measured in CALIBRATION]
    whole = np.array([bootstrap.whole(statistic, len(y)) for statistic in statistics])
    resamples = RESAMPLES if intervals else 0
    return Drawn(whole, np.array([_values(statistic, len(y), resamples) for statistic in statistics]), len(y))


def calibrated(said: Mapping[str, Drawn]) -> list[Calibrated]:
    """Every measure of CALIBRATION of every ensemble, and the first ensemble minus each of the others, one family."""
    (_, first), *others = said.items()
    resamples, nothing = first.drawn.shape[1], (np.nan,) * len(CALIBRATION)
    found: list[tuple[float, ...]] = [(np.nan, np.nan, np.nan)] * len(CALIBRATION)
    if others and resamples:
        gaps = np.concatenate([first.whole - other.whole for _, other in others])
        resampled = np.concatenate([first.drawn - other.drawn for _, other in others])
        family = judged_together(gaps, resampled, first.n)
        found += [(d.mean, d.lo, d.hi) for d in family]
    else:
        found += [(float(gap), np.nan, np.nan) for _, other in others for gap in first.whole - other.whole]
    rows = []
    for name, of in said.items():
        lo, hi = np.quantile(of.drawn, [0.025, 0.975], axis=1).tolist() if resamples else (nothing, nothing)
        rows += [(name, *line, of.n) for line in zip(CALIBRATION, of.whole.tolist(), lo, hi, strict=True)]
    return [Calibrated(*row, *gap) for row, gap in zip(rows, found, strict=True)]


def diversity_scores(
    name: str, probs: np.ndarray, y: np.ndarray, cells: Sequence[Architecture], *, intervals: bool = True
) -> list[Score]:
    """Every measure of DIVERSITY of members (M, B, C) with these cells. What they are built of has no interval."""
    rows = []
    for measured in DIVERSITY:
        if measured in STRUCTURAL:
            value = pairwise.over_pairs(getattr(pairwise, measured)(cells).astype(float))
            rows.append(Score(name, measured, value, np.nan, np.nan, len(cells)))
        elif intervals:
            rows.append(Score(name, measured, *_interval(STATISTICS[measured](probs, y), len(y)), len(y)))
        else:
            rows.append(Score(name, measured, measure(measured, probs, y), np.nan, np.nan, len(y)))
    return rows


def why_undefined(measured: str, members: int) -> str:
    """Why a measure of diversity has no value."""
    return "one member: there is no pair" if members == 1 else UNDEFINED.get(measured, "no pair defines it")


def tempered_rows(name: str, said: np.ndarray, y: np.ndarray, found: Temperature | None = None) -> list[Tempered]:
    """Both halves: where T was fitted, and where it is judged."""
    found = found or fit_temperature(said, y)
    scaled, rows = temper(said, found.value), []
    halves = (("fitted", found.fit_rows, found.fitted), ("judged", found.judge_rows, found.judged))
    for half, images, (before, after) in halves:
        after_nll, before_nll = (image_scores(p[images], y[images]).nll for p in (scaled, said))
        gap = paired_bootstrap(after_nll, before_nll)
        change = (gap.mean, gap.lo, gap.hi)
        rows.append(Tempered(name, found.value, half, before.n, before.nll, after.nll, *change, before.ece, after.ece))
    return rows


def doubt_of(probs: np.ndarray, y: np.ndarray, said: np.ndarray) -> Doubt:
    """Of members (M, B, C) whose team says `said` (B, C)."""
    total, own, apart = image_doubt(probs)
    return Doubt(total, own, apart, said.argmax(-1) != y)


def doubt_bins(doubt: np.ndarray, wrong: np.ndarray, bins: int = 20) -> list[DoubtBin]:
    """Right and wrong images by how much the team doubts them, in bins of one width."""
    edges = np.linspace(0, float(doubt.max()) or 1.0, bins + 1)
    where = np.clip(np.searchsorted(edges, doubt, side="left") - 1, 0, bins - 1)
    counts = [np.bincount(where[rows], minlength=bins).tolist() for rows in (~wrong, wrong)]
    return [DoubtBin(*line) for line in zip(edges[:-1].tolist(), edges[1:].tolist(), *counts, strict=True)]


def _values(statistic: Statistic, n: int, resamples: int) -> np.ndarray:
    return bootstrap.values(statistic, n, resamples) if resamples else np.zeros(0)


def _interval(statistic: Statistic, n: int) -> tuple[float, float, float]:
    found: Interval = bootstrap.interval(statistic, n)
    return found.value, found.lo, found.hi
