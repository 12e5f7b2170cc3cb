"""Does an ensemble know what it does not know: answers withheld, its own errors, images of another kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from edgenes_core.figures.build import Literal, figure, plain, title
from edgenes_core.figures.theme import OKABE_ITO, Style, ink
from edgenes_core.ood import NAMES, Separation
from edgenes_core.selective import risk_coverage
from edgenes_core.trust import DoubtBin

POINTS = 400  # of a risk–coverage curve, drawn at most
LEAST_KEPT = 0.02  # coverage below which a risk is the fate of a few images
BINS = 30


class RiskCurve(NamedTuple):
    """One ensemble's risk among the images kept, at P coverages; `best` is the curve that the same errors could reach.

    `aurc` is the mean over all n coverages, `error` the risk at full coverage.
    """

    name: str
    style: Style
    coverage: np.ndarray
    risk: np.ndarray
    best: np.ndarray
    aurc: float
    error: float
    n: int


class RiskPoint(NamedTuple):
    """Of the images answered, the surest first, the share that is wrong; `best`: what the same errors could reach."""

    ensemble: str
    coverage: float
    risk: float
    best: float
    n: int


class ForeignHistogram(NamedTuple):
    """Shares of own and foreign images in bins of one score; `edges` (K + 1,)."""

    score: str
    source: str
    edges: np.ndarray
    own: np.ndarray
    foreign: np.ndarray
    separation: Separation


def risk_info(name: str, style: Style, probs: np.ndarray, y: np.ndarray) -> RiskCurve:
    """Of averaged probabilities (B, C); coverages so small that a single image decides are left out."""
    found, images = risk_coverage(probs, y), np.arange(1, len(y) + 1)
    ideal = np.maximum(0, images - (len(y) - round(found.error * len(y)))) / images
    least = min(len(y) - 1, int(LEAST_KEPT * len(y)))
    rows = np.unique(np.linspace(least, len(y) - 1, POINTS).astype(int))
    return RiskCurve(name, style, found.coverage[rows], found.risk[rows], ideal[rows], found.aurc, found.error, len(y))


def risk_points(curves: Sequence[RiskCurve]) -> list[RiskPoint]:
    """The points drawn of all curves."""
    return [
        RiskPoint(curve.name, *line, curve.n)
        for curve in curves
        for line in zip(curve.coverage.tolist(), curve.risk.tolist(), curve.best.tolist(), strict=True)
    ]


def foreign_info(source: str, own: np.ndarray, foreign: np.ndarray, separation: Separation) -> ForeignHistogram:
    """Of per-image scores (B,) and (B',) in bins they share."""
    high = float(max(own.max(), foreign.max()))
    edges = np.linspace(0, high or 1.0, BINS + 1)
    ours, theirs = (np.histogram(np.clip(values, 0, edges[-1]), edges)[0] / len(values) for values in (own, foreign))
    return ForeignHistogram(separation.score, source, edges, ours, theirs, separation)


def plot_risk(curves: Sequence[RiskCurve], *, dark: bool) -> go.Figure:
    """Error among the images kept against the share kept; dotted, what the same errors could reach in the best order."""
    traces = [trace for curve in curves for trace in (_ideal(curve), _risk(curve))]
    layout = {
        "xaxis": {
            **title("coverage: share of images answered, the surest first"),
            "range": [0, 1.02],
            "tickformat": ".0%",
        },
        "yaxis": {**title("risk: error among them"), "rangemode": "tozero", "tickformat": ".1%"},
        "height": 360,
        "margin": {"t": 64},
    }
    empty = "" if curves else "Put a network into the basket to see what it gains by not answering."
    return figure(traces, layout, dark=dark, sentence=empty)


def plot_doubt(bins: Sequence[DoubtBin], about: str, *, dark: bool) -> go.Figure:
    """How much the images that the team got right, and those that it got wrong, are doubted."""
    edges = np.array([*(b.above for b in bins), bins[-1].up_to])
    traces = []
    sides = (("right", OKABE_ITO["sky" if dark else "blue"], "solid"), ("wrong", OKABE_ITO["vermillion"], "dash"))
    for name, color, dash in sides:
        counts = np.array([getattr(b, name) for b in bins])
        images = int(counts.sum())
        if images:
            traces.append(
                _steps(f"{name}: {images} image{'' if images == 1 else 's'}", edges, counts / images, color, dash)
            )
    layout = {
        "xaxis": {**title(f"{about} (nats)"), "rangemode": "tozero"},
        "yaxis": {**title("share of these images"), "tickformat": ".0%", "rangemode": "tozero"},
        "height": 320,
        "margin": {"t": 64, "l": 76},
    }
    return figure(traces, layout, dark=dark)


def plot_foreign(info: ForeignHistogram, *, dark: bool) -> go.Figure:
    """How the score is spread over own and foreign images; the less they overlap, the better it tells them apart."""
    value, lo, hi, _ = info.separation.auroc
    said = f"AUROC {value:.3f} [{lo:.3f}, {hi:.3f}], n = {info.separation.own} own, {info.separation.foreign} foreign"
    layout = {
        "xaxis": title(f"{NAMES[info.score]}{'' if info.score == 'one_minus_max' else ' (nats)'}"),
        "yaxis": {**title("share of images"), "tickformat": ".0%", "rangemode": "tozero"},
        "height": 320,
        "margin": {"t": 64, "l": 76},
        "annotations": [
            {
                "text": said,
                "x": 1,
                "y": 1,
                "xref": "paper",
                "yref": "paper",
                "xanchor": "right",
                "showarrow": False,
                "font": {"color": ink(dark=dark).muted, "size": 13},
            }
        ],
    }
    own = _steps("own images", info.edges, info.own, OKABE_ITO["sky" if dark else "blue"], "solid")
    foreign = _steps(f"foreign: {plain(info.source)}", info.edges, info.foreign, OKABE_ITO["vermillion"], "dash")
    return figure([own, foreign], layout, dark=dark)


def _risk(curve: RiskCurve) -> Literal:
    return {
        "type": "scatter",
        "x": curve.coverage,
        "y": curve.risk,
        "mode": "lines",
        "name": f"{plain(curve.name)}: AURC {curve.aurc:.4f}, n = {curve.n}",
        "line": {"color": curve.style.color, "dash": curve.style.dash, "width": 2.5},
        "hovertemplate": "of %{x:.1%} answered %{y:.2%} are wrong<extra></extra>",
    }


def _ideal(curve: RiskCurve) -> Literal:
    return {
        "type": "scatter",
        "x": curve.coverage,
        "y": curve.best,
        "mode": "lines",
        "line": {"color": curve.style.color, "dash": "dot", "width": 1},
        "showlegend": False,
        "hoverinfo": "skip",
    }


def _steps(name: str, edges: np.ndarray, shares: np.ndarray, color: str, dash: str) -> Literal:
    return {
        "type": "scatter",
        "x": edges,
        "y": np.r_[shares, shares[-1:]],
        "mode": "lines",
        "name": name,
        "line": {"shape": "hv", "color": color, "dash": dash, "width": 2},
        "fill": "tozeroy",
        "hovertemplate": "from %{x:.3g}: %{y:.1%} of images<extra></extra>",
    }
