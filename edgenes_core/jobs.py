"""Training as a detached process. The run folder is the job, so nothing is lost when the app ends or restarts.

    lock     held with flock for the worker's whole life: the only proof of life (immune to reused pids and zombies). Written
             every two seconds: its time is the last sign of life, its content how often the kernel had killed for memory by then
    pid      who holds the lock; trusted only while it is held
    cancel   exists once someone asked the worker to stop; the worker looks at every event
    queued   exists while the run waits for its turn; its time orders the queue (see `job_queue`)
    end.txt  why a worker ended itself, in a sentence
    log.txt  the worker's output

`start` takes the lock itself and hands it to the worker, so two clicks cannot start two workers.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import NamedTuple

from edgenes_core import EdgeNESError, launch_options, memory, storage
from edgenes_core.processes import INHERITED, detached, end, every, inherited, is_locked, niced, reap
from edgenes_core.progress import duration
from edgenes_core.run_folder import Run

COMMAND = (sys.executable, "-m", "edgenes_core", "resume")
QUEUED, END = "queued", "end.txt"
TAIL_BYTES = 200_000
LOCK_SECONDS = 0.2  # a page that asks `is_alive` holds the lock for microseconds; that is no worker
BEAT = 2.0  # seconds between two signs of life
STALLED = 30.0  # seconds without one, after which a worker that holds its lock is said to hang


class JobError(EdgeNESError):
    """A job that cannot be started or stopped as asked."""


class JobState(NamedTuple):
    """`name` is created, queued, running, stalled, cancelling, finished, cancelled, failed or interrupted; `message` says it in
    a sentence."""

    name: str
    message: str

    @property
    def alive(self) -> bool:
        return self.name in ("running", "stalled", "cancelling")

    @property
    def resumable(self) -> bool:
        return self.name in ("created", "cancelled", "failed", "interrupted")


def start(run: Run, ended: Callable[[], object] = lambda: None) -> None:
    """Start (or resume) the worker of a run that waits for its turn; `ended` is called after it, while this process lives.

    JobError if a worker is at it already or cannot be started. Nothing happens if the run was taken out of the queue meanwhile.
    """
    words = launch_options.kept(run.path).words()
    descriptor = _take(run)
    try:
        clear_cancel(run)
        if not is_queued(run):
            return
        (run.path / END).unlink(missing_ok=True)
        run.update(state="running", message="")
        beat(descriptor)
        process = _spawn(run, descriptor, words)
        storage.write_bytes(run.path / "pid", str(process.pid).encode())
        (run.path / QUEUED).unlink(missing_ok=True)
    finally:
        os.close(descriptor)
    reap(process, run.id, ended)


def is_alive(run: Run) -> bool:
    """Whether a worker holds the run's lock."""
    return is_locked(run.path / "lock")


@contextmanager
def hold(run: Run) -> Iterator[None]:
    """The worker's side: hold the run's lock while working on it; JobError if another worker does."""
    descriptor = inherited(run.path / "lock")
    if descriptor is None:
        descriptor = _take(run)
        clear_cancel(run)
        (run.path / END).unlink(missing_ok=True)
    held = [descriptor]
    # A forked helper process must not keep the lock of a worker that died.
    os.register_at_fork(after_in_child=lambda: os.closerange(held[0], held[0] + 1) if held else None)
    try:
        storage.write_bytes(run.path / "pid", str(os.getpid()).encode())
        (run.path / QUEUED).unlink(missing_ok=True)
        with every(BEAT, partial(beat, descriptor)):
            yield
    finally:
        os.close(held.pop())


def beat(descriptor: int) -> None:
    """A sign of life in the lock that is held; a full disk is no reason to die."""
    with suppress(OSError):
        os.pwrite(descriptor, f"{memory.kills()}\n".encode(), 0)


def silence(run: Run) -> float:
    """Seconds since the last sign of life; 0 for a run that never had a worker."""
    try:
        return max(0.0, time.time() - (run.path / "lock").stat().st_mtime)
    except OSError:
        return 0.0


