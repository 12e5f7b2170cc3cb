"""The diversity–quality plane: one point per retrained cell (and per ensemble), and the cells that no other cell beats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from edgenes_core.figures.build import Literal, figure, title
from edgenes_core.figures.labels import Offset, place
from edgenes_core.figures.theme import OKABE_ITO, ROLE_STYLE, Style, ink

SELECTED = Style(OKABE_ITO["purple"], "diamond", "solid", "selected ensemble")
NAMED = ("selected", "user", "deepens")  # ensembles named on the spot
DRAWN = Offset(620, 340)  # pixels of the plot on a small screen: labels that fit there fit everywhere
USER = Style(OKABE_ITO["sky"], "hexagon", "solid", "your ensemble")


class Axis(NamedTuple):
    """What an axis shows: title with unit, which end is better ('higher' or 'lower'), factor and digits for display."""

    title: str
    better: str
    factor: float = 1.0
    digits: int = 2

    def text(self, value: float) -> str:
        return f"{value * self.factor:.{self.digits}f}"


class Point(NamedTuple):
    """A cell, or an ensemble, with its x and y over the seeds it was trained with; `id` is what a click reports."""

    id: str
    label: str
    role: str
    xs: tuple[float, ...]
    ys: tuple[float, ...]
    ensemble: bool = False


class PlaneInfo(NamedTuple):
    """Arrays over P points: mean x and y, sd of y over seeds (NaN for one seed), seeds, on the front, an ensemble."""

    x_axis: Axis
    y_axis: Axis
    ids: tuple[str, ...]
    labels: tuple[str, ...]
    roles: tuple[str, ...]
    x: np.ndarray
    y: np.ndarray
    sd: np.ndarray
    seeds: np.ndarray
    front: np.ndarray
    ensemble: np.ndarray


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
    sd = np.array([np.std(p.ys, ddof=1) if len(p.ys) > 1 else np.nan for p in points], float)
    ensemble = np.array([p.ensemble for p in points], bool)
    single = np.where(ensemble, np.nan, y)
    return PlaneInfo(
        x_axis,
        y_axis,
        tuple(p.id for p in points),
        tuple(p.label for p in points),
        tuple(p.role for p in points),
        x,
        y,
        sd,
        np.array([len(p.ys) for p in points], int),
        pareto_front(x, single, x_axis.better, y_axis.better),
        ensemble,
    )


def plot_plane(info: PlaneInfo, *, dark: bool) -> go.Figure:
    """Small shapes are cells, large outlined ones ensembles; bars are ± 1 sd over at least 2 seeds. Clicks carry the id."""
    across = "→" if info.x_axis.better == "higher" else "←"
    up = "↑" if info.y_axis.better == "higher" else "↓"
    traces = [_front(info, dark=dark)]
    traces += [_cells(info, role) for role in _present(info, ensembles=False)]
    traces += [_ensembles(info, role, dark=dark) for role in _present(info, ensembles=True)]
    layout = {
        "xaxis": title(f"{info.x_axis.title}   (more diverse {across})"),
        "yaxis": title(f"{info.y_axis.title}   (better {up})"),
        "annotations": _names(info, dark=dark),
        "height": 500,
        "hovermode": "closest",
        "margin": {"t": 64, "r": 40},
    }
    return figure(traces, layout, dark=dark, sentence="" if info.ids else "No network of this run is retrained yet.")


def ensemble_style(role: str) -> Style:
    """Controls look like their cells; the selected ensemble and the user's have shapes of their own."""
    return {"selected": SELECTED, "user": USER}.get(role) or ROLE_STYLE.get(role, ROLE_STYLE["member"])


def _present(info: PlaneInfo, *, ensembles: bool) -> list[str]:
    """Roles that occur, in the legend's order."""
    here = {role for role, e in zip(info.roles, info.ensemble, strict=True) if e == ensembles}
    return [role for role in ("selected", *ROLE_STYLE, "user") if role in here]


