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


def place(
    rows: Sequence[int], texts: Sequence[str], points: np.ndarray, seen: np.ndarray, area: Offset
) -> list[Offset]:
    """Greedy places, the longest label first, for the labels of some rows of the drawn points (P, 2).

    The range of `seen` (Q, 2), all that is drawn, fills `area` pixels.
    """
    low, span = np.nanmin(seen, 0), np.nanmax(seen, 0) - np.nanmin(seen, 0)
    span = np.where(span > 0, span, 1.0)

    def pixels(xy: np.ndarray) -> np.ndarray:
        return (xy - low) / span * [area.x, -area.y] + [0, area.y]

    marks, taken = pixels(points), np.empty((0, 4))
    chosen = dict.fromkeys(range(len(texts)), Offset(0, 0))
    for i in sorted(chosen, key=lambda i: -len(texts[i])):
        half, at = np.array([CHAR * len(texts[i]) / 2, LINE / 2]), marks[rows[i]]
        costs = [_cost(at + offset, half, marks, taken, area) + 0.005 * np.hypot(*offset) for offset in _offsets(half)]
        chosen[i] = _offsets(half)[int(np.argmin(costs))]
        taken = np.vstack([taken, [*(at + chosen[i] - half), *(at + chosen[i] + half)]])
    return list(chosen.values())


def _offsets(half: np.ndarray) -> list[Offset]:
    """Candidate places, the nearest first: beside, above, below, then further up and down on either side."""
    beside = [Offset(side * (GAP + half[0]), 0) for side in (1, -1)]
    return beside + [
        Offset(side * half[0] * 0.7, sign * (GAP + 8 + step * LINE))
        for step in range(7)
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
