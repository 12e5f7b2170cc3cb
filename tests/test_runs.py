"""A run folder gives back what was stored, counts looks at the test set, and one bad folder never hides the others."""

import json
import shutil

import numpy as np
import pytest

from edgenes_core import EdgeNESError, storage
from edgenes_core.config import PRESETS, EnsembleConfig, PipelineConfig, SpaceConfig
from edgenes_core.lambda_path import Knots, lambda_path
from edgenes_core.records import Event
from edgenes_core.run_folder import Run
from edgenes_core.run_records import Base, Cost, SoftCount, Training
from edgenes_core.runs import RunStore
from edgenes_core.storage import StorageError

HISTORY = {"train_loss": [2.0, 1.0]}


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path / "runs")


@pytest.fixture
def full(store, rng):
    """A small run with everything stored: two cells, one of them trained twice."""
    run = store.create(PRESETS["quick"], versions={"numpy": "2"}, device="cpu")
    space, seeds = run.space, (0, 0, 3)
    base = Base(space.sample(rng), rng.normal(size=space.logits))
    knots = Knots(np.array([-0.2, 2.0, 4.2]), rng.normal(size=(3, space.logits)))
    cells = [base.architecture, space.sample(rng), base.architecture]
    plan = [
        Training(cell, seed, ("pool", "deepens"), shared=i, lam=0.5 * i or None)
        for i, (cell, seed) in enumerate(zip(cells, seeds, strict=True))
    ]
    run.save_base(base)
    run.save_knots(knots)
    run.save_path(lambda_path(space, knots, base.architecture), SoftCount(np.linspace(0, 4, 5), rng.uniform(size=5)))
    run.save_plan(plan)
    run.save_targets(rng.integers(0, 10, 6), rng.integers(0, 10, 8))
    for training in plan[:2]:
        val, test = rng.dirichlet(np.ones(10), 6), rng.dirichlet(np.ones(10), 8)
        run.save_network(training, {"w": np.zeros(2, np.float32)}, val, test, HISTORY)
    run.save_ensemble("selected", {"members": [t.id for t in plan[:2]]})
    run.save_embedding(xy=rng.normal(size=(2, 2)))
    run.append(Event("darts", 1, 2, 0.5, {"train_loss": 1.0}, ((0.5, 0.5),)))
    run.finish_stage("darts", Cost(1.5, 64))
    return run


def test_create_open_list(store):
    first, second = store.create(PipelineConfig()), store.create(PipelineConfig(seed=3))
    assert store.open(first.id) == first == store.open(str(first.path))
    assert first.config == PipelineConfig()
    runs, damaged = store.list()
    assert {run.id for run in runs} == {first.id, second.id}
    assert damaged == []
    assert RunStore(store.root / "nowhere").list() == ([], [])


def test_runs_of_one_second_get_different_folders(store):
    ids = {store.create(PipelineConfig(dataset="/data/My set (1)/../x y.npz")).id for _ in range(5)}
    assert len(ids) == 5
    assert all("/" not in name and " " not in name for name in ids)
    assert {run.id for run in store.list()[0]} == ids


@pytest.mark.parametrize("config", [*PRESETS.values(), PipelineConfig(space=SpaceConfig(inputs_per_node=2))])
def test_the_config_comes_back(store, config):
    run = store.create(config)
    assert store.open(run.id).config == config
    assert run.space.lambda_max == 4 * config.space.inputs_per_node


def test_what_was_stored_comes_back(full, rng):
    base, plan = full.base(), full.plan()
    assert base.architecture == plan[0].architecture
    assert base.logits.shape == (full.space.logits,)
    path = full.lambda_path()
    assert path == lambda_path(full.space, full.knots(), base.architecture)
    assert full.soft_count().lam.tolist() == [0, 1, 2, 3, 4]
    assert full.manifest.cost("darts") == Cost(1.5, 64)
    assert (full.has("darts"), full.has("embed"), full.manifest.cost("embed")) == (True, False, None)
    assert full.ensembles() == {"selected": {"members": [t.id for t in plan[:2]]}}
    assert full.embedding()["xy"].shape == (2, 2)
    assert full.events()[0] == [Event("darts", 1, 2, 0.5, {"train_loss": 1.0}, ((0.5, 0.5),))]


def test_the_plan_comes_back_with_ids(full):
    plan = full.plan()
    full.save_plan(plan)
    assert full.plan() == plan
    assert [t.id for t in plan] == [plan[0].architecture.key, plan[1].architecture.key, f"{plan[0].architecture.key}-3"]
    assert len({full.folder(t) for t in plan}) == 3
    assert [full.is_trained(t) for t in plan] == [True, True, False]


def test_predictions_come_back(full, rng):
    plan = full.plan()
    val, test = (rng.dirichlet(np.ones(10), n).astype(np.float32) for n in (6, 8))
    full.save_network(plan[2], {}, val, test, HISTORY)
    network = full.networks()[plan[2].id]
    assert list(full.networks()) == [t.id for t in plan]
    assert np.array_equal(network.val, val)
    assert (network.training, network.history) == (plan[2], HISTORY)
    assert np.array_equal(full.reveal([plan[2].id])[0], test)
    assert full.targets("val").shape == (6,)
    assert full.targets("test").shape == (8,)


def test_a_network_without_its_last_file_is_not_trained(full):
    (full.folder(full.plan()[0]) / "history.json").unlink()
    assert list(full.networks()) == [full.plan()[1].id]


