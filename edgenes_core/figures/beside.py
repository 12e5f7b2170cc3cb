"""What was published and what was measured here, panel beside panel on one x axis; each panel has its own scale of y, said there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from edgenes_core.figures.build import Literal, figure, plain, title
from edgenes_core.figures.theme import Style, ink

GAP = 0.09  # between panels, as a part of the figure
ROOM = 0.12  # of the places, on both sides


class Line(NamedTuple):
    """One series of a panel: places, values and the ends of their bars (NaN: none), how it is drawn, and whether its points are
    joined; `names` say at each point what it stands for."""

    label: str
    style: Style
    x: Sequence[float]
    y: Sequence[float]
    lo: Sequence[float]
    hi: Sequence[float]
    joined: bool = True
    names: Sequence[str] = ()


class Panel(NamedTuple):
    """Heading (a line of source and n below it), title of the y axis, series."""

    heading: str
    source: str
    y_title: str
    lines: Sequence[Line]


def plot_beside(
    panels: Sequence[Panel], x_title: str, *, dark: bool, whole: bool = False, identity: bool = False
) -> go.Figure:
    """`whole`: places are whole numbers; `identity` draws where y equals x."""
    layout: Literal = {"height": 420, "margin": {"t": 118, "b": 56, "r": 12}, "hovermode": "closest", "annotations": []}
    layout["legend"] = {"y": 1.2}
    traces, seen = list[Literal](), set[str]()
    ends = _ends([x for panel in panels for line in panel.lines for x in line.x])
    width = (1 - GAP * (len(panels) - 1)) / max(1, len(panels))
    for k, panel in enumerate(panels):
        axis = str(k + 1) if k else ""
        left = k * (width + GAP)
        across = {"domain": [left, min(1.0, left + width)], "anchor": f"y{axis}", "range": ends, **title(x_title)}
        layout[f"xaxis{axis}"] = across | ({"dtick": 1} if whole else {"nticks": 6})
        layout[f"yaxis{axis}"] = {"anchor": f"x{axis}", "nticks": 6, **title(panel.y_title)}
        layout["annotations"].append(_heading(panel, axis, dark=dark))
        where = {"xaxis": f"x{axis}", "yaxis": f"y{axis}"}
        if identity:
            traces.append(_identity(ends, dark=dark) | where)
        for offset, line in enumerate(panel.lines):
            traces.append(_series(line, _shift(offset, len(panel.lines), ends, whole=whole)) | where)
            traces[-1]["showlegend"] = line.label not in seen
            seen.add(line.label)
    return figure(traces, layout, dark=dark, sentence="" if panels else "Nothing is stored to show yet.")


def _ends(places: Sequence[float]) -> list[float]:
    low, high = (min(places), max(places)) if places else (0.0, 1.0)
    room = ROOM * ((high - low) or 1)
    return [low - room, high + room]


def _shift(index: int, count: int, ends: Sequence[float], *, whole: bool) -> float:
    """Bars at the same whole place stand side by side."""
    return 0.018 * (ends[1] - ends[0]) * (index - (count - 1) / 2) if whole else 0.0


def _series(line: Line, shift: float) -> Literal:
    y, style = np.array(line.y, float), line.style
    bars = np.array(line.hi, float) - y, y - np.array(line.lo, float)
    names = line.names or [line.label] * len(y)
    found: Literal = {
        "type": "scatter",
        "x": [x + shift for x in line.x],
        "y": list(y),
        "mode": "lines+markers" if line.joined else "markers",
        "line": {"color": style.color, "dash": style.dash, "width": 2},
        "marker": {"color": style.color, "symbol": style.symbol, "size": 9 if line.joined else 7},
        "name": plain(line.label),
        "legendgroup": line.label,
        "customdata": [plain(name) for name in names],
        "hovertemplate": "%{customdata}<br>%{y:.4g}<extra></extra>",
    }
    if np.isfinite(bars[0]).any():
        up, down = (np.nan_to_num(side).tolist() for side in bars)
        found["error_y"] = {"array": up, "arrayminus": down, "color": style.color, "thickness": 1.5, "width": 4}
    return found


def _identity(ends: Sequence[float], *, dark: bool) -> Literal:
    return {
        "type": "scatter",
        "x": list(ends),
        "y": list(ends),
        "mode": "lines",
        "line": {"color": ink(dark=dark).muted, "width": 1, "dash": "dot"},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _heading(panel: Panel, axis: str, *, dark: bool) -> Literal:
    return {
        "xref": f"x{axis} domain",
        "yref": f"y{axis} domain",
        "x": 0,
        "y": 1,
        "xanchor": "left",
        "yanchor": "bottom",
        "yshift": 6,
        "align": "left",
        "showarrow": False,
        "text": f"<b>{plain(panel.heading)}</b><br>{plain(panel.source)}",
        "font": {"size": 12, "color": ink(dark=dark).text},
    }
