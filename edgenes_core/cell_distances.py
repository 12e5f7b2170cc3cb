"""Which cells a map shows and how far apart they are, by the distance chosen. Deterministic, whatever the order of the cells.

edits         operations or inputs to change                         every cell of the stored map
jsd           Jensen–Shannon divergence of soft cells                the same, each as soft as the hypernetwork leaves it
disagreement  share of validation images named differently           cells with a trained network, imported ones included
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from edgenes_core import storage
from edgenes_core.architecture import Architecture, shared_edges
from edgenes_core.embeddings import edit_distances
from edgenes_core.run_folder import Run
from edgenes_core.scored import Scored, score_networks
from edgenes_core.soft_cells import hellinger_rows, smoothed, soft_distances, soft_weights


class Distance(NamedTuple):
    """How distances are written and explained; `rooted`: maps follow the root, which is the metric."""

    title: str
    unit: str
    digits: int
    factor: float
    about: str
    rooted: bool = False


DISTANCES: dict[str, Distance] = {
    "edits": Distance(
        "edits",
        "edits",
        0,
        1,
        "Edits: operations or inputs to change, Λ minus the shared edges. PCA's coordinates are the kept edges with their "
        "operations.",
    ),
    "jsd": Distance(
        "soft JSD",
        "nats",
        3,
        1,
        "Soft JSD: Jensen–Shannon divergence between what feeds each node, mean over nodes, from 0 to ln 2 = 0.693 nats. "
        "A cell on the λ path is as soft as the hypernetwork leaves it, any other a one-hot smoothed by τ. MDS and UMAP "
        "follow its root, which is a metric; PCA's coordinates are roots of the weights.",
        rooted=True,
    ),
    "disagreement": Distance(
        "disagreement",
        "%",
        1,
        100,
        "Disagreement: share of validation images on which two networks name different classes, mean over pairs of seeds; "
        "only cells with a trained network.",
    ),
}


@dataclass(frozen=True)
class MappedCell:
    """One cell of a map: its part, edges shared with α*, its λ if it came from the path, how many draws or networks it stands for.

    Parts: base (α*), pool and path (on the λ path, retrained or not), control and imported (networks off the path), random.
    """

    architecture: Architecture
    role: str
    shared: int
    lam: float | None = None
    count: int = 1

    @property
    def key(self) -> str:
        return self.architecture.key


class Floor(NamedTuple):
    """What a new seed alone changes: disagreement of two networks of one cell, its mean, least and largest over cells."""

    mean: float
    lo: float
    hi: float
    cells: int
    pairs: int


class Cells(NamedTuple):
    """P cells: distances (P, P) in the distance's own unit, and rows (P, F) for PCA where cells have coordinates.

    For disagreement: `floor` where some cell has several seeds, and a sentence for each network that cannot be used.
    """

    distance: str
    cells: tuple[MappedCell, ...]
    apart: np.ndarray
    rows: np.ndarray | None = None
    floor: Floor | None = None
    left_out: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(cell.key for cell in self.cells)

    @property
    def scaled(self) -> np.ndarray:
        """The distances that MDS and UMAP follow."""
        return np.sqrt(self.apart) if DISTANCES[self.distance].rooted else self.apart


def cells_of(run: Run, distance: str) -> Cells:
    """The cells of a run's map and their distances; StorageError while its stage has not finished."""
    if distance == "disagreement":
        return predicting_cells(score_networks(run), run.space.lambda_max)
    return CELL_DISTANCES[distance](run, stored_cells(run))


def stored_cells(run: Run) -> tuple[MappedCell, ...]:
    """The cells that the run placed on its map."""
    stored = run.embedding()
    with storage.fields(run.path / "embedding.npz"):
        columns = (stored[name].tolist() for name in ("architectures", "role", "shared", "lam", "count"))
        found = tuple(
            MappedCell(
                Architecture.from_json(text), str(role), int(shared), None if lam != lam else float(lam), int(count)
            )
            for text, role, shared, lam, count in zip(*columns, strict=True)
        )
        if not found:
            raise ValueError("it holds no cell")
    return found


def columns_of(cells: Sequence[MappedCell]) -> dict[str, np.ndarray]:
    """What `stored_cells` reads, as arrays over the cells."""
    return {
        "architectures": np.array([cell.architecture.to_json() for cell in cells]),
        "role": np.array([cell.role for cell in cells]),
        "lam": np.array([np.nan if cell.lam is None else cell.lam for cell in cells]),
        "shared": np.array([cell.shared for cell in cells]),
        "count": np.array([cell.count for cell in cells]),
    }


def edit_cells(run: Run, cells: Sequence[MappedCell]) -> Cells:
    """Cells by edits."""
    encodings = np.stack([run.space.encode(cell.architecture) for cell in cells])
    return Cells("edits", tuple(cells), edit_distances(encodings).astype(float), encodings.reshape(len(cells), -1))


def soft_cells(run: Run, cells: Sequence[MappedCell]) -> Cells:
    """Cells by soft JSD: α(Λ) for α*, α(λ) for what the path visits at its λ, smoothed one-hots for all others.

    What α(λ) does not discretise to (a filled-in shared count) is not described by it, so it counts as not visited.
    """
    space, knots, path, base = run.space, run.knots(), run.lambda_path(), run.base().architecture
    tau = run.config.hypernet.regularizer.tau

    def weights(cell: MappedCell) -> np.ndarray:
        lam = float(space.lambda_max) if cell.architecture == base else cell.lam
        if lam is not None and path.at(lam).architecture == cell.architecture:
            return soft_weights(space, knots.at(lam))
        return smoothed(space, cell.architecture, tau)

    soft = np.stack([weights(cell) for cell in cells])
    return Cells("jsd", tuple(cells), soft_distances(space, soft), hellinger_rows(space, soft))


CELL_DISTANCES: dict[str, Callable[[Run, Sequence[MappedCell]], Cells]] = {"edits": edit_cells, "jsd": soft_cells}


def predicting_cells(scored: Scored, lambda_max: int) -> Cells:
    """Cells by disagreement of their networks; a cell's disagreement with itself is 0, what its seeds disagree is the floor."""
    rows = scored.cells()
    cells = tuple(_predicting(scored, key, mine, lambda_max) for key, mine in rows.items())
    member = np.zeros((len(cells), len(scored.trainings)))
    for cell, mine in enumerate(rows.values()):
        member[cell, mine] = 1 / len(mine)
    means = member @ scored.disagreement @ member.T
    apart = np.round((means + means.T) / 2, 12)
    seeds = np.array([len(mine) for mine in rows.values()], int)
    several = seeds > 1
    own = means.diagonal()[several] * seeds[several] / np.maximum(seeds[several] - 1, 1)
    np.fill_diagonal(apart, 0.0)
    floor = None
    if len(own):
        pairs = int((seeds * (seeds - 1) // 2).sum())
        floor = Floor(float(own.mean()), float(own.min()), float(own.max()), len(own), pairs)
    return Cells("disagreement", cells, apart, None, floor, scored.left_out)


def _predicting(scored: Scored, key: str, mine: list[int], lambda_max: int) -> MappedCell:
    cell = scored.trainings[mine[0]].architecture
    lam = next((scored.trainings[row].lam for row in mine if scored.trainings[row].lam is not None), None)
    shared = lambda_max if cell == scored.base else shared_edges(cell, scored.base)
    return MappedCell(cell, map_role(scored.role(key)), shared, lam, len(mine))


def map_role(role: str) -> str:
    """How the cell of a network is drawn on a map, where "random" are the cells that were drawn to show the space."""
    return "control" if role in ("random", "deviation") else role
