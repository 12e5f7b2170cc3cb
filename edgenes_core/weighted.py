"""Every measure as a function of how often each image counts: what a bootstrap, which repeats images, needs.

A `Statistic` maps counts (R, B) to values (R,). Counts of one give the measure itself; counts of a resample give the measure of
the resampled images, though neither predictions nor classes are copied. Means are one product with the counts, and so are the sums
that ECE, Q, ρ and κ are made of; AURC, AUROC and adaptive ECE walk along the images in the order of their scores.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np

from edgenes_core import diversity, metrics, pairwise
from edgenes_core.metrics import BINS
from edgenes_core.statistics import image_scores

Statistic = Callable[[np.ndarray], np.ndarray]


def mean_of(scores: np.ndarray) -> Statistic:
    """Mean of one score per image (B,)."""
    scores = np.asarray(scores, float)
    return lambda counts: counts @ scores / counts.sum(-1)


def ece_of(probs: np.ndarray, y: np.ndarray, bins: int = BINS) -> Statistic:
    """ECE over equal-width bins: Σ_k |Σ_i w_i (confidence_i − right_i)| / n over the images i of bin k."""
    confidence, right = metrics.confidences(probs, y)
    gaps = np.zeros((len(y), bins))
    gaps[np.arange(len(y)), metrics.width_bins(confidence, bins)] = confidence - right
    return lambda counts: np.abs(counts @ gaps).sum(-1) / counts.sum(-1)


def adaptive_ece_of(probs: np.ndarray, y: np.ndarray, bins: int = BINS) -> Statistic:
    """ECE over bins of equally many images; an image that counts several times may be parted by a border."""
    confidence, right = metrics.confidences(probs, y)
    order = np.argsort(confidence, kind="stable")
    confidence, right = confidence[order], right[order].astype(float)
    starts = _starts(confidence)

    def value(counts: np.ndarray) -> np.ndarray:
        counts = counts[:, order]
        sizes, good = np.add.reduceat(counts, starts, -1), np.add.reduceat(counts * right, starts, -1)
        return _binned(sizes, sizes * confidence[starts] - good, bins)

    return value


def _binned(sizes: np.ndarray, gaps: np.ndarray, bins: int) -> np.ndarray:
    """Of groups of one confidence (R, G), in its order: their images and summed gaps → (R,) Σ |gap of a bin| / n."""
    reached, summed = sizes.cumsum(-1), gaps.cumsum(-1)
    total = int(reached[0, -1])
    if (reached[:, -1] != total).any():
        return np.concatenate([_binned(size[None], gap[None], bins) for size, gap in zip(sizes, gaps, strict=True)])
    bins, rows = min(bins, total), np.arange(len(sizes))[:, None]
    borders = np.r_[0, np.cumsum(np.full(bins, total // bins) + (np.arange(bins) < total % bins))]
    apart = rows * (total + 1.0)  # one search for all rows: each begins above the end of the one before
    group = np.searchsorted((reached + apart).ravel(), borders + apart) - rows * sizes.shape[1]
    size, gap = sizes[rows, group], gaps[rows, group]
    inside = np.divide(borders - reached[rows, group] + size, size, out=np.zeros(group.shape), where=size > 0)
    return np.abs(np.diff(summed[rows, group] - gap + inside * gap)).sum(-1) / total


def aurc_of(probs: np.ndarray, y: np.ndarray) -> Statistic:
    """Area under the risk–coverage curve. A group of w images, e of them wrong, after N images with E errors adds
    Σ_{j=1..w} (E + j·e/w)/(N + j) = e + (E − N·e/w)·(H_{N+w} − H_N), H the harmonic numbers."""
    confidence, right = metrics.confidences(probs, y)
    order = np.argsort(-confidence, kind="stable")
    starts, wrong = _starts(confidence[order]), (~right[order]).astype(float)

    def value(counts: np.ndarray) -> np.ndarray:
        counts = counts[:, order]
        sizes, errors = np.add.reduceat(counts, starts, -1), np.add.reduceat(counts * wrong, starts, -1)
        after, mistaken = sizes.cumsum(-1), errors.cumsum(-1)
        harmonic = np.r_[0.0, np.cumsum(1 / np.arange(1, int(after[:, -1].max()) + 1))]
        before = after - sizes
        rate = np.divide(errors, sizes, out=np.zeros_like(errors), where=sizes > 0)
        steps = harmonic[after.astype(int)] - harmonic[before.astype(int)]
        return (errors + (mistaken - errors - before * rate) * steps).sum(-1) / after[:, -1]

    return value


def auroc_of(score: np.ndarray, outside: np.ndarray) -> Statistic:
    """Share of pairs (own, foreign) in which the foreign image (`outside`) has the higher score, ties counted half."""
    order = np.argsort(score, kind="stable")
    starts, foreign = _starts(score[order]), np.asarray(outside, float)[order]

    def value(counts: np.ndarray) -> np.ndarray:
        counts = counts[:, order]
        theirs = np.add.reduceat(counts * foreign, starts, -1)
        own = np.add.reduceat(counts, starts, -1) - theirs
        below = own.cumsum(-1) - own / 2
        pairs = own.sum(-1) * theirs.sum(-1)
        return np.divide((theirs * below).sum(-1), pairs, out=np.full(len(counts), np.nan), where=pairs > 0)

    return value


def pairs_of(measure: Callable[[pairwise.Overlap], np.ndarray]) -> Callable[[np.ndarray, np.ndarray], Statistic]:
    """A measure of who is wrong together (`pairwise`), mean over the pairs that define it."""

    def build(probs: np.ndarray, y: np.ndarray) -> Statistic:
        right = diversity.right(probs, y)
        first, second = _pairs(len(right))
        both = (right[first] & right[second]).T.astype(float)

        def value(counts: np.ndarray) -> np.ndarray:
            images = counts.sum(-1, keepdims=True)
            each = counts @ right.T.astype(float) / images
            table = pairwise.overlap_of(counts @ both / images, each[:, first], each[:, second])
            return _defined(measure(table))

        return value

    return build


def kappa_of(probs: np.ndarray, y: np.ndarray) -> Statistic:
    """Cohen's κ of the named classes, mean over the pairs that define it; y is not needed."""
    named = metrics.probabilities(probs, "MBC").argmax(-1)
    first, second = _pairs(len(named))
    alike = (named[first] == named[second]).T.astype(float)
    says = np.eye(probs.shape[2])[named]

    def value(counts: np.ndarray) -> np.ndarray:
        images = counts.sum(-1)[:, None]
        share = [counts @ member / images for member in says]
        chance = [(share[i] * share[j]).sum(-1) for i, j in zip(first, second, strict=True)]
        found = pairwise.kappa_of(
            counts @ alike / images, np.stack(chance, -1) if chance else np.zeros((len(counts), 0))
        )
        return _defined(found)

    return value


