"""Cells as points in the plane: edits between them, three maps, and how far a map can be trusted.

For cells of one space the edit distance is Λ − shared edges, and ‖encode(a) − encode(b)‖² is twice that: PCA of the
encodings is classical MDS of √(2·edit distance). Maps of the same cells are equal whatever the order of their rows
(given `keys`), with the widest direction along x and the largest entry of each axis positive, so pictures do not flip.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import AbstractContextManager

import numpy as np

from edgenes_core import EdgeNESError


class EmbeddingError(EdgeNESError):
    """Cells that cannot be placed: no distance matrix, or too few of them for the map asked for."""


def shared_matrix(encodings: np.ndarray) -> np.ndarray:
    """(P, E, O) encodings → (P, P) shared edges; the diagonal counts each cell's own edges."""
    encodings = np.asarray(encodings, float)
    if encodings.ndim != 3 or len(encodings) == 0:
        raise EmbeddingError(f"Encodings need the axes (P, E, O) and at least one cell, got shape {encodings.shape}.")
    flat = encodings.reshape(len(encodings), -1)
    return np.rint(flat @ flat.T).astype(int)


def edit_distances(encodings: np.ndarray) -> np.ndarray:
    """(P, E, O) encodings of cells of one space → (P, P) edit distances, as `architecture.edit_distance`.

    An edge that is not shared is relabelled or moved, each for one edit, so the distance is max |E| − shared.
    """
    shared = shared_matrix(encodings)
    edges = shared.diagonal()
    return np.maximum(edges[:, None], edges) - shared


def pca(rows: np.ndarray, seed: int = 0, keys: Sequence[str] | None = None) -> np.ndarray:
    """(P, …) rows, such as encodings → (P, 2) principal components. Exact, so `seed` (as in `umap`) changes nothing."""
    rows = np.asarray(rows, float)
    if rows.ndim < 2 or 0 in rows.shape or not np.isfinite(rows).all():
        raise EmbeddingError(f"PCA needs finite rows (P, …), none of the axes empty, got shape {rows.shape}.")
    order = _order(len(rows), keys)
    flat = rows.reshape(len(rows), -1)[order]
    centred = flat - flat.mean(0)
    with _one_thread():
        _, axes = _leading(centred.T @ centred)
        return _placed(centred @ axes, order)


def mds(distances: np.ndarray, keys: Sequence[str] | None = None) -> np.ndarray:
    """(P, P) distances → (P, 2): classical (Torgerson) scaling, −½·J D² J = V diag(v) Vᵀ, x = V √v."""
    distances = _checked(distances)
    order = _order(len(distances), keys)
    squares = distances[np.ix_(order, order)] ** 2
    inner = -0.5 * (squares - squares.mean(0) - squares.mean(1)[:, None] + squares.mean())
    with _one_thread():
        values, vectors = _leading(inner)
        return _placed(vectors * np.sqrt(np.maximum(values, 0)), order)


def umap(distances: np.ndarray, seed: int = 0, neighbours: int = 15, keys: Sequence[str] | None = None) -> np.ndarray:
    """(P, P) distances → (P, 2) by UMAP (McInnes et al. 2018), started from the MDS map; EmbeddingError if P ≤ neighbours.

    `neighbours` counts the cell itself. Most distances are tied: the nearest are taken in order of key.
    The first call of a process compiles for about 10 s.
    """
    distances = _checked(distances)
    if not 2 <= neighbours < len(distances):
        raise EmbeddingError(
            f"UMAP needs 2 or more neighbours and more cells than neighbours, got {len(distances)} cells and "
            f"{neighbours} neighbours; use fewer neighbours or the MDS map."
        )
    if not distances.any():
        return np.zeros((len(distances), 2))
    order = _order(len(distances), keys)
    with _one_thread():
        return _placed(_umap(distances[np.ix_(order, order)], seed, neighbours), order)


def trustworthiness(distances: np.ndarray, xy: np.ndarray, neighbours: int = 5) -> float:
    """1 if each point's neighbours on the map are its nearest cells, about ½ for a random map (Venna and Kaski 2001).

    Of cells that are equally near, in truth or on the map, each is as likely to come next: this is the mean over all such
    orders, so the order of rows does not matter, and `best_trustworthiness` says how far a map of tied distances can get.
    """
    distances, xy = _checked(distances), np.asarray(xy, float)
    if xy.shape != (len(distances), 2) or not np.isfinite(xy).all():
        raise EmbeddingError(f"A map of {len(distances)} cells needs finite points (P, 2), got shape {xy.shape}.")
    return _trust(distances, np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)), neighbours)


