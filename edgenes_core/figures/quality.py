"""Ensembles under the lens: are they as sure as they are right, who disagrees with whom, what each further member brings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from edgenes_core.figures.planes import note
from edgenes_core.figures.theme import OKABE_ITO, Style, ink, layout
from edgenes_core.metrics import BINS, calibration

MATRIX_SCALE = {"light": ["#ffffff", "#D55E00"], "dark": ["#12161c", "#E69F00"]}


class Reliability(NamedTuple):
    """One ensemble's filled bins: mean confidence, accuracy and images in each; `ece` over all."""

    name: str
    style: Style
    confidence: np.ndarray
    accuracy: np.ndarray
    images: np.ndarray
    ece: float


class Trajectory(NamedTuple):
    """Validation NLL of the best ensemble a rule finds at each size; `chosen` is the size asked for."""

    rule: str
    sizes: Sequence[int]
    nll: Sequence[float]
    chosen: int


def reliability_info(name: str, style: Style, probs: np.ndarray, y: np.ndarray, bins: int = BINS) -> Reliability:
    """Reliability of averaged probabilities (B, C); empty bins are dropped."""
    table = calibration(probs, y, bins)
    filled = table.count > 0
    gap = np.abs(table.accuracy - table.confidence)[filled]
    count = table.count[filled]
    return Reliability(
        name, style, table.confidence[filled], table.accuracy[filled], count, float((gap * count).sum() / count.sum())
    )


def plot_reliability(ensembles: Sequence[Reliability], *, dark: bool) -> go.Figure:
    """Accuracy against confidence; the diagonal is honesty. Marker area grows with the images in the bin."""
    fig = go.Figure()
    fig.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        name="as sure as right",
        line={"color": ink(dark=dark).muted, "dash": "dot", "width": 1.5},
        hoverinfo="skip",
    )
    for e in ensembles:
        fig.add_scatter(
            x=e.confidence,
            y=e.accuracy,
            mode="lines+markers",
            name=f"{e.name} (ECE {e.ece:.3f})",
            line={"color": e.style.color, "dash": e.style.dash, "width": 1.5},
            marker={
                "symbol": e.style.symbol,
                "color": e.style.color,
                "size": 6 + 12 * np.sqrt(e.images / e.images.sum()),
            },
            customdata=e.images,
            hovertemplate="%{customdata} images<br>confidence %{x:.2f}, accuracy %{y:.2f}<extra></extra>",
        )
    if not ensembles:
        note(fig, "Put a network into the basket to see how calibrated it is.", dark=dark)
    fig.update_xaxes(title="confidence (mean per bin)", range=[0, 1.02], constrain="domain")
    fig.update_yaxes(title="accuracy", range=[0, 1.04])
    layout(fig, dark=dark)
    return fig.update_layout(height=400, margin={"t": 84})


def plot_matrix(names: Sequence[str], matrix: np.ndarray, *, dark: bool) -> go.Figure:
    """Pairwise disagreement (M, M) in per cent; the diagonal (a network with itself) is left empty."""
    fig = go.Figure()
    shown = np.where(np.eye(len(names), dtype=bool), np.nan, np.reshape(matrix, (len(names), len(names))) * 100)
    if len(names) > 1:
        fig.add_heatmap(
            z=shown,
            x=list(names),
            y=list(names),
            zmin=0,
            zmax=float(np.nanmax(shown)) or 1.0,
            colorscale=MATRIX_SCALE["dark" if dark else "light"],
            text=np.where(np.isfinite(shown), np.char.mod("%.1f", shown), ""),
            texttemplate="%{text}" if len(names) <= 10 else "",
            xgap=1,
            ygap=1,
            showscale=False,
            hovertemplate="%{x} and %{y}: %{z:.1f} % of images<extra></extra>",
        )
    else:
        note(fig, "Two members are needed before they can disagree.", dark=dark)
    layout(fig, dark=dark)
    fig.update_xaxes(type="category", showgrid=False, ticks="", showline=False, tickangle=-30, side="bottom")
    fig.update_yaxes(type="category", autorange="reversed", showgrid=False, ticks="", showline=False)
    return fig.update_layout(height=400, margin={"t": 24})


def plot_trajectory(info: Trajectory, *, dark: bool) -> go.Figure:
    """Validation NLL against the number of members; the ring marks the size asked for."""
    fig = go.Figure()
    fig.add_scatter(
        x=info.sizes,
        y=info.nll,
        mode="lines+markers",
        name=f"best by {info.rule}",
        line={"color": OKABE_ITO["blue"], "width": 2},
        marker={"size": 8},
    )
    ring = [(n, y) for n, y in zip(info.sizes, info.nll, strict=True) if n == info.chosen]
    fig.add_scatter(
        x=[n for n, _ in ring],
        y=[y for _, y in ring],
        mode="markers",
        name=f"n = {info.chosen}",
        marker={"symbol": "circle-open", "size": 18, "color": OKABE_ITO["vermillion"], "line": {"width": 3}},
    )
    if not len(info.sizes):
        note(fig, "The pool is empty: no network is retrained yet.", dark=dark)
    fig.update_xaxes(title="members n", dtick=1)
    fig.update_yaxes(title="validation NLL (nats, lower is better)")
    layout(fig, dark=dark)
    return fig.update_layout(height=320, margin={"t": 40})
