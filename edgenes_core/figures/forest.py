"""Differences between ensembles with their intervals: what is a tie and what is not, at one glance."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from edgenes_core.comparisons import Adjusted
from edgenes_core.figures.build import Literal, figure, plain, title
from edgenes_core.figures.theme import OKABE_ITO, ink
from edgenes_core.records import METRICS
from edgenes_core.side_by_side import verdict
from edgenes_core.statistics import Difference

NAME_WIDTH = 24  # letters of a name on one line
ROW, LINE = 44, 18  # pixels of a row, and of each line of its name
VERDICTS = {
    "better": (OKABE_ITO["green"], "triangle-up"),
    "worse": (OKABE_ITO["vermillion"], "triangle-down"),
    "tie": (OKABE_ITO["grey"], "circle-open"),
}


class Compared(NamedTuple):
    """One ensemble against the reference: a difference for each metric, in the order of the forest's metrics."""

    name: str
    differences: Sequence[Difference | Adjusted]


def plot_forest(rows: Sequence[Compared], metrics: Sequence[str], reference: str, *, dark: bool) -> go.Figure:
    """A panel per metric; each row is a mean difference with its interval and the verdict in a word."""
    layout = _panels([_panel_title(metric) for metric in metrics], [row.name for row in rows])
    for i, metric in enumerate(metrics if len(metrics) > 1 else ()):
        layout[_axis(i).replace("x", "xaxis")] |= _ticks(rows, i, metric)
    layout["shapes"] = [_zero(_axis(i), dark=dark) for i in range(len(metrics))]
    traces = [_intervals(rows, i, metric, word) for i, metric in enumerate(metrics) for word in VERDICTS]
    empty = "" if rows else f"Nothing to compare with {reference} yet."
    return figure([t for t in traces if t["x"]], {**layout, "showlegend": False}, dark=dark, sentence=empty)


def _panels(titles: Sequence[str], names: Sequence[str]) -> Literal:
    """Panels side by side on one list of names, the first on top; a name may come from anyone's file."""
    width, gap = 1 / len(titles), 0.05
    rows, wrapped = len(names), [wrap(name, NAME_WIDTH) for name in names]
    tall = max([ROW, *(LINE * len(lines) + 6 for lines in wrapped)])
    layout: Literal = {
        "yaxis": {
            "tickvals": list(range(rows)),
            "ticktext": ["<br>".join(map(plain, lines)) for lines in wrapped],
            "range": [max(rows, 1) - 0.5, -0.6],
            "showgrid": False,
            "showline": False,
            "zeroline": False,
            "ticks": "",
        },
        "height": 140 + tall * max(2, rows),
        "margin": {"t": 28, "b": 80},
    }
    for i, text in enumerate(titles):
        domain = [i * width + (gap if i else 0), (i + 1) * width]
        layout[_axis(i).replace("x", "xaxis")] = {**title(text), "domain": domain, "nticks": 7, "tickangle": 0}
    return layout


def _ticks(rows: Sequence[Compared], index: int, metric: str) -> Literal:
    """Zero and one on either side that an interval reaches: a narrow panel has no room for more, and fewer are no scale."""
    ends = [abs(end) for row in rows for end in (row.differences[index].lo, row.differences[index].hi)]
    reach = _scale(metric)[0] * max((end for end in ends if np.isfinite(end)), default=0.0)
    if reach <= 0:
        return {"nticks": 3}
    power = 10.0 ** float(np.floor(np.log10(reach)))
    return {"tick0": 0, "dtick": max(digit * power for digit in (1, 2, 3, 5) if digit * power <= reach)}


def _axis(index: int) -> str:
    """Plotly's name of a panel's x axis: x, x2, x3, …"""
    return "x" if index == 0 else f"x{index + 1}"


def _scale(metric: str) -> tuple[float, str]:
    """Factor and unit of a metric's axis."""
    unit = METRICS[metric].unit
    return (100 if unit == "%" else 1), (f" ({unit})" if unit else "")


def _panel_title(metric: str) -> str:
    arrow = "better →" if METRICS[metric].better == "higher" else "← better"
    return f"Δ {METRICS[metric].name}<br>{_scale(metric)[1].strip().replace('%', 'points')}<br>{arrow}"


def _zero(axis: str, *, dark: bool) -> Literal:
    line = {"color": ink(dark=dark).muted, "width": 1}
    return {"type": "line", "xref": axis, "yref": "paper", "x0": 0, "x1": 0, "y0": 0, "y1": 1, "line": line}


def _intervals(rows: Sequence[Compared], index: int, metric: str, word: str) -> Literal:
    """All rows of one panel that have this verdict."""
    factor, (color, symbol) = _scale(metric)[0], VERDICTS[word]
    places = [k for k, row in enumerate(rows) if verdict(metric, row.differences[index]) == word]
    here = [rows[k] for k in places]
    values = [[value * factor for value in (d.mean, d.lo, d.hi)] for d in (row.differences[index] for row in here)]
    bars = {"array": [hi - mean for mean, _, hi in values], "arrayminus": [mean - lo for mean, lo, _ in values]}
    return {
        "type": "scatter",
        "xaxis": _axis(index),
        "x": [mean for mean, _, _ in values],
        "y": places,
        "error_x": {**bars, "color": color, "thickness": 2, "width": 4},
        "mode": "markers+text",
        "text": [word] * len(here),
        "textposition": "top center",
        "textfont": {"size": 12},
        "cliponaxis": False,
        "marker": {"color": color, "symbol": symbol, "size": 11, "line": {"width": 2, "color": color}},
        "hovertext": [
            f"{plain(row.name)}: {mean:.4f} [{lo:.4f}, {hi:.4f}], {word}<br>{row.differences[index].n} images"
            for row, (mean, lo, hi) in zip(here, values, strict=True)
        ],
        "hoverinfo": "text",
    }
