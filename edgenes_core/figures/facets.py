"""Small multiples of the plane: a panel per number of edges shared with α*, all on the same axes."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import plotly.graph_objects as go

from edgenes_core.figures.build import Literal, figure
from edgenes_core.figures.planes import better_end, cell_trace, diverse, drawn_range, empty_sentence, ticked
from edgenes_core.figures.theme import ROLE_STYLE, ink
from edgenes_core.plane import PlaneInfo, shared_groups

COLUMNS = 3
HEAD = 136  # pixels for the legend and the first headings
GAP_X, GAP_Y = 0.03, 0.2  # between panels, as parts of the figure


def plot_facets(info: PlaneInfo, *, dark: bool, marked: Collection[str] = ()) -> go.Figure:
    """The cells (not the ensembles) of each shared count in a panel of their own; grey dots are all the other cells."""
    cells = np.flatnonzero(~info.ensemble)
    groups = shared_groups(info.shared[cells].astype(int).tolist())
    columns = min(COLUMNS, max(1, len(groups)))
    lines = -(-len(groups) // columns)
    ends = [drawn_range(_only(info, cells), vertical=vertical) for vertical in (False, True)]
    layout: Literal = {
        "height": HEAD + 76 + 220 * max(1, lines),
        "hovermode": "closest",
        "margin": {"t": HEAD, "r": 16, "l": 84, "b": 76},
        "legend": {"y": 1 + 44 / (220 * max(1, lines))},
        "annotations": _axis_words(info, dark=dark) if len(groups) else [],
    }
    traces: list[Literal] = []
    named: set[str] = set()
    for number, group in enumerate(groups):
        mine = [int(i) for i in cells if int(info.shared[i]) in group]
        axis = str(number + 1) if number else ""
        layout |= _panel(info, number, (columns, lines), ends)
        layout["annotations"].append(_heading(info, group, mine, axis, dark=dark))
        others = [int(i) for i in cells if int(i) not in mine]
        panel = {"xaxis": f"x{axis}", "yaxis": f"y{axis}"}
        traces.append(_context(info, others, dark=dark) | panel)
        for role in [r for r in (*ROLE_STYLE, "imported") if any(info.roles[i] == r for i in mine)]:
            rows = [i for i in mine if info.roles[i] == role]
            traces.append(cell_trace(info, role, rows, marked) | panel | {"showlegend": role not in named})
            traces[-1]["legendgroup"] = role
            named.add(role)
    return figure(traces, layout, dark=dark, sentence="" if groups else empty_sentence(info))


def _panel(info: PlaneInfo, number: int, grid: tuple[int, int], ends: list[tuple[float, float] | None]) -> Literal:
    """Both axes of one panel; numbers stand at the left column and under the lowest panel of each column only."""
    (columns, lines), axis = grid, str(number + 1) if number else ""
    column, line = number % columns, number // columns
    width, height = (1 - GAP_X * (columns - 1)) / columns, (1 - GAP_Y * (lines - 1)) / lines
    left, top = column * (width + GAP_X), 1 - line * (height + GAP_Y)
    x, y = (ticked(a, e, "") | {"automargin": False} for a, e in zip((info.x_axis, info.y_axis), ends, strict=True))
    across = x | {"domain": [left, left + width], "anchor": f"y{axis}", "nticks": 5}
    up = y | {"domain": [max(0.0, top - height), top], "anchor": f"x{axis}", "nticks": 5, "showticklabels": column == 0}
    return {f"xaxis{axis}": across, f"yaxis{axis}": up}


def _heading(info: PlaneInfo, group: tuple[int, ...], rows: list[int], axis: str, *, dark: bool) -> Literal:
    """`2 shared` over `3 cells, 7 networks`, above a panel."""
    counts = str(group[0]) if len(group) == 1 else f"{group[0]}–{group[-1]}"
    networks = int(info.seeds[rows].sum())
    words = f"<b>{counts} shared</b><br>{_counted(len(rows), 'cell')}, {_counted(networks, 'network')}"
    place = {
        "xref": f"x{axis} domain",
        "yref": f"y{axis} domain",
        "x": 0,
        "y": 1,
        "xanchor": "left",
        "yanchor": "bottom",
    }
    return {
        **place,
        "text": words,
        "showarrow": False,
        "align": "left",
        "font": {"size": 12, "color": ink(dark=dark).text},
    }


def _context(info: PlaneInfo, rows: list[int], *, dark: bool) -> Literal:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": info.x[rows] * info.x_axis.factor,
        "y": info.y[rows] * info.y_axis.factor,
        "marker": {"size": 5, "color": ink(dark=dark).muted, "opacity": 0.35},
        "unselected": {"marker": {"opacity": 0.35}},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _axis_words(info: PlaneInfo, *, dark: bool) -> list[Literal]:
    """Each axis named once for all panels."""
    font, paper = {"size": 13, "color": ink(dark=dark).text}, {"xref": "paper", "yref": "paper", "showarrow": False}
    below = {"x": 0.5, "y": 0, "yshift": -26, "yanchor": "top", "text": info.x_axis.title + diverse(info.x_axis)}
    beside = {"x": 0, "y": 0.5, "xshift": -66, "textangle": -90, "text": info.y_axis.title + better_end(info.y_axis)}
    return [{**paper, "font": font, **below}, {**paper, "font": font, **beside}]


def _only(info: PlaneInfo, rows: np.ndarray) -> PlaneInfo:
    """The numbers of some points; what is not needed for a range stays as it is."""
    return info._replace(x=info.x[rows], y=info.y[rows], x_sd=info.x_sd[rows], sd=info.sd[rows])


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
