"""The pipeline from end to end on real digits, interrupted and resumed, and its failures."""

import json
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace

import numpy as np
import pytest
from tiny import TINY, finish, tiny_run

from edgenes_core import ensembles, storage
from edgenes_core.config import SpaceConfig
from edgenes_core.executors import WorkerError, local_executor
from edgenes_core.lambda_path import lambda_path
from edgenes_core.pipeline import run_pipeline
from edgenes_core.records import Evaluation, Event
from edgenes_core.run_folder import STAGES, Run
from edgenes_core.runs import RunStore
from edgenes_core.schema import from_dict
from edgenes_core.session import Cancelled, Session


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    return tiny_run(tmp_path_factory.mktemp("runs"))


def results(run: Run) -> dict[str, bytes]:
    """Every stored result that must not depend on interruptions."""
    skip = {"run.json", "events.jsonl", "history.json"}
    files = [file for file in run.path.rglob("*") if file.is_file() and file.name not in skip]
    return {str(file.relative_to(run.path)): file.read_bytes() for file in files}


def test_every_stage_is_done_billed_and_seen(run):
    assert set(run.manifest.stages) == set(STAGES)
    assert run.manifest.state == "finished"
    costs = [run.manifest.cost(stage) for stage in ("darts", "hypernet", "retrain")]
    assert all(cost.seconds > 0 and cost.peak_memory > 0 for cost in costs)
    seen = [event.stage for event in run.events()[0]]
    assert list(dict.fromkeys(seen)) == list(STAGES)
    assert all(len(row) == 7 for event in run.events()[0] for row in event.alpha)


def test_stored_path_is_that_of_the_stored_knots(run):
    assert run.lambda_path() == lambda_path(run.space, run.knots(), run.base().architecture)
    soft = run.soft_count()
    assert len(soft.lam) == len(soft.count)
    assert (soft.count >= 0).all()
    assert (soft.count <= run.space.lambda_max).all()


def test_the_plan_has_every_part(run):
    plan = run.plan()
    parts = {
        role: [t for t in plan if role in t.roles] for role in ("pool", "deepens", "spread", "random", "deviation")
    }
    base = run.base().architecture
    assert base in [t.architecture for t in parts["pool"]]
    assert [(t.architecture, t.seed) for t in parts["deepens"]] == [(base, 0), (base, 1)]
    assert len(parts["pool"]) == 4
    assert len(parts["random"]) == len(parts["deviation"]) == 3
    assert [t.shared for t in parts["deviation"]] == [3, 2, 1]
    assert {t.architecture for t in parts["spread"]} == {t.architecture for t in parts["pool"]}
    assert len({t.id for t in plan}) == len(plan)
    assert set(run.networks()) == {t.id for t in plan}


def test_stored_ensembles_are_what_their_members_give(run):
    stored, y = run.ensembles(), run.targets("val")
    assert {
        "selected",
        "single_base",
        "deepens",
        "random",
        "deviation",
        "random_selected",
        "deviation_selected",
    } == set(stored)
    for ensemble in stored.values():
        again = ensembles.evaluate(run.val_probabilities(ensemble["members"]), y, "val")
        assert from_dict(Evaluation, ensemble["val"]) == again
    pool = [t.id for t in run.plan() if "pool" in t.roles]
    best = ensembles.select(run.val_probabilities(pool), y, pool, 2)
    assert tuple(stored["selected"]["members"]) == best.members
    assert len(stored["deepens"]["members"]) == 2


def test_selection_does_not_read_test_predictions(run, monkeypatch):
    """With test predictions made unreadable, every stage still runs."""
    read = storage.read_array

    def guarded(path):
        assert path.name != "test.npy"
        return read(path)

    monkeypatch.setattr(storage, "read_array", guarded)
    run.update(stages={s: c for s, c in run.manifest.stages.items() if s not in ("select", "embed")})
    finish(run)
    assert run.reveals() == 0


