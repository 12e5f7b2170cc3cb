"""A map of cells as the page, its snippet and the job make it: positions, how far to trust them, true neighbours.

UMAP compiles for ten seconds, so it is drawn by the job alone and read here. PCA and MDS are instant: where none is stored (runs
of earlier versions, networks that came later) they are made when they are looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

import numpy as np

from edgenes_core import EdgeNESError, embeddings
from edgenes_core.cell_distances import DISTANCES, Cells, MappedCell, cells_of
from edgenes_core.embeddings import EmbeddingError
from edgenes_core.run_folder import Run

NEIGHBOURS = 15  # UMAP's and trustworthiness' neighbourhood


class Method(NamedTuple):
    """What a kind of map is called, and how it is to be read."""

    title: str
    about: str


METHODS: dict[str, Method] = {
    "pca": Method("PCA", "PCA: the two directions in which the cells' coordinates vary most."),
    "mds": Method("MDS", "MDS: distances on the map follow the true ones as well as two dimensions allow."),
    "umap": Method("UMAP", "UMAP: keeps neighbourhoods together; sizes of gaps and groups mean nothing."),
}


class CellMap(NamedTuple):
    """Cells in the plane: positions (P, 2), rows of the λ path in order of λ (a cell it returns to occurs twice), the members.

    `trust` is the trustworthiness over `near` neighbours and `best` the most that tied distances allow; None for so few cells
    that a neighbourhood means nothing.
    """

    distance: str
    method: str
    cells: tuple[MappedCell, ...]
    xy: np.ndarray
    path: tuple[int, ...]
    members: frozenset[str]
    lambda_max: int
    near: int
    trust: float | None
    best: float | None

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(cell.key for cell in self.cells)


class Neighbour(NamedTuple):
    """A cell near another one, and how far it is in the distance's unit."""

    key: str
    apart: float


def cell_map(run: Run, distance: str, method: str) -> CellMap:
    """One map of a run; EmbeddingError if it cannot be had (see `unavailable`)."""
    return map_of(run, cells_of(run, distance), method)


