"""Is an image of a kind the networks never learned? Scores that should be higher for it, and how well they tell it apart."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from edgenes_core.bootstrap import Interval, interval
from edgenes_core.diversity import entropy, image_information
from edgenes_core.metrics import MetricError, average
from edgenes_core.weighted import auroc_of

SINGLE = (
    "One network has no one to disagree with: its mutual information H(p̄) − mean H(p_m) is 0 for every image, whatever the image. "
    "All pairs are tied, so its AUROC is exactly 0.500. That is no finding about the network; judge it by its entropy."
)


class Scores(NamedTuple):
    """Per-image scores (B,), higher for what looks foreign: H(p̄) and its part that members do not agree on, in nats, and
    1 − max p̄."""

    entropy: np.ndarray
    mutual_information: np.ndarray
    one_minus_max: np.ndarray


NAMES = {
    "entropy": "predictive entropy",
    "mutual_information": "mutual information",
    "one_minus_max": "1 − max p̄",
}


class Separation(NamedTuple):
    """How well one score tells `foreign` images from `own` ones; `note` says what the number cannot say."""

    score: str
    auroc: Interval
    own: int
    foreign: int
    note: str = ""


def scores(probs: np.ndarray) -> Scores:
    """Of members' probabilities (M, B, C)."""
    mean = average(probs)
    return Scores(entropy(mean), image_information(probs), 1 - mean.max(-1))


def auroc(own: np.ndarray, foreign: np.ndarray) -> float:
    """Share of pairs in which the foreign image has the higher score, ties counted half (Mann and Whitney); NaN if one is empty."""
    outside = np.repeat([False, True], [len(own), len(foreign)])
    if not len(own) or not len(foreign):
        return float("nan")
    return float(auroc_of(np.concatenate([own, foreign]), outside)(np.ones((1, len(outside))))[0])


def separate(own: np.ndarray, foreign: np.ndarray) -> tuple[Separation, ...]:
    """All scores of one ensemble on own images (M, B, C) and foreign ones (M, B', C), each AUROC with its interval.

    Images of both kinds are resampled together.
    """
    if own.ndim != 3 or foreign.ndim != 3 or len(own) != len(foreign) or own.shape[2] != foreign.shape[2]:
        raise MetricError(
            f"Own and foreign images need the same members and classes, got {own.shape} and {foreign.shape}."
        )
    ours, theirs = scores(own), scores(foreign)
    outside = np.repeat([False, True], [own.shape[1], foreign.shape[1]])
    return tuple(
        Separation(
            name,
            interval(auroc_of(np.concatenate([getattr(ours, name), getattr(theirs, name)]), outside), len(outside)),
            own.shape[1],
            foreign.shape[1],
            SINGLE if name == "mutual_information" and len(own) == 1 else "",
        )
        for name in NAMES
    )
