"""How many plain networks a method is worth: DEE, the M of a deep ensemble with the same calibrated NLL (Ashukha et al. 2020).

calibrated   NLL after one temperature, fitted to the average where it is not judged: on validation each tenth is judged with the
             T of the others, on test with the T of all validation images
DEE          between whole M on a line, along the mean over seeds of the arm DEEP; its interval is that of the method's NLL alone
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from edgenes_core.metrics import nll
from edgenes_core.study.folder import Look, Study
from edgenes_core.study.table import Judged, Seen, over_seeds
from edgenes_core.temperature import best_temperature, temper

DEEP = "deepens10"
FOLDS = 10  # with two halves of 150 images, a half without a mistake asks for a T near 0


class Worth(NamedTuple):
    """`members` of a deep ensemble; `bound` is '<' or '>' where its curve ends before."""

    members: float
    bound: str = ""

    @property
    def text(self) -> str:
        return f"{self.bound} {self.members:.1f}".strip()


class WorthRow(NamedTuple):
    """An arm's calibrated NLL over n seeds with its t interval, and the deep ensembles it is worth: of the mean, and from
    `least` to `most` of the interval (as text, since an end may lie beyond the curve)."""

    arm: str
    title: str
    nll: float
    lo: float
    hi: float
    n: int
    members: float
    bound: str
    least: str
    most: str


def calibrated_nll(
    said: np.ndarray, y: np.ndarray, val: np.ndarray | None = None, y_val: np.ndarray | None = None
) -> float:
    """Of forecasts (B, C); T from validation if that is given, else cross-fitted."""
    if val is not None and y_val is not None:
        return float(nll(temper(said, best_temperature(val, y_val)), y))
    part = np.arange(len(y)) % FOLDS
    losses = 0.0
    for held in (part == fold for fold in range(min(FOLDS, len(y)))):
        losses += held.sum() * nll(temper(said[held], best_temperature(said[~held], y[~held])), y[held])
    return float(losses / len(y))


def worth(value: float, deep: Sequence[float] | np.ndarray) -> Worth:
    """DEE of a calibrated NLL, from those of deep ensembles with M = 1, 2, … members (made to fall, as they do on average)."""
    falling = np.minimum.accumulate(np.array(deep, float))
    if value > falling[0]:
        return Worth(1.0, "<")
    if value < falling[-1]:
        return Worth(float(len(falling)), ">")
    right = int(np.argmax(falling <= value))
    if right == 0:
        return Worth(1.0)
    above, below = falling[right - 1], falling[right]
    return Worth(float(right + (above - value) / (above - below)))


def deep_curve(study: Study, seen: Seen, look: Look | None = None) -> np.ndarray:
    """Calibrated NLL (M,) of the first 1, 2, … networks of the arm DEEP, mean over its seeds; empty without that arm."""
    repeats = [repeat for repeat in study.repeats()[0] if repeat.arm.name == DEEP]
    most = min((len(repeat.candidates) for repeat in repeats), default=0)
    curves = []
    for repeat in repeats:
        probs = repeat.val if look is None else study.test(repeat, look)
        said, val = (
            np.cumsum(p[:most], 0, dtype=float) / np.arange(1, most + 1)[:, None, None] for p in (probs, repeat.val)
        )
        curves.append([_of(said[m], val[m], seen) for m in range(most)])
    return np.mean(curves, 0) if curves else np.zeros(0)


def worths(study: Study, seen: Seen, look: Look | None = None) -> list[WorthRow]:
    """Every arm's; nothing without the arm DEEP."""
    deep, found = deep_curve(study, seen, look), []
    for arm in seen.arms if len(deep) else ():
        mine = [calibrated(each, seen) for each in seen.of(arm)]
        mean, _, lo, hi = over_seeds(mine)
        ends = ("", "") if np.isnan(lo) else (worth(hi, deep).text, worth(lo, deep).text)
        found.append(WorthRow(arm, study.config.arm(arm).shown, mean, lo, hi, len(mine), *worth(mean, deep), *ends))
    return found


def calibrated(each: Judged, seen: Seen) -> float:
    """Calibrated NLL of a repeat's ensemble."""
    return _of(each.said, each.val, seen)


def _of(said: np.ndarray, val: np.ndarray, seen: Seen) -> float:
    return calibrated_nll(said, seen.y, *((val, seen.y_val) if seen.split == "test" else ()))
