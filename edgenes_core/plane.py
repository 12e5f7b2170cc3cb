"""Points on the plane of diversity and quality: means and spreads over seeds, the front nobody beats, honest axis ranges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

MARGIN = 0.07  # of an axis, free at either end
PANELS = 6  # small multiples, at most


class Axis(NamedTuple):
    """What an axis shows: title with unit, which end is better or more diverse ('higher' or 'lower'), factor and digits
    for display; `about` says what the number is for a cell and for an ensemble, `least` is the shortest range drawn and
    `step` the distance of ticks, 0 for plotly's own."""

    title: str
    better: str
    factor: float = 1.0
    digits: int = 2
    about: str = ""
    least: float = 0.0
    step: float = 0.0

    def text(self, value: float) -> str:
        return f"{value * self.factor:.{self.digits}f}"


class Point(NamedTuple):
    """A cell, or an ensemble, with its x and y over the seeds it was trained with; `id` is what a click reports and
    `cells` are the keys of the architectures behind it."""

    id: str
    label: str
    role: str
    xs: tuple[float, ...]
    ys: tuple[float, ...]
    ensemble: bool = False
    cells: tuple[str, ...] = ()
    shared: float = float("nan")


class PlaneInfo(NamedTuple):
    """Arrays over P points: mean x and y, sd of both over seeds (NaN for one seed), seeds, on the front, an ensemble,
    edges shared with α* (mean over members)."""

    x_axis: Axis
    y_axis: Axis
    ids: tuple[str, ...]
    labels: tuple[str, ...]
    roles: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    x: np.ndarray
    y: np.ndarray
    x_sd: np.ndarray
    sd: np.ndarray
    seeds: np.ndarray
    front: np.ndarray
    ensemble: np.ndarray
    shared: np.ndarray


def pareto_front(x: np.ndarray, y: np.ndarray, x_better: str = "higher", y_better: str = "higher") -> np.ndarray:
    """(P,) bool: points that no other point beats in one coordinate without losing in the other; O(P log P), NaN never."""
    x = x if x_better == "higher" else -x
    y = y if y_better == "higher" else -y
    front = np.zeros(len(x), bool)
    usable = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    order = usable[np.lexsort((-y[usable], -x[usable]))]
    best, best_x = -np.inf, np.inf
    for i in order:
        # Equal points are all on the front: none of them beats another.
        front[i] = y[i] > best or (y[i] == best and x[i] == best_x)
        if y[i] > best:
            best, best_x = y[i], x[i]
    return front


def plane_info(points: Sequence[Point], x_axis: Axis, y_axis: Axis) -> PlaneInfo:
    """Means and spreads over seeds; the front is taken over cells only, ensembles stand beside it."""
    x = np.array([np.mean(p.xs) for p in points], float)
    y = np.array([np.mean(p.ys) for p in points], float)
    ensemble = np.array([p.ensemble for p in points], bool)
    single = np.where(ensemble, np.nan, y)
    return PlaneInfo(
        x_axis,
        y_axis,
        tuple(p.id for p in points),
        tuple(p.label for p in points),
        tuple(p.role for p in points),
        tuple(p.cells for p in points),
        x,
        y,
        np.array([_spread(p.xs) for p in points], float),
        np.array([_spread(p.ys) for p in points], float),
        np.array([len(p.ys) for p in points], int),
        pareto_front(x, single, x_axis.better, y_axis.better),
        ensemble,
        np.array([p.shared for p in points], float),
    )


def axis_range(axis: Axis, values: np.ndarray) -> tuple[float, float] | None:
    """Ends of an axis in display units, around the finite values and never shorter than `axis.least`, so that equal
    values look equal; None without values."""
    finite = values[np.isfinite(values)] * axis.factor
    if not len(finite):
        return None
    low, high = float(finite.min()), float(finite.max())
    missing = max(0.0, axis.least * axis.factor - (high - low)) / 2
    low, high = low - missing, high + missing
    pad = MARGIN * (high - low)
    return low - pad, high + pad


def shared_groups(shared: Sequence[int], most: int = PANELS) -> tuple[tuple[int, ...], ...]:
    """The shared counts that occur, ascending, each a panel of its own or, if there are more than `most`, in `most` runs
    of neighbours."""
    present = sorted(set(shared))
    if len(present) <= most:
        return tuple((count,) for count in present)
    return tuple(tuple(int(count) for count in part) for part in np.array_split(present, most))


def _spread(values: Sequence[float]) -> float:
    """Standard deviation (n − 1); NaN for one value."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
