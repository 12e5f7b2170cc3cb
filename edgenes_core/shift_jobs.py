"""Predictions on shifted images as a detached process: the command `shift`. The files that it writes are its progress.

    shift/lock     held for the process's whole life: the only proof of life
    shift/pid      who holds the lock; trusted only while it is held
    shift/log.txt  its output

One process a run. What is stopped goes on where it ended, so cancelling is ending the process.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Callable
from typing import NamedTuple

from edgenes_core import storage
from edgenes_core.estimate import FORWARD_SHARE, START_SECONDS
from edgenes_core.jobs import JobError
from edgenes_core.processes import detached, is_locked, last_error, lock, niced, reap
from edgenes_core.run_folder import Run
from edgenes_core.shifted import STAGE, Condition, known_as, missing

COMMAND = (sys.executable, "-m", "edgenes_core")


class Plan(NamedTuple):
    """What is to be predicted: members on every severity of every corruption of a part, and on foreign images of some sources."""

    members: tuple[str, ...]
    corruptions: tuple[str, ...]
    severities: tuple[int, ...]
    outside: tuple[str, ...] = ()
    split: str = "val"

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return tuple((name, severity) for name in self.corruptions for severity in self.severities)

    def words(self, run: str) -> list[str]:
        """The command's words after `python -m edgenes_core`."""
        outside = ["--outside", ",".join(self.outside)] if self.outside else []
        listed = ["--corruptions", ",".join(self.corruptions), "--severities", ",".join(map(str, self.severities))]
        return ["shift", run, "--keys", ",".join(self.members), *listed, *outside, "--store", self.split]

    def command(self, run: str) -> str:
        """The same for a shell."""
        return shlex.join(["python", "-m", "edgenes_core", *self.words(run)])


def left(run: Run, plan: Plan, known_as: Callable[[str], str] = known_as) -> int:
    """How many predictions, each of one network on all images of one kind, are not stored yet."""
    return missing(run, plan.members, plan.conditions, list(map(known_as, plan.outside)), plan.split)


def total(plan: Plan) -> int:
    """How many there are when all is done."""
    return len(plan.members) * (len(plan.conditions) + len(plan.outside))


def seconds(run: Run, predictions: int, images: int) -> float | None:
    """About how long so many take, from the time that retraining took here; None if this run does not know."""
    cost = run.manifest.cost("retrain")
    if cost is None or not cost.samples:
        return None
    return START_SECONDS + predictions * images * FORWARD_SHARE * cost.seconds / cost.samples


def launch(run: Run, plan: Plan) -> None:
    """Start the process; JobError if one is at it, StorageError if the folder cannot be written."""
    folder = run.path / STAGE
    try:
        folder.mkdir(exist_ok=True)
        descriptor = lock(folder / "lock")
    except BlockingIOError:
        raise JobError(f"Predictions for run {run.id} are being made already; wait until that ends.") from None
    except OSError as error:
        raise storage.StorageError(
            f"Cannot write to run {run.id}: {error.strerror or error}. Copy it to a folder you may write to."
        ) from None
    words = niced([*COMMAND, *plan.words(str(run.path.resolve()))])
    try:
        process = detached(words, folder / "log.txt", descriptor, fresh_log=True, OMP_NUM_THREADS="1")
        storage.write_bytes(folder / "pid", str(process.pid).encode())
    except OSError as error:
        raise JobError(f"Cannot start a process for run {run.id}: {error}.") from None
    finally:
        os.close(descriptor)
    reap(process, f"{run.id}-{STAGE}")


def is_alive(run: Run) -> bool:
    """Whether predictions are being made now."""
    return is_locked(run.path / STAGE / "lock")


def cancel(run: Run) -> None:
    """End the process; nothing happens if there is none."""
    if not is_alive(run):
        return
    try:
        os.killpg(int((run.path / STAGE / "pid").read_text()), signal.SIGTERM)
    except (OSError, ValueError) as error:
        raise JobError(f"Cannot stop the process of run {run.id}: {error}.") from None


def failure(run: Run) -> str:
    """Why the last process failed, empty if it did not."""
    return last_error(run.path / STAGE / "log.txt")
