"""A metric against severity as small multiples: a panel for each corruption and one for their mean, all on one scale a metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from edgenes_core.corruptions import CORRUPTIONS, SEVERITIES
from edgenes_core.figures.build import Literal, figure, plain
from edgenes_core.figures.theme import Style, ink
from edgenes_core.measures import QUALITY
from edgenes_core.severity import CLEAN, MEAN, SeverityPoint

COLUMNS = 5  # panels beside each other, at most, of a single metric
HEAD, FOOT, PANEL = 84, 56, 190  # pixels


def plot_severities(
    points: Sequence[SeverityPoint], styles: Mapping[str, Style], metrics: Sequence[str], *, dark: bool
) -> go.Figure:
    """Several metrics: a row for each. One metric: panels wrap. Bars of the mean are its interval over images; curves of several
    ensembles stand a little apart, so that the bars can be seen."""
    names = [*dict.fromkeys(p.corruption for p in points if p.corruption not in (CLEAN, MEAN)), MEAN]
    panels = [(metric, name) for metric in metrics for name in names]
    columns = len(names) if len(metrics) > 1 else min(COLUMNS, len(names))
    lines = -(-len(panels) // columns)
    layout: Literal = {
        "height": HEAD + FOOT + PANEL * lines,
        "margin": {"t": HEAD, "b": FOOT, "l": 64},
        "legend": {"y": 1 + 32 / (PANEL * lines)},
        "annotations": [_across(dark=dark)],
    }
    if len(names) == 1:
        return figure([], layout, dark=dark, sentence="No corrupted images are predicted yet.")
    traces = []
    for number, (metric, name) in enumerate(panels):
        axis = str(number + 1) if number else ""
        layout |= _axes(number, (columns, len(panels)), metric, _range(points, metric))
        if len(metrics) == 1 or number < columns:
            layout["annotations"].append(_heading(name, axis, dark=dark))
        for place, (ensemble, style) in enumerate(styles.items()):
            mine = [p for p in points if (p.ensemble, p.metric) == (ensemble, metric)]
            mine = [p for p in mine if p.corruption in (CLEAN, name)]
            if mine:
                traces.append(_curve(mine, ensemble, style, place - (len(styles) - 1) / 2, axis, bars=name == MEAN))
                traces[-1]["showlegend"] = number == 0
    return figure(traces, layout, dark=dark)


def _curve(points: Sequence[SeverityPoint], name: str, style: Style, place: float, axis: str, *, bars: bool) -> Literal:
    factor = _factor(points[0].metric)
    value, lo, hi = (np.array([getattr(p, field) for p in points]) * factor for field in ("value", "lo", "hi"))
    shown: Literal = {"array": hi - value, "arrayminus": value - lo, "thickness": 1, "width": 0, "color": style.color}
    return {
        "type": "scatter",
        "xaxis": f"x{axis}",
        "yaxis": f"y{axis}",
        "x": np.array([p.severity for p in points]) + 0.1 * place,
        "y": value,
        "mode": "lines+markers",
        "name": plain(name),
        "legendgroup": name,
        "line": {"color": style.color, "dash": style.dash, "width": 2},
        "marker": {"symbol": style.symbol, "size": 7, "color": style.color},
        "error_y": shown if bars else {"visible": False},
        "customdata": [p.severity for p in points],
        "hovertemplate": "severity %{customdata}: %{y:.4g}<extra>" + plain(name) + "</extra>",
    }


def _range(points: Sequence[SeverityPoint], metric: str) -> list[float]:
    """What all panels of a metric show."""
    ends = [end for p in points if p.metric == metric for end in (p.value, p.lo, p.hi) if np.isfinite(end)]
    low, high = min(ends) * _factor(metric), max(ends) * _factor(metric)
    room = 0.06 * ((high - low) or 1.0)
    return [low - room, high + room]


def _axes(number: int, grid: tuple[int, int], metric: str, ends: list[float]) -> Literal:
    """Both axes of a panel of a grid of (columns, panels); the metric is named at the left column, severities stand under the last
    panel of a column."""
    (columns, panels), axis = grid, str(number + 1) if number else ""
    column, line, lines = number % columns, number // columns, -(-panels // columns)
    gap_x, gap_y = 0.02, 26 / (PANEL * lines)
    width, height = (1 - gap_x * (columns - 1)) / columns, (1 - gap_y * (lines - 1)) / lines
    left, top = column * (width + gap_x), 1 - line * (height + gap_y)
    unit = f" ({QUALITY[metric].unit})" if QUALITY[metric].unit else ""
    better = "↑" if QUALITY[metric].better == "higher" else "↓"
    across = {"domain": [left, left + width], "anchor": f"y{axis}", "range": [-0.4, SEVERITIES[-1] + 0.4], "dtick": 1}
    across["showticklabels"] = number + columns >= panels
    up = {"domain": [max(0.0, top - height), top], "anchor": f"x{axis}", "range": ends, "nticks": 5}
    said = {"title": {"text": f"{QUALITY[metric].name}{unit} {better}"}} if column == 0 else {"showticklabels": False}
    return {f"xaxis{axis}": across, f"yaxis{axis}": up | said}


def _heading(name: str, axis: str, *, dark: bool) -> Literal:
    place = {"xref": f"x{axis} domain", "yref": f"y{axis} domain", "x": 0, "y": 1, "xanchor": "left"}
    font = {"size": 12, "color": ink(dark=dark).text}
    text = "<b>mean</b>" if name == MEAN else CORRUPTIONS[name].title
    return {**place, "yanchor": "bottom", "text": text, "showarrow": False, "font": font}


def _across(*, dark: bool) -> Literal:
    place = {"xref": "paper", "yref": "paper", "x": 0.5, "y": 0, "yshift": -24, "yanchor": "top", "showarrow": False}
    font = {"size": 13, "color": ink(dark=dark).text}
    return {**place, "text": "severity (0: images as they are; ↑ higher, ↓ lower is better)", "font": font}


def _factor(metric: str) -> float:
    return 100.0 if QUALITY[metric].unit == "%" else 1.0
