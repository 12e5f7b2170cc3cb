"""The map of cells behind page, snippet and job: true distances, the same picture whatever the order, stored or made when looked at."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import page_runs
import pytest
import sample_runs
from hypothesis import given, settings
from hypothesis import strategies as st

from edgenes_core.cell_distances import CELL_DISTANCES, DISTANCES, cells_of, predicting_cells, stored_cells
from edgenes_core.cell_map import (
    METHODS,
    NEIGHBOURS,
    cell_map,
    map_table,
    nearest,
    neighbours,
    place,
    ranks_on,
    stored_name,
    unavailable,
)
from edgenes_core.config import SpaceConfig
from edgenes_core.embeddings import EmbeddingError
from edgenes_core.run_folder import Run
from edgenes_core.scored import Scored, score_networks

DEMO = Run(Path(__file__).parents[1] / "assets" / "demo")
MAPS = [(d, m) for d, m in product(DISTANCES, METHODS) if (d, m) != ("disagreement", "pca")]


@pytest.fixture(scope="module")
def scored() -> Scored:
    return score_networks(DEMO)


@pytest.fixture
def old(tmp_path) -> Run:
    """A run whose map was stored by an earlier version: PCA by edits alone."""
    return page_runs.whole(tmp_path)


def in_order(distance, order, scored):
    """The bundled run's cells, measured in another order."""
    if distance != "disagreement":
        cells = stored_cells(DEMO)
        return CELL_DISTANCES[distance](DEMO, [cells[i] for i in order])
    shuffled = replace(
        scored,
        trainings=tuple(scored.trainings[i] for i in order),
        probs=scored.probs[order],
        single=tuple(scored.single[i] for i in order),
    )
    return predicting_cells(shuffled, DEMO.space.lambda_max)


def count_of(distance, scored):
    return len(scored.trainings) if distance == "disagreement" else len(stored_cells(DEMO))


def same_picture(distance, method, order, scored):
    """Whether cells measured in this order lie where they lie in the stored order, bit for bit."""
    cells = in_order(distance, np.arange(len(order)), scored)
    shuffled = in_order(distance, order, scored)
    place_of = dict(zip(cells.keys, place(cells, method, 0).tolist(), strict=True))
    return place_of == dict(zip(shuffled.keys, place(shuffled, method, 0).tolist(), strict=True))


@pytest.mark.parametrize(("distance", "method"), [pair for pair in MAPS if pair[1] != "umap"])
@given(data=st.data())
@settings(max_examples=3)
def test_the_picture_does_not_depend_on_the_order_of_cells(scored, distance, method, data):
    order = np.array(data.draw(st.permutations(range(count_of(distance, scored)))))
    assert same_picture(distance, method, order, scored)


@pytest.mark.parametrize("distance", DISTANCES)
def test_umap_does_not_depend_on_the_order_of_cells_either(scored, distance, rng):
    assert same_picture(distance, "umap", rng.permutation(count_of(distance, scored)), scored)


@pytest.mark.parametrize(("distance", "method"), MAPS)
def test_the_bundled_run_stores_every_map_as_it_is_made(distance, method):
    shown, stored = cell_map(DEMO, distance, method), DEMO.embedding()[stored_name(distance, method)]
    assert np.array_equal(shown.xy, stored.astype(float))
    assert 0.4 < shown.trust <= shown.best <= 1
    if method != "umap":  # another machine's last digits may differ, not its picture
        assert place(cells_of(DEMO, distance), method, DEMO.config.seed) == pytest.approx(shown.xy, abs=1e-6)
    assert len({cell.role for cell in shown.cells} & {"base", "pool", "control"}) == 3
    assert len(shown.members) == 3
    assert shown.members <= set(shown.keys)


@pytest.mark.parametrize("distance", DISTANCES)
@given(data=st.data())
@settings(max_examples=3)
def test_neighbours_are_the_nearest_in_truth(scored, distance, data):
    order = np.array(data.draw(st.permutations(range(count_of(distance, scored)))))
    cells = in_order(distance, order, scored)
    key = cells.keys[data.draw(st.integers(0, len(cells.keys) - 1))]
    row, near = cells.keys.index(key), nearest(cells, key, 6)
    assert [n.apart for n in near] == sorted(np.delete(cells.apart[row], row))[:6]
    assert all(n.apart == cells.apart[row, cells.keys.index(n.key)] for n in near)
    assert key not in {n.key for n in near}
    assert len({n.key for n in near}) == 6
    assert near == neighbours(DEMO, distance, key, 6), "ties are listed the same whatever the order"


