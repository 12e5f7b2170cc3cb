"""The diversity–quality plane drawn: a shape per cell and per ensemble, the cloud of all ensembles behind, both fronts."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import plotly.graph_objects as go

from edgenes_core.figures.build import Literal, figure, plain, title
from edgenes_core.figures.labels import Offset, place
from edgenes_core.figures.theme import OKABE_ITO, ROLE_STYLE, Style, ink
from edgenes_core.plane import Axis, PlaneInfo, axis_range

SELECTED = Style(OKABE_ITO["purple"], "diamond", "solid", "selected ensemble")
USER = Style(OKABE_ITO["sky"], "hexagon", "solid", "your ensemble")
IMPORTED = Style(OKABE_ITO["sky"], "pentagon", "longdashdot", "imported")
NAMED = ("selected", "user", "deepens")  # ensembles named on the spot
PLOT = Offset(480, 330)  # pixels on a small screen: labels that fit there fit everywhere
INSET = 30  # pixels that `place` lets a label stand out of its area
FAINT = 0.25  # opacity of what is not selected


def plot_plane(
    info: PlaneInfo, *, dark: bool, marked: Collection[str] = (), cloud: PlaneInfo | None = None, cloud_name: str = ""
) -> go.Figure:
    """Small shapes are cells, large outlined ones ensembles, rings behind them every ensemble of the pool; bars are ± 1 sd
    over at least 2 seeds. Clicks carry the id. `marked` are keys of cells: they and the ensembles made of them alone stand out.
    """
    traces = [*(_cloud(cloud, cloud_name, marked, dark=dark) if cloud else []), _front(info, dark=dark)]
    traces += [cell_trace(info, role, _rows(info, role, ensembles=False), marked) for role in _present(info, False)]
    traces += [_ensembles(info, role, marked, dark=dark) for role in _present(info, True)]
    x, y = (drawn_range(info, cloud, vertical=vertical) for vertical in (False, True))
    layout = {
        "xaxis": ticked(info.x_axis, x, info.x_axis.title + diverse(info.x_axis)),
        "yaxis": ticked(info.y_axis, y, info.y_axis.title + better_end(info.y_axis)),
        "annotations": _names(info, [x, y], dark=dark),
        "height": 520,
        "hovermode": "closest",
        "margin": {"t": 96, "r": 40},
    }
    return figure(traces, layout, dark=dark, sentence="" if info.ids else empty_sentence(info))


def empty_sentence(info: PlaneInfo) -> str:
    """Why nothing is drawn."""
    return f"No network of this run has a number for “{info.x_axis.title}”."


def ensemble_style(role: str) -> Style:
    """Controls look like their cells; the selected ensemble and the user's have shapes of their own."""
    return {"selected": SELECTED, "user": USER}.get(role) or ROLE_STYLE.get(role, ROLE_STYLE["member"])


def cell_style(role: str) -> Style:
    return ROLE_STYLE.get(role, IMPORTED)


def diverse(axis: Axis) -> str:
    """Which end is more diverse, and what the number is of."""
    ends = {"higher": "   (more diverse →)", "lower": "   (← more diverse)"}
    return ends[axis.better] + (f"<br><span style='font-size:12px'>{axis.about}</span>" if axis.about else "")


def better_end(axis: Axis) -> str:
    return (
        f"   ({'higher' if axis.better == 'higher' else 'lower'} is better {'↑' if axis.better == 'higher' else '↓'})"
    )


def ticked(axis: Axis, ends: tuple[float, float] | None, text: str) -> Literal:
    """An axis over a range, with its own tick distance if it has one, and numbers short enough to read."""
    steps: Literal = {"dtick": axis.step, "tick0": 0} if axis.step else {"nticks": 7}
    return {**title(text), **steps, **({"range": list(ends)} if ends else {}), "exponentformat": "none"}


def drawn_range(info: PlaneInfo, cloud: PlaneInfo | None = None, *, vertical: bool) -> tuple[float, float] | None:
    """Around all points and their bars, and the cloud."""
    axis, mean, sd = (info.y_axis, info.y, info.sd) if vertical else (info.x_axis, info.x, info.x_sd)
    bar = np.nan_to_num(sd)
    parts = [mean - bar, mean + bar, *([cloud.y if vertical else cloud.x] if cloud else [])]
    return axis_range(axis, np.concatenate(parts))


def marked_rows(cells: Sequence[Collection[str]], marked: Collection[str]) -> list[int] | None:
    """Places of the points whose cells are all marked; None if no cell is."""
    return [i for i, keys in enumerate(cells) if keys and set(keys) <= set(marked)] if marked else None


def cell_trace(info: PlaneInfo, role: str, rows: list[int], marked: Collection[str]) -> Literal:
    """Cells of one role with bars over their seeds."""
    style = cell_style(role)
    bars = {"thickness": 1.2, "width": 3, "color": style.color}
    thin = {
        "thickness": 1,
        "width": 0,
        "color": f"{style.color}60",
    }  # x varies with the seed as well, but is not judged
    x_sd, y_sd = info.x_sd[rows] * info.x_axis.factor, info.sd[rows] * info.y_axis.factor
    return {
        **_points(info, rows, marked),
        "name": style.label,
        "error_x": {**thin, "array": x_sd, "visible": bool((np.nan_to_num(x_sd) > 0).any())},
        "error_y": {**bars, "array": y_sd, "visible": bool(np.isfinite(y_sd).any())},
        "marker": {
            "color": style.color,
            "symbol": style.symbol,
            "size": 15 if role == "base" else 10,
            "line": {"width": 2.5 if "open" in style.symbol else 0.5, "color": style.color},
        },
    }