def normalised_of(probs: np.ndarray, y: np.ndarray) -> Statistic:
    """Disagreement divided by the pair's mean error, mean over the pairs that define it."""
    named, right = metrics.probabilities(probs, "MBC").argmax(-1), diversity.right(probs, y)
    first, second = _pairs(len(named))
    apart = (named[first] != named[second]).T.astype(float)
    errors = ((~right[first]).astype(float) + ~right[second]).T / 2

    def value(counts: np.ndarray) -> np.ndarray:
        below = counts @ errors
        return _defined(np.divide(counts @ apart, below, out=np.full_like(below, np.nan), where=below > 0))

    return value


def residuals_of(probs: np.ndarray, y: np.ndarray) -> Statistic:
    """Correlation of the residuals 1 − p(true class), mean over the pairs that define it."""
    residual = 1 - diversity.true_class(probs, y)
    residual -= residual.mean(1, keepdims=True)
    first, second = _pairs(len(residual))

    def value(counts: np.ndarray) -> np.ndarray:
        images = counts.sum(-1, keepdims=True)
        mean, square = counts @ residual.T / images, counts @ residual.T**2 / images
        spread = np.sqrt(np.maximum(square - mean**2, 0))
        products = counts @ (residual[first] * residual[second]).T / images - mean[:, first] * mean[:, second]
        return _defined(pairwise.correlation_of(products, spread[:, first], spread[:, second]))

    return value


def _pairs(members: int) -> tuple[np.ndarray, np.ndarray]:
    first, second = np.array(list(combinations(range(members), 2)), int).reshape(-1, 2).T
    return first, second


def _defined(values: np.ndarray) -> np.ndarray:
    """(R, P) → (R,): mean over the finite ones, NaN where there is none."""
    finite = np.isfinite(values)
    count = finite.sum(-1)
    total = np.where(finite, values, 0.0).sum(-1)
    return np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)


def _starts(ordered: np.ndarray) -> np.ndarray:
    """Where groups of equal scores begin."""
    return np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])


def _average(build: Callable[[np.ndarray, np.ndarray], Statistic]) -> Callable[[np.ndarray, np.ndarray], Statistic]:
    return lambda probs, y: build(metrics.average(probs), y)


def _image(score: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Callable[[np.ndarray, np.ndarray], Statistic]:
    return lambda probs, y: mean_of(score(probs, y))


STATISTICS: dict[str, Callable[[np.ndarray, np.ndarray], Statistic]] = {
    "accuracy": _average(lambda p, y: mean_of(image_scores(p, y).accuracy)),
    "nll": _average(lambda p, y: mean_of(image_scores(p, y).nll)),
    "brier": _average(lambda p, y: mean_of(image_scores(p, y).brier)),
    "ece": _average(ece_of),
    "adaptive_ece": _average(adaptive_ece_of),
    "signed_gap": _average(lambda p, y: mean_of(np.subtract(*metrics.confidences(p, y), dtype=float))),
    "aurc": _average(aurc_of),
    "oracle_accuracy": _image(lambda p, y: np.asarray(diversity.right(p, y).any(0))),
    "oracle_nll": _image(lambda p, y: -np.log(np.maximum(diversity.true_class(p, y).max(0), metrics.FLOOR))),
    "disagreement": _image(lambda p, y: diversity.image_disagreement(p)),
    "right_disagreement": pairs_of(pairwise.right_disagreement),
    "normalised_disagreement": normalised_of,
    "double_fault": pairs_of(lambda table: table.d),
    "q_statistic": pairs_of(pairwise.q_statistic),
    "error_correlation": pairs_of(pairwise.error_correlation),
    "residual_correlation": residuals_of,
    "kappa": kappa_of,
    "jsd": _image(lambda p, y: diversity.image_jsd(p)),
    "mutual_information": _image(lambda p, y: diversity.image_information(p)),
    "ambiguity": _image(lambda p, y: diversity.image_ambiguity(p)),
    "log_ambiguity": _image(diversity.image_log_ambiguity),
}
"""A statistic from members' probabilities (M, B, C) and true classes (B,), by the name in `records.METRICS`."""


def measure(name: str, probs: np.ndarray, y: np.ndarray) -> float:
    """One measure of an ensemble, by the name in `records.METRICS`; NaN where it is not defined."""
    return float(STATISTICS[name](probs, y)(np.ones((1, len(y))))[0])
