"""Differences between ensembles with their intervals: what is a tie and what is not, at one glance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from edgenes_core.figures.planes import note
from edgenes_core.figures.theme import OKABE_ITO, ink, layout
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
    """One ensemble on validation and on test, and how many images each has."""

    name: str
    val: float
    test: float


def verdict(metric: str, difference: Difference) -> str:
    """'tie' when the interval includes 0, else 'better' or 'worse' than the reference."""
    if difference.tie:
        return "tie"
    return "better" if (difference.mean > 0) == (METRICS[metric].better == "higher") else "worse"


def plot_forest(rows: Sequence[Compared], metrics: Sequence[str], reference: str, *, dark: bool) -> go.Figure:
    """A panel per metric; each row is a mean difference with its interval and the verdict in a word."""
    fig = make_subplots(1, len(metrics), shared_yaxes=True, horizontal_spacing=0.03)
    for column, metric in enumerate(metrics, start=1):
        share = METRICS[metric].unit == "%"
        factor, unit = (
            (100, " (points)") if share else (1, f" ({METRICS[metric].unit})" if METRICS[metric].unit else "")
        )
        for row in rows:
            _interval(fig, row.name, row.differences[column - 1], metric, factor, column)
        fig.add_vline(x=0, line={"color": ink(dark=dark).muted, "width": 1}, row=1, col=column)  # type: ignore[arg-type]
        arrow = "better →" if METRICS[metric].better == "higher" else "← better"
        fig.update_xaxes(title=f"Δ {METRICS[metric].name}{unit}<br>{arrow}", row=1, col=column, nticks=6)
    if not rows:
        note(fig, f"Nothing to compare with {reference} yet.", dark=dark)
    layout(fig, dark=dark)
    fig.update_yaxes(autorange="reversed", showgrid=False, showline=False, ticks="")
    for title in fig.layout.annotations:
        title.font.color = ink(dark=dark).text
    return fig.update_layout(height=120 + 46 * max(2, len(rows)), showlegend=False, margin={"t": 12, "b": 64})


def plot_gap(gaps: Sequence[Gap], metric: str, *, dark: bool) -> go.Figure:
    """Validation (open) and test (filled) of each ensemble, joined: the length is what selection promised too much."""
    fig = go.Figure()
    factor = 100 if METRICS[metric].unit == "%" else 1
    for gap in gaps:
        fig.add_scatter(
            x=[gap.val * factor, gap.test * factor],
            y=[gap.name, gap.name],
            mode="lines",
            line={"color": ink(dark=dark).muted, "width": 3},
            hoverinfo="skip",
            showlegend=False,
        )
    for name, field, symbol in (("validation", "val", "circle-open"), ("test", "test", "circle")):
        fig.add_scatter(
            x=[getattr(gap, field) * factor for gap in gaps],
            y=[gap.name for gap in gaps],
            mode="markers",
            name=name,
            marker={"symbol": symbol, "size": 12, "color": OKABE_ITO["blue"], "line": {"width": 2}},
        )
    if not gaps:
        note(fig, "Nothing was revealed yet.", dark=dark)
    unit = f" ({METRICS[metric].unit})" if METRICS[metric].unit else ""
    fig.update_xaxes(title=f"{METRICS[metric].name}{unit}, {METRICS[metric].better} is better")
    layout(fig, dark=dark)
    fig.update_yaxes(autorange="reversed", showgrid=False, showline=False, ticks="")
    return fig.update_layout(height=110 + 34 * max(2, len(gaps)), margin={"t": 36})


def _interval(fig: go.Figure, name: str, d: Difference, metric: str, factor: float, column: int) -> None:
    word = verdict(metric, d)
    color, symbol = VERDICTS[word]
    mean, lo, hi = np.array([d.mean, d.lo, d.hi]) * factor
    fig.add_scatter(
        x=[mean],
        y=[name],
        error_x={"array": [hi - mean], "arrayminus": [mean - lo], "color": color, "thickness": 2, "width": 4},
        mode="markers+text",
        text=[word],
        textposition="top center",
        textfont={"size": 12},
        marker={"color": color, "symbol": symbol, "size": 11, "line": {"width": 2, "color": color}},
        hovertemplate=f"{name}: %{{x:.4f}} [{lo:.4f}, {hi:.4f}], {word}<br>{d.n} images<extra></extra>",
        row=1,
        col=column,
    )
