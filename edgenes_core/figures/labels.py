"""Names beside points without collisions: each label takes the place that covers fewest points and other labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

CHAR, LINE = 6.8, 20.0  # width of a character and height of a line at 13 px
MARK = 9.0  # half a point's marker
GAP = 16.0  # from a point's centre to its label


class Offset(NamedTuple):
    """Centre of a label relative to its point, in pixels, y downwards."""

    x: float
    y: float


def place(x: np.ndarray, y: np.ndarray, texts: Sequence[str], around: np.ndarray, area: Offset) -> list[Offset]:
    """Greedy places for labels of points (L,) among all drawn points `around` (P, 2), whose range fills `area` pixels."""
    points = np.vstack([around, np.column_stack([x, y])])
    points = points[np.isfinite(points).all(-1)]
    low, span = points.min(0), np.where(np.ptp(points, axis=0) > 0, np.ptp(points, axis=0), 1.0)

    def pixels(rows: np.ndarray) -> np.ndarray:
        return (rows - low) / span * [area.x, -area.y] + [0, area.y]

    marks, taken, chosen = pixels(points), np.empty((0, 4)), []
    for at, text in zip(pixels(np.column_stack([x, y])), texts, strict=True):
        half = np.array([CHAR * len(text) / 2, LINE / 2])
        costs = [_cost(at + offset, half, marks, taken, area) + 0.01 * np.hypot(*offset) for offset in _offsets(half)]
        best = _offsets(half)[int(np.argmin(costs))]
        taken = np.vstack([taken, [*(at + best - half), *(at + best + half)]])
        chosen.append(best)
    return chosen


def _offsets(half: np.ndarray) -> list[Offset]:
    """Candidate places, the nearest first: beside, above, below, then further up and down on either side."""
    beside = [Offset(side * (GAP + half[0]), 0) for side in (1, -1)]
    return beside + [
        Offset(side * half[0] * 0.7, sign * (GAP + 8 + step * LINE))
        for step in range(4)
        for sign in (-1, 1)
        for side in (0, 1, -1)
    ]


def _cost(centre: np.ndarray, half: np.ndarray, marks: np.ndarray, taken: np.ndarray, area: Offset) -> float:
    """Points under the label, three times the labels it meets, and a hundred if it leaves the plot."""
    low, high = centre - half, centre + half
    hidden = ((marks > low - MARK) & (marks < high + MARK)).all(-1).sum()
    met = ((taken[:, :2] < high) & (taken[:, 2:] > low)).all(-1).sum()
    outside = low[0] < -30 or high[0] > area.x + 30 or low[1] < -30 or high[1] > area.y + 20
    return float(hidden + 3 * met + 100 * outside)
