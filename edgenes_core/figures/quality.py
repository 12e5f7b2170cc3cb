"""Ensembles under the lens: are they as sure as they are right, what each further member brings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from edgenes_core.figures.build import Literal, figure, plain, title
from edgenes_core.figures.theme import OKABE_ITO, Style, ink
from edgenes_core.metrics import BINS, calibration


class Reliability(NamedTuple):
    """One ensemble's filled bins, each of confidences in (lower, upper]: mean confidence, accuracy and images; `ece` and the
    mean of confidence − accuracy, `signed`, over all images."""

    name: str
    style: Style
    lower: np.ndarray
    upper: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray
    images: np.ndarray
    ece: float
    signed: float


class Trajectory(NamedTuple):
    """Validation loss of the best ensemble a rule finds at each size; `chosen` is the size asked for, `label` names the loss."""

    rule: str
    sizes: Sequence[int]
    loss: Sequence[float]
    chosen: int
    label: str = "NLL"


def reliability_info(name: str, style: Style, probs: np.ndarray, y: np.ndarray, bins: int = BINS) -> Reliability:
    """Reliability of averaged probabilities (B, C); empty bins are dropped."""
    table = calibration(probs, y, bins)
    kept = table.count > 0
    return Reliability(
        name,
        style,
        table.lo[kept],
        table.hi[kept],
        table.confidence[kept],
        table.accuracy[kept],
        table.count[kept],
        table.ece,
        table.signed,
    )


def wilson(share: np.ndarray, n: np.ndarray, z: float = 1.96) -> tuple[np.ndarray, np.ndarray]:
    """95 % interval of a share seen on n images (Wilson 1927): honest for few images, where ± would leave [0, 1]."""
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return np.clip(centre - half, 0, share), np.clip(centre + half, share, 1)


def plot_reliability(ensembles: Sequence[Reliability], *, dark: bool) -> go.Figure:
    """Above, accuracy against confidence: the diagonal is honesty, marker area grows with the images in the bin. Below, what each
    bin is too sure of itself, or not sure enough."""
    honest = {
        "type": "scatter",
        "x": [0, 1],
        "y": [0, 1],
        "mode": "lines",
        "name": "as sure as right",
        "line": {"color": ink(dark=dark).muted, "dash": "dot", "width": 1.5},
        "hoverinfo": "skip",
    }
    span = {"range": [0, 1.03], "tickvals": [k / 5 for k in range(6)]}
    layout = {
        "xaxis": {**span, "anchor": "y2", "domain": [0, 1], "title": {"text": "confidence"}},
        "yaxis": {**title("accuracy"), "range": [-0.02, 1.05], "domain": [0.36, 1]},
        "yaxis2": {**title("conf. − acc."), "domain": [0, 0.27], "zeroline": True, "nticks": 5, "tickformat": "+.2~f"},
        "height": 480,
        "margin": {"t": 84},
        "shapes": [_border(k / BINS, dark=dark) for k in range(1, BINS)],
        "annotations": [_said("too sure ↑", 1, dark=dark), _said("not sure enough ↓", 0, dark=dark)],
    }
    empty = "" if ensembles else "Put a network into the basket to see how calibrated it is."
    gaps = [_gaps(e, i, len(ensembles)) for i, e in enumerate(ensembles)]
    return figure([honest, *map(_bins, ensembles), *gaps], layout, dark=dark, sentence=empty)


def _border(at: float, *, dark: bool) -> Literal:
    line = {"color": ink(dark=dark).grid, "width": 1}
    return {"type": "line", "x0": at, "x1": at, "yref": "paper", "y0": 0, "y1": 1, "line": line, "layer": "below"}


def _said(text: str, end: int, *, dark: bool) -> Literal:
    """Words at the upper or lower end of the lower panel."""
    font = {"size": 12, "color": ink(dark=dark).muted}
    place = {"xref": "paper", "yref": "y2 domain", "x": 0.01, "y": end, "xanchor": "left"}
    return {**place, "yanchor": "top" if end else "bottom", "text": text, "showarrow": False, "font": font}


def _gaps(e: Reliability, place: int, places: int) -> Literal:
    width = (e.upper - e.lower) * 0.8 / places
    return {
        "type": "bar",
        "yaxis": "y2",
        "x": (e.lower + e.upper) / 2 + width * (place - (places - 1) / 2),
        "y": e.confidence - e.accuracy,
        "width": width,
        "name": plain(e.name),
        "showlegend": False,
        "marker": {"color": e.style.color, "pattern": {"shape": "/" if place else ""}},
        "customdata": e.images,
        "hovertemplate": "%{customdata} images: %{y:+.3f}<extra></extra>",
    }


def _bins(e: Reliability) -> Literal:
    low, high = wilson(e.accuracy, e.images)
    bars = {"array": high - e.accuracy, "arrayminus": e.accuracy - low, "thickness": 1, "width": 0}
    return {
        "type": "scatter",
        "x": e.confidence,
        "y": e.accuracy,
        "mode": "markers",
        "name": plain(e.name),
        "error_y": {**bars, "color": e.style.color},
        "marker": {
            "symbol": e.style.symbol,
            "color": e.style.color,
            "size": 7 + 12 * np.sqrt(e.images / e.images.sum()),
        },
        "customdata": e.images,
        "hovertemplate": "%{customdata} images<br>confidence %{x:.2f}, accuracy %{y:.2f}<extra></extra>",
    }


def plot_trajectory(info: Trajectory, *, dark: bool) -> go.Figure:
    """Validation loss against the number of members; the ring marks the size asked for."""
    ring = [(n, y) for n, y in zip(info.sizes, info.loss, strict=True) if n == info.chosen]
    best = {
        "type": "scatter",
        "x": info.sizes,
        "y": info.loss,
        "mode": "lines+markers",
        "line": {"color": OKABE_ITO["blue"], "width": 2},
        "marker": {"size": 8},
        "hovertemplate": f"n = %{{x}}: {info.label} %{{y:.4f}}<extra></extra>",
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
        "yaxis": title(f"validation {info.label}<br>(lower is better)"),
        "height": 250,
        "showlegend": False,
        "margin": {"t": 12},
    }
    empty = "" if len(info.sizes) else "The pool is empty: no network is retrained yet."
    return figure([best, chosen], layout, dark=dark, sentence=empty)
