"""Who is alike: a matrix of pairs in colours and numbers, and which members are wrong on the same images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from edgenes_core.figures.build import Literal, figure, title
from edgenes_core.figures.theme import OKABE_ITO, ink
from edgenes_core.records import METRICS

SCALES = {"light": ("#e8f1f8", "#003a63"), "dark": ("#1b2733", "#F0E442")}
"""From little to much: one hue that only changes its lightness, away from the page's, so that no eye needs its colour."""
MOST_NUMBERS = 12  # members whose pairs are written into the matrix; beyond, hover and table say them
UNDEFINED = "n/d"
BAR = {"thickness": 10, "len": 0.9, "outlinewidth": 0, "nticks": 5}


class PatternBar(NamedTuple):
    """An error pattern: its id, whether each member (M) is wrong, and its images."""

    id: str
    wrong: tuple[bool, ...]
    images: int


def plot_pairs(names: Sequence[str], matrix: np.ndarray, measure: str, *, dark: bool) -> go.Figure:
    """Half the matrix (M, M), since pairs have no order: the farther from the page's colour, the more; a pair that the measure is not defined for is
    marked, not coloured."""
    members, metric = len(names), METRICS[measure]
    bare = {"type": "category", "showgrid": False, "ticks": "", "showline": False, "categoryorder": "array"}
    layout: Literal = {
        "xaxis": {**bare, "tickangle": -30, "categoryarray": list(names[:-1])},
        "yaxis": {**bare, "categoryarray": list(names[:0:-1])},
        "height": min(620, 130 + 44 * members),
        "margin": {"t": 12},
        "showlegend": False,
    }
    if members < 2:
        return figure([], layout, dark=dark, sentence="Two members are needed before there is a pair.")
    factor = 100 if metric.unit == "%" else 1
    shown = np.where(np.tri(members, k=-1, dtype=bool), matrix, np.nan) * factor
    cells = [(i, j) for i in range(1, members) for j in range(i)]
    if not np.isfinite(shown).any():
        return figure([], layout, dark=dark, sentence=f"{metric.name} is not defined for any of these pairs.")
    low, high = (-1.0, 1.0) if metric.low == -1 else (0.0, float(np.nanmax(shown)) or factor / 100)
    digits = max(0, metric.digits - 1) if factor == 100 else 0 if metric.name.startswith("edge") else metric.digits
    said = {cell: f"{shown[cell]:.{digits}f}" if np.isfinite(shown[cell]) else UNDEFINED for cell in cells}
    unit = f" {metric.unit}" if metric.unit else ""
    heat = {
        "type": "heatmap",
        "z": shown[1:, :-1],
        "x": list(names[:-1]),
        "y": list(names[1:]),
        "zmin": low,
        "zmax": high,
        "colorscale": scale(dark=dark),
        "text": [[said.get((i, j), "") for j in range(members - 1)] for i in range(1, members)],
        "xgap": 2,
        "ygap": 2,
        "hoverongaps": False,
        "colorbar": {**BAR, "tickfont": {"color": ink(dark=dark).muted}},
        "hovertemplate": f"%{{x}} and %{{y}}: %{{text}}{unit}<extra></extra>",
    }
    if members > MOST_NUMBERS:
        cells = [cell for cell in cells if said[cell] == UNDEFINED]
    tones = [written(shown[cell], low, high, dark=dark) for cell in cells]
    numbers = [(names[j], names[i], said[i, j]) for i, j in cells]
    return figure([heat, cell_text(numbers, tones)], layout, dark=dark)


def scale(*, dark: bool) -> list[list[Any]]:
    """Plotly's form of the theme's colours."""
    return [[place, color] for place, color in enumerate(SCALES["dark" if dark else "light"])]


def written(value: float, low: float, high: float, *, dark: bool) -> str:
    """The colour in which a number can be read on its cell; a cell without a colour has the page's."""
    strong = np.isfinite(value) and (value - low) / ((high - low) or 1.0) > 0.45
    return ink(dark=dark).text if not strong else "#000000" if dark else "#ffffff"


def cell_text(numbers: Sequence[tuple[Any, Any, str]], tones: Sequence[str]) -> Literal:
    """Texts (x, y, text) in the middle of cells."""
    return {
        "type": "scatter",
        "x": [x for x, _, _ in numbers],
        "y": [y for _, y, _ in numbers],
        "mode": "text",
        "text": [text for _, _, text in numbers],
        "textfont": {"color": list(tones), "size": 13},
        "hoverinfo": "skip",
    }


def plot_patterns(
    bars: Sequence[PatternBar], names: Sequence[str], n: int, *, dark: bool, marked: str = ""
) -> go.Figure:
    """Left, a cross for each member that is wrong; right, on how many images exactly these are. Each row can be clicked."""
    tone, rows = ink(dark=dark), list(range(len(bars)))
    layout: Literal = {
        "height": 170 + 26 * max(3, len(bars)),
        "margin": {"t": 110, "b": 48},
        "showlegend": False,
        "xaxis": {
            "domain": [0, 0.46],
            "tickvals": list(range(len(names))),
            "ticktext": list(names),
            "range": [-0.6, len(names) - 0.4],
            "side": "top",
            "tickangle": -35,
            "showgrid": False,
            "zeroline": False,
            "showline": False,
            "ticks": "",
        },
        "xaxis2": {**title(f"images, of {n}"), "domain": [0.5, 1], "rangemode": "tozero", "anchor": "y"},
        "yaxis": {
            "tickvals": rows,
            "ticktext": [f"{sum(bar.wrong)} wrong" for bar in bars],
            "range": [len(bars) - 0.4, -0.6],
            "zeroline": False,
            "showline": False,
            "ticks": "",
        },
    }
    if not bars:
        layout |= {"margin": {"t": 24}, "height": 170}
        return figure([], layout, dark=dark, sentence="No member is wrong on any image.")
    places = [(m, row, bar) for row, bar in enumerate(bars) for m in range(len(names))]
    traces: list[Literal] = []
    for wrong, symbol, color, size in ((False, "circle-open", tone.muted, 8), (True, "x", OKABE_ITO["vermillion"], 12)):
        here = [(m, row, bar) for m, row, bar in places if bar.wrong[m] == wrong]
        traces.append(
            {
                "type": "scatter",
                "x": [m for m, _, _ in here],
                "y": [row for _, row, _ in here],
                "mode": "markers",
                "marker": {"symbol": symbol, "color": color, "size": size},
                "customdata": [bar.id for _, _, bar in here],
                "hovertext": [f"{names[m]} is {'wrong' if wrong else 'right'}" for m, _, _ in here],
                "hoverinfo": "text",
                "unselected": {"marker": {"opacity": 1}},
            }
        )
    line = [3 if bar.id == marked else 0 for bar in bars]
    traces.append(
        {
            "type": "bar",
            "orientation": "h",
            "xaxis": "x2",
            "x": [bar.images for bar in bars],
            "y": rows,
            "marker": {"color": OKABE_ITO["sky"], "line": {"color": tone.text, "width": line}},
            "text": [f"{bar.images} ({bar.images / n:.1%})" for bar in bars],
            "textposition": "outside",
            "textfont": {"color": tone.text},
            "cliponaxis": False,
            "customdata": [bar.id for bar in bars],
            "hovertemplate": "%{x} images<extra></extra>",
            "unselected": {"marker": {"opacity": 1}},
        }
    )
    layout["xaxis2"]["range"] = [0, 1.25 * max(bar.images for bar in bars)]
    return figure(traces, layout, dark=dark)
