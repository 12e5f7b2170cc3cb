"""Networks judged once: what is on disk is what is scored, what cannot be used is named, stored ensembles come in order."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import sample_runs

from edgenes_core import diversity, ensembles, storage
from edgenes_core.architecture import shared_edges
from edgenes_core.config import SpaceConfig
from edgenes_core.run_folder import Run
from edgenes_core.run_records import Training
from edgenes_core.scored import Scored, score_networks, short_name, stored_ensembles

DEMO = Run(Path(__file__).parents[1] / "assets" / "demo")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return sample_runs.finished(tmp_path)


@pytest.mark.parametrize("kind", ["bundled", "made", "k = 2, two cells"])
def test_scores_are_those_of_the_stored_predictions(kind: str, tmp_path: Path) -> None:
    space = SpaceConfig(2, "normal+reduce") if "two" in kind else None
    run = DEMO if kind == "bundled" else sample_runs.finished(tmp_path, space)
    scored, networks, y = score_networks(run), run.networks(), run.targets("val")
    assert scored.ids == tuple(networks)
    assert not scored.left_out
    for row, network in enumerate(networks.values()):
        np.testing.assert_allclose(scored.probs[row], network.val)
        wanted = dataclasses.asdict(ensembles.evaluate(network.val[None], y, "val"))
        assert dataclasses.asdict(scored.single[row]) == pytest.approx(wanted, abs=1e-12)
    cells = [t.architecture for t in scored.trainings]
    assert scored.shared.tolist() == [[shared_edges(a, b) for b in cells] for a in cells]
    np.testing.assert_array_equal(scored.disagreement, diversity.pairwise_disagreement(scored.probs))
    np.testing.assert_array_equal(scored.jsd, diversity.pairwise_jsd(scored.probs))


def test_every_network_belongs_to_one_cell_and_the_pool_is_the_plans() -> None:
    scored = score_networks(DEMO)
    rows = [row for cell in scored.cells().values() for row in cell]
    assert sorted(rows) == list(range(len(scored.ids)))
    assert [scored.ids[row] for row in scored.pool()] == [t.id for t in DEMO.plan() if "pool" in t.roles]
    assert scored.role(scored.base.key) == "base"
    assert {scored.role(key) for key in scored.cells()} == {"base", "pool", "random", "deviation"}
    assert scored.rows(["nobody", scored.ids[2], scored.ids[0]]) == [2, 0]


def test_equal_files_have_equal_digests_and_a_changed_network_another(run: Run) -> None:
    before = score_networks(run).digest
    assert score_networks(run).digest == before
    folder = run.folder(run.plan()[0])
    storage.write_array(folder / "val.npy", np.roll(storage.read_array(folder / "val.npy"), 1, axis=0))
    assert score_networks(run).digest != before


@pytest.mark.parametrize("damage", ["nan", "torn", "short", "classes", "no distribution"])
def test_a_network_that_cannot_be_used_is_named_and_the_others_stay(run: Run, damage: str) -> None:
    whole = score_networks(run)
    lost = run.plan()[-1]
    file = run.folder(lost) / "val.npy"
    good = storage.read_array(file)
    if damage == "torn":
        file.write_bytes(file.read_bytes()[:70])
    else:
        bad = {
            "nan": np.full_like(good, np.nan),
            "short": good[:5],
            "classes": np.full((len(good), good.shape[1] + 1), 1 / (good.shape[1] + 1)),
            "no distribution": good * 3,
        }[damage]
        storage.write_array(file, bad)
    scored = score_networks(run)
    assert scored.ids == tuple(name for name in whole.ids if name != lost.id)
    (sentence,) = scored.left_out
    assert lost.id in sentence


def test_true_classes_beyond_the_predicted_ones_leave_every_network_out(run: Run) -> None:
    run.save_targets(run.targets("val") + sample_runs.CLASSES, run.targets("test"))
    scored = score_networks(run)
    assert scored.ids == ()
    assert len(scored.left_out) == len(run.plan())
    assert scored.disagreement.shape == scored.jsd.shape == scored.shared.shape == (0, 0)


def test_an_imported_network_is_scored_under_its_name_and_never_in_the_pool(run: Run) -> None:
    cell = run.space.sample(np.random.default_rng(3))
    shared = shared_edges(cell, run.base().architecture)
    brought = Training(cell, 7, ("imported",), shared, name="mine")
    run.save_imported([brought])
    like = score_networks(run).probs[0].astype(np.float32)
    run.save_network(brought, {"w": np.zeros(1, np.float32)}, like, like, {})
    scored = score_networks(run)
    assert scored.ids[-1] == brought.id
    assert scored.role(cell.key) == "imported"
    assert scored.name(brought.id) == "mine · " + cell.key[:6] + ", seed 7"
    assert scored.ids.index(brought.id) not in scored.pool()


def test_names_tell_alpha_star_lambda_and_seed() -> None:
    scored: Scored = score_networks(DEMO)
    named = [short_name(t, scored.base) for t in scored.trainings]
    assert len(set(named)) == len(named)
    assert scored.name(scored.base.key) == "α*"
    assert all(("seed" in name) == (t.seed > 0) for name, t in zip(named, scored.trainings, strict=True))
    assert scored.name("nobody") == "nobody"


def test_stored_ensembles_come_selected_first_and_a_broken_one_is_named(run: Run) -> None:
    (run.path / "ensembles" / "wrong.json").write_text('{"schema": 1}')
    run.save_ensemble("mine", {**run.ensembles()["selected"], "role": "user", "title": "Mine"})
    found, broken = stored_ensembles(run)
    assert [e.name for e in found] == ["selected", "single_base", "mine"]
    assert [e.drawn_as for e in found] == ["selected", "base", "user"]
    (sentence,) = broken
    assert "'wrong'" in sentence


def test_controls_look_like_the_cells_they_are_made_of() -> None:
    looks = {e.name: e.drawn_as for e in stored_ensembles(DEMO)[0]}
    assert looks["random_selected"] == looks["random"] == "random"
    assert looks["deviation"] == "deviation"
    assert looks["deepens"] == "deepens"
