"""An honest number for any combining rule: judged on images it was not fitted on, beside the simple mean.

cross   k folds; each fold is predicted by the rule fitted on the others: every image is judged, by k rules
half    fitted on one random half, judged on the other: one rule, half the images
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from edgenes_core import metrics
from edgenes_core.combining import COMBINERS, Fit, load_combiner
from edgenes_core.combining.errors import CombiningError
from edgenes_core.ensembles import combine, evaluate
from edgenes_core.records import Evaluation
from edgenes_core.statistics import Difference, image_scores, paired_bootstrap

FOLDS = 5


class Judged(NamedTuple):
    """A rule beside the simple mean, on the same `rows` of validation, `judged.n` of them.

    It was fitted on `fitted_on` images at a time (the fewest, where folds differ), 0 for a rule that fits nothing. `nll` is
    rule − mean with a 95 % interval: below 0, the rule is better.
    """

    rule: str
    protocol: str
    fitted_on: int
    rows: np.ndarray
    combined: np.ndarray
    judged: Evaluation
    mean: Evaluation
    nll: Difference


def judge(
    name: str,
    probs: np.ndarray,
    y: np.ndarray,
    *,
    protocol: str = "cross",
    folds: int = FOLDS,
    seed: int = 0,
    weights: np.ndarray | None = None,
) -> Judged:
    """Judge a rule of COMBINERS on members' validation probabilities (M, B, C) and true classes (B,)."""
    fit = load_combiner(name, weights)
    probs = metrics.distributions(probs, "MBC")
    y = metrics.labels(y, *probs.shape[1:])
    if protocol not in ("cross", "half"):
        raise CombiningError(f"A rule is judged by the protocol cross or half, got {protocol!r}.")
    if protocol == "cross":
        rows, combined = np.arange(len(y)), cross_fit(fit, probs, y, folds, seed)
        fitted_on = len(y) - -(-len(y) // folds)
    else:
        second = fold_of(len(y), 2, seed) == 1
        rows, combined = np.flatnonzero(second), fit(probs[:, ~second], y[~second])(probs[:, second])
        fitted_on = len(y) - len(rows)
    if not COMBINERS[name].fitted:
        fitted_on = 0
    members, truth = probs[:, rows], y[rows]
    mean = combine(members)
    gap = paired_bootstrap(image_scores(combined, truth).nll, image_scores(mean, truth).nll)
    judged = evaluate(members, truth, "val", combined)
    return Judged(name, protocol, fitted_on, rows, combined, judged, evaluate(members, truth, "val"), gap)


def cross_fit(
    fit: Fit, probs: np.ndarray, y: np.ndarray, folds: int = FOLDS, seed: int = 0, worse: np.ndarray | None = None
) -> np.ndarray:
    """(B, C): each image predicted by a rule fitted on the folds that it is not in; with `worse` (M, B, C), what that rule
    makes of other predictions of the same images."""
    fold, judged = fold_of(len(y), folds, seed), probs if worse is None else worse
    combined = np.empty(judged.shape[1:])
    for k in range(folds):
        inside = fold == k
        combined[inside] = fit(probs[:, ~inside], y[~inside])(judged[:, inside])
    return combined


def fold_of(images: int, folds: int, seed: int = 0) -> np.ndarray:
    """(B,) fold of each image, drawn by `seed`; sizes differ by 1 at most."""
    if not 2 <= folds <= images:
        raise CombiningError(
            f"A rule is judged on images it was not fitted on, which takes 2 to {images} folds of these {images} images, "
            f"got {folds}."
        )
    return np.random.default_rng(seed).permutation(np.arange(images) % folds)
