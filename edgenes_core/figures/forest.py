"""Differences between ensembles with their intervals: what is a tie and what is not, at one glance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import plotly.graph_objects as go

from edgenes_core.figures.build import Literal, figure, title
from edgenes_core.figures.theme import OKABE_ITO, ink
from edgenes_core.records import METRICS
from edgenes_core.statistics import Difference

VERDICTS = {
    "better": (OKABE_ITO["green"], "triangle-up"),
    "worse": (OKABE_ITO["vermillion"], "triangle-down"),
    "tie": (OKABE_ITO["grey"], "circle-open"),
}


class Compared(NamedTuple):
    """One ensemble against the reference: a difference for each metric, in the order of the forest's metrics."""

    name: str
    differences: tuple[Difference, ...]


class Gap(NamedTuple):
    """One ensemble on validation and on test: a value for each metric, in the order of the figure's metrics."""

    name: str
    val: tuple[float, ...]
    test: tuple[float, ...]


def verdict(metric: str, difference: Difference) -> str:
    """'tie' when the interval includes 0, else 'better' or 'worse' than the reference."""
    if difference.tie:
        return "tie"
    return "better" if (difference.mean > 0) == (METRICS[metric].better == "higher") else "worse"


def plot_forest(rows: Sequence[Compared], metrics: Sequence[str], reference: str, *, dark: bool) -> go.Figure:
    """A panel per metric; each row is a mean difference with its interval and the verdict in a word."""
    layout = _panels([_panel_title(metric) for metric in metrics], [row.name for row in rows])
    layout["shapes"] = [_zero(_axis(i), dark=dark) for i in range(len(metrics))]
    traces = [_intervals(rows, i, metric, word) for i, metric in enumerate(metrics) for word in VERDICTS]
    empty = "" if rows else f"Nothing to compare with {reference} yet."
    return figure([t for t in traces if t["x"]], {**layout, "showlegend": False}, dark=dark, sentence=empty)


def plot_gaps(gaps: Sequence[Gap], metrics: Sequence[str], *, dark: bool) -> go.Figure:
    """Validation (open) and test (filled) of each ensemble, joined: the length is what selection promised too much."""
    titles = [f"{METRICS[m].name}{_scale(m)[1]}<br>{METRICS[m].better} is better" for m in metrics]
    traces = []
    for i, metric in enumerate(metrics):
        values = {"validation": [g.val[i] for g in gaps], "test": [g.test[i] for g in gaps]}
        traces.append(_joined(gaps, i, _scale(metric)[0], dark=dark))
        for (name, listed), symbol in zip(values.items(), ("circle-open", "circle"), strict=True):
            traces.append(
                {
                    "type": "scatter",
                    "xaxis": _axis(i),
                    "x": [value * _scale(metric)[0] for value in listed],
                    "y": [gap.name for gap in gaps],
                    "mode": "markers",
                    "name": name,
                    "showlegend": i == 0,
                    "marker": {"symbol": symbol, "size": 12, "color": OKABE_ITO["blue"], "line": {"width": 2}},
                }
            )
    layout = _panels(titles, [gap.name for gap in gaps])
    return figure(traces, layout, dark=dark, sentence="" if gaps else "Nothing was revealed yet.")


def _joined(gaps: Sequence[Gap], index: int, factor: float, *, dark: bool) -> Literal:
    """Lines from validation to test; None breaks the line between two ensembles."""
    return {
        "type": "scatter",
        "xaxis": _axis(index),
        "x": [x for gap in gaps for x in (gap.val[index] * factor, gap.test[index] * factor, None)],
        "y": [name for gap in gaps for name in (gap.name, gap.name, None)],
        "mode": "lines",
        "line": {"color": ink(dark=dark).muted, "width": 3},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _panels(titles: Sequence[str], names: Sequence[str]) -> Literal:
    """Panels side by side on one list of names, the first on top."""
    width, gap = 1 / len(titles), 0.03
    layout: Literal = {
        "yaxis": {
            "categoryorder": "array",
            "categoryarray": names[::-1],
            "showgrid": False,
            "showline": False,
            "ticks": "",
        },
        "height": 120 + 44 * max(2, len(names)),
        "margin": {"t": 28, "b": 64},
    }
    for i, text in enumerate(titles):
        domain = [i * width + (gap if i else 0), (i + 1) * width]
        layout[_axis(i).replace("x", "xaxis")] = {**title(text), "domain": domain, "nticks": 6}
    return layout


def _axis(index: int) -> str:
    """Plotly's name of a panel's x axis: x, x2, x3, …"""
    return "x" if index == 0 else f"x{index + 1}"


def _scale(metric: str) -> tuple[float, str]:
    """Factor and unit of a metric's axis."""
    unit = METRICS[metric].unit
    return (100 if unit == "%" else 1), (f" ({unit})" if unit else "")


def _panel_title(metric: str) -> str:
    arrow = "better →" if METRICS[metric].better == "higher" else "← better"
    return f"Δ {METRICS[metric].name}{_scale(metric)[1].replace('%', 'points')}<br>{arrow}"


def _zero(axis: str, *, dark: bool) -> Literal:
    line = {"color": ink(dark=dark).muted, "width": 1}
    return {"type": "line", "xref": axis, "yref": "paper", "x0": 0, "x1": 0, "y0": 0, "y1": 1, "line": line}


def _intervals(rows: Sequence[Compared], index: int, metric: str, word: str) -> Literal:
    """All rows of one panel that have this verdict."""
    factor, (color, symbol) = _scale(metric)[0], VERDICTS[word]
    here = [row for row in rows if verdict(metric, row.differences[index]) == word]
    values = [[value * factor for value in (d.mean, d.lo, d.hi)] for d in (row.differences[index] for row in here)]
    bars = {"array": [hi - mean for mean, _, hi in values], "arrayminus": [mean - lo for mean, lo, _ in values]}
    return {
        "type": "scatter",
        "xaxis": _axis(index),
        "x": [mean for mean, _, _ in values],
        "y": [row.name for row in here],
        "error_x": {**bars, "color": color, "thickness": 2, "width": 4},
        "mode": "markers+text",
        "text": [word] * len(here),
        "textposition": "top center",
        "textfont": {"size": 12},
        "cliponaxis": False,
        "marker": {"color": color, "symbol": symbol, "size": 11, "line": {"width": 2, "color": color}},
        "hovertext": [
            f"{row.name}: {mean:.4f} [{lo:.4f}, {hi:.4f}], {word}<br>{row.differences[index].n} images"
            for row, (mean, lo, hi) in zip(here, values, strict=True)
        ],
        "hoverinfo": "text",
    }