def best_trustworthiness(distances: np.ndarray, neighbours: int = 5) -> float:
    """The trustworthiness of a map with no distortion at all: below 1 where more than `neighbours` cells are equally near."""
    distances = _checked(distances)
    return _trust(distances, distances, neighbours)


def _trust(truth: np.ndarray, shown: np.ndarray, neighbours: int) -> float:
    """1 − 2/(P·k·(2P − 3k − 1)) · Σ over the k neighbours shown of max(0, true rank − k), expected over ties."""
    count, k = len(truth), neighbours
    if not 1 <= k < count / 2:
        raise EmbeddingError(
            f"Trustworthiness needs more than 2·neighbours cells, got {count} cells and {k} neighbours."
        )
    first, last = _ranks(truth)
    lowest, highest = np.maximum(first - k, 1), last - k
    excess = np.where(highest > 0, (highest * (highest + 1) - lowest * (lowest - 1)) / 2, 0) / (last - first + 1)
    first, last = _ranks(shown)
    taken = np.clip(k - first + 1, 0, last - first + 1) / (last - first + 1)
    return float(1 - 2 / (count * k * (2 * count - 3 * k - 1)) * (excess * taken).sum())


def _ranks(distances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(P, P): the first and the last place, from 1, that each cell can take among the neighbours of another; itself has 0."""
    rounded = np.round(distances / (distances.max() or 1.0), 9)
    np.fill_diagonal(rounded, -1.0)  # a cell comes before its duplicates
    ordered = np.sort(rounded, axis=1)
    pairs = list(zip(ordered, rounded, strict=True))
    first = np.array([np.searchsorted(row, values, "left") for row, values in pairs])
    return first, np.array([np.searchsorted(row, values, "right") for row, values in pairs]) - 1


def _one_thread() -> AbstractContextManager[object]:
    """Linear algebra in one thread: the number of threads decides the last digits, so a map would depend on who draws it."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(
        1, user_api="blas"
    )  # not OpenMP: a training beside it in this process counts on its threads


def _checked(distances: np.ndarray) -> np.ndarray:
    d = np.asarray(distances, float)
    if d.ndim != 2 or d.shape[0] != d.shape[1] or len(d) == 0:
        raise EmbeddingError(f"Distances need a square matrix (P, P) of at least one cell, got shape {d.shape}.")
    if not np.isfinite(d).all() or (d < 0).any() or d.diagonal().any() or not np.allclose(d, d.T):
        raise EmbeddingError("Distances must be finite, at least 0, symmetric, and 0 from a cell to itself.")
    return d


def _order(count: int, keys: Sequence[str] | None) -> np.ndarray:
    """Rows in canonical order: by key, or as they are."""
    if keys is None:
        return np.arange(count)
    if len(keys) != count:
        raise EmbeddingError(f"A map needs one key per cell, got {len(keys)} keys for {count} cells.")
    return np.argsort(np.array(keys), kind="stable")


def _leading(symmetric: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The (at most) two largest eigenvalues and their vectors as columns."""
    from scipy.linalg import eigh

    size = len(symmetric)
    values, vectors = eigh(symmetric, subset_by_index=[max(0, size - 2), size - 1])
    return values[::-1], vectors[:, ::-1]


def _placed(xy: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Two columns, centred, turned and flipped by the rule of this file, back in the caller's row order."""
    xy = np.pad(xy, ((0, 0), (0, 2 - xy.shape[1])))
    xy = xy - xy.mean(0)
    xy = xy @ np.linalg.eigh(xy.T @ xy)[1][:, ::-1]
    size = np.abs(xy)
    largest = np.argmax(size >= size.max(0) * (1 - 1e-6), axis=0)
    signs = np.where(xy[largest, [0, 1]] < 0, -1.0, 1.0)
    placed = np.empty_like(xy)
    placed[order] = xy * signs
    return placed


def _umap(distances: np.ndarray, seed: int, neighbours: int) -> np.ndarray:
    """UMAP of the exact neighbour lists; giving them saves compiling its own search (6 of 14 s)."""
    ranked = distances - np.eye(len(distances))  # a cell comes before its duplicates
    nearest = np.argsort(ranked, axis=1, kind="stable")[:, :neighbours]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Tensorflow not installed", ImportWarning)
        warnings.filterwarnings("ignore", "using precomputed metric; inverse_transform", UserWarning)
        warnings.filterwarnings("ignore", r"precomputed_knn\[2\]", UserWarning)
        from umap import UMAP

        return UMAP(
            n_neighbors=neighbours,
            metric="precomputed",
            precomputed_knn=(nearest, np.take_along_axis(distances, nearest, 1).astype(np.float32)),
            init=mds(distances),
            random_state=seed,
            n_jobs=1,
        ).fit_transform(distances)
