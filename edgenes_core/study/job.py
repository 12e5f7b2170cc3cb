"""A study trained beside the app, by a process that outlives it.

lock     held for the process's whole life and holding its number: no two work on one study
log.txt  its output
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from edgenes_core import storage
from edgenes_core.processes import INHERITED, detached, end, inherited, is_locked, last_error, niced, reap
from edgenes_core.study import StudyError
from edgenes_core.study.folder import Study

LOCK_SECONDS = 0.2  # a page that asks `at_work` holds the lock for microseconds
COMMAND = (sys.executable, "-m", "edgenes_core", "study")


@contextmanager
def hold(study: Study) -> Iterator[None]:
    """Use around all work on a study; StudyError if another process is at it."""
    descriptor = inherited(study.path / "lock")
    descriptor = _take(study) if descriptor is None else descriptor
    try:
        _sign(descriptor, os.getpid())
        yield
    finally:
        os.close(descriptor)


def at_work(study: Study) -> bool:
    """Whether a process holds the study."""
    return is_locked(study.path / "lock")


def start(study: Study, options: Sequence[str] = ()) -> None:
    """Go on with a study in a process of its own; StudyError if one is at it."""
    descriptor = _take(study)
    try:
        words = [*COMMAND, study.id, "--resume", *options, "--runs", str(study.path.parents[1].resolve())]
        log, handed = study.path / "log.txt", {INHERITED: str(descriptor)}
        process = detached(niced(words), log, descriptor, fresh_log=True, OMP_NUM_THREADS="1", **handed)
        _sign(descriptor, process.pid)
    except OSError as error:
        raise StudyError(f"Cannot start a process for study {study.id}: {error}.") from None
    finally:
        os.close(descriptor)
    reap(process, study.id)


def stop(study: Study) -> None:
    """End the process of a study, and its workers with it; what is stored stays."""
    if not at_work(study):
        return
    with suppress(ProcessLookupError, ValueError):
        end(int((study.path / "lock").read_text()), signal.SIGTERM)


def last_words(study: Study) -> tuple[str, str]:
    """The last line of the process's output, and its last error, empty where there is none."""
    log = study.path / "log.txt"
    try:
        lines = log.read_text(errors="replace").split("\n")
    except OSError:
        return "", ""
    return next((line.strip() for line in reversed(lines) if line.strip()), ""), last_error(log)


def _sign(descriptor: int, pid: int) -> None:
    os.pwrite(descriptor, f"{pid:<12}".encode(), 0)


def _take(study: Study) -> int:
    busy = StudyError(f"A process is already at work on study {study.id}; stop it or wait until it ends.")
    return storage.locked(study.path / "lock", LOCK_SECONDS, f"work on study {study.id}", busy)
