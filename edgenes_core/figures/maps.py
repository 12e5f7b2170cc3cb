"""The map of cells: where visited and sampled cells lie, the path along λ among them, and which of them are chosen for what."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import plotly.graph_objects as go

from edgenes_core.cell_map import CellMap
from edgenes_core.figures.build import Literal, figure
from edgenes_core.figures.labels import Offset, place
from edgenes_core.figures.map_parts import (
    NOTHING,
    PARTS,
    RINGS,
    Marks,
    covered_numbers,
    hover_texts,
    marker_sizes,
    pixels,
    role_of,
)
from edgenes_core.figures.theme import Ink, ink

# Light to dark for few to many shared edges, readable without colour vision (ends of cividis, cut where it meets a background).
SCALE = [[0.0, "#d9c44f"], [0.5, "#7d8a8f"], [1.0, "#0b4f9e"]]
HEIGHT = 470
CROWDED = 60  # path cells beyond which numbers in the markers would cover each other


def plot_map(shown: CellMap, marks: Marks = NOTHING, selected: Iterable[str] = (), *, dark: bool) -> go.Figure:
    """Shape = part, colour and number = edges shared with α*, size = duplicates, line = the λ path, ring = chosen for something.

    A point's customdata is its architecture key; the selected ones are marked, if any of them is on the map.
    """
    chosen, tone = set(selected) & set(shown.keys), ink(dark=dark)
    hover, covered = hover_texts(shown, marks), covered_numbers(shown)
    drawn = {role: _part(shown, role, chosen, hover, covered, tone) for role in PARTS}
    traces = [drawn["random"], drawn["control"], drawn["imported"], _path(shown, tone)]
    traces += [drawn["path"], drawn["pool"], drawn["base"]]
    traces += [_shape(role, tone) for role in PARTS if any(role_of(cell) == role for cell in shown.cells)]
    traces += [ring for name in RINGS for ring in _ring(shown, name, marks, tone)]
    # Directions and absolute places mean nothing on a map: no ticks, no grid, but one scale for both axes.
    bare = {"showticklabels": False, "ticks": "", "showgrid": False, "zeroline": False, "mirror": True}
    bare["linecolor"] = tone.grid
    layout = {
        "xaxis": bare,
        "yaxis": {**bare, "scaleanchor": "x"},
        "coloraxis": _scale(shown),
        "annotations": _words(shown, marks, tone),
        "height": HEIGHT,
        "hovermode": "closest",
        "margin": {"t": 32, "l": 8, "r": 8, "b": 8},  # the mode bar's row
        "legend": {
            "font": {"size": 12},
            "itemwidth": 30,
            "y": -0.01,
            "yanchor": "top",
            "itemclick": False,
            "itemdoubleclick": False,
        },
    }
    traces = [trace for trace in traces if len(trace["x"])]
    return figure(traces, layout, dark=dark, sentence="" if shown.cells else "No cell has been placed yet.")


def _part(shown: CellMap, role: str, chosen: set[str], hover: list[str], covered: frozenset[int], tone: Ink) -> Literal:
    """The cells of one role, coloured; without a place in the legend, where shapes are explained without colour."""
    rows, part = [i for i, cell in enumerate(shown.cells) if role_of(cell) == role], PARTS[role]
    crowded = part.numbered and len(shown.path) > CROWDED
    shared = [shown.cells[i].shared for i in rows]
    outline: Literal = {"width": 1.5, "color": tone.text}
    if role == "random":  # a thin cross is all outline
        outline = {"width": 1.5, "color": shared, "coloraxis": "coloraxis"}
    copies = np.array([shown.cells[i].count for i in rows], int)
    return {
        "type": "scatter",
        "x": shown.xy[rows, 0],
        "y": shown.xy[rows, 1],
        "mode": "markers+text" if part.numbered and not crowded else "markers",
        "text": ["" if i in covered else str(n) for i, n in zip(rows, shared, strict=True)],
        "textposition": "middle center",
        "textfont": {"color": [_on(shown, n) for n in shared], "size": 12},
        "marker": {
            "symbol": part.symbol,
            "size": marker_sizes(copies, part.size * (0.6 if crowded else 1)),
            "color": shared,
            "coloraxis": "coloraxis",
            "opacity": 0.8 if role == "random" else 1,
            "line": outline,
        },
        "selectedpoints": [at for at, i in enumerate(rows) if shown.keys[i] in chosen] if chosen else None,
        "selected": {"marker": {"opacity": 1, "size": 13 if role == "random" else part.size + 5}},
        "unselected": {"marker": {"opacity": 0.35}, "textfont": {"color": tone.text}},
        "customdata": [shown.keys[i] for i in rows],
        "hovertext": [hover[i] for i in rows],
        "hoverinfo": "text",
        "showlegend": False,
    }


def _shape(role: str, tone: Ink) -> Literal:
    """A role's place in the legend."""
    part = PARTS[role]
    marker = {"symbol": part.symbol, "size": 10, "color": tone.muted, "line": {"width": 1.5, "color": tone.muted}}
    return {"type": "scatter", "x": [None], "y": [None], "mode": "markers", "marker": marker, "name": part.name}


