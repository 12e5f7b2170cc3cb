"""Predictions beside the app: one process a run, its files are its progress, stopped work goes on where it ended."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import sample_runs

from edgenes_core import shift_jobs, shifted, storage
from edgenes_core.cli import parser
from edgenes_core.config import PipelineConfig
from edgenes_core.jobs import JobError
from edgenes_core.run_folder import Run
from edgenes_core.runs import RunStore
from edgenes_core.shift_jobs import Plan
from edgenes_core.storage import StorageError

DEMO = Run(Path(__file__).resolve().parents[1] / "assets" / "demo")
ENDLESS = "import time\nwhile True: time.sleep(0.02)"


def wait(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return sample_runs.finished(tmp_path)


def plan_of(run: Run) -> Plan:
    return Plan(tuple(t.id for t in run.plan()[:2]), ("spatter", "gaussian_blur"), (1, 3), ("noise",))


def test_the_command_is_one_that_the_command_line_takes(run):
    options = parser().parse_args(plan_of(run).words(run.id))
    assert (options.command, options.run, options.store) == ("shift", run.id, "val")
    assert options.keys.split(",") == list(plan_of(run).members)
    assert plan_of(run)._replace(split="test").command("r").endswith("--store test")


def test_what_is_left_is_what_is_not_stored(run):
    plan = plan_of(run)
    assert shift_jobs.left(run, plan) == shift_jobs.total(plan) == 10
    first, second = run.plan()[:2]
    for training in (first, second):
        storage.write_array(shifted.file_of(run, training, "spatter-1"), np.ones((3, 2)) / 2)
    storage.write_array(shifted.file_of(run, first, "outside-noise"), np.ones((3, 2)) / 2)
    assert shift_jobs.left(run, plan) == 7
    assert shifted.stored(run, plan.members) == (("spatter", 1),)
    assert shifted.stored_foreign(run, plan.members) == ()
    assert shifted.stored_foreign(run, plan.members[:1]) == ("noise",)
    assert shifted.stored(run, plan.members, "test") == ()
    assert shifted.stored(run, ["unknown"]) == ()


def test_the_time_follows_from_retraining(run):
    assert shift_jobs.seconds(run, 10, 100) == pytest.approx(5 + 10 * 100 / 3 * 1.0 / 100)
    assert shift_jobs.seconds(sample_runs.created(run.path.parent), 10, 100) is None


def test_another_dataset_is_at_hand_if_it_is_there_and_has_the_shape(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGENES_DATA", str(tmp_path))
    runs = RunStore(tmp_path / "runs")
    colour, digits = (runs.create(PipelineConfig(dataset=name)) for name in ("cifar10", "digits"))
    brought = runs.create(PipelineConfig(dataset=str(tmp_path / "mine.npz")))
    brought.update(dataset={"image": [3, 32, 32]})
    assert shifted.datasets_like(colour) == []
    for name in ("cifar10", "cifar100", "fashion_mnist"):
        (tmp_path / f"{name}.npz").touch()
    assert shifted.datasets_like(colour) == ["cifar100"], "never what the run was trained on"
    assert shifted.datasets_like(brought) == ["cifar10", "cifar100"]
    assert shifted.datasets_like(digits) == []


def test_one_process_a_run_and_it_can_be_stopped(run, monkeypatch):
    monkeypatch.setattr(shift_jobs, "COMMAND", (sys.executable, "-c", ENDLESS))
    assert not shift_jobs.is_alive(run)
    shift_jobs.cancel(run)
    shift_jobs.launch(run, plan_of(run))
    try:
        assert shift_jobs.is_alive(run)
        with pytest.raises(JobError, match="already"):
            shift_jobs.launch(run, plan_of(run))
    finally:
        shift_jobs.cancel(run)
    wait(lambda: not shift_jobs.is_alive(run))
    assert shift_jobs.failure(run) == ""


def test_a_failure_is_a_sentence(run):
    """Networks of the sample run have no usable weights."""
    shift_jobs.launch(run, plan_of(run))
    wait(lambda: not shift_jobs.is_alive(run))
    assert shift_jobs.failure(run)
    assert run.reveals() == 0


def test_a_folder_that_cannot_be_written_is_a_sentence(run):
    (run.path / "shift").write_text("in the way")
    with pytest.raises(StorageError, match="Cannot write"):
        shift_jobs.launch(run, plan_of(run))


@pytest.mark.parametrize("split", ["val", "test"])
def test_the_process_makes_what_was_planned_and_looks_at_nothing(tmp_path, split):
    run = Run(shutil.copytree(DEMO.path, tmp_path / "demo", ignore=shutil.ignore_patterns("shift", "reveals.jsonl")))
    plan = Plan((run.plan()[0].id,), ("spatter",), (5,), ("noise",) if split == "val" else (), split)
    shift_jobs.launch(run, plan)
    wait(lambda: not shift_jobs.is_alive(run))
    assert (shift_jobs.failure(run), shift_jobs.left(run, plan)) == ("", 0)
    assert run.reveals() == 0
    found = shifted.read(run, plan.members, shifted.name_of("spatter", 5, split))
    assert found.shape == (1, len(run.targets(split)), 10)
    assert "nothing was looked at" in (run.path / "shift" / "log.txt").read_text()
    other = "test" if split == "val" else "val"
    assert shift_jobs.left(run, plan._replace(split=other, outside=())) == 1, "of the part asked for only"


def test_what_is_bundled_is_what_the_command_makes():
    """Shipped for the selected ensemble and DeepEns; alone α* is a member of it."""
    for name in ("selected", "deepens"):
        members = DEMO.ensembles()[name]["members"]
        assert {s for _, s in shifted.stored(DEMO, members)} >= {1, 3, 5}
        assert set(shifted.stored_foreign(DEMO, members)) >= {"noise", "shuffled"}
        probs = shifted.corrupted(DEMO, members, "spatter", 3)
        np.testing.assert_allclose(probs.sum(-1), 1, atol=1e-5)
    size = sum(file.stat().st_size for file in DEMO.path.rglob("*") if file.is_file())
    assert size < 5_000_000
