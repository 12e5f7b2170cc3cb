"""From scored networks to the diversity–quality plane: which quantity stands on which axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgenes_core.records import METRICS
from pages.widgets.scores import Scored, Stored, short_name

if TYPE_CHECKING:
    from edgenes_core.figures.planes import Axis, PlaneInfo, Point

X_CHOICES = {
    "shared": "shared edges with α*",
    "base": "disagreement with α*",
    "pool": "disagreement with the pool",
}
Y_CHOICES = {"accuracy": "accuracy", "nll": "NLL", "brier": "Brier score"}
ENSEMBLE = "ensemble:"  # prefix of an ensemble's id among the ids of networks


def axes(x: str, y: str) -> tuple[Axis, Axis]:
    """Titles, units and better ends of both axes."""
    from edgenes_core.figures.planes import Axis

    metric = METRICS[y]
    share = metric.unit == "%"
    unit = f" ({metric.unit})" if metric.unit else ""
    across = Axis(X_CHOICES[x], "lower", 1, 1) if x == "shared" else Axis(f"{X_CHOICES[x]} (%)", "higher", 100, 1)
    return across, Axis(f"validation {metric.name}{unit}", metric.better, 100 if share else 1, metric.digits)


def diversity_of(scored: Scored, x: str) -> np.ndarray:
    """(N,) diversity of each network; NaN where the networks it is compared with were not retrained."""
    if x == "shared":
        return np.array([t.shared for t in scored.trainings], float)
    keys = np.array([t.architecture.key for t in scored.trainings])
    if x == "base":
        reference = scored.rows([scored.base.key])
        return scored.disagreement[:, reference[0]] if reference else np.full(len(keys), np.nan)
    pool = np.array(["pool" in t.roles for t in scored.trainings], bool)
    others = pool & (keys[:, None] != keys)  # a cell is not compared with itself
    count = others.sum(1)
    return np.where(count > 0, (scored.disagreement * others).sum(1) / np.maximum(count, 1), np.nan)


def points_of(scored: Scored, ensembles: Sequence[Stored], x: str, y: str) -> list[Point]:
    """A point per retrained cell, over its seeds, then one per stored ensemble at the mean x of its members."""
    from edgenes_core.figures.planes import Point

    across = diversity_of(scored, x)
    points = []
    for key in dict.fromkeys(t.architecture.key for t in scored.trainings):
        rows = [i for i, t in enumerate(scored.trainings) if t.architecture.key == key]
        first = scored.trainings[rows[0]]
        apart = _apart(scored, rows) if x == "base" else rows
        values = tuple(getattr(scored.single[i], y) for i in rows)
        name = short_name(first, scored.base)
        points.append(Point(first.id, name, _role(scored, key), tuple(across[apart].tolist()), values))
    for stored in ensembles:
        rows = scored.rows(stored.members)
        if len(rows) > 1:
            at = (float(np.mean(across[_apart(scored, rows) if x == "base" else rows])),)
            drawn_as = ensemble_role(stored)
            points.append(Point(ENSEMBLE + stored.name, stored.title, drawn_as, at, (getattr(stored.val, y),), True))
    return [point for point in points if np.isfinite(point.xs).all()]


def ensemble_role(stored: Stored) -> str:
    """How an ensemble is drawn: a control like the cells it is made of."""
    if stored.role in ("selected", "user"):
        return stored.role
    return next((role for role in ("deepens", "random", "deviation") if stored.name.startswith(role)), "base")


def table_of(info: PlaneInfo) -> pd.DataFrame:
    """The plane in words and numbers, best quality first."""
    table = pd.DataFrame(
        {
            "what": info.labels,
            "kind": ["ensemble" if e else role for e, role in zip(info.ensemble, info.roles, strict=True)],
            info.x_axis.title: info.x * info.x_axis.factor,
            info.y_axis.title: info.y * info.y_axis.factor,
            "sd over seeds": info.sd * info.y_axis.factor,
            "seeds": info.seeds,
            "on the front": info.front,
        }
    )
    return table.sort_values(info.y_axis.title, ascending=info.y_axis.better == "lower", ignore_index=True)


def _apart(scored: Scored, rows: list[int]) -> list[int]:
    """Without α* of seed 0, which never disagrees with itself; its further seeds say what a new seed alone brings."""
    others = [i for i in rows if scored.ids[i] != scored.base.key]
    return others or rows


def _role(scored: Scored, key: str) -> str:
    if key == scored.base.key:
        return "base"
    roles = {role for t in scored.trainings if t.architecture.key == key for role in t.roles}
    return next((role for role in ("pool", "deviation", "random") if role in roles), "pool")
