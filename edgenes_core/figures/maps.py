"""The map of cells: where visited and sampled cells lie, the path along λ among them, and their true neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from edgenes_core.architecture import Architecture, edit_distance
from edgenes_core.figures.planes import note
from edgenes_core.figures.theme import ink, layout

METHODS = {"pca": "PCA", "mds": "MDS", "umap": "UMAP"}
# Light to dark for few to many shared edges, readable without colour vision (ends of cividis, cut where it meets a background).
SCALE = [[0.0, "#d9c44f"], [0.5, "#7d8a8f"], [1.0, "#0b4f9e"]]
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
    """A cell near another one: its row on the map, and the edits between them."""

    row: int
    edits: int


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


def neighbours(architectures: Sequence[Architecture], row: int, count: int = 8) -> list[Neighbour]:
    """The cells fewest edits away from one of them, in every dimension: what a map can only approximate. Ties by row."""
    here = architectures[row]
    found = [Neighbour(i, edit_distance(here, other)) for i, other in enumerate(architectures) if i != row]
    return sorted(found, key=lambda n: (n.edits, n.row))[:count]


def plot_map(info: MapInfo, *, dark: bool) -> go.Figure:
    """Shape = role, colour and number = shared edges with α*, size = duplicates, line = the λ path. Clicks carry the key."""
    fig = go.Figure()
    _points(fig, info, "random", dark=dark)
    _path(fig, info, dark=dark)
    for role in ("path", "pool", "base"):
        _points(fig, info, role, dark=dark)
    _scale(fig, info)
    if not info.keys:
        note(fig, "No cell has been placed yet.", dark=dark)
    layout(fig, dark=dark)
    # Directions mean nothing on a map, so it has no ticks; both axes keep one scale so that distances can be compared.
    fig.update_xaxes(showticklabels=False, ticks="", showline=False, zeroline=False, title=f"{METHODS[info.method]} 1")
    fig.update_yaxes(
        showticklabels=False,
        ticks="",
        showline=False,
        zeroline=False,
        scaleanchor="x",
        title=f"{METHODS[info.method]} 2",
    )
    return fig.update_layout(height=560, hovermode="closest", margin={"t": 56, "l": 32, "b": 36})


def _path(fig: go.Figure, info: MapInfo, *, dark: bool) -> None:
    fig.add_scatter(
        x=info.x[info.path],
        y=info.y[info.path],
        mode="lines",
        name="λ path, from λ = 0 to Λ",
        line={"color": ink(dark=dark).text, "width": 1.8},
        opacity=0.75,
        hoverinfo="skip",
    )


def _points(fig: go.Figure, info: MapInfo, role: str, *, dark: bool) -> None:
    rows = [i for i, r in enumerate(info.roles) if r == role]
    on_path = role != "random"
    fig.add_scatter(
        x=info.x[rows],
        y=info.y[rows],
        mode="markers+text" if on_path else "markers",
        text=["α*" if role == "base" else str(info.shared[i]) for i in rows] if on_path else None,
        textposition="top center",
        textfont={"color": ink(dark=dark).text, "size": 13},
        name=NAMES[role],
        marker={
            "symbol": SHAPES[role],
            "size": marker_sizes(info.copies[rows], {"base": 20, "pool": 14, "path": 12}.get(role, 6)),
            "color": info.shared[rows],
            "coloraxis": "coloraxis",
            "opacity": 1 if on_path else 0.75,
            "line": {"width": 1.5, "color": info.shared[rows] if not on_path else ink(dark=dark).text},
        },
        customdata=[info.keys[i] for i in rows],
        hovertext=[_hover(info, i) for i in rows],
        hoverinfo="text",
        showlegend=bool(rows),
    )
    if not on_path:  # a thin cross is all outline: it takes its colour from the same axis
        fig.data[-1].marker.line.coloraxis = "coloraxis"


def marker_sizes(copies: np.ndarray, smallest: float) -> np.ndarray:
    """Diameters whose growth is logarithmic in the number of duplicates, at most doubled: never smaller for more."""
    return smallest * np.minimum(2.0, 1 + 0.25 * np.log2(np.maximum(copies, 1)))


def _scale(fig: go.Figure, info: MapInfo) -> None:
    ticks = list(range(info.lambda_max + 1))
    words = {0: " most different", info.lambda_max: " as α*"}
    fig.update_layout(
        coloraxis={
            "colorscale": SCALE,
            "cmin": 0,
            "cmax": info.lambda_max,
            "colorbar": {
                "title": {"text": "shared edges<br>with α*"},
                "tickvals": ticks,
                "ticktext": [f"{t}{words.get(t, '')}" for t in ticks],
                "thickness": 14,
                "len": 0.6,
                "outlinewidth": 0,
            },
        }
    )


def _hover(info: MapInfo, i: int) -> str:
    lam = f"<br>λ ≈ {info.lam[i]:.2f}" if np.isfinite(info.lam[i]) else ""
    many = f"<br>met {info.copies[i]} times" if info.copies[i] > 1 else ""
    return f"<b>{info.keys[i]}</b><br>{NAMES.get(info.roles[i], info.roles[i])}<br>shared edges: {info.shared[i]}{lam}{many}"