def map_of(run: Run, cells: Cells, method: str) -> CellMap:
    """The map of cells whose distances are known."""
    if reason := unavailable(run, cells).get(method):
        raise EmbeddingError(reason)
    xy = _stored(run, cells, method)
    xy = place(cells, method, run.config.seed) if xy is None else xy
    near = min(NEIGHBOURS, (len(cells.cells) - 1) // 2)
    trust = embeddings.trustworthiness(cells.scaled, xy, near) if near else None
    best = embeddings.best_trustworthiness(cells.scaled, near) if near else None
    return CellMap(
        cells.distance,
        method,
        cells.cells,
        xy,
        _path(run, cells),
        _members(run),
        run.space.lambda_max,
        near,
        trust,
        best,
    )


def unavailable(run: Run, cells: Cells) -> dict[str, str]:
    """Methods that these cells have no map by, each with the reason."""
    reasons, title = {}, DISTANCES[cells.distance].title
    if not cells.cells:
        return dict.fromkeys(METHODS, f"No cell has been placed by {title} yet.")
    if cells.rows is None:
        reasons["pca"] = f"PCA needs coordinates, and {title} has only distances between pairs: MDS shows them."
    if _stored(run, cells, "umap") is None:
        reasons["umap"] = _without_umap(run, cells)
    return reasons


def _without_umap(run: Run, cells: Cells) -> str:
    title, count = DISTANCES[cells.distance].title, len(cells.cells)
    if count <= NEIGHBOURS:
        return f"UMAP needs more than {NEIGHBOURS} cells; this map has {count}."
    return (
        f"No UMAP by {title} was made for these cells; it takes seconds to compile, so the job makes it. "
        f"Make it with: python -m edgenes_core embed {run.id}"
    )


def place(cells: Cells, method: str, seed: int) -> np.ndarray:
    """Positions (P, 2); EmbeddingError if the method needs coordinates or more cells."""
    if method == "umap":
        return embeddings.umap(cells.scaled, seed, NEIGHBOURS, cells.keys)
    if method == "mds":
        return embeddings.mds(cells.scaled, cells.keys)
    if cells.rows is None:
        raise EmbeddingError(f"PCA needs coordinates; {DISTANCES[cells.distance].title} has only distances.")
    return embeddings.pca(cells.rows, seed, cells.keys)


def place_all(cells: Cells, seed: int, with_umap: bool) -> dict[str, np.ndarray]:
    """Every map of these cells that can be had, by the name it is stored under, and the keys of its rows."""
    found = {stored_keys(cells.distance): np.array(cells.keys)}
    for method in METHODS:
        if method != "umap" or with_umap:
            with suppress(EmbeddingError):  # too few cells for a neighbourhood: the other maps remain
                found[stored_name(cells.distance, method)] = place(cells, method, seed)
    return found


def stored_name(distance: str, what: str) -> str:
    """Arrays of embedding.npz: `umap` is that by edits, `jsd_umap` that by soft JSD."""
    return what if distance == "edits" else f"{distance}_{what}"


def stored_keys(distance: str) -> str:
    """The array with the keys of a map's rows: predictions have cells of their own."""
    return "disagreement_keys" if distance == "disagreement" else "keys"


def neighbours(run: Run, distance: str, key: str, count: int = 8) -> list[Neighbour]:
    """The cells nearest to one, in truth and not on a map."""
    return nearest(cells_of(run, distance), key, count)


def nearest(cells: Cells, key: str, count: int = 8) -> list[Neighbour]:
    """As `neighbours`; of equally near cells those on the λ path and with networks come first, then by key."""
    rows = {k: row for row, k in enumerate(cells.keys)}
    if key not in rows:
        raise EmbeddingError(f"The map by {DISTANCES[cells.distance].title} has no cell {key!r}.")
    apart = cells.apart[rows[key]]
    order = sorted(
        set(rows.values()) - {rows[key]}, key=lambda i: (apart[i], cells.cells[i].role == "random", cells.keys[i])
    )
    return [Neighbour(cells.keys[i], float(apart[i])) for i in order[:count]]


def ranks_on(shown: CellMap, key: str) -> dict[str, int]:
    """How near the map puts each cell to one, 1 for the nearest; equally near cells have the same rank."""
    row = shown.keys.index(key)
    apart = np.round(np.hypot(*(shown.xy - shown.xy[row]).T), 9)
    others = np.sort(np.delete(apart, row))
    ranks = np.searchsorted(others, apart, "left") + 1
    return {k: int(rank) for i, (k, rank) in enumerate(zip(shown.keys, ranks, strict=True)) if i != row}


def map_table(run: Run, distance: str, method: str) -> list[dict[str, str | int | float | bool]]:
    """The numbers of a map, the λ path first: what the page shows as a table and exports."""
    return rows_of(cell_map(run, distance, method))


def rows_of(shown: CellMap) -> list[dict[str, str | int | float | bool]]:
    """As `map_table`; a dash stands for no λ."""
    named = zip(shown.cells, shown.xy.round(4).tolist(), strict=True)
    ordered = sorted(named, key=lambda pair: (pair[0].lam is None, pair[0].lam or 0.0, pair[0].shared, pair[0].key))
    return [
        {
            "cell": cell.key,
            "part": cell.role,
            "λ": "–" if cell.lam is None else f"{cell.lam:.4f}",
            "shared with α*": cell.shared,
            "met": cell.count,
            "member": cell.key in shown.members,
            "x": x,
            "y": y,
        }
        for cell, (x, y) in ordered
    ]


def _stored(run: Run, cells: Cells, method: str) -> np.ndarray | None:
    """The stored map of exactly these cells, in their order, or None."""
    try:
        stored: Mapping[str, np.ndarray] = run.embedding()
    except EdgeNESError:
        return None
    name, keys = stored_name(cells.distance, method), stored.get(stored_keys(cells.distance))
    if name not in stored or keys is None or sorted(keys.tolist()) != sorted(cells.keys):
        return None
    rows = {key: row for row, key in enumerate(keys.tolist())}
    xy = np.asarray(stored[name], float)
    return xy[[rows[key] for key in cells.keys]] if xy.shape == (len(rows), 2) and np.isfinite(xy).all() else None


def _path(run: Run, cells: Cells) -> tuple[int, ...]:
    """Rows of the cells that the λ path visits, in order; without a path, of those with a λ."""
    rows = {key: row for row, key in enumerate(cells.keys)}
    try:
        visited = [interval.architecture.key for interval in run.lambda_path().intervals]
    except EdgeNESError:
        met = [cell for cell in cells.cells if cell.lam is not None]
        visited = [cell.key for cell in sorted(met, key=lambda cell: cell.lam or 0.0)]
    return tuple(rows[key] for key in visited if key in rows)


def _members(run: Run) -> frozenset[str]:
    """Keys of the cells in the run's selected ensemble; none while there is no such file, or none that can be read."""
    with suppress(EdgeNESError, TypeError):
        chosen = set(run.ensembles().get("selected", {}).get("members", ()))
        return frozenset(t.architecture.key for t in run.trainings() if t.id in chosen)
    return frozenset()