def is_queued(run: Run) -> bool:
    """Whether the run waits for its turn; one whose worker has just been started may still be marked."""
    return (run.path / QUEUED).exists()


def request_cancel(run: Run) -> None:
    """Take the run out of the queue, or ask its worker to stop at its next event; nothing happens if there is neither."""
    # In this order: `start` takes the lock, clears an old request, and only then looks whether the run is still queued.
    with storage.writing(f"take run {run.id} out of the queue"):
        (run.path / QUEUED).unlink(missing_ok=True)
    if is_alive(run):
        storage.write_bytes(run.path / "cancel", b"")


def cancel_requested(run: Run) -> bool:
    return (run.path / "cancel").exists()


def clear_cancel(run: Run) -> None:
    (run.path / "cancel").unlink(missing_ok=True)


def terminate(run: Run) -> None:
    """Stop the worker now (SIGTERM, to its whole process group if it leads one; SIGKILL if it has stalled, as a halted process
    heeds no other); what is stored stays resumable."""
    if not is_alive(run):
        return
    stop = signal.SIGKILL if silence(run) > STALLED else signal.SIGTERM
    request_cancel(run)
    try:
        end(int((run.path / "pid").read_text()), stop)
    except (OSError, ValueError) as error:
        raise JobError(f"Cannot stop the worker of run {run.id}: {error}. It still ends at its next event.") from None


def state(run: Run) -> JobState:
    """What became of the job. Liveness is read before run.json: a worker that ends in between is then seen as ended."""
    alive = is_alive(run)
    manifest = run.manifest
    if alive:
        return _living(run)
    if is_queued(run):
        return JobState("queued", "Waits for its turn.")
    if manifest.state != "running":
        return JobState(manifest.state, manifest.message or _SENTENCES.get(manifest.state, ""))
    if cancel_requested(run):
        return JobState("cancelled", _SENTENCES["cancelled"])
    return _died(run)


def _living(run: Run) -> JobState:
    silent = silence(run)
    if cancel_requested(run):
        return JobState("cancelling", "Stops at the next step.")
    if silent <= STALLED:
        return JobState("running", "At work.")
    sentence = f"Alive, but silent for {duration(silent)}: its process is halted, or the machine is overloaded."
    return JobState("stalled", f"{sentence} Wait, or stop it and resume.")


def _died(run: Run) -> JobState:
    """A worker that left no result: by its own hand, for want of memory, or nobody knows why."""
    with suppress(OSError, UnicodeDecodeError):
        return JobState("failed", (run.path / END).read_text())
    with suppress(OSError, ValueError):
        if memory.kills() > int((run.path / "lock").read_text()):
            return JobState("interrupted", f"The worker died when this machine ran out of memory. {memory.WAY_OUT}")
    return JobState("interrupted", _SENTENCES["interrupted"])


def log_tail(run: Run, lines: int = 30) -> str:
    """The last lines of the worker's output, empty if it wrote none."""
    try:
        with (run.path / "log.txt").open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


_SENTENCES = {
    "created": "Not started yet.",
    "finished": "All stages are done.",
    "cancelled": "Stopped on request. Resume goes on from there.",
    "interrupted": "The worker died before it finished (see the log). Resume goes on from the last stored step.",
    "failed": "The worker gave up (see the log). Mend the cause, then resume.",
}


def _take(run: Run) -> int:
    """Open and lock the run's lock file; the caller closes the descriptor."""
    busy = JobError(f"A worker is already at work on run {run.id}; cancel it or wait until it ends.")
    return storage.locked(run.path / "lock", LOCK_SECONDS, f"work on run {run.id}", busy)


def _spawn(run: Run, descriptor: int, words: list[str]) -> subprocess.Popen[bytes]:
    try:
        return detached(
            niced([*COMMAND, *words, str(run.path.resolve())]),
            run.path / "log.txt",
            descriptor,
            fresh_log=False,
            OMP_NUM_THREADS="1",
            **{INHERITED: str(descriptor)},
        )
    except OSError as error:
        raise JobError(f"Cannot start a worker for run {run.id}: {error}.") from None
