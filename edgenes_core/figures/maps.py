"""The map of cells: where visited and sampled cells lie, the path along λ among them, and their true neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from edgenes_core.architecture import Architecture, edit_distance
from edgenes_core.figures.build import Literal, figure
from edgenes_core.figures.theme import ink

METHODS = {"pca": "PCA", "mds": "MDS", "umap": "UMAP"}
# Light to dark for few to many shared edges, readable without colour vision (ends of cividis, cut where it meets a background).
SCALE = [[0.0, "#d9c44f"], [0.5, "#7d8a8f"], [1.0, "#0b4f9e"]]
SIZES = {"base": 20, "pool": 17, "path": 17, "random": 6}
CROWDED = 60  # path cells beyond which numbers in the markers would cover each other
SHAPES = {"base": "star", "pool": "circle", "path": "diamond", "random": "x-thin"}
NAMES = {
    "base": "base cell α*",
    "pool": "on the λ path, retrained",
    "path": "on the λ path",
    "random": "sampled at random",
}


class MapInfo(NamedTuple):
    """Arrays over P cells: position, role, shared edges, λ (NaN off the path), how many duplicates each stands for.

    `path` holds the rows of the λ path in order of λ; a cell the path returns to occurs twice. `trust` is the map's
    trustworthiness, None if it was not measured.
    """

    method: str
    keys: tuple[str, ...]
    x: np.ndarray
    y: np.ndarray
    roles: tuple[str, ...]
    shared: np.ndarray
    lam: np.ndarray
    copies: np.ndarray
    path: np.ndarray
    trust: float | None
    lambda_max: int


class Neighbour(NamedTuple):
    """A cell near another one: its row, the edits between them, and how near the map puts it (1 = nearest)."""

    row: int
    edits: int
    map_rank: int


def methods_of(embedding: Mapping[str, np.ndarray]) -> tuple[str, ...]:
    """Maps that were stored, quickest first."""
    return tuple(method for method in METHODS if method in embedding)


def map_info(
    embedding: Mapping[str, np.ndarray], method: str, path_keys: Sequence[str] = (), lambda_max: int = 4
) -> MapInfo:
    """One stored map; without `path_keys` the λ path is read off the stored λ of its cells."""
    keys = tuple(str(key) for key in embedding["keys"])
    rows = {key: row for row, key in enumerate(keys)}
    lam = np.asarray(embedding["lam"], float)
    path = [rows[key] for key in path_keys if key in rows]
    if not path_keys:
        on_path = np.flatnonzero(np.isfinite(lam))
        path = on_path[np.argsort(lam[on_path], kind="stable")].tolist()
    xy = np.asarray(embedding[method], float).reshape(-1, 2)
    trust = embedding.get(f"trust_{method}")
    return MapInfo(
        method,
        keys,
        xy[:, 0],
        xy[:, 1],
        tuple(role if role in SHAPES else "random" for role in map(str, embedding["role"])),
        np.asarray(embedding["shared"], int),
        lam,
        np.asarray(embedding["count"], int),
        np.array(path, int),
        float(trust) if trust is not None and np.isfinite(trust) else None,
        lambda_max,
    )


def neighbours(info: MapInfo, architectures: Sequence[Architecture], row: int, count: int = 8) -> list[Neighbour]:
    """The cells fewest edits away, in truth and not on the map; of equals, those on the λ path come first."""
    apart = np.hypot(info.x - info.x[row], info.y - info.y[row])
    apart[row] = -1  # the cell itself comes before any other
    rank = np.argsort(np.argsort(apart, kind="stable"), kind="stable")
    here = architectures[row]
    found = [
        Neighbour(i, edit_distance(here, other), int(rank[i])) for i, other in enumerate(architectures) if i != row
    ]
    return sorted(found, key=lambda n: (n.edits, info.roles[n.row] == "random", n.row))[:count]


def plot_map(info: MapInfo, *, dark: bool) -> go.Figure:
    """Shape = role, colour and number = shared edges with α*, size = duplicates, line = the λ path. Clicks carry the key."""
    traces = [*_points(info, "random", dark=dark), _path(info, dark=dark)]
    for role in ("path", "pool", "base"):
        traces += _points(info, role, dark=dark)
    # Directions and absolute places mean nothing on a map: no ticks, no grid, but one scale for both axes.
    bare = {"showticklabels": False, "ticks": "", "showgrid": False, "zeroline": False, "mirror": True}
    bare["linecolor"] = ink(dark=dark).grid
    layout = {
        "xaxis": bare,
        "yaxis": {**bare, "scaleanchor": "x"},
        "coloraxis": _scale(info),
        "height": 540,
        "hovermode": "closest",
        "margin": {"t": 56, "l": 8, "r": 8, "b": 64},
    }
    return figure(traces, layout, dark=dark, sentence="" if info.keys else "No cell has been placed yet.")


def _path(info: MapInfo, *, dark: bool) -> Literal:
    return {
        "type": "scatter",
        "x": info.x[info.path],
        "y": info.y[info.path],
        "mode": "lines",
        "name": "λ path, from λ = 0 to Λ",
        "line": {"color": ink(dark=dark).text, "width": 1.8},
        "opacity": 0.75,
        "hoverinfo": "skip",
    }


def _points(info: MapInfo, role: str, *, dark: bool) -> list[Literal]:
    """The cells of one role, coloured, and a colourless twin: the legend explains shapes, colours have their own scale."""
    rows, tone, symbol = [i for i, r in enumerate(info.roles) if r == role], ink(dark=dark), SHAPES[role]
    crowded = role in ("path", "pool") and len(info.path) > CROWDED
    outline = {"width": 1.5, "color": tone.text}
    if role == "random":  # a thin cross is all outline
        outline = {"width": 1.5, "color": info.shared[rows], "coloraxis": "coloraxis"}
    cells = {
        "type": "scatter",
        "x": info.x[rows],
        "y": info.y[rows],
        "mode": "markers" if role == "random" or crowded else "markers+text",
        "text": ["α*" if role == "base" else str(info.shared[i]) for i in rows],
        "textposition": "top center" if role == "base" else "middle center",
        "textfont": {"color": tone.text if role == "base" else [_on(info, i) for i in rows], "size": 12},
        "marker": {
            "symbol": symbol,
            "size": marker_sizes(info.copies[rows], SIZES[role] * (0.6 if crowded else 1)),
            "color": info.shared[rows],
            "coloraxis": "coloraxis",
            "opacity": 0.75 if role == "random" else 1,
            "line": outline,
        },
        "customdata": [info.keys[i] for i in rows],
        "hovertext": [_hover(info, i) for i in rows],
        "hoverinfo": "text",
        "legendgroup": role,
        "showlegend": False,
    }
    shape = {"symbol": symbol, "size": 10, "color": tone.muted, "line": {"width": 1.5, "color": tone.muted}}
    twin = {"type": "scatter", "x": [None], "y": [None], "mode": "markers", "marker": shape}
    return [cells, {**twin, "name": NAMES[role], "legendgroup": role}]


def _on(info: MapInfo, i: int) -> str:
    """Ink that is readable on the colour of a cell's marker."""
    return "#ffffff" if info.shared[i] > info.lambda_max / 2 else "#1c2430"