def _path(shown: CellMap, tone: Ink) -> Literal:
    """The λ path with an arrow in the middle of each step, towards Λ."""
    places = shown.xy[list(shown.path)]
    between = (places[1:] + places[:-1]) / 2
    points = np.empty((max(0, 2 * len(places) - 1), 2))
    points[::2], points[1::2] = places, between
    return {
        "type": "scatter",
        "x": points[:, 0],
        "y": points[:, 1],
        "mode": "lines+markers",
        "name": "λ path 0→Λ",
        "line": {"color": tone.muted, "width": 1.8},
        "marker": {
            "symbol": "arrow",
            "angleref": "previous",
            "size": [10 if at % 2 else 0 for at in range(len(points))],
            "color": tone.muted,
            "opacity": 1,
        },
        "unselected": {"marker": {"opacity": 1}},
        "hoverinfo": "skip",
        "showlegend": len(points) > 1,
    }


def _ring(shown: CellMap, name: str, marks: Marks, tone: Ink) -> list[Literal]:
    """Rings around the cells that are in one thing; none where there is no such cell."""
    keys = {"member": shown.members, "basket": marks.basket, "pin": {marks.pin}}[name]
    rows, ring = [i for i, key in enumerate(shown.keys) if key in keys], RINGS[name]
    if not rows:
        return []
    marker = {"symbol": ring.symbol, "size": ring.size, "color": tone.text, "line": {"width": 1.8}}
    drawn = {"type": "scatter", "mode": "markers", "hoverinfo": "skip", "unselected": {"marker": {"opacity": 1}}}
    around = {"x": shown.xy[rows, 0], "y": shown.xy[rows, 1], "marker": marker, "showlegend": False}
    legend = {"x": [None], "y": [None], "marker": {**marker, "size": 12}, "name": ring.name}
    return [{**drawn, **around}, {**drawn, **legend}]


def _words(shown: CellMap, marks: Marks, tone: Ink) -> list[Literal]:
    """The ends of the path, B and the cell at λ, in words beside their points, where there is room."""
    rows = {key: row for row, key in enumerate(shown.keys)}
    said = {i: ["α*, λ = Λ"] for i, cell in enumerate(shown.cells) if role_of(cell) == "base"}
    if shown.path:
        said.setdefault(shown.path[0], ["λ = 0"])
    if marks.pin in rows:
        said.setdefault(rows[marks.pin], []).insert(0, "<b>B</b>")
    if marks.at_lam in rows:
        said.setdefault(rows[marks.at_lam], []).append(f"you are at λ = {marks.lam:.2f}")
    texts, places = [" · ".join(parts) for parts in said.values()], pixels(shown)
    beside = []
    if said:  # words may lie over random cells, not over others and the line
        solid = [i for i, cell in enumerate(shown.cells) if role_of(cell) != "random" and i not in said]
        drawn = np.vstack([places[[*said, *solid]], *_along(places[list(shown.path)])])
        beside = place(range(len(said)), texts, drawn, places, Offset(*np.ptp(places, axis=0)))
    line = {"showarrow": True, "arrowhead": 0, "arrowwidth": 1, "arrowcolor": tone.muted, "standoff": 12}
    line["font"] = {"color": tone.text, "size": 13}
    return [
        {"x": x, "y": y, "text": text, "ax": at.x, "ay": at.y, **line}
        for (x, y), text, at in zip(shown.xy[list(said)].tolist(), texts, beside, strict=True)
    ]


def _along(corners: np.ndarray) -> list[np.ndarray]:
    """Points on the lines between neighbouring corners (K, 2)."""
    steps = np.linspace(0, 1, 9)[:, None]
    return [(1 - steps) * start + steps * end for start, end in pairwise(corners)]


def _on(shown: CellMap, shared: int) -> str:
    """Ink that is readable on the colour of a cell's marker."""
    return "#ffffff" if shared > shown.lambda_max / 2 else "#1c2430"


def _scale(shown: CellMap) -> Literal:
    top = shown.lambda_max
    ticks = sorted({round(top * part / 4) for part in range(5)})
    words = {0: "0", top: f"Λ = {top}"}
    bar = {
        "title": {"text": "edges shared with α*", "side": "right", "font": {"size": 12}},
        "tickvals": ticks,
        "ticktext": [words.get(t, str(t)) for t in ticks],
        "thickness": 10,
        "len": 0.9,
        "outlinewidth": 0,
        "x": 1.0,
        "xpad": 6,
    }
    return {"colorscale": SCALE, "cmin": 0, "cmax": top, "colorbar": bar}
