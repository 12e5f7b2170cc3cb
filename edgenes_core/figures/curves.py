"""Curves over λ: what was asked for and what came out, and the weights α(λ), β(λ) behind each choice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from edgenes_core.figures.build import Literal, figure, title
from edgenes_core.figures.cells import CELL_WORD, OPERATION, place
from edgenes_core.figures.theme import OKABE_ITO, ink
from edgenes_core.lambda_path import Knots, LambdaPath, split_logits
from edgenes_core.space import SearchSpace

TOLERANCE = 0.5
GRID = 241
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "2px 6px")
PARENT_COLORS = ("blue", "vermillion", "green", "purple", "orange", "sky", "grey")


class Calibration(NamedTuple):
    """Steps of achieved shared edges (2I,), the soft count on its grid (G,), and how far λ is missed.

    error: mean of |λ − shared| over all λ, exact; off: share of λ that miss by more than 0.5.
    """

    lambda_max: int
    lam: np.ndarray
    shared: np.ndarray
    soft_lam: np.ndarray
    soft_count: np.ndarray
    error: float
    off: float


class Traces(NamedTuple):
    """Weights (G, L) of L competing choices over λ (G,); positions of the knots inside [0, Λ]."""

    lam: np.ndarray
    weight: np.ndarray
    names: tuple[str, ...]
    colors: tuple[tuple[str, str], ...]
    knots: np.ndarray


def calibration_info(path: LambdaPath, soft_lam: np.ndarray, soft_count: np.ndarray) -> Calibration:
    """Requested λ against achieved shared edges, from the exact path."""
    lo = np.array([interval.lo for interval in path.intervals])
    hi = np.array([interval.hi for interval in path.intervals])
    m = np.array([interval.shared for interval in path.intervals])
    area = ((hi - m) * abs(hi - m) - (lo - m) * abs(lo - m)) / 2  # ∫|λ − m| dλ over each stretch
    near = np.clip(np.minimum(hi, m + TOLERANCE) - np.maximum(lo, m - TOLERANCE), 0, None)
    return Calibration(
        path.lambda_max,
        np.stack([lo, hi], 1).ravel(),
        np.repeat(m, 2),
        soft_lam,
        soft_count,
        float(area.sum() / path.lambda_max),
        float(1 - near.sum() / path.lambda_max),
    )


def operations_info(space: SearchSpace, knots: Knots, edge: int) -> Traces:
    """softmax(α) over the operations of candidate edge number `edge`."""
    lam = _grid(knots, space.lambda_max)
    alpha, _ = split_logits(space, knots.at(lam))
    styles = [OPERATION[name] for name in space.operations]
    names, colors = tuple(s.word for s in styles), tuple((s.light, s.dark) for s in styles)
    return Traces(lam, _softmax(alpha[:, edge]), names, colors, _inside(knots, space.lambda_max))


def parents_info(space: SearchSpace, knots: Knots, slot: int) -> Traces:
    """softmax(β) over the possible inputs of node number `slot` of `SearchSpace.slots`."""
    lam = _grid(knots, space.lambda_max)
    _, beta = split_logits(space, knots.at(lam))
    parents = range(space.slots[slot][1])
    colors = tuple((OKABE_ITO[PARENT_COLORS[p % 7]],) * 2 for p in parents)
    names = tuple(place(p) for p in parents)
    return Traces(lam, _softmax(beta[:, space.slices[slot]]), names, colors, _inside(knots, space.lambda_max))


def plot_calibration(info: Calibration, cursor: float, *, dark: bool) -> go.Figure:
    """λ → shared edges as steps, the soft count, the diagonal of perfect obedience, and the λ chosen now."""
    span, top = [0, info.lambda_max], info.lambda_max
    asked = {"color": ink(dark=dark).muted, "width": 1, "dash": "dot"}
    soft = {"color": OKABE_ITO["vermillion"], "width": 2, "dash": "dash"}
    exact = {"color": OKABE_ITO["sky" if dark else "blue"], "width": 3}
    traces = [
        _line(span, span, "asked for", asked),
        _line(info.soft_lam, info.soft_count, "soft count s̃(λ)", soft, "λ %{x:.2f}: s̃ = %{y:.2f}"),
        _line(info.lam, info.shared, "shared edges m (exact)", exact, "λ %{x:.3f}: %{y} shared"),
    ]
    layout: Literal = {
        "xaxis": {**title(_axis(top)), "range": [-0.02 * top, 1.02 * top]},
        "yaxis": {**title("edges shared with α*"), "range": [-0.06 * top, 1.08 * top]},
        "shapes": [_cursor(cursor, dark=dark)],
    }
    return figure(traces, layout, dark=dark)


def plot_traces(info: Traces, cursor: float, *, dark: bool) -> go.Figure:
    """One line per choice; the highest is taken, so a crossing is where the cell can change."""
    traces = [
        _line(info.lam, info.weight[:, index], name, line, "λ %{x:.2f}: %{y:.2f}")
        for index, (name, colors) in enumerate(zip(info.names, info.colors, strict=True))
        for line in [{"color": colors[dark], "width": 2.2, "dash": DASHES[index % len(DASHES)]}]
    ]
    knots: Literal = {
        "type": "scatter",
        "x": info.knots,
        "y": np.zeros(len(info.knots)),
        "mode": "markers",
        "name": "knots",
        "hovertemplate": "knot at λ = %{x:.2f}",
        "marker": {"symbol": "diamond", "color": ink(dark=dark).muted, "size": 7},
        "cliponaxis": False,
    }
    layout: Literal = {
        "xaxis": {**title(_axis(info.lam[-1])), "range": [info.lam[0], info.lam[-1]]},
        "yaxis": {**title("weight"), "range": [0, 1.02]},
        "shapes": [_cursor(cursor, dark=dark)],
    }
    return figure([*traces, knots], layout, dark=dark)


def _line(
    x: Sequence[float] | np.ndarray, y: Sequence[float] | np.ndarray, name: str, line: Literal, hover: str = ""
) -> Literal:
    drawn: Literal = {"type": "scatter", "x": x, "y": y, "mode": "lines", "name": name, "line": line}
    return {**drawn, "hovertemplate": hover} if hover else drawn


def _axis(lambda_max: float) -> str:
    return f"requested λ (0: most different, {lambda_max:g}: α* itself)"


def _cursor(lam: float, *, dark: bool) -> Literal:
    """The λ chosen now."""
    line = {"color": ink(dark=dark).text, "width": 1.5}
    return {"type": "line", "x0": lam, "x1": lam, "xref": "x", "y0": 0, "y1": 1, "yref": "y domain", "line": line}


def _grid(knots: Knots, lambda_max: int) -> np.ndarray:
    """Evenly spaced λ with the knots among them, so that no kink is cut off."""
    return np.union1d(np.linspace(0, lambda_max, GRID), _inside(knots, lambda_max))


def _inside(knots: Knots, lambda_max: int) -> np.ndarray:
    return knots.positions[(knots.positions >= 0) & (knots.positions <= lambda_max)]


def _softmax(logits: np.ndarray) -> np.ndarray:
    shifted = np.exp(logits - logits.max(-1, keepdims=True))
    return shifted / shifted.sum(-1, keepdims=True)


def slot_name(space: SearchSpace, slot: int) -> str:
    """Plain name of a node that chooses its inputs."""
    cell, node = space.slots[slot]
    return place(node) if len(space.cells) == 1 else f"{place(node)}, {CELL_WORD[cell]}"


def edge_name(space: SearchSpace, edge: int) -> str:
    """Plain name of a candidate edge."""
    cell, node, parent = space.edges[edge]
    return f"{place(parent)} → {place(node)}" + ("" if len(space.cells) == 1 else f", {CELL_WORD[cell]}")
