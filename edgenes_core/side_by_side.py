"""Teams side by side on the same images: four measures of each, the same of the same resamples, and who is better, worse or tied.

Each team is resampled once, by a single product of the counts with its images' scores, and kept; whatever it is compared with, the
difference is then a subtraction. Resamples, intervals and corrections are those of `statistics`, `bootstrap` and `comparisons`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from edgenes_core.bootstrap import SeedDifference
from edgenes_core.comparisons import Adjusted, judged_together
from edgenes_core.metrics import BINS, width_bins
from edgenes_core.records import METRICS
from edgenes_core.statistics import RESAMPLES, Difference, StatisticsError, image_scores, resampled_counts

PAIRED = ("accuracy", "nll", "brier", "ece")


class Resampled(NamedTuple):
    """The measures PAIRED of n images (4,), and of each of R resamples of them (R, 4)."""

    whole: np.ndarray
    drawn: np.ndarray
    n: int


def measures(probs: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(4,): the measures PAIRED of a forecast (B, C)."""
    return _measures(_columns(probs, y).sum(0)[None], len(y))[0]


def resampled(probs: np.ndarray, y: np.ndarray, resamples: int = RESAMPLES, seed: int = 0) -> Resampled:
    """The same, with what it is on every resample; the resamples depend on len(y), `resamples` and `seed` alone."""
    columns = _columns(probs, y)
    sums = np.concatenate([counts @ columns for counts in resampled_counts(len(y), resamples, seed)])
    return Resampled(_measures(columns.sum(0)[None], len(y))[0], _measures(sums, len(y)), len(y))


def differences(a: Resampled, b: Resampled, level: float = 0.95) -> tuple[Difference, ...]:
    """a − b in each measure with its own paired percentile interval: for one comparison, not for many."""
    _check([a], b)
    lo, hi = np.quantile(a.drawn - b.drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    found = zip((a.whole - b.whole).tolist(), lo.tolist(), hi.tolist(), strict=True)
    return tuple(Difference(gap, low, high, a.n) for gap, low, high in found)


def simultaneous(rows: Sequence[Resampled], reference: Resampled, level: float = 0.95) -> list[tuple[Adjusted, ...]]:
    """Each row − reference in each measure: one family, whose intervals hold together (`comparisons.METHOD`)."""
    return _family(rows, [reference] * len(rows), level)


def leaders(rows: Sequence[Resampled], level: float = 0.95) -> np.ndarray:
    """(T, 4) bool: which teams are the best in a measure or not told apart from it; one alone in its column is the best.

    All teams are compared with the best of each measure in one family.
    """
    if not rows:
        return np.zeros((0, len(PAIRED)), bool)
    sign = np.array([1 if METRICS[name].better == "higher" else -1 for name in PAIRED])
    best = (sign * np.stack([row.whole for row in rows])).argmax(0)
    columns = np.arange(len(PAIRED))
    champion = Resampled(
        np.array([rows[i].whole[k] for k, i in enumerate(best)]),
        np.stack([rows[i].drawn[:, k] for k, i in enumerate(best)], axis=1),
        rows[0].n,
    )
    tied = np.array([[gap.tie for gap in row] for row in _family(rows, [champion] * len(rows), level)])
    tied[best, columns] = True
    return tied


def verdict(metric: str, gap: Difference | Adjusted | SeedDifference) -> str:
    """'tie' when the interval includes 0, else 'better' or 'worse' than the reference."""
    if gap.tie:
        return "tie"
    return "better" if (gap.mean > 0) == (METRICS[metric].better == "higher") else "worse"


def _family(rows: Sequence[Resampled], others: Sequence[Resampled], level: float) -> list[tuple[Adjusted, ...]]:
    if not rows:
        return []
    _check(rows, others[0])
    pairs = list(zip(rows, others, strict=True))
    found = np.concatenate([a.whole - b.whole for a, b in pairs])
    drawn = np.concatenate([(a.drawn - b.drawn).T for a, b in pairs])
    every = judged_together(found, drawn, rows[0].n, level)
    return [every[k : k + len(PAIRED)] for k in range(0, len(every), len(PAIRED))]


def _check(rows: Sequence[Resampled], reference: Resampled) -> None:
    if any(row.n != reference.n or row.drawn.shape != reference.drawn.shape for row in rows):
        raise StatisticsError(
            f"A paired comparison needs the same resamples of the same images; the reference has {len(reference.drawn)} "
            f"of {reference.n} images."
        )


def _columns(probs: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(B, 3 + K): right, −log p(true class), Brier score, then confidence − right in the column of its bin of K."""
    scores = image_scores(probs, y)
    confidence = probs.max(-1)
    found = np.zeros((len(y), 3 + BINS))
    found[:, :3] = np.stack(scores, axis=1)
    found[np.arange(len(y)), 3 + width_bins(confidence, BINS)] = confidence - scores.accuracy
    return found


def _measures(sums: np.ndarray, n: int) -> np.ndarray:
    """(R, 3 + K) sums over n images → (R, 4)."""
    return np.column_stack([sums[:, :3], np.abs(sums[:, 3:]).sum(1)]) / n