def _front(info: PlaneInfo, *, dark: bool) -> Literal:
    order = np.flatnonzero(info.front)
    order = order[np.argsort(info.x[order], kind="stable")]
    muted = ink(dark=dark).muted
    # The staircase that single cells attain: nothing is promised between two points.
    shape = "vh" if info.x_axis.better == "higher" else "hv"
    return {
        "type": "scatter",
        "x": info.x[order] * info.x_axis.factor,
        "y": info.y[order] * info.y_axis.factor,
        "mode": "lines+markers",
        "name": "Pareto front of the cells",
        "marker": {"symbol": "circle-open", "size": 20, "line": {"width": 1.5}, "color": muted},
        "line": {"color": muted, "width": 1.5, "dash": "dot", "shape": shape},
        "hoverinfo": "skip",
    }


def _cells(info: PlaneInfo, role: str) -> Literal:
    style, rows = ROLE_STYLE[role], _rows(info, role, ensembles=False)
    bars = {"array": info.sd[rows] * info.y_axis.factor, "thickness": 1.2, "width": 3, "color": style.color}
    return {
        **_points(info, rows),
        "name": style.label,
        "error_y": {**bars, "visible": bool(np.isfinite(info.sd[rows]).any())},
        "marker": {
            "color": style.color,
            "symbol": style.symbol,
            "size": 15 if role == "base" else 10,
            "line": {"width": 2.5 if "open" in style.symbol else 0.5, "color": style.color},
        },
    }


def _ensembles(info: PlaneInfo, role: str, *, dark: bool) -> Literal:
    style, outline = ensemble_style(role), {"width": 2, "color": ink(dark=dark).text}
    return {
        **_points(info, _rows(info, role, ensembles=True)),
        "name": f"ensembles of {style.label}",
        "showlegend": False,  # shaped like the cells they are made of, or named on the spot
        "cliponaxis": False,
        "marker": {"color": style.color, "symbol": style.symbol, "size": 20, "line": outline},
    }


def _points(info: PlaneInfo, rows: list[int]) -> Literal:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": info.x[rows] * info.x_axis.factor,
        "y": info.y[rows] * info.y_axis.factor,
        "customdata": [info.ids[i] for i in rows],
        "hovertext": [_hover(info, i) for i in rows],
        "hoverinfo": "text",
    }


def _names(info: PlaneInfo, *, dark: bool) -> list[Literal]:
    """Names of the ensembles one looks for first, each with a thin line to its shape."""
    rows = [i for i, role in enumerate(info.roles) if info.ensemble[i] and role in NAMED]
    if not rows:
        return []
    tone = ink(dark=dark)
    x, y = info.x * info.x_axis.factor, info.y * info.y_axis.factor
    labels = [info.labels[i] for i in rows]
    bar = np.nan_to_num(info.sd) * info.y_axis.factor
    seen = np.vstack([np.column_stack([x, y + side * bar]) for side in (-1, 1)])
    look = {"arrowhead": 0, "arrowwidth": 1, "arrowcolor": tone.muted, "standoff": 10, "bgcolor": f"{tone.paper}b0"}
    font = {"color": tone.text, "size": 13}
    offsets = place(rows, labels, np.column_stack([x, y]), seen, DRAWN)
    return [
        {**look, "borderpad": 0, "font": font, "x": x[i], "y": y[i], "text": label, "ax": offset.x, "ay": offset.y}
        for i, label, offset in zip(rows, labels, offsets, strict=True)
    ]


def _rows(info: PlaneInfo, role: str, *, ensembles: bool) -> list[int]:
    return [i for i, r in enumerate(info.roles) if r == role and info.ensemble[i] == ensembles]


def _hover(info: PlaneInfo, i: int) -> str:
    x, y = info.x_axis, info.y_axis
    spread = f" ± {y.text(info.sd[i])} (sd of {info.seeds[i]} seeds)" if np.isfinite(info.sd[i]) else ""
    single = " (1 seed)" if info.seeds[i] == 1 and not info.ensemble[i] else ""
    front = "<br>on the Pareto front" if info.front[i] else ""
    return f"<b>{info.labels[i]}</b><br>{x.title}: {x.text(info.x[i])}<br>{y.title}: {y.text(info.y[i])}{spread}{single}{front}"