def test_the_map_merges_duplicates_and_counts_them(run):
    stored = run.embedding()
    assert len(set(stored["keys"])) == len(stored["keys"])
    assert stored["pca"].shape == (len(stored["keys"]), 2)
    assert "umap" not in stored
    drawn = 120 + 30 * 4
    assert stored["count"].sum() == drawn + 1 + 4 + 6 + len(run.lambda_path().intervals), "6 controls"
    assert set(stored["role"]) <= {"base", "path", "pool", "control", "random"}


def stop_after(run: Run, events: int) -> None:
    """Work until a stop is asked for at the n-th event."""
    seen: list[Event] = []
    with pytest.raises(Cancelled, match="resume"):
        finish(run, stop=lambda: len(seen) >= events, report=seen.append)
    assert run.manifest.state == "cancelled"


@pytest.mark.parametrize("events", [0, 5, 49, 58])
def test_resumed_equals_uninterrupted(run, tmp_path, events):
    other = RunStore(tmp_path).create(TINY)
    stop_after(other, events)
    assert results(finish(other)) == results(run)


def test_two_inputs_and_two_cells(tmp_path):
    config = replace(
        TINY,
        space=SpaceConfig(inputs_per_node=2, cells="normal+reduce"),
        darts=replace(TINY.darts, layers=2),
        retrain=replace(TINY.retrain, layers=2),
        ensemble=replace(TINY.ensemble, pool=2, size=1, controls=1),
    )
    run = tiny_run(tmp_path, config)
    assert run.lambda_path().lambda_max == 16
    assert run.base().architecture.cells == ("normal", "reduce")


class DyingExecutor(ThreadPoolExecutor):
    """A pool whose process died: every task fails as `ProcessPoolExecutor` reports it."""

    def submit(self, *_, **__) -> Future:
        future = Future()
        future.set_exception(BrokenProcessPool("a child process terminated abruptly"))
        return future


def test_a_dead_worker_is_said_and_loses_nothing(run, tmp_path):
    other = RunStore(tmp_path).create(TINY)
    with pytest.raises(WorkerError, match=r"0 of \d+ networks are stored"), DyingExecutor(1) as executor:
        run_pipeline(Session(other, executor, "cpu"))
    assert other.manifest.state == "failed"
    assert "--workers 1" in other.manifest.message
    assert results(finish(other)) == results(run)


def test_a_full_disk_leaves_the_run_resumable(run, tmp_path, monkeypatch):
    other, write, calls = RunStore(tmp_path).create(TINY), storage.write_array, []

    def full(path, array):
        calls.append(path)
        if len(calls) == 3:
            raise storage.StorageError("Cannot write: no space left on device.")
        write(path, array)

    monkeypatch.setattr(storage, "write_array", full)
    with pytest.raises(storage.StorageError, match="no space"):
        finish(other)
    assert other.manifest.state == "failed"
    assert results(finish(other)) == results(run)


def test_an_unreadable_dataset_is_stored_as_the_reason(tmp_path):
    other = RunStore(tmp_path).create(replace(TINY, dataset=str(tmp_path / "gone.npz")))
    with pytest.raises(Exception, match="give one of digits"):
        finish(other)
    assert other.manifest.state == "failed"
    assert "gone.npz" in other.manifest.message


def test_worker_processes_give_the_same_networks(run, tmp_path):
    """Spawned processes and this process train bit-identical networks."""
    other = RunStore(tmp_path).create(TINY)
    with local_executor(2) as executor:
        run_pipeline(Session(other, executor, "cpu"))
    assert results(other) == results(run)


def test_a_foreign_supernet_is_refused(run, tmp_path):
    other = RunStore(tmp_path).create(TINY)
    stop_after(other, 6)
    storage.write_tensors(other.path / "base_supernet.safetensors", wrong=np.zeros(3))
    with pytest.raises(storage.StorageError, match="does not fit"):
        finish(other)


def test_manifest_is_plain_json(run):
    manifest = json.loads((run.path / "run.json").read_text())
    assert manifest["schema"] == 1
    assert manifest["dataset"]["images"]["test"] == 359