def marker_sizes(copies: np.ndarray, smallest: float) -> np.ndarray:
    """Diameters whose growth is logarithmic in the number of duplicates, at most doubled: never smaller for more."""
    return smallest * np.minimum(2.0, 1 + 0.25 * np.log2(np.maximum(copies, 1)))


def _scale(info: MapInfo) -> Literal:
    ticks = sorted({round(info.lambda_max * part / 4) for part in range(5)})
    words = {0: "0: most different", info.lambda_max: f"Λ = {info.lambda_max}: α* itself"}
    bar = {
        "title": {"text": "edges shared with α*", "side": "top", "font": {"size": 13}},
        "orientation": "h",
        "x": 0.5,
        "y": -0.02,
        "yanchor": "top",
        "tickvals": ticks,
        "ticktext": [words.get(t, str(t)) for t in ticks],
        "tickangle": 0,
        "thickness": 10,
        "len": 0.7,
        "outlinewidth": 0,
    }
    return {"colorscale": SCALE, "cmin": 0, "cmax": info.lambda_max, "colorbar": bar}


def _hover(info: MapInfo, i: int) -> str:
    lam = f"<br>λ ≈ {info.lam[i]:.2f}" if np.isfinite(info.lam[i]) else ""
    many = f"<br>met {info.copies[i]} times" if info.copies[i] > 1 else ""
    return f"<b>{info.keys[i]}</b><br>{NAMES.get(info.roles[i], info.roles[i])}<br>shared edges: {info.shared[i]}{lam}{many}"