def test_each_look_at_test_is_counted(full):
    first, second = list(full.networks())
    assert full.reveals() == 0
    assert full.reveal([first, second, first]).shape == (3, 8, 10)
    full.reveal([second])
    assert full.reveals() == 2
    with pytest.raises(StorageError, match="no retrained network 'nobody'; known are"):
        full.reveal(["nobody"])
    assert full.reveals() == 2


def test_only_reveal_reads_test_predictions(full):
    for test in full.path.rglob("test.npy"):
        test.unlink()
    full.networks(), full.plan(), full.ensembles(), full.embedding(), full.targets("val")
    assert full.val_probabilities(list(full.networks())).shape == (2, 6, 10)
    with pytest.raises(StorageError, match=r"test\.npy"):
        full.reveal(list(full.networks()))


def test_a_fresh_run_says_which_stage_is_missing(store):
    run = store.create(PipelineConfig())
    assert (run.plan(), run.networks(), run.ensembles(), run.events()) == ((), {}, {}, ([], 0))
    reads = {
        "base": "darts",
        "knots": "hypernet",
        "lambda_path": "hypernet",
        "soft_count": "hypernet",
        "embedding": "embed",
    }
    for read, stage in reads.items():
        with pytest.raises(StorageError, match=f"stage '{stage}' has not finished.*resume {run.id}"):
            getattr(run, read)()
    with pytest.raises(StorageError, match=r"Cannot read .*targets\.npz"):
        run.targets("val")


def test_events_of_another_version_are_skipped(full):
    with (full.path / "events.jsonl").open("a") as file:
        file.write('{"stage": "x", "novel": 1}\n{"stage": 1}\n[]\n{"stage": "select", "step": 1, "steps": 1}\n{"sta')
    events, offset = full.events()
    assert [event.stage for event in events] == ["darts", "select"]
    assert full.events(offset) == ([], offset)


BREAK = {
    "torn": lambda path: path.write_bytes(path.read_bytes()[:40]),
    "empty": lambda path: path.write_bytes(b""),
    "newer": lambda path: path.write_text(path.read_text().replace('"schema": 1', '"schema": 99')),
    "unknown field": lambda path: path.write_text(path.read_text().replace('"device"', '"gadget"')),
    "impossible config": lambda path: path.write_text(path.read_text().replace('"seed": 0', '"seed": -1')),
    "a list": lambda path: path.write_text("[]"),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("damage", BREAK)
def test_a_damaged_folder_is_named_beside_the_good_ones(store, damage):
    good, bad = store.create(PipelineConfig()), store.create(PipelineConfig())
    (store.root / "notes").mkdir()
    (store.root / "notes.txt").touch()
    BREAK[damage](bad.path / "run.json")
    runs, sentences = store.list()
    assert runs == [good]
    assert len(sentences) == 1
    assert sentences[0].startswith(f"{bad.id}: ")
    with pytest.raises(EdgeNESError):
        store.open(bad.id)


@pytest.mark.parametrize(
    "reference", ["../x", "..", ".", "", "/", "/etc", "/etc/passwd", "nothing", "a/../../b", "x" * 5000, "\0", "~", "λ"]
)
def test_references_to_no_run_are_refused(store, reference):
    store.create(PipelineConfig())
    with pytest.raises(StorageError, match="No run"):
        store.open(reference)


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "x" * 101, "a b", "/tmp/x"])  # noqa: S108
def test_an_ensemble_stays_in_its_folder(full, name):
    with pytest.raises(StorageError, match="ensemble's name"):
        full.save_ensemble(name, {})


def test_a_copied_folder_is_the_same_run(full, tmp_path):
    copy = RunStore(tmp_path).open(str(shutil.copytree(full.path, tmp_path / "copy")))
    assert copy.lambda_path() == full.lambda_path()
    assert copy.networks().keys() == full.networks().keys()
    assert isinstance(copy, Run)


def test_update_changes_only_what_it_names(full):
    before = full.manifest
    full.update(state="finished", message="done")
    after = Run(full.path).manifest
    assert (after.state, after.message) == ("finished", "done")
    assert (after.config, after.stages, after.versions) == (before.config, before.stages, before.versions)


def test_json_files_are_plain_and_versioned(full):
    for path in full.path.rglob("*.json"):
        if path.name != "architecture.json":
            assert json.loads(path.read_text())["schema"] == storage.SCHEMA


READS = ["manifest", "base", "lambda_path", "soft_count", "plan", "networks"]


@pytest.mark.parametrize("name", ["run.json", "base.json", "path.json", "plan.json"])
def test_a_field_that_is_missing_or_foreign_is_said(full, name):
    """Files edited by hand or written by another program: a sentence or a value, never a stray KeyError."""
    data = json.loads((full.path / name).read_text())
    for key in data:
        for change in ({}, {key: None}, {key: [1]}, {key: {"a": 1}}, {key: "text"}):
            broken = {k: v for k, v in data.items() if k != key} | change
            (full.path / name).write_text(json.dumps(broken))
            for read in READS:
                try:
                    getattr(Run(full.path), read)() if read != "manifest" else Run(full.path).manifest
                except EdgeNESError:
                    continue


def test_pool_size_must_hold_the_ensemble(store):
    with pytest.raises(EdgeNESError):
        store.create(PipelineConfig(ensemble=EnsembleConfig(pool=1)))
