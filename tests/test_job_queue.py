"""Laws of the queue over real processes: never more at once than allowed, first come first served, nothing lost or started twice.

A worker here is a process that holds the run's lock, as a real one does, until a file tells it to end.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from test_jobs import wait

from edgenes_core import job_queue, jobs, launch_options
from edgenes_core.config import PipelineConfig
from edgenes_core.jobs import JobError
from edgenes_core.launch_options import LaunchOptions
from edgenes_core.run_folder import Run
from edgenes_core.runs import RunStore

HOLDER = """
import os, sys, time
run, words = sys.argv[-1], sys.argv[1:-1]
with open(run + "/../starts", "a") as file:
    file.write(os.path.basename(run) + "\\n")
while not os.path.exists(run + "/go"):
    time.sleep(0.005)
"""
CONFIG = PipelineConfig()


def starts(root: Path) -> list[str]:
    """Ids of the runs whose worker was started, in order."""
    file = root / "starts"
    return file.read_text().split() if file.exists() else []


def end(run: Run) -> None:
    (run.path / "go").touch()
    wait(lambda: not jobs.is_alive(run))


def kill(run: Run) -> None:
    os.kill(int((run.path / "pid").read_text()), signal.SIGKILL)
    wait(lambda: not jobs.is_alive(run))


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunStore]:
    monkeypatch.setattr(jobs, "COMMAND", (sys.executable, "-S", "-c", HOLDER))
    yield RunStore(tmp_path)
    clear(tmp_path)


def clear(root: Path) -> None:
    """End everything: the queue first, so that nobody starts what was just ended."""
    for mark in root.glob("*/queued"):
        mark.unlink()
    for run in RunStore(root).list()[0]:
        end(run)


def names(root: Path, state: str) -> set[str]:
    return {run.id for run in RunStore(root).list()[0] if jobs.state(run).name == state}


class Queue(RuleBasedStateMachine):
    """Launches, ends, kills, and cancels at random, against a model of who must have been started when."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(jobs, "COMMAND", (sys.executable, "-S", "-c", HOLDER))
        self.patch.setenv(job_queue.LIMIT, "2")
        self.folder = tempfile.TemporaryDirectory()
        self.store = RunStore(Path(self.folder.name))
        self.turns: list[str] = []  # launched and not taken out of the queue, in order
        self.over: set[str] = set()

    def of(self, ids: list[str], data: st.DataObject) -> Run:
        return Run(self.store.root / data.draw(st.sampled_from(ids)))

    @property
    def running(self) -> list[str]:
        return [each for each in self.turns if each not in self.over][:2]

    @property
    def queued(self) -> list[str]:
        return [each for each in self.turns if each not in self.over][2:]

    @precondition(lambda self: len(self.turns) < 6)
    @rule()
    def launch(self) -> None:
        run = self.store.create(CONFIG)
        job_queue.launch(run)
        self.turns.append(run.id)

    @precondition(lambda self: self.queued)
    @rule(data=st.data())
    def launch_again(self, data: st.DataObject) -> None:
        job_queue.launch(self.of(self.queued, data))

    @precondition(lambda self: self.running)
    @rule(data=st.data(), violent=st.booleans())
    def leave(self, data: st.DataObject, violent: bool) -> None:
        run = self.of(self.running, data)
        (kill if violent else end)(run)
        self.over.add(run.id)

    @precondition(lambda self: self.queued)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        run = self.of(self.queued, data)
        jobs.request_cancel(run)
        self.turns.remove(run.id)
        assert jobs.state(run).name == "created"

    @invariant()
    def as_in_the_model(self) -> None:
        root = self.store.root
        wait(
            lambda: (
                len(starts(root)) == len(self.turns) - len(self.queued) and job_queue.alive(root) == len(self.running)
            )
        )
        assert starts(root) == [each for each in self.turns if each not in self.queued]
        assert [run.id for run in job_queue.waiting(root)] == self.queued
        assert names(root, "running") == set(self.running)

    def teardown(self) -> None:
        clear(self.store.root)
        self.patch.undo()
        self.folder.cleanup()


