"""Diversity against quality: what stands on which axis, for cells, stored ensembles and every ensemble of the pool.

Diversity is measured in three ways (shared edges, disagreement, Jensen–Shannon divergence), each against one of two things:

    base   a network against α* (seed 0); an ensemble: the mean over its members
    team   a network against the pool's other cells (mean over them); an ensemble: the mean over the pairs of its members
For cells of one space the edit distance from α* is Λ − shared edges: the same picture, mirrored.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from edgenes_core.cloud import Cloud
from edgenes_core.plane import Axis, PlaneInfo, Point, pareto_front, plane_info
from edgenes_core.records import METRICS
from edgenes_core.scored import Scored, StoredEnsemble, short_name

QUALITIES = ("accuracy", "nll", "brier")
ENSEMBLE, CLOUD = "ensemble:", "pool:"  # prefixes of ids beside those of cells, which are architecture keys
MOST_TICKS = 8
ABOUT = {
    "base": "cells: with α*; ensembles: mean over members",
    "team": "cells: with the pool's other cells; ensembles: between members, mean over pairs",
}


class Measure(NamedTuple):
    """A measure of diversity: its name and unit, which end is more diverse, factor and digits for display."""

    name: str
    unit: str
    diverse: str
    factor: float
    digits: int


MEASURES = {
    "shared": Measure("shared edges", "", "lower", 1, 1),
    "disagreement": Measure("disagreement", "%", "higher", 100, 1),
    "jsd": Measure("JSD", "nats", "higher", 1, 4),
}


def axes(scored: Scored, x: str, against: str, y: str) -> tuple[Axis, Axis]:
    """Titles, units and better ends of both axes; their shortest ranges are five images, or a tenth of a typical value."""
    measure, metric, images = MEASURES[x], METRICS[y], max(1, len(scored.y))
    wholes = {"shared": 1.0, "disagreement": 5 / images, "jsd": 1e-3}
    ticks = {"shared": 1.0 if scored.space.lambda_max <= MOST_TICKS else 2.0}
    across = Axis(
        _titled(measure.name + (" with α*" if against == "base" else ""), measure.unit),
        measure.diverse,
        measure.factor,
        measure.digits,
        ABOUT[against],
        wholes[x],
        ticks.get(x, 0.0),
    )
    typical = float(np.median([getattr(e, y) for e in scored.single])) if scored.single else 0.0
    least = 5 / images if y == "accuracy" else max(0.1 * typical, 4 * 10.0**-metric.digits)
    up = Axis(
        _titled(f"validation {metric.name}", metric.unit),
        metric.better,
        100 if metric.unit == "%" else 1,
        metric.digits,
        "",
        least,
    )
    return across, up


def diversity_of(scored: Scored, x: str, against: str) -> np.ndarray:
    """(N,) diversity of each network; NaN where there is nothing to compare it with."""
    pairs = getattr(scored, x).astype(float)
    if against == "base":
        if x == "shared":
            return np.array([training.shared for training in scored.trainings], float)
        reference = scored.rows([scored.base.key])
        return pairs[:, reference[0]] if reference else np.full(len(pairs), np.nan)
    keys, pool = np.array(scored.keys, str), np.zeros(len(pairs), bool)
    pool[scored.pool()] = True
    others = pool & (keys[:, None] != keys)  # a cell is not compared with itself
    count = others.sum(1)
    return np.where(count > 0, (pairs * others).sum(1) / np.maximum(count, 1), np.nan)


def ensemble_diversity(scored: Scored, members: np.ndarray, x: str, against: str) -> np.ndarray:
    """(R,) diversity of ensembles given as rows (R, n) of networks; NaN for the pairs of a single member."""
    if against == "base":
        return diversity_of(scored, x, "base")[members].mean(1)
    size = members.shape[1]
    if size < 2:
        return np.full(len(members), np.nan)
    pairs = getattr(scored, x)
    return np.mean([pairs[members[:, i], members[:, j]] for i in range(size) for j in range(i)], axis=0)


def plane_points(
    scored: Scored, ensembles: Sequence[StoredEnsemble], x: str, y: str, against: str = "base"
) -> tuple[Point, ...]:
    """A point per cell over its seeds, then one per stored ensemble of two or more members, all usable; points without an x are
    left out. α* is compared with itself by its further seeds alone: what a new seed brings."""
    across = diversity_of(scored, x, against)
    points = []
    for key, rows in scored.cells().items():
        seen = [row for row in rows if against != "base" or x == "shared" or scored.ids[row] != scored.base.key] or rows
        values = tuple(getattr(scored.single[row], y) for row in rows)
        first = scored.trainings[rows[0]]
        name, role, xs = short_name(first, scored.base), scored.role(key), tuple(across[seen].tolist())
        points.append(Point(key, name.split(", seed")[0], role, xs, values, False, (key,), float(first.shared)))
    for stored in ensembles:
        rows = scored.rows(stored.members)
        if 1 < len(rows) == len(stored.members):
            at = ensemble_diversity(scored, np.array([rows]), x, against)
            where, quality = (float(at[0]),), (getattr(stored.val, y),)
            cells = tuple(dict.fromkeys(scored.keys[row] for row in rows))
            shared = float(np.mean([scored.trainings[row].shared for row in rows]))
            found = Point(ENSEMBLE + stored.name, stored.title, stored.drawn_as, where, quality, True, cells, shared)
            points.append(found)
    return tuple(point for point in points if np.isfinite(point.xs).all())


def plane(scored: Scored, ensembles: Sequence[StoredEnsemble], x: str, y: str, against: str = "base") -> PlaneInfo:
    """The plane of cells and stored ensembles."""
    return plane_info(plane_points(scored, ensembles, x, y, against), *axes(scored, x, against, y))


def cloud_plane(scored: Scored, cloud: Cloud, x: str, y: str, against: str = "base") -> PlaneInfo:
    """The plane of every ensemble of the pool (`cloud` judged `scored.pool()`), with the front among them."""
    pool = np.array(scored.pool(), int)
    rows, (across, up) = pool[cloud.members], axes(scored, x, against, y)
    at, quality = ensemble_diversity(scored, rows, x, against), getattr(cloud, y)
    size, none = len(rows), np.full(len(rows), np.nan)
    names = [scored.name(name) for name in scored.ids]
    return PlaneInfo(
        across,
        up,
        tuple(CLOUD + "+".join(scored.ids[row] for row in line) for line in rows),
        tuple(" + ".join(names[row] for row in line) for line in rows),
        ("cloud",) * size,
        tuple(tuple(scored.keys[row] for row in line) for line in rows),
        at,
        quality,
        none,
        none,
        np.ones(size, int),
        pareto_front(at, quality, across.better, up.better),
        np.ones(size, bool),
        np.array([t.shared for t in scored.trainings], float)[rows].mean(1),
    )


def plane_table(info: PlaneInfo, cloud: PlaneInfo | None = None) -> list[dict[str, Any]]:
    """The plane in words and numbers, best quality first; the spread over seeds is empty for one seed."""
    parts = [_rows(info), *([_rows(cloud)] if cloud else [])]
    rows = [row for part in parts for row in part]
    up = info.y_axis
    return sorted(rows, key=lambda row: row[up.title], reverse=up.better == "higher")


def _rows(info: PlaneInfo) -> list[dict[str, Any]]:
    x, y = info.x_axis, info.y_axis
    kinds = {"cloud": "ensemble of the pool"}
    return [
        {
            "what": label,
            "kind": kinds.get(role, "ensemble" if ensemble else role),
            "cells": " ".join(cells),
            x.title: float(at * x.factor),
            y.title: float(value * y.factor),
            "sd over seeds": float(sd * y.factor),
            "seeds": int(seeds),
            "on the front": bool(front),
        }
        for label, role, cells, ensemble, at, value, sd, seeds, front in zip(
            info.labels,
            info.roles,
            info.cells,
            info.ensemble,
            info.x,
            info.y,
            info.sd,
            info.seeds,
            info.front,
            strict=True,
        )
    ]


def _titled(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit else name
