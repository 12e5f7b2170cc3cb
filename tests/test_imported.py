"""Predictions from elsewhere become a network of a run if they fit it, change nothing else, and are refused in a sentence if not."""

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sample_runs
from tiny import TINY, finish, tiny_run
from zips import everything, fitting, npz

from edgenes_core import EdgeNESError, jobs, metrics
from edgenes_core.architecture import shared_edges
from edgenes_core.cli import main
from edgenes_core.config import EnsembleConfig, SpaceConfig
from edgenes_core.ensembles import evaluate
from edgenes_core.imported import import_predictions, read_predictions
from edgenes_core.run_folder import Run
from edgenes_core.run_zip import files_of
from edgenes_core.runs import RunStore
from edgenes_core.samples import FORMS, SAMPLE_NAME, sample_cell, sample_predictions
from edgenes_core.session import Cancelled
from edgenes_core.storage import StorageError

DEMO = Path(__file__).parents[1] / "assets" / "demo"
IMAGES, CLASSES = sample_runs.IMAGES, sample_runs.CLASSES


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Run:
    return sample_runs.finished(tmp_path_factory.mktemp("runs"))


@pytest.fixture
def run(original, tmp_path) -> Run:
    """A copy to import into."""
    return Run(shutil.copytree(original.path, tmp_path / "run"))


@pytest.fixture
def arrays(original) -> dict:
    return fitting(original)


def test_what_was_brought_is_a_network_like_the_others(run, arrays):
    before, plan = everything(run.path), run.plan()
    training = import_predictions(run, npz(**arrays))
    assert training.architecture.to_json() == str(arrays["architecture"])
    assert (training.seed, training.roles, training.lam) == (3, ("imported",), None)
    assert training.name == "My net (λ = 2, wide)"
    assert training.shared == shared_edges(training.architecture, run.base().architecture)
    assert run.trainings() == (*plan, training)
    assert list(run.networks()) == [*(t.id for t in plan), training.id]
    assert run.networks()[training.id].history == {}
    assert np.array_equal(run.val_probabilities([training.id])[0], arrays["val"].astype(np.float32))
    assert np.array_equal(run.reveal([training.id])[0], arrays["test"].astype(np.float32))
    assert run.plan() == plan
    after = everything(run.path)
    assert {name: after[name] for name in before} == before


def test_the_least_a_file_can_hold(run, arrays):
    training = import_predictions(run, npz(**arrays | {"seed": None, "name": None, "test": None}))
    assert (training.id, training.name) == (training.architecture.key, "")
    assert sorted(file.name for file in run.folder(training).iterdir()) == [
        "architecture.json",
        "history.json",
        "val.npy",
    ]


def test_test_results_that_were_not_brought_are_not_looked_at(run, arrays):
    training = import_predictions(run, npz(**arrays | {"test": None}))
    with pytest.raises(
        StorageError, match=f"'{training.id}' has no test.npy: it was imported without test predictions"
    ):
        run.reveal([run.plan()[0].id, training.id])
    assert run.reveals() == 0
    assert len(run.reveal([run.plan()[0].id])) == run.reveals() == 1


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f4", np.longdouble])
def test_any_kind_of_number_will_do(run, arrays, dtype):
    training = import_predictions(run, npz(**arrays | {"val": arrays["val"].astype(dtype)}))
    assert np.abs(run.val_probabilities([training.id])[0] - arrays["val"]).max() < 1e-3
    certain = np.eye(CLASSES, dtype=int)[run.targets("val")]
    training = import_predictions(run, npz(**arrays | {"val": certain, "seed": np.array(4)}))
    assert evaluate(run.val_probabilities([training.id]), run.targets("val"), "val").accuracy == 1


def test_both_forms_of_a_cell_are_one_cell(run, arrays):
    cell = run.space.sample(np.random.default_rng(1))
    flat = json.dumps(cell.to_authors(run.space.operations))
    first = import_predictions(run, npz(**arrays | {"architecture": np.array(cell.to_json())}))
    with pytest.raises(EdgeNESError, match=f"has the network {cell.key}-3 already"):
        import_predictions(run, npz(**arrays | {"architecture": np.array(flat)}))
    second = import_predictions(run, npz(**arrays | {"architecture": np.array(flat), "seed": np.array(4)}))
    assert first.architecture == second.architecture == cell
    assert run.imported() == (first, second)


