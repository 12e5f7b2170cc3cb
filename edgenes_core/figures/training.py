"""A job while it runs: losses, how well λ is obeyed, and what the search currently prefers on each edge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from edgenes_core.figures.build import Literal, figure, title
from edgenes_core.figures.cells import word
from edgenes_core.figures.theme import OKABE_ITO
from edgenes_core.records import METRICS, Event, without_redone
from edgenes_core.space import SearchSpace

MOST_POINTS = 400  # more than a curve of this width can show
LINES = {
    "train_loss": (OKABE_ITO["blue"], "solid"),
    "val_loss": (OKABE_ITO["vermillion"], "dash"),
    "lambda_error": (OKABE_ITO["green"], "solid"),
    "regularizer": (OKABE_ITO["orange"], "dash"),
    "temperature": (OKABE_ITO["grey"], "dot"),
}
LOSSES, CONTROL = ("train_loss", "val_loss"), ("lambda_error", "regularizer")
ALPHA_SCALE = {"light": ["#ffffff", "#0b4f9e"], "dark": ["#12161c", "#74c0ec"]}


class Curve(NamedTuple):
    """One measured value of one stage over its steps."""

    metric: str
    steps: np.ndarray
    values: np.ndarray


class AlphaInfo(NamedTuple):
    """Mixing weights (E, O) with the names of their rows (`parent → node`) and columns, and the step they are from."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    weights: np.ndarray
    step: int


def curves_info(events: Sequence[Event], stage: str, metrics: Sequence[str]) -> tuple[Curve, ...]:
    """Finite values of a stage by metric, thinned evenly to 400 points with the last kept; metrics never seen are left out.

    Steps that a resumed stage did again are drawn once.
    """
    here = without_redone(event for event in events if event.stage == stage)
    curves = []
    for metric in metrics:
        pairs = [(e.step, e.values[metric]) for e in here if np.isfinite(e.values.get(metric, np.nan))]
        if pairs:
            steps, values = np.array(pairs, float)[_thin(len(pairs))].T
            curves.append(Curve(metric, steps, values))
    return tuple(curves)


def alpha_info(events: Sequence[Event], stage: str, space: SearchSpace) -> AlphaInfo | None:
    """The stage's latest picture of α that fits the space, None if it reported none."""
    shape = [len(space.operations)] * len(space.edges)
    for event in reversed(events):
        if event.stage == stage and [len(row) for row in event.alpha] == shape:
            return AlphaInfo(
                _edge_names(space), tuple(map(word, space.operations)), np.array(event.alpha, float), event.step
            )
    return None


def plot_curves(curves: Sequence[Curve], sentence: str, *, dark: bool, each: bool = False) -> go.Figure:
    """Values against steps, on a log axis when all are positive and spread over more than a factor 30.

    With `each`, a step is a network of its own: points that no line may join.
    """
    units = {METRICS[c.metric].unit for c in curves if c.metric in METRICS and METRICS[c.metric].unit}
    unit = " / ".join(sorted(units))
    name = f"{_name(curves[0].metric)}{f' ({unit})' if unit else ''}" if len(curves) == 1 else unit
    scale = {"type": "log", "tickformat": "~g"} if _wide(curves) else {"type": "linear"}
    layout = {
        "xaxis": {**title("networks done" if each else "step"), "rangemode": "tozero"},
        "yaxis": {**title(name), **scale},
        "height": 280,
        "hovermode": "x unified",
        "margin": {"t": 40},
    }
    return figure(
        [_line(curve, joined=not each) for curve in curves], layout, dark=dark, sentence="" if curves else sentence
    )


def _line(curve: Curve, *, joined: bool) -> Literal:
    color, dash = LINES.get(curve.metric, (OKABE_ITO["purple"], "solid"))
    return {
        "type": "scatter",
        "x": curve.steps,
        "y": curve.values,
        "mode": "lines" if joined and len(curve.steps) > 1 else "markers",
        "name": _name(curve.metric),
        "line": {"color": color, "dash": dash, "width": 2},
    }


def _name(metric: str) -> str:
    return METRICS[metric].name if metric in METRICS else metric


def plot_alpha(info: AlphaInfo | None, *, dark: bool) -> go.Figure:
    """Weights as a heat map; each row's largest is written out, so that the preference is not told by colour alone."""
    bare = {"ticks": "", "showline": False, "showgrid": False, "zeroline": False}
    layout = {
        "xaxis": {**bare, "side": "top", "tickangle": -30},
        "yaxis": {**bare, "autorange": "reversed"},
        "height": max(280, 22 * (len(info.rows) if info else 0) + 110),
        "margin": {"t": 88, "b": 16, "l": 64},
    }
    if info is None:
        return figure([], layout, dark=dark, sentence="This stage reports no picture of α yet.")
    largest = info.weights == info.weights.max(-1, keepdims=True)
    heat = {
        "type": "heatmap",
        "z": info.weights,
        "x": info.columns,
        "y": info.rows,
        "zmin": 0,
        "zmax": max(1e-9, float(np.nanmax(info.weights))),
        "colorscale": ALPHA_SCALE["dark" if dark else "light"],
        "text": np.where(largest, np.char.mod("%.2f", info.weights), ""),
        "texttemplate": "%{text}",
        "xgap": 1,
        "ygap": 1,
        "showscale": False,
        "hovertemplate": "edge %{y}<br>%{x}: %{z:.3f}<extra></extra>",
    }
    return figure([heat], layout, dark=dark)


def _edge_names(space: SearchSpace) -> tuple[str, ...]:
    several = len(space.cells) > 1
    return tuple(f"{e.cell + ' ' if several else ''}{e.parent} → {e.node}" for e in space.edges)


def _thin(count: int) -> np.ndarray:
    return np.unique(np.linspace(0, count - 1, min(count, MOST_POINTS)).round().astype(int))


def _wide(curves: Sequence[Curve]) -> bool:
    values = np.concatenate([curve.values for curve in curves]) if curves else np.ones(1)
    return bool(values.min() > 0 and values.max() / values.min() > 30)
