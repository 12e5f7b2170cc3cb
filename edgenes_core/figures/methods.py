"""Methods by cost and quality: a point each on a plane, a curve each over the budget; a shape or dash beside every colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from edgenes_core.figures.build import Literal, figure, plain, title
from edgenes_core.figures.curves import DASHES
from edgenes_core.figures.labels import Offset, place
from edgenes_core.figures.log_axis import log_axis
from edgenes_core.figures.theme import OKABE_ITO, Style, ink
from edgenes_core.records import METRICS
from edgenes_core.study.budget import Curve, at
from edgenes_core.study.plane import CostPoint

COLORS = tuple(OKABE_ITO[name] for name in ("blue", "vermillion", "green", "orange", "purple", "sky", "grey"))
SYMBOLS = (
    "circle",
    "square",
    "diamond",
    "triangle-up",
    "cross",
    "pentagon",
    "star",
    "hexagon",
    "triangle-down",
    "x",
    "hourglass",
)
COSTS = {"seconds": "cost: seconds, in all", "images": "cost: images passed through networks, in all"}
PLOT = Offset(620, 400)  # pixels on a small screen
GRID = 160
FAINT = 0.35


def method_style(index: int, label: str) -> Style:
    """Of the index-th method of a study; 77 differ in colour or shape."""
    return Style(COLORS[index % len(COLORS)], SYMBOLS[index % len(SYMBOLS)], DASHES[index % len(DASHES)], label)


def plot_costs(
    points: Sequence[CostPoint], styles: Mapping[str, Style], metric: str, cost: str, *, dark: bool
) -> go.Figure:
    """Bars are ± 1 sd over the seeds; rings mark the front, and its stairs promise nothing between two methods."""
    factor = _factor(metric)
    names = [plain(point.title) for point in points]
    layout: Literal = {
        "xaxis": {
            **title(COSTS[cost] + "   (← cheaper)"),
            **log_axis([x for x, _ in _ends(points)]),
        },
        "yaxis": {**title(_better(metric)), "nticks": 7},
        "annotations": _names(points, names, factor, dark=dark),
        "height": 520,
        "hovermode": "closest",
        "showlegend": False,
        "margin": {"t": 24, "r": 40},
    }
    traces = [_stairs(points, metric, factor, dark=dark)] if points else []
    traces += [
        _point(point, name, styles[point.arm], metric, cost, factor) for point, name in zip(points, names, strict=True)
    ]
    return figure(
        traces, layout, dark=dark, sentence="" if points else "No method has a stored repeat within this budget."
    )


def plot_budgets(
    found: Sequence[Curve],
    styles: Mapping[str, Style],
    metric: str,
    cost: str,
    common: tuple[float, float] | None,
    *,
    dark: bool,
) -> go.Figure:
    """Each seed a thin line of steps; thick their mean, with a band of ± 1 sd, where all seeds of the method have begun and none
    has ended; where there is no such place a thin line stands in the legend. What all methods have in common is shaded. A method
    of one candidate is a point for each seed."""
    traces = []
    for arm in dict.fromkeys(each.arm for each in found):
        mine = [each for each in found if each.arm == arm]
        mean = _mean(mine, styles[arm], metric, cost)
        traces += _seeds(mine, styles[arm], metric, cost, listed=not mean) + mean
    tone = ink(dark=dark)
    shaded = {
        "type": "rect",
        "xref": "x",
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "line": {"width": 0},
        "fillcolor": f"{tone.muted}18",
    }
    layout: Literal = {
        "xaxis": {
            **title(COSTS[cost].replace(", in all", " so far")),
            **log_axis([x for each in found for x in getattr(each, cost)]),
        },
        "yaxis": {**title(_better(metric)), "nticks": 7},
        "shapes": [{**shaded, "x0": common[0], "x1": common[1], "layer": "below"}] if common else [],
        "height": 460,
        "hovermode": "closest",
        "margin": {"t": 72, "r": 24},
    }
    return figure(traces, layout, dark=dark, sentence="" if found else "Choose methods above.")


def mean_of(found: Sequence[Curve], cost: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Budgets (G,) that all seeds have in common, the mean quality there and its sd (NaN for one seed); empty if there are none."""
    low = max(getattr(each, cost)[0] for each in found)
    high = min(getattr(each, cost)[-1] for each in found)
    if high <= low:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    corners = [x for each in found for x in getattr(each, cost) if low <= x <= high]
    budgets = np.unique([*np.geomspace(low, high, GRID), *corners])
    table = np.stack([at(each, budgets, cost) for each in found])
    spread = table.std(0, ddof=1) if len(found) > 1 else np.full(len(budgets), np.nan)
    return budgets, table.mean(0), spread


