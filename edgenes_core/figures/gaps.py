"""Validation and test of each ensemble with their intervals, joined: the length is what choosing on validation promised too much."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import plotly.graph_objects as go

from edgenes_core.bootstrap import Interval
from edgenes_core.figures.build import Literal, figure, plain, title
from edgenes_core.figures.theme import OKABE_ITO, ink
from edgenes_core.measures import QUALITY
from edgenes_core.optimism import Optimism

APART = 0.16  # of a row: validation above, test below, so that their bars can be seen
ROW = 50  # pixels


class Gap(NamedTuple):
    """One ensemble: an optimism for each metric, in the order of the figure's metrics."""

    name: str
    optimism: tuple[Optimism, ...]


def plot_gaps(gaps: Sequence[Gap], metrics: Sequence[str], *, dark: bool) -> go.Figure:
    """A panel per metric; validation is open, test filled, bars are 95 % intervals."""
    rows = list(range(len(gaps)))
    layout: Literal = {
        "yaxis": {
            "tickvals": rows,
            "ticktext": [plain(gap.name) for gap in gaps],
            "range": [len(gaps) - 0.5, -0.5],
            "showgrid": False,
            "showline": False,
            "zeroline": False,
            "ticks": "",
        },
        "height": 130 + ROW * max(2, len(gaps)),
        "margin": {"t": 40, "b": 64},
    }
    traces = []
    for k, metric in enumerate(metrics):
        factor, axis, found = _factor(metric), f"x{k + 1 if k else ''}", [gap.optimism[k] for gap in gaps]
        traces += [_joined(found, axis, factor, dark=dark)]
        traces += [_part([o.val for o in found], "validation", axis, factor, named=not k)]
        traces += [_part([o.test for o in found], "test", axis, factor, named=not k)]
        unit = f" ({QUALITY[metric].unit})" if QUALITY[metric].unit else ""
        words = f"{QUALITY[metric].name}{unit}<br>{QUALITY[metric].better} is better"
        domain = [(k + 0.03 * bool(k)) / len(metrics), (k + 0.97) / len(metrics)]
        layout[axis.replace("x", "xaxis")] = {**title(words), "domain": domain, "nticks": 6}
    return figure(traces, layout, dark=dark, sentence="" if gaps else "Nothing was revealed yet.")


def _part(found: Sequence[Interval], name: str, axis: str, factor: float, *, named: bool) -> Literal:
    shift, symbol = (-APART, "circle-open") if name == "validation" else (APART, "circle")
    color = OKABE_ITO["blue" if name == "validation" else "vermillion"]
    value = [i.value * factor for i in found]
    bars = {
        "array": [(i.hi - i.value) * factor for i in found],
        "arrayminus": [(i.value - i.lo) * factor for i in found],
    }
    return {
        "type": "scatter",
        "xaxis": axis,
        "x": value,
        "y": [row + shift for row in range(len(found))],
        "error_x": {**bars, "thickness": 1.5, "width": 3, "color": color},
        "mode": "markers",
        "name": name,
        "legendgroup": name,
        "showlegend": named,
        "marker": {"symbol": symbol, "size": 10, "color": color, "line": {"width": 2, "color": color}},
        "customdata": [i.n for i in found],
        "hovertemplate": name + " %{x:.4g}, %{customdata} images<extra></extra>",
    }


def _joined(found: Sequence[Optimism], axis: str, factor: float, *, dark: bool) -> Literal:
    """Lines from validation to test; None breaks the line between two ensembles."""
    return {
        "type": "scatter",
        "xaxis": axis,
        "x": [x for o in found for x in (o.val.value * factor, o.test.value * factor, None)],
        "y": [y for row in range(len(found)) for y in (row - APART, row + APART, None)],
        "mode": "lines",
        "line": {"color": ink(dark=dark).muted, "width": 3},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _factor(metric: str) -> float:
    return 100.0 if QUALITY[metric].unit == "%" else 1.0
