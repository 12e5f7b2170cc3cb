"""Ensembles under the lens: are they as sure as they are right, who disagrees with whom, what each further member brings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from edgenes_core.figures.build import Literal, figure, title
from edgenes_core.figures.theme import OKABE_ITO, Style, ink
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


def wilson(share: np.ndarray, n: np.ndarray, z: float = 1.96) -> tuple[np.ndarray, np.ndarray]:
    """95 % interval of a share seen on n images (Wilson 1927): honest for few images, where ± would leave [0, 1]."""
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return np.clip(centre - half, 0, share), np.clip(centre + half, share, 1)


def plot_reliability(ensembles: Sequence[Reliability], *, dark: bool) -> go.Figure:
    """Accuracy against confidence; the diagonal is honesty. Marker area grows with the images in the bin."""
    honest = {
        "type": "scatter",
        "x": [0, 1],
        "y": [0, 1],
        "mode": "lines",
        "name": "as sure as right",
        "line": {"color": ink(dark=dark).muted, "dash": "dot", "width": 1.5},
        "hoverinfo": "skip",
    }
    layout = {
        "xaxis": {**title("confidence (mean per bin)"), "range": [0, 1.03]},
        "yaxis": {**title("accuracy"), "range": [-0.02, 1.05]},
        "height": 400,
        "margin": {"t": 84},
    }
    empty = "" if ensembles else "Put a network into the basket to see how calibrated it is."
    return figure([honest, *map(_bins, ensembles)], layout, dark=dark, sentence=empty)


def _bins(e: Reliability) -> Literal:
    low, high = wilson(e.accuracy, e.images)
    bars = {"array": high - e.accuracy, "arrayminus": e.accuracy - low, "thickness": 1, "width": 0}
    return {
        "type": "scatter",
        "x": e.confidence,
        "y": e.accuracy,
        "mode": "markers",
        "name": e.name,
        "error_y": {**bars, "color": e.style.color},
        "marker": {
            "symbol": e.style.symbol,
            "color": e.style.color,
            "size": 7 + 12 * np.sqrt(e.images / e.images.sum()),
        },
        "customdata": e.images,
        "hovertemplate": "%{customdata} images<br>confidence %{x:.2f}, accuracy %{y:.2f}<extra></extra>",
    }


def plot_matrix(names: Sequence[str], matrix: np.ndarray, *, dark: bool) -> go.Figure:
    """Pairwise disagreement (M, M) in per cent; the diagonal (a network with itself) is left empty."""
    bare = {"type": "category", "showgrid": False, "ticks": "", "showline": False}
    layout = {
        "xaxis": {**bare, "tickangle": -30},
        "yaxis": {**bare, "autorange": "reversed"},
        "height": 400,
        "margin": {"t": 24},
    }
    if len(names) < 2:
        return figure([], layout, dark=dark, sentence="Two members are needed before they can disagree.")
    shown = np.where(np.eye(len(names), dtype=bool), np.nan, np.asarray(matrix) * 100)
    heat = {
        "type": "heatmap",
        "z": shown,
        "x": list(names),
        "y": list(names),
        "zmin": 0,
        "zmax": float(np.nanmax(shown)) or 1.0,
        "colorscale": MATRIX_SCALE["dark" if dark else "light"],
        "text": np.where(np.isfinite(shown), np.char.mod("%.1f", shown), ""),
        "texttemplate": "%{text}" if len(names) <= 10 else "",
        "xgap": 1,
        "ygap": 1,
        "showscale": False,
        "hovertemplate": "%{x} and %{y}: %{z:.1f} % of images<extra></extra>",
    }
    return figure([heat], layout, dark=dark)


def plot_trajectory(info: Trajectory, *, dark: bool) -> go.Figure:
    """Validation NLL against the number of members; the ring marks the size asked for."""
    ring = [(n, y) for n, y in zip(info.sizes, info.nll, strict=True) if n == info.chosen]
    best = {
        "type": "scatter",
        "x": info.sizes,
        "y": info.nll,
        "mode": "lines+markers",
        "line": {"color": OKABE_ITO["blue"], "width": 2},
        "marker": {"size": 8},
        "hovertemplate": "n = %{x}: NLL %{y:.4f}<extra></extra>",
    }
    chosen = {
        "type": "scatter",
        "x": [n for n, _ in ring],
        "y": [y for _, y in ring],
        "mode": "markers",
        "marker": {"symbol": "circle-open", "size": 18, "color": OKABE_ITO["vermillion"], "line": {"width": 3}},
        "hoverinfo": "skip",
    }
    layout = {
        "xaxis": {**title("members n"), "dtick": 1},
        "yaxis": title("validation NLL (lower is better)"),
        "height": 250,
        "showlegend": False,
        "margin": {"t": 12},
    }
    empty = "" if len(info.sizes) else "The pool is empty: no network is retrained yet."
    return figure([best, chosen], layout, dark=dark, sentence=empty)
