"""Runs that wait for their turn: at most EDGENES_JOBS workers (1 if it is not set) train at once over a folder of runs.

    <run>/queued      exists while the run waits; the oldest starts first
    runs/.queue.lock  held while somebody queues or starts runs, so that two who look at once start no run twice

Nobody owns the queue. Whoever looks (`pump`) starts what there is room for: a worker that ends, the process that started one
when it dies, a page, the command `jobs`. So neither a killed app nor a killed worker holds it up for longer than until then.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from edgenes_core import EdgeNESError, jobs, launch_options, memory, storage
from edgenes_core.jobs import QUEUED, JobError
from edgenes_core.launch_options import LaunchOptions
from edgenes_core.processes import lock
from edgenes_core.run_folder import Run

LIMIT = "EDGENES_JOBS"
MOST = 64
LOCK = ".queue.lock"
PATIENCE = 10.0  # seconds to wait while others queue or start runs


class QueueSettingError(EdgeNESError):
    """A limit that is none."""


def limit() -> int:
    """How many workers may train at once."""
    text = os.environ.get(LIMIT, "").strip() or "1"
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST):
        raise QueueSettingError(f"{LIMIT} is how many runs may train at once, from 1 to {MOST}, got {text[:40]!r}.")
    return int(text)


def launch(run: Run, options: LaunchOptions | None = None) -> None:
    """Start (or resume) a run, or let it wait for its turn; one that waits already keeps its place.

    `options` None: those it was started with before. JobError if a worker is at it, nothing is left to do, or the worker cannot
    be started.
    """
    limit(), memory.cap()  # what is wrong with a setting is said here, not by a worker that dies of it
    if run.manifest.state == "finished":
        raise JobError(f"Run {run.id} is finished, nothing is left to do; launch a new run instead.")
    root = run.path.parent
    with _locked(root, PATIENCE):
        if jobs.is_alive(run):
            raise JobError(f"A worker is already at work on run {run.id}; cancel it or wait until it ends.")
        if options is not None:
            launch_options.keep(run.path, options)
        if not jobs.is_queued(run):
            _queue(run)
        refused = _start_all(root)
    if run.id in refused:
        raise refused[run.id]


def pump(root: Path) -> None:
    """Start the runs that waited longest while there is room. Nothing happens if somebody else is just doing so."""
    if waiting(root):
        with suppress(JobError), _locked(root, 0.0):
            _start_all(root)


def waiting(root: Path) -> list[Run]:
    """The runs in the queue, next one first."""
    turns = []
    for mark in root.glob(f"*/{QUEUED}"):
        with suppress(FileNotFoundError):  # it was just started
            turns.append((mark.stat().st_mtime_ns, mark.parent.name))
    runs = [Run(root / name) for _, name in sorted(turns)]
    return [run for run in runs if (run.path / "run.json").exists() and not jobs.is_alive(run)]


def place(run: Run) -> int:
    """Its place in the queue from 1; 0 if it does not wait."""
    ids = [other.id for other in waiting(run.path.parent)]
    return ids.index(run.id) + 1 if run.id in ids else 0


def alive(root: Path) -> int:
    """How many workers are at work, whoever started them."""
    return sum(jobs.is_alive(Run(mark.parent)) for mark in root.glob("*/lock"))


def _queue(run: Run) -> None:
    """Behind all that wait, even if the clock was set back."""
    turn = max([time.time_ns(), *(1 + (r.path / QUEUED).stat().st_mtime_ns for r in waiting(run.path.parent))])
    with storage.writing(f"queue run {run.id}"):
        storage.write_bytes(run.path / QUEUED, b"")
        os.utime(run.path / QUEUED, ns=(turn, turn))


def _start_all(root: Path) -> dict[str, EdgeNESError]:
    """Start what there is room for; a run that cannot be started leaves the queue, so that it blocks no other."""
    refused: dict[str, EdgeNESError] = {}
    for run in waiting(root):
        if alive(root) >= limit():
            break
        try:
            jobs.start(run, ended=partial(_ended, root))
        except EdgeNESError as error:
            refused[run.id] = error
            _drop(run, error)
    return refused


def _drop(run: Run, error: EdgeNESError) -> None:
    with suppress(OSError):
        (run.path / QUEUED).unlink(missing_ok=True)
    with suppress(EdgeNESError):
        if not jobs.is_alive(run):
            run.update(state="failed", message=str(error))


def _ended(root: Path) -> None:
    """A worker that was killed could not call the next one."""
    with suppress(EdgeNESError, OSError):
        pump(root)


@contextmanager
def _locked(root: Path, seconds: float) -> Iterator[None]:
    try:
        descriptor = lock(root / LOCK, seconds)
    except BlockingIOError:
        raise JobError(f"Others are queueing runs in {root}; try again in a moment.") from None
    except OSError as error:
        raise storage.StorageError(
            f"Cannot queue runs in {root}: {error.strerror or error}. Choose a folder you may write to (--runs DIR)."
        ) from None
    try:
        yield
    finally:
        os.close(descriptor)
