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

from edgenes_core import job_queue, jobs, memory, processes, storage
from edgenes_core.config import PipelineConfig
from edgenes_core.jobs import JobError, JobState
from edgenes_core.run_folder import Run
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
    job_queue.launch(run)
    assert jobs.state(run).alive, "alive from the first moment: the lock is taken before the worker starts"
    wait(lambda: not jobs.is_alive(run))
    assert jobs.state(run).name == "finished"
    assert "worker at work" in jobs.log_tail(run, lines=1)
    with pytest.raises(JobError, match="nothing is left to do"):
        job_queue.launch(run)


def test_a_second_launch_is_refused_and_leaves_the_first_alone(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, LONG)
    job_queue.launch(run)
    pid = (run.path / "pid").read_text()
    with pytest.raises(JobError, match="already at work"):
        job_queue.launch(run)
    assert (run.path / "pid").read_text() == pid
    assert jobs.is_alive(run)


def test_cancel_ends_the_job_at_its_next_step_and_it_can_be_resumed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, LONG)
    job_queue.launch(run)
    wait(lambda: started(run))
    jobs.request_cancel(run)
    assert jobs.state(run).name in ("cancelling", "cancelled")
    wait(lambda: not jobs.is_alive(run))
    assert jobs.state(run).name == "cancelled"
    assert jobs.state(run).resumable
    use(monkeypatch, SHORT)
    job_queue.launch(run)
    wait(lambda: not jobs.is_alive(run))
    assert jobs.state(run).name == "finished", "the old request must not stop the new worker"


def test_a_cancel_before_the_worker_is_up_is_kept(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, LONG)
    job_queue.launch(run)
    jobs.request_cancel(run)
    wait(lambda: not jobs.is_alive(run))
    assert jobs.state(run).name == "cancelled"
    assert not started(run)


def test_sigkill_shows_as_interrupted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, LONG)
    job_queue.launch(run)
    wait(lambda: started(run))
    os.kill(int((run.path / "pid").read_text()), signal.SIGKILL)
    wait(lambda: not jobs.is_alive(run))
    found = jobs.state(run)
    assert found.name == "interrupted"
    assert found.resumable
    assert "Resume" in found.message


def test_terminate_stops_at_once_and_counts_as_cancelled(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, LONG)
    job_queue.launch(run)
    wait(lambda: started(run))
    jobs.terminate(run)
    wait(lambda: not jobs.is_alive(run))
    assert jobs.state(run).name == "cancelled"
    jobs.terminate(run)  # a dead job: nothing to do, and no pid of long ago is signalled


def test_a_worker_that_dies_at_import_shows_as_interrupted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "COMMAND", (sys.executable, "-c", "raise SystemExit('no torch here')"))
    job_queue.launch(run)
    wait(lambda: not jobs.is_alive(run))
    assert jobs.state(run).name == "interrupted"
    assert "no torch here" in jobs.log_tail(run)


def app(run: Run, *lines: str) -> subprocess.CompletedProcess[str]:
    """An app's process that does these lines with `run`."""
    code = [
        "import os, signal, sys, pathlib",
        "from edgenes_core import job_queue, jobs",
        "from edgenes_core.run_folder import Run",
    ]
    code += [f"jobs.COMMAND = {jobs.COMMAND!r}", f"run = Run(pathlib.Path({str(run.path)!r}))", *lines]
    return subprocess.run([sys.executable, "-c", "\n".join(code)], check=False, capture_output=True, text=True)


def test_the_job_of_a_killed_app_is_adopted_by_the_next(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, LONG)
    died = app(run, "job_queue.launch(run)", "os.kill(os.getpid(), signal.SIGKILL)")
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert jobs.state(run).name == "running", "a fresh process finds the job by its folder alone"
    wait(lambda: started(run))
    adopted = app(run, "print(jobs.state(run).name)", "jobs.request_cancel(run)")
    assert adopted.stdout.strip() == "running", adopted.stderr
    wait(lambda: not jobs.is_alive(run))
    assert jobs.state(run).name == "cancelled"


def test_a_worker_gives_signs_of_life_in_a_long_step(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "BEAT", 0.01)
    beats = set()
    with jobs.hold(run):  # this thread does nothing more, as in a step that takes minutes
        wait(lambda: beats.add((run.path / "lock").stat().st_mtime_ns) or len(beats) > 3)
        assert jobs.silence(run) < jobs.STALLED
        assert jobs.state(run).name == "running"


def test_a_halted_worker_is_stalled_not_dead_and_can_be_stopped(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, LONG)
    job_queue.launch(run)
    wait(lambda: started(run))
    os.kill(int((run.path / "pid").read_text()), signal.SIGSTOP)
    long_ago = time.time() - jobs.STALLED - 20
    os.utime(run.path / "lock", (long_ago, long_ago))
    found = jobs.state(run)
    assert (found.name, found.alive, found.resumable) == ("stalled", True, False)
    assert "silent for 5" in found.message
    jobs.terminate(run)  # a halted process heeds SIGKILL alone
    wait(lambda: not jobs.is_alive(run))
    assert jobs.state(run).resumable


def test_a_worker_that_the_kernel_killed_for_memory_is_said_to_be(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with jobs.hold(run):
        run.update(state="running")
    assert "out of memory" not in jobs.state(run).message
    monkeypatch.setattr(memory, "kills", lambda: int((run.path / "lock").read_text()) + 1)
    found = jobs.state(run)
    assert found.resumable
    assert "out of memory" in found.message
    assert "smaller batches" in found.message


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
    monkeypatch.setenv(processes.INHERITED, "1")
    with jobs.hold(run):
        assert jobs.is_alive(run)
    assert processes.INHERITED not in os.environ, "a helper of the worker must not inherit the claim"


@pytest.mark.parametrize("stored", ["finished", "cancelled", "failed", "created"])
def test_a_dead_job_is_what_its_manifest_says(run: Run, stored: str) -> None:
    run.update(state=stored, message="why")
    assert jobs.state(run) == JobState(stored, "why")


def test_log_tail_takes_the_last_lines_of_any_bytes(run: Run) -> None:
    storage.write_bytes(run.path / "log.txt", b"one\ntwo\xff\nthree\n")
    assert jobs.log_tail(run, lines=2).splitlines() == ["two\ufffd", "three"]