def test_a_cell_that_is_not_there_has_no_neighbours(old):
    with pytest.raises(EmbeddingError, match="has no cell 'nobody'"):
        neighbours(old, "edits", "nobody")


def test_ranks_on_the_map_are_those_of_the_picture():
    shown = cell_map(DEMO, "edits", "umap")
    key = shown.keys[7]
    ranks, apart = ranks_on(shown, key), np.hypot(*(shown.xy - shown.xy[7]).T)
    assert set(ranks) == set(shown.keys) - {key}
    ordered = sorted(ranks, key=ranks.get)
    assert np.diff([apart[shown.keys.index(k)] for k in ordered]).min() >= -1e-9
    assert min(ranks.values()) == 1
    assert max(ranks.values()) <= len(ranks)


@pytest.mark.parametrize("distance", DISTANCES)
def test_an_old_map_still_opens_and_what_it_lacks_is_made_or_explained(old, distance):
    cells = cells_of(old, distance)
    reasons = unavailable(old, cells)
    assert set(reasons) == ({"pca", "umap"} if distance == "disagreement" else {"umap"})
    assert f"more than {NEIGHBOURS} cells" in reasons["umap"]
    shown = cell_map(old, distance, "mds")
    assert shown.xy.shape == (len(cells.cells), 2)
    assert [shown.cells[row].lam for row in shown.path] == sorted(shown.cells[row].lam for row in shown.path)
    with pytest.raises(EmbeddingError, match="UMAP needs"):
        cell_map(old, distance, "umap")


def test_without_a_stored_umap_the_way_to_one_is_said(tmp_path):
    run = page_runs.whole(tmp_path, SpaceConfig(2, "normal+reduce"))
    cells = cells_of(run, "jsd")
    assert len(cells.cells) > NEIGHBOURS
    assert f"python -m edgenes_core embed {run.id}" in unavailable(run, cells)["umap"]


def test_a_map_of_other_cells_is_not_taken_for_theirs(old):
    stored = old.embedding()
    keys = list(score_networks(old).cells())
    away = np.full((len(keys), 2), 99.0)
    old.save_embedding(**stored, disagreement_keys=np.array(keys), disagreement_mds=away)
    assert (cell_map(old, "disagreement", "mds").xy == 99).all()
    turned = np.arange(2.0 * len(keys)).reshape(-1, 2)
    old.save_embedding(**stored, disagreement_keys=np.array(keys[::-1]), disagreement_mds=turned)
    assert np.array_equal(cell_map(old, "disagreement", "mds").xy, turned[::-1]), "rows are found by key"
    old.save_embedding(**stored, disagreement_keys=np.array([*keys[1:], "another"]), disagreement_mds=away)
    assert (cell_map(old, "disagreement", "mds").xy != 99).all()


@pytest.mark.parametrize("space", [None, SpaceConfig(2, "normal+reduce")])
@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("distance", DISTANCES)
def test_odd_runs_have_a_map(tmp_path, space, flat, distance):
    """One cell, all λ alike, two cells with k = 2."""
    run = page_runs.whole(tmp_path, space, flat)
    shown = cell_map(run, distance, "mds")
    assert np.isfinite(shown.xy).all()
    assert (shown.trust is None) == (len(shown.cells) < 3)
    rows = map_table(run, distance, "mds")
    assert {row["cell"] for row in rows} == set(shown.keys)
    assert sum(row["member"] for row in rows) == len(shown.members & set(shown.keys)) > 0


def test_without_networks_nothing_is_placed_by_what_they_predict(tmp_path):
    run = sample_runs.finished(tmp_path)
    page_runs.untrain(run, 0)
    cells = cells_of(run, "disagreement")
    assert (len(cells.cells), cells.floor) == (0, None)
    assert set(unavailable(run, cells)) == set(METHODS)