def _seeds(found: Sequence[Curve], style: Style, metric: str, cost: str, *, listed: bool) -> list[Literal]:
    """`listed`: the first of them stands in the legend."""
    factor, single = _factor(metric), all(len(each.quality) == 1 for each in found)
    marker = {"symbol": style.symbol, "size": 8 if single else 4, "color": style.color}
    words = f"{plain(style.label)}, %{{text}}<br>%{{y:.4g}} at %{{x:.4g}}<extra></extra>"
    return [
        {
            "type": "scatter",
            "x": getattr(each, cost),
            "y": each.quality * factor,
            "mode": "markers" if len(each.quality) == 1 else "lines+markers",
            "line": {"shape": "hv", "width": 1, "color": style.color, "dash": style.dash},
            "marker": marker,
            "opacity": 0.8 if listed else FAINT,
            "text": [f"seed {each.seed}, {k + 1} trained" for k in range(len(each.quality))],
            "hovertemplate": words,
            "name": plain(style.label),
            "legendgroup": each.arm,
            "showlegend": listed and each is found[0],
        }
        for each in found
    ]


def _mean(found: Sequence[Curve], style: Style, metric: str, cost: str) -> list[Literal]:
    budgets, mean, spread = mean_of(found, cost)
    if not len(budgets):
        return []
    factor, grouped = _factor(metric), {"type": "scatter", "legendgroup": found[0].arm, "mode": "lines"}
    line = {"shape": "hv", "width": 3, "color": style.color, "dash": style.dash}
    words = f"{plain(style.label)}, mean of {len(found)}<br>%{{y:.4g}} at %{{x:.4g}}<extra></extra>"
    drawn: Literal = {
        "x": budgets,
        "y": mean * factor,
        "line": line,
        "name": plain(style.label),
        "hovertemplate": words,
    }
    if len(found) == 1:
        return [{**grouped, **drawn}]
    edges = np.r_[(mean + spread) * factor, ((mean - spread) * factor)[::-1]]
    band: Literal = {"x": np.r_[budgets, budgets[::-1]], "y": edges, "fill": "toself", "fillcolor": f"{style.color}22"}
    return [{**grouped, **band, "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}, {**grouped, **drawn}]


def _point(point: CostPoint, name: str, style: Style, metric: str, cost: str, factor: float) -> Literal:
    bars = {"thickness": 1.2, "width": 3, "color": style.color, "visible": point.n > 1}
    spread = f" ± {point.sd * factor:.4g}" if point.n > 1 else ""
    said = f"{METRICS[metric].name} {point.value * factor:.4g}{spread}, {point.n} seed{'s' if point.n > 1 else ''}"
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [point.cost],
        "y": [point.value * factor],
        "error_x": {**bars, "array": [np.nan_to_num(point.cost_sd)]},
        "error_y": {**bars, "array": [np.nan_to_num(point.sd) * factor]},
        "marker": {"symbol": style.symbol, "size": 12, "color": style.color},
        "name": name,
        "hovertext": f"<b>{name}</b><br>{said}<br>{point.cost:.4g} {cost}{'<br>on the front' if point.front else ''}",
        "hoverinfo": "text",
    }


def _stairs(points: Sequence[CostPoint], metric: str, factor: float, *, dark: bool) -> Literal:
    front = sorted((point.cost, point.value * factor) for point in points if point.front)
    x, y = zip(*front, strict=True)
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "mode": "lines+markers",
        "line": {"shape": "hv", "width": 1.5, "dash": "dot", "color": ink(dark=dark).muted},
        "marker": {"symbol": "circle-open", "size": 22, "line": {"width": 1.5}, "color": ink(dark=dark).muted},
        "hoverinfo": "skip",
    }


def _names(points: Sequence[CostPoint], names: Sequence[str], factor: float, *, dark: bool) -> list[Literal]:
    """Every method named on the spot, with a thin line to its point; annotations on a log axis are placed by logarithms."""
    if not points:
        return []
    tone, at_points = ink(dark=dark), np.array([[np.log10(p.cost), p.value * factor] for p in points])
    look = {
        "arrowhead": 0,
        "arrowwidth": 1,
        "arrowcolor": tone.muted,
        "standoff": 7,
        "bgcolor": f"{tone.paper}b0",
        "borderpad": 0,
        "font": {"color": tone.text, "size": 12},
    }
    drawn = np.array([[np.log10(x), y * factor] for x, y in _ends(points)])
    offsets = place(range(len(names)), names, at_points, drawn, PLOT)
    return [
        {**look, "x": x, "y": y, "text": name, "ax": offset.x, "ay": offset.y}
        for (x, y), name, offset in zip(at_points.tolist(), names, offsets, strict=True)
    ]


def _ends(points: Sequence[CostPoint]) -> list[tuple[float, float]]:
    """Both ends of every point's bars: all that is drawn. A bar that reaches no cost at all ends at its point."""
    found = list[tuple[float, float]]()
    for point in points:
        across, up = (0.0, 0.0) if point.n < 2 else (float(np.nan_to_num(sd)) for sd in (point.cost_sd, point.sd))
        low = point.cost - across if across < point.cost else point.cost
        found += [(low, point.value - up), (point.cost + across, point.value + up)]
    return found


def _factor(metric: str) -> float:
    return 100.0 if METRICS[metric].unit == "%" else 1.0


def _better(metric: str) -> str:
    named = METRICS[metric]
    unit = f" ({named.unit})" if named.unit else ""
    return f"{named.name}{unit}   ({named.better} is better {'↑' if named.better == 'higher' else '↓'})"
