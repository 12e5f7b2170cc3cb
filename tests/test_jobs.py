"""Jobs outlive their parent, die honestly and never run twice. The worker here is a few lines that do what the real one does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core import jobs, storage
from edgenes_core.config import PipelineConfig
from edgenes_core.jobs import JobError, JobState
from edgenes_core.records import Event
from edgenes_core.run_folder import STAGES, Run
from edgenes_core.runs import RunStore

WORKER = """
import sys, time
from pathlib import Path
from edgenes_core import jobs
from edgenes_core.records import Event
from edgenes_core.run_folder import Run

run = Run(Path(sys.argv[-1]))
with jobs.hold(run):
    print("worker at work", flush=True)
    for step in range(1, STEPS + 1):
        if jobs.cancel_requested(run):
            run.update(state="cancelled")
            break
        run.append(Event("darts", step, STEPS, seconds=step * 0.02))
        time.sleep(0.02)
    else:
        run.update(state="finished")
"""
LONG, SHORT = 1000, 3


def wait(condition: Callable[[], bool], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    run = RunStore(tmp_path).create(PipelineConfig())
    yield run
    if jobs.is_alive(run):
        os.kill(int((run.path / "pid").read_text()), signal.SIGKILL)
        wait(lambda: not jobs.is_alive(run))


def use(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    monkeypatch.setattr(jobs, "COMMAND", (sys.executable, "-c", WORKER.replace("STEPS", str(steps))))


def started(run: Run) -> bool:
    return bool(run.events()[0])


def test_a_new_run_is_created_and_not_alive(run: Run) -> None:
    assert jobs.state(run).name == "created"
    assert not jobs.is_alive(run)
    assert jobs.log_tail(run) == ""


def test_a_job_runs_to_its_end(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, SHORT)
    jobs.launch(run)
    assert jobs.state(run).alive, "alive from the first moment: the lock is taken before the worker starts"
    wait(lambda: not jobs.is_alive(run))
    assert jobs.state(run).name == "finished"
    assert "worker at work" in jobs.log_tail(run, lines=1)
    with pytest.raises(JobError, match="nothing is left to do"):
        jobs.launch(run)


def test_a_second_launch_is_refused_and_leaves_the_first_alone(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, LONG)
    jobs.launch(run)
    pid = (run.path / "pid").read_text()
    with pytest.raises(JobError, match="already at work"):
        jobs.launch(run)
    assert (run.path / "pid").read_text() == pid
    assert jobs.is_alive(run)


def test_cancel_ends_the_job_at_its_next_step_and_it_can_be_resumed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, LONG)
    jobs.launch(run)
    wait(lambda: started(run))
    jobs.request_cancel(run)
    assert jobs.state(run).name in ("cancelling", "cancelled")
    wait(lambda: not jobs.is_alive(run))
    assert jobs.state(run).name == "cancelled"
    assert jobs.state(run).resumable
    use(monkeypatch, SHORT)
    jobs.launch(run)
    wait(lambda: not jobs.is_alive(run))
    assert jobs.state(run).name == "finished", "the old request must not stop the new worker"


def test_a_cancel_before_the_worker_is_up_is_kept(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, LONG)
    jobs.launch(run)
    jobs.request_cancel(run)
    wait(lambda: not jobs.is_alive(run))
    assert jobs.state(run).name == "cancelled"
    assert not started(run)


def test_sigkill_shows_as_interrupted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, LONG)
    jobs.launch(run)
    wait(lambda: started(run))
    os.kill(int((run.path / "pid").read_text()), signal.SIGKILL)
    wait(lambda: not jobs.is_alive(run))
    found = jobs.state(run)
    assert found.name == "interrupted"
    assert found.resumable
    assert "Resume" in found.message


def test_terminate_stops_at_once_and_counts_as_cancelled(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, LONG)
    jobs.launch(run)
    wait(lambda: started(run))
    jobs.terminate(run)
    wait(lambda: not jobs.is_alive(run))
    assert jobs.state(run).name == "cancelled"
    jobs.terminate(run)  # a dead job: nothing to do, and no pid of long ago is signalled


def test_a_worker_that_dies_at_import_shows_as_interrupted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "COMMAND", (sys.executable, "-c", "raise SystemExit('no torch here')"))
    jobs.launch(run)
    wait(lambda: not jobs.is_alive(run))
    assert jobs.state(run).name == "interrupted"
    assert "no torch here" in jobs.log_tail(run)


def test_the_job_survives_the_death_of_the_app(run: Run) -> None:
    worker = WORKER.replace("STEPS", "40")
    app = (
        "import sys, pathlib\nfrom edgenes_core import jobs\nfrom edgenes_core.runs import Run\n"
        f"jobs.COMMAND = (sys.executable, '-c', {worker!r})\n"
        f"jobs.launch(Run(pathlib.Path({str(run.path)!r})))\n"
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", app], check=False)
    assert done.returncode == -signal.SIGKILL
    assert jobs.state(run).name == "running", "a fresh process finds the job by its folder alone"
    wait(lambda: not jobs.is_alive(run))
    assert jobs.state(run).name == "finished"


def test_forked_helpers_do_not_keep_the_lock(run: Run) -> None:
    with jobs.hold(run):
        child = os.fork()
        if child == 0:
            time.sleep(10)
            os._exit(0)
    try:
        wait(lambda: not jobs.is_alive(run), seconds=5)  # long before the helper's own end
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_hold_refuses_a_second_worker_and_frees_the_lock(run: Run) -> None:
    with jobs.hold(run):
        assert jobs.is_alive(run)
        assert jobs.is_alive(run), "asking does not take the lock away"
        with pytest.raises(JobError, match="already at work"), jobs.hold(run):
            pass
    assert not jobs.is_alive(run)


def test_a_foreign_lock_number_is_not_trusted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(jobs.INHERITED, "1")
    with jobs.hold(run):
        assert jobs.is_alive(run)
    assert jobs.INHERITED not in os.environ, "a helper of the worker must not inherit the claim"


@pytest.mark.parametrize("stored", ["finished", "cancelled", "failed", "created"])
def test_a_dead_job_is_what_its_manifest_says(run: Run, stored: str) -> None:
    run.update(state=stored, message="why")
    assert jobs.state(run) == JobState(stored, "why")


def test_log_tail_takes_the_last_lines_of_any_bytes(run: Run) -> None:
    storage.write_bytes(run.path / "log.txt", b"one\ntwo\xff\nthree\n")
    assert jobs.log_tail(run, lines=2).splitlines() == ["two\ufffd", "three"]


events = st.lists(
    st.builds(
        Event,
        stage=st.sampled_from([*STAGES, "note"]),
        step=st.integers(0, 50),
        steps=st.integers(0, 50),
        seconds=st.floats(0, 1e4),
    )
)


@given(events)
def test_progress_is_bounded(listed: list[Event]) -> None:
    found = jobs.progress(listed)
    assert 0 <= found.fraction <= 1
    assert found.eta_seconds is None or found.eta_seconds >= 0


@given(st.integers(1, 9))
def test_progress_never_falls_in_a_straight_run_and_ends_at_one(steps: int) -> None:
    straight = [Event(stage, step, steps, step) for stage in STAGES for step in range(steps + 1)]
    fractions = [jobs.progress(straight[:n]).fraction for n in range(len(straight) + 1)]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0
    assert fractions[-1] == pytest.approx(1)
    assert jobs.progress(straight).eta_seconds == pytest.approx(0)


def test_eta_is_exact_at_a_constant_pace() -> None:
    shares = dict.fromkeys(STAGES, 0.2)
    listed = [Event("darts", 10, 10, seconds=20.0), Event("hypernet", 5, 10, seconds=10.0)]
    assert jobs.progress(listed, shares).eta_seconds == pytest.approx(70)
