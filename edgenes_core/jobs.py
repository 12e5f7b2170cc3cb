"""Training as a detached process. The run folder is the job, so nothing is lost when the app ends or restarts.

    lock    held with flock for the worker's whole life: the only proof of life (immune to reused pids and zombies)
    pid     who holds the lock; trusted only while it is held
    cancel  exists once someone asked the worker to stop; the worker looks at every event
    log.txt the worker's output

`launch` takes the lock itself and hands it to the worker, so two clicks cannot start two workers.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from edgenes_core import EdgeNESError, storage
from edgenes_core.processes import detached, is_locked, lock, reap
from edgenes_core.records import Event
from edgenes_core.run_folder import STAGES, Run
from edgenes_core.storage import StorageError

COMMAND = (sys.executable, "-m", "edgenes_core", "resume")
INHERITED = "EDGENES_LOCK"
NICE = 10  # the app stays responsive while a job trains
TAIL_BYTES = 200_000
LOCK_TRIES = 10  # a page that asks `is_alive` holds the lock for microseconds; that is no worker
# Share of the whole that a stage takes, from quick runs on digits; only the progress bar depends on it.
SHARES = {"darts": 0.3, "hypernet": 0.25, "retrain": 0.35, "select": 0.02, "embed": 0.08}


class JobError(EdgeNESError):
    """A job that cannot be started or stopped as asked."""


class JobState(NamedTuple):
    """`name` is created, running, cancelling, finished, cancelled, failed or interrupted; `message` says it in a sentence."""

    name: str
    message: str

    @property
    def alive(self) -> bool:
        return self.name in ("running", "cancelling")

    @property
    def resumable(self) -> bool:
        return self.name in ("created", "cancelled", "failed", "interrupted")


class Progress(NamedTuple):
    """Where a job stands; `fraction` of the whole in [0, 1], `eta_seconds` None before anything was measured."""

    stage: str
    step: int
    steps: int
    fraction: float
    eta_seconds: float | None


def launch(run: Run) -> None:
    """Start (or resume) the worker of a run; JobError if one works on it already or nothing is left to do."""
    descriptor = _take(run)
    try:
        if run.manifest.state == "finished":
            raise JobError(f"Run {run.id} is finished, nothing is left to do; launch a new run instead.")
        clear_cancel(run)
        run.update(state="running", message="")
        process = _spawn(run, descriptor)
        storage.write_bytes(run.path / "pid", str(process.pid).encode())
    finally:
        os.close(descriptor)
    reap(process, run.id)


def is_alive(run: Run) -> bool:
    """Whether a worker holds the run's lock."""
    return is_locked(run.path / "lock")


@contextmanager
def hold(run: Run) -> Iterator[None]:
    """The worker's side: hold the run's lock while working on it; JobError if another worker does."""
    descriptor = _inherited(run)
    if descriptor is None:
        descriptor = _take(run)
        clear_cancel(run)
    held = [descriptor]
    # A forked helper process must not keep the lock of a worker that died.
    os.register_at_fork(after_in_child=lambda: os.closerange(held[0], held[0] + 1) if held else None)
    try:
        storage.write_bytes(run.path / "pid", str(os.getpid()).encode())
        yield
    finally:
        os.close(held.pop())


def request_cancel(run: Run) -> None:
    """Ask the worker to stop at its next event; nothing happens if none is alive."""
    if is_alive(run):
        storage.write_bytes(run.path / "cancel", b"")


def cancel_requested(run: Run) -> bool:
    return (run.path / "cancel").exists()


def clear_cancel(run: Run) -> None:
    (run.path / "cancel").unlink(missing_ok=True)


def terminate(run: Run) -> None:
    """Stop the worker now (SIGTERM, to its whole process group if it leads one); what is stored stays resumable."""
    if not is_alive(run):
        return
    request_cancel(run)
    try:
        pid = int((run.path / "pid").read_text())
        (os.killpg if os.getpgid(pid) == pid else os.kill)(pid, signal.SIGTERM)
    except (OSError, ValueError) as error:
        raise JobError(f"Cannot stop the worker of run {run.id}: {error}. It still ends at its next event.") from None


def state(run: Run) -> JobState:
    """What became of the job. Liveness is read before run.json: a worker that ends in between is then seen as ended."""
    alive = is_alive(run)
    manifest = run.manifest
    if alive:
        cancelling = cancel_requested(run)
        return JobState("cancelling", "Stops at the next step.") if cancelling else JobState("running", "At work.")
    if manifest.state != "running":
        return JobState(manifest.state, manifest.message or _SENTENCES.get(manifest.state, ""))
    if cancel_requested(run):
        return JobState("cancelled", _SENTENCES["cancelled"])
    return JobState(
        "interrupted", "The worker died before it finished (see the log). Resume goes on from the last stored step."
    )


def log_tail(run: Run, lines: int = 30) -> str:
    """The last lines of the worker's output, empty if it wrote none."""
    try:
        with (run.path / "log.txt").open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def progress(events: Sequence[Event], shares: Mapping[str, float] = SHARES) -> Progress:
    """Stage, step and fraction of the whole at the last event; the rest is extrapolated from the pace so far."""
    last = next((event for event in reversed(events) if event.stage in STAGES), None)
    if last is None:
        return Progress("", 0, 0, 0.0, None)
    part = min(1.0, max(0.0, last.step / last.steps)) if last.steps > 0 else 0.0
    before = sum(shares[stage] for stage in STAGES[: STAGES.index(last.stage)])
    fraction = min(1.0, (before + shares[last.stage] * part) / sum(shares.values()))
    # A stage's clock goes on where a resumed job took it up.
    seconds = sum({event.stage: event.seconds for event in events}.values())
    eta = seconds * (1 - fraction) / fraction if fraction > 0 and seconds > 0 else None
    return Progress(last.stage, last.step, last.steps, fraction, eta)


_SENTENCES = {
    "created": "Not started yet.",
    "finished": "All stages are done.",
    "cancelled": "Stopped on request. Resume goes on from there.",
    "failed": "The worker gave up (see the log). Mend the cause, then resume.",
}


def _take(run: Run) -> int:
    """Open and lock the run's lock file; the caller closes the descriptor."""
    for _ in range(LOCK_TRIES):
        try:
            return lock(run.path / "lock")
        except BlockingIOError:
            time.sleep(0.02)
        except OSError as error:
            raise StorageError(
                f"Cannot work on run {run.id}: {error.strerror or error}. Copy it to a folder you may write to."
            ) from None
    raise JobError(f"A worker is already at work on run {run.id}; cancel it or wait until it ends.")


def _inherited(run: Run) -> int | None:
    """The descriptor that `launch` handed over, if it really is this run's lock."""
    text = os.environ.pop(INHERITED, "")
    try:
        same = os.path.samestat(os.fstat(int(text)), os.stat(run.path / "lock"))
    except (ValueError, OSError):
        return None
    if same:
        os.set_inheritable(int(text), False)
    return int(text) if same else None


def _spawn(run: Run, descriptor: int) -> subprocess.Popen[bytes]:
    try:
        return detached(
            ["nice", "-n", str(NICE), *COMMAND, str(run.path.resolve())],
            run.path / "log.txt",
            descriptor,
            fresh_log=False,
            OMP_NUM_THREADS="1",
            **{INHERITED: str(descriptor)},
        )
    except OSError as error:
        raise JobError(f"Cannot start a worker for run {run.id}: {error}.") from None