def _present(info: PlaneInfo, ensembles: bool) -> list[str]:
    """Roles that occur, in the legend's order."""
    here = {role for role, e in zip(info.roles, info.ensemble, strict=True) if e == ensembles}
    return [role for role in ("selected", *ROLE_STYLE, "imported", "user") if role in here]


def _stairs(info: PlaneInfo) -> Literal:
    """The staircase that single points attain: nothing is promised between two of them."""
    order = np.flatnonzero(info.front)
    order = order[np.argsort(info.x[order], kind="stable")]
    return {
        "type": "scatter",
        "x": info.x[order] * info.x_axis.factor,
        "y": info.y[order] * info.y_axis.factor,
        "line": {"width": 1.5, "shape": "vh" if info.x_axis.better == "higher" else "hv"},
        "hoverinfo": "skip",
        "unselected": {"marker": {"opacity": 1}},
    }


def _front(info: PlaneInfo, *, dark: bool) -> Literal:
    muted, stairs = ink(dark=dark).muted, _stairs(info)
    return {
        **stairs,
        "mode": "lines+markers",
        "name": "Pareto front of the cells",
        "marker": {"symbol": "circle-open", "size": 20, "line": {"width": 1.5}, "color": muted},
        "line": {**stairs["line"], "color": muted, "dash": "dot"},
    }


def _cloud(cloud: PlaneInfo, name: str, marked: Collection[str], *, dark: bool) -> list[Literal]:
    """Every ensemble of the pool as a small ring, and the front among them."""
    tone, stairs = ink(dark=dark), _stairs(cloud)
    thin = min(0.6, max(0.2, 18 / max(1, len(cloud.ids)) ** 0.5))  # the more rings, the fainter each
    pairs = ((cloud.x_axis, "x"), (cloud.y_axis, "y"))  # one template for thousands of rings, not a text for each
    numbers = "<br>".join(f"{axis.title}: %{{{letter}:.{axis.digits}f}}" for axis, letter in pairs)
    rings = {
        "type": "scatter",
        "mode": "markers",
        "x": cloud.x * cloud.x_axis.factor,
        "y": cloud.y * cloud.y_axis.factor,
        "customdata": list(cloud.ids),
        "hovertemplate": f"one of {name}<br>{numbers}<extra></extra>",
        "name": name,
        "marker": {"symbol": "circle-open", "size": 6, "opacity": thin, "color": tone.muted},
        "selectedpoints": marked_rows(cloud.cells, marked),
        "selected": {"marker": {"opacity": 1, "size": 10, "color": SELECTED.color}},
        "unselected": {"marker": {"opacity": FAINT}},
    }
    line = {"color": SELECTED.color, "dash": "longdash", "width": 2, "shape": stairs["line"]["shape"]}
    return [rings, {**stairs, "mode": "lines", "name": "front of these ensembles", "line": line}]


def _ensembles(info: PlaneInfo, role: str, marked: Collection[str], *, dark: bool) -> Literal:
    style, outline = ensemble_style(role), {"width": 2, "color": ink(dark=dark).text}
    return {
        **_points(info, _rows(info, role, ensembles=True), marked),
        "name": f"ensembles of {style.label}",
        "showlegend": False,  # shaped like the cells they are made of, or named on the spot
        "cliponaxis": False,
        "marker": {"color": style.color, "symbol": style.symbol, "size": 20, "line": outline},
    }


def _points(info: PlaneInfo, rows: list[int], marked: Collection[str]) -> Literal:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": info.x[rows] * info.x_axis.factor,
        "y": info.y[rows] * info.y_axis.factor,
        "customdata": [info.ids[i] for i in rows],
        "hovertext": [_hover(info, i) for i in rows],
        "hoverinfo": "text",
        "selectedpoints": marked_rows([info.cells[i] for i in rows], marked),
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": FAINT}},
    }


def _names(info: PlaneInfo, ends: list[tuple[float, float] | None], *, dark: bool) -> list[Literal]:
    """Names of the ensembles one looks for first, each with a thin line to its shape."""
    rows = [i for i, role in enumerate(info.roles) if info.ensemble[i] and role in NAMED]
    if not rows:
        return []
    tone = ink(dark=dark)
    x, y = info.x * info.x_axis.factor, info.y * info.y_axis.factor
    labels = [plain(info.labels[i]) for i in rows]  # a title may come from anyone's file
    look = {"arrowhead": 0, "arrowwidth": 1, "arrowcolor": tone.muted, "standoff": 10, "bgcolor": f"{tone.paper}b0"}
    font = {"color": tone.text, "size": 13}
    area, low, high = Offset(PLOT.x - 2 * INSET, PLOT.y - 2 * INSET), *np.array(ends, float).T
    inset = INSET * (high - low) / PLOT
    offsets = place(rows, labels, np.column_stack([x, y]), np.stack([low + inset, high - inset]), area)
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
    name = plain(info.labels[i])
    return f"<b>{name}</b><br>{x.title}: {x.text(info.x[i])}<br>{y.title}: {y.text(info.y[i])}{spread}{single}{front}"