def test_looking_stores_nothing(run, arrays):
    before = everything(run.path)
    found = read_predictions(run, npz(**arrays))
    assert everything(run.path) == before
    assert found.training == import_predictions(run, npz(**arrays))


def test_an_import_that_broke_off_is_as_if_it_had_not_begun(run, arrays):
    """Listed but without its folder, which comes last."""
    training = import_predictions(run, npz(**arrays))
    shutil.rmtree(run.folder(training))
    assert training.id not in run.networks()
    with pytest.raises(StorageError, match="no retrained network"):
        run.val_probabilities([training.id])
    assert import_predictions(run, npz(**arrays)) == training
    assert run.imported() == (training,)


@pytest.mark.parametrize(
    "space", [SpaceConfig(1, "reduce"), SpaceConfig(2, "reduce"), SpaceConfig(2, "normal+reduce")], ids=str
)
def test_the_samples_of_a_run_are_accepted_by_it(space, tmp_path, capsys):
    run = sample_runs.finished(tmp_path, space)
    base = run.base().architecture
    for form in FORMS:
        (tmp_path / "cell.json").write_text(sample_cell(run, form))
        assert main(["import", str(tmp_path / "cell.json"), "--into", run.id, "--runs", str(tmp_path), "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["kind"], told["key"], told["shared"]) == ("cell", base.key, run.space.lambda_max)
    with pytest.raises(EdgeNESError, match="one of edgenes, authors"):
        sample_cell(run, "onnx")
    for _ in range(2):  # the second finds another seed free
        (tmp_path / "p.npz").write_bytes(sample_predictions(run))
        assert main(["import", str(tmp_path / "p.npz"), "--into", run.id, "--runs", str(tmp_path), "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["kind"], told["run"], told["shared"]) == ("predictions", run.id, run.space.lambda_max)
        val = run.val_probabilities([told["id"]])[0]
        assert metrics.nll(val, run.targets("val")) == pytest.approx(math.log(CLASSES), abs=1e-6)
    assert [t.name for t in run.imported()] == [SAMPLE_NAME, SAMPLE_NAME]
    assert main(["import", str(tmp_path / "p.npz"), "--runs", str(tmp_path)]) == 1
    assert "--into RUN" in capsys.readouterr().err


def test_selection_does_not_see_what_was_brought(run, capsys):
    """Perfect predictions would win every selection."""
    select = ["select", str(run.path), "--size", "2", "--json"]
    assert main(select) == 0
    before = capsys.readouterr().out
    perfect = np.eye(CLASSES)[run.targets("val")]
    import_predictions(run, npz(**fitting(run) | {"val": perfect}))
    assert main(select) == 0
    assert capsys.readouterr().out == before


def test_a_run_that_goes_on_is_not_disturbed(tmp_path):
    """Stopped while it retrains, given a network, resumed: every file is as without it."""
    config = replace(
        TINY,
        darts=replace(TINY.darts, steps=4, batch=16),
        retrain=replace(TINY.retrain, batch=256, channels=2),
        ensemble=EnsembleConfig(pool=1, size=1, controls=1),
    )
    whole = tiny_run(tmp_path / "whole", config)
    run = RunStore(tmp_path / "runs").create(config)
    with pytest.raises(Cancelled):
        finish(run, stop=lambda: len(list(run.path.glob("candidates/*/history.json"))) > 0, every=0.0)
    assert not run.has("retrain")
    training = import_predictions(run, sample_predictions(run))
    finish(run)
    assert run.plan() == whole.plan()
    assert list(run.networks()) == [*whole.networks(), training.id]
    own = {str(file.relative_to(run.path)) for file in run.folder(training).iterdir()} | {"imported.json"}
    assert set(files_of(run)) == {*files_of(whole), *own}
    measured = {"run.json", "events.jsonl", "embedding.npz"}  # the map shows what was brought
    for name in files_of(whole):
        if name not in measured and not name.endswith("history.json"):
            assert (run.path / name).read_bytes() == (whole.path / name).read_bytes(), name


def test_nothing_is_brought_while_a_worker_is_at_work(run, arrays):
    """It has counted the networks of the run already."""
    with jobs.hold(run), pytest.raises(EdgeNESError, match="A worker is at work on run run"):
        import_predictions(run, npz(**arrays))
    assert import_predictions(run, npz(**arrays)) in run.imported()
