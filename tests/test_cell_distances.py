"""Distances between the cells of a run: by edits, as soft as the hypernetwork leaves them, by what networks predict."""

from __future__ import annotations

from itertools import combinations, product
from pathlib import Path

import numpy as np
import page_runs
import pytest

from edgenes_core import EdgeNESError
from edgenes_core.architecture import edit_distance
from edgenes_core.cell_distances import MappedCell, cells_of, columns_of, predicting_cells, soft_cells, stored_cells
from edgenes_core.run_folder import Run
from edgenes_core.scored import score_networks
from edgenes_core.soft_cells import soft_distances, soft_weights

DEMO = Run(Path(__file__).parents[1] / "assets" / "demo")


@pytest.fixture
def old(tmp_path) -> Run:
    """A run whose map was stored by an earlier version: PCA by edits alone."""
    return page_runs.whole(tmp_path)


def test_edits_are_those_of_the_cells():
    cells = cells_of(DEMO, "edits")
    for i, j in ((0, 1), (1, 2), (5, 99)):
        a, b = cells.cells[i], cells.cells[j]
        assert cells.apart[i, j] == edit_distance(a.architecture, b.architecture)


def test_a_cell_on_the_path_is_as_soft_as_the_hypernetwork_leaves_it():
    cells, knots, top = cells_of(DEMO, "jsd"), DEMO.knots(), float(DEMO.space.lambda_max)
    rows = {cell.key: i for i, cell in enumerate(cells.cells) if cell.lam is not None}
    base = DEMO.base().architecture.key
    lams = [top if key == base else cells.cells[i].lam for key, i in rows.items()]
    found = soft_distances(DEMO.space, soft_weights(DEMO.space, knots.at(np.array(lams))))
    assert cells.apart[np.ix_(list(rows.values()), list(rows.values()))] == pytest.approx(found, abs=1e-12)


def test_what_the_path_does_not_visit_is_a_smoothed_one_hot(old):
    """A pool cell that was filled in has a λ at which the hypernetwork gives another cell: α(λ) does not describe it."""
    path = old.lambda_path()
    lam = (path.intervals[0].lo + path.intervals[0].hi) / 2
    filled, other = old.space.sample(np.random.default_rng(5)), path.intervals[0].architecture
    assert filled != other
    listed = [MappedCell(filled, "pool", 0, lam), MappedCell(other, "pool", 0, lam), MappedCell(filled, "random", 0)]
    apart = soft_cells(old, listed).apart
    assert apart[0, 2] == 0
    assert apart[0, 1] > 0


def test_disagreement_is_the_mean_over_pairs_of_seeds_and_the_floor_that_of_one_cell():
    scored = score_networks(DEMO)
    cells, rows = predicting_cells(scored, 4), scored.cells()
    named = scored.probs.argmax(-1)

    def mean(pairs):
        return np.mean([(named[i] != named[j]).mean() for i, j in pairs])

    for a, b in ((0, 1), (0, 9), (10, 12)):
        expected = mean(product(rows[cells.keys[a]], rows[cells.keys[b]]))
        assert cells.apart[a, b] == cells.apart[b, a] == pytest.approx(expected)
    own = [list(combinations(mine, 2)) for mine in rows.values() if len(mine) > 1]
    assert cells.floor.mean == pytest.approx(np.mean([mean(pairs) for pairs in own]))
    assert (cells.floor.cells, cells.floor.pairs) == (len(own), sum(map(len, own)))
    assert cells.floor.lo <= cells.floor.mean <= cells.floor.hi
    assert not cells.apart.diagonal().any()


def test_cells_are_stored_as_they_are_read(old):
    cells = stored_cells(old)
    old.save_embedding(keys=np.array([cell.key for cell in cells]), **columns_of(cells))
    assert stored_cells(old) == cells


@pytest.mark.parametrize("damage", ["short", "missing", "empty", "no cell"])
def test_a_damaged_map_is_one_sentence(old, damage):
    stored = old.embedding()
    if damage == "missing":
        del stored["lam"]
    elif damage == "short":
        stored["lam"] = stored["lam"][:-1]
    elif damage == "empty":
        stored = {name: array[:0] for name, array in stored.items()}
    else:
        stored["architectures"] = np.array(["{}"] * len(stored["architectures"]))
    old.save_embedding(**stored)
    with pytest.raises(EdgeNESError, match="damaged" if damage != "no cell" else "at least one edge"):
        cells_of(old, "edits")
