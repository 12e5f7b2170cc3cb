"""What is taken for what: the confusion matrix, its mistakes in colour and its diagonal in plain numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from edgenes_core.figures.build import Literal, figure, plain, title
from edgenes_core.figures.theme import OKABE_ITO, ink
from edgenes_core.figures.together import BAR, cell_text, scale, written
from edgenes_core.instances import rates

MOST_NUMBERS = 20  # classes whose cells are written out and named
SIDE, LARGE = 430, 640  # pixels, of few and of many classes


def cell_id(true: int, named: int) -> str:
    """The id of a cell that can be clicked."""
    return f"{true},{named}"


def plot_confusion(counts: np.ndarray, names: Sequence[str], by: str, *, dark: bool, marked: str = "") -> go.Figure:
    """Rows are true classes, columns what the team says; `by` is counts or rates (shares of each true class, in %)."""
    classes, share, names = len(counts), rates(counts) * 100, [plain(name) for name in names]
    values = share if by == "rates" else counts.astype(float)
    small, tone = classes <= MOST_NUMBERS, ink(dark=dark)
    every = list(range(classes)) if small else list(range(0, classes, 10))
    numbered = "" if small else " (its number)"
    axis: Literal = {"showgrid": False, "zeroline": False, "showline": False, "ticks": "", "tickvals": every}
    axis |= {
        "ticktext": [names[k] if small else str(k) for k in every],
        "range": [-0.5, classes - 0.5],
        "constrain": "domain",
    }
    layout: Literal = {
        "xaxis": {**axis, **title(f"the team says{numbered}"), "side": "top", "tickangle": -40 if small else 0},
        "yaxis": {**axis, **title(f"true class{numbered}"), "range": [classes - 0.5, -0.5], "scaleanchor": "x"},
        "height": SIDE if small else LARGE,
        "margin": {"t": 60, "b": 12, "l": 40, "r": 8},
        "showlegend": False,
    }
    wrong = ~np.eye(classes, dtype=bool) & (counts > 0)
    colours = np.where(wrong, values, np.nan)
    traces: list[Literal] = []
    high = float(np.nanmax(colours)) if wrong.any() else 1.0
    if wrong.any():
        traces.append(
            {
                "type": "heatmap",
                "z": colours,
                "zmin": 0,
                "zmax": high,
                "colorscale": scale(dark=dark),
                "showscale": not small,
                "colorbar": {**BAR, "tickfont": {"color": tone.muted}},
                "hoverinfo": "skip",
                "xgap": 1 if small else 0,
                "ygap": 1 if small else 0,
            }
        )
    if small:
        cells = list(zip(*counts.nonzero(), strict=True))
        texts = [(j, i, f"{values[i, j]:.{int(by == 'rates')}f}") for i, j in cells]
        traces.append(cell_text(texts, [written(colours[cell], 0, high, dark=dark) for cell in cells]))
    return figure([*traces, _targets(counts, share, names, marked, dark=dark)], layout, dark=dark)


def _targets(counts: np.ndarray, share: np.ndarray, names: Sequence[str], marked: str, *, dark: bool) -> Literal:
    """Points that nobody sees on all cells with images: a heat map alone cannot be clicked."""
    cells = [(int(i), int(j)) for i, j in zip(*counts.nonzero(), strict=True)]
    ids = [cell_id(i, j) for i, j in cells]
    line = [3 if name == marked else 0 for name in ids]
    return {
        "type": "scatter",
        "x": [j for _, j in cells],
        "y": [i for i, _ in cells],
        "mode": "markers",
        "customdata": ids,
        "hovertext": [
            f"{names[i]} taken for {names[j]}: {counts[i, j]} of {counts[i].sum()} ({share[i, j]:.1f} %)"
            if i != j
            else f"{names[i]} known: {counts[i, i]} of {counts[i].sum()} ({share[i, i]:.1f} %)"
            for i, j in cells
        ],
        "hoverinfo": "text",
        "marker": {
            "symbol": "square",
            "size": float(np.clip(0.6 * SIDE / len(counts), 6, 30)),
            "color": "rgba(0,0,0,0)",
            "line": {"width": line, "color": OKABE_ITO["vermillion"] if not dark else OKABE_ITO["orange"]},
        },
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}},
    }
