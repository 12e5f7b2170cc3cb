"""Is farther from α* worse? A quality of every network against its distance from α*, and the slope through them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from edgenes_core.scored import Scored
from edgenes_core.statistics import Slope, slope
from edgenes_core.tradeoff import axes

CELLS = ("all", "pool", "drawn")


class Distances(NamedTuple):
    """n networks by distance Λ − shared edges from α* and by a quality: rows of the scored networks, both numbers (n,)."""

    rows: tuple[int, ...]
    distance: np.ndarray
    quality: np.ndarray


def distances(scored: Scored, y: str, cells: str) -> Distances:
    """Networks by their distance from α*. `cells`: 'all'; 'pool', those along λ; or 'drawn', random cells and random
    deviations of α*, which no search has chosen."""
    wanted = {"all": None, "pool": {"pool", "base"}, "drawn": {"random", "deviation"}}[cells]
    pool = {scored.keys[row] for row in scored.pool()}
    roles = {key: "pool" if key in pool and cells == "pool" else scored.role(key) for key in scored.cells()}
    rows = tuple(row for row, key in enumerate(scored.keys) if wanted is None or roles[key] in wanted)
    apart = [scored.space.lambda_max - scored.trainings[row].shared for row in rows]
    return Distances(rows, np.array(apart, float), np.array([getattr(scored.single[row], y) for row in rows], float))


def distance_slope(scored: Scored, found: Distances) -> Slope:
    """Quality per edge of distance from α*, cells resampled whole; StatisticsError for fewer than 4 cells or 3 distances."""
    return slope(found.distance, found.quality, np.array([scored.keys[row] for row in found.rows]))


def distance_table(scored: Scored, found: Distances, y: str) -> list[dict[str, Any]]:
    """The networks behind a slope, nearest to α* first."""
    _, up = axes(scored, "shared", "base", y)
    rows = [
        {
            "network": scored.ids[row],
            "kind": scored.role(scored.keys[row]),
            "distance from α* (edges)": int(distance),
            up.title: float(quality) * up.factor,
        }
        for row, distance, quality in zip(found.rows, found.distance, found.quality, strict=True)
    ]
    return sorted(rows, key=lambda row: row["distance from α* (edges)"])