TestQueue = Queue.TestCase
TestQueue.settings = settings(max_examples=5, stateful_step_count=10)


def test_many_who_look_at_once_start_nothing_twice(store: RunStore) -> None:
    runs = [store.create(CONFIG) for _ in range(4)]
    for run in runs:
        job_queue.launch(run)
    (runs[0].path / "go").touch()
    with ThreadPoolExecutor(8) as pool:
        for _ in range(60):
            list(pool.map(job_queue.pump, [store.root] * 8))
            assert job_queue.alive(store.root) <= 1
    wait(lambda: starts(store.root) == [run.id for run in runs[:2]])


def test_a_dead_app_and_a_killed_worker_hold_nobody_up(store: RunStore) -> None:
    first, second = store.create(CONFIG), store.create(CONFIG)
    code = f"""
import pathlib, signal, os
from edgenes_core import job_queue, jobs
from edgenes_core.run_folder import Run
jobs.COMMAND = {jobs.COMMAND!r}
for run in {[str(first.path), str(second.path)]!r}:
    job_queue.launch(Run(pathlib.Path(run)))
os.kill(os.getpid(), signal.SIGKILL)"""
    subprocess.run([sys.executable, "-c", code], check=False)
    assert [jobs.state(run).name for run in (first, second)] == ["running", "queued"]
    kill(first)  # nobody is left who could notice
    assert [jobs.state(run).name for run in (first, second)] == ["interrupted", "queued"]
    job_queue.pump(store.root)
    assert jobs.state(second).name == "running"


def test_a_start_that_was_cut_off_keeps_its_turn(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    run = store.create(CONFIG)

    def cut_off(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(jobs, "_spawn", cut_off)
        with pytest.raises(KeyboardInterrupt):
            job_queue.launch(run)
    assert jobs.state(run).name == "queued"
    job_queue.pump(store.root)
    assert jobs.state(run).name == "running"


def test_a_cancel_in_the_middle_of_a_start_wins(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    run = store.create(CONFIG)
    monkeypatch.setattr(jobs, "clear_cancel", jobs.request_cancel)  # at the moment when the lock was just taken
    job_queue.launch(run)
    assert (starts(store.root), jobs.is_alive(run), jobs.is_queued(run)) == ([], False, False)


def test_a_run_that_cannot_be_started_leaves_the_queue_and_says_why(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, broken, last = (store.create(CONFIG) for _ in range(3))
    for run in (first, broken, last):
        job_queue.launch(run)
    (broken.path / "launch.json").write_text("{")
    end(first)
    wait(lambda: jobs.state(last).name == "running")
    assert jobs.state(broken).name == "failed"
    assert "launch.json is damaged" in jobs.state(broken).message
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv(job_queue.LIMIT, "2")
    with pytest.raises(JobError, match="Cannot start a worker"):
        job_queue.launch(store.create(CONFIG))


def test_a_file_called_queued_elsewhere_is_no_run(store: RunStore) -> None:
    (store.root / "notes").mkdir()
    (store.root / "notes" / "queued").touch()
    job_queue.pump(store.root)
    assert (store.root / "notes" / "queued").exists()


@pytest.mark.parametrize("text", ["0", "65", "-1", "two", "1.5", "²"])
def test_a_limit_that_is_none_is_said_before_anything_is_queued(
    store: RunStore, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv(job_queue.LIMIT, text)
    run = store.create(CONFIG)
    with pytest.raises(job_queue.QueueSettingError, match="from 1 to 64"):
        job_queue.launch(run)
    assert jobs.state(run).name == "created"


def test_a_run_is_started_again_as_it_was_started_before(store: RunStore) -> None:
    options = LaunchOptions(workers=3, device="cpu", cluster="tcp://10.0.0.1:8786")
    run = store.create(CONFIG)
    job_queue.launch(run, options)
    kill(run)
    job_queue.launch(run)
    assert launch_options.kept(run.path) == options
    words = Path(
        f"/proc/{(run.path / 'pid').read_text()}/cmdline"
    )  # empty for a moment while one program becomes another
    wait(lambda: words.read_text().split("\0")[-8:-1] == [*options.words(), str(run.path.resolve())])
