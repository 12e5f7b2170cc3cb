"""Looks at what lies on the disk: datasets, the folders of data and of runs, and the runs themselves."""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from edgenes_core import durable, jobs
from edgenes_core.catalogue import KNOWN, DataError, data_folder, present, stored_file
from edgenes_core.damage import broken
from edgenes_core.findings import FaultError, Look, Place, RemarkError
from edgenes_core.npz_file import headers_of
from edgenes_core.processes import is_locked
from edgenes_core.runs import RunStore

LEAST_FREE = 1 << 30  # bytes; a standard run takes some hundred MB
SHOWN = 3  # things named; the others are counted
DEAD = ("interrupted", "stalled")


def digits(place: Place) -> str:
    from edgenes_core.data import load_dataset

    return f"{sum(load_dataset('digits').summary()['images'].values())} images"  # type: ignore[attr-defined]


def dataset(name: str, place: Place) -> str:
    """A dataset that was not downloaded is no fault, one that cannot be read is: every byte is compared with its checksum."""
    if not present(name):
        raise RemarkError("not downloaded")
    file = stored_file(name)
    headers = headers_of(file)
    try:
        with zipfile.ZipFile(file) as archive:
            torn = archive.testzip()
    except Exception as error:  # on damaged bytes zipfile raises whatever it stumbles on
        raise DataError(f"{file} is damaged ({error})") from None
    if torn:
        raise DataError(f"{file} is damaged: {torn} does not have its checksum")
    return f"{sum(headers[y].shape[0] for y in ('y_train', 'y_test'))} images in {file}"


def writable(folder: Path) -> str:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return f"{folder.resolve()} can be written"
    except OSError as error:
        raise FaultError(f"{folder} cannot be written: {error.strerror or error}") from None


def space(place: Place) -> str:
    """Of the disks that runs and datasets go to."""
    said = []
    for folder in dict.fromkeys((_existing(place.runs), _existing(data_folder()))):
        free = shutil.disk_usage(folder).free
        if free < LEAST_FREE:
            raise FaultError(
                f"{free / 2**30:.2f} GB are free for {folder}, and a run with its states may need {LEAST_FREE >> 30} GB"
            )
        said.append(f"{free / 2**30:.0f} GB free for {folder}")
    return ", ".join(said)


def _existing(folder: Path) -> Path:
    """The folder, or the first above it that is there."""
    folder = folder.resolve()
    return next(place for place in (folder, *folder.parents) if place.exists())


def left_over(place: Place) -> str:
    """Files and folders that a writer began and never renamed. Looked for before the runs are opened, which removes them."""
    found = [path for folder in (place.runs, data_folder()) for path in _unfinished(folder)]
    if found:
        raise FaultError(f"killed writers left {_some([str(path) for path in found])}")
    return "none"


def _unfinished(root: Path) -> Iterator[Path]:
    """Those whose writer is dead: a living one holds a lock on what it writes."""
    for where, folders, files in os.walk(root):
        yield from (
            path
            for name in (*folders, *files)
            if durable.LEFT_OVER.fullmatch(name) and not is_locked(path := Path(where) / name)
        )
        folders[:] = [name for name in folders if not durable.LEFT_OVER.fullmatch(name)]


def damaged(place: Place) -> str:
    found, broken = RunStore(place.runs).list()
    if broken:
        raise FaultError(_some(broken))
    return f"{len(found)} runs can be read"


def torn(place: Place) -> str:
    """Files inside of runs: each is read, and what a finished stage stores must be there."""
    runs = RunStore(place.runs).list()[0]
    found = {run.id: said for run in runs if (said := broken(run))}
    if found:
        told = [f"{name}: {said[0].rstrip('.')}{_more(len(said) - 1)}" for name, said in found.items()]
        others = list(found)[SHOWN:]  # every run by its name, as each is mended by itself
        raise FaultError("; ".join(told[:SHOWN] + ([f"and of {', '.join(others)}"] if others else [])))
    return f"of {len(runs)} runs, none is torn or missing"


def _more(count: int) -> str:
    return f" (and {count} more)" if count else ""


def dead(place: Place) -> str:
    """Runs that say they are at work, but whose worker holds no lock any more or has stalled."""
    states = [(run.id, jobs.state(run)) for run in RunStore(place.runs).list()[0]]
    lost = [
        f"{run_id} is {state.name}: python -m edgenes_core resume {run_id}"
        for run_id, state in states
        if state.name in DEAD
    ]
    if lost:
        raise FaultError(_some(lost))
    waiting = [run_id for run_id, state in states if state.name == "queued"]
    if waiting and not any(state.alive for _, state in states):
        raise FaultError(f"{_some(waiting)} waits for its turn, and nothing is at work: python -m edgenes_core jobs")
    return f"{sum(state.alive for _, state in states)} at work, none dead"


def permissions(place: Place) -> str:
    """Of each run's folder, which may belong to another user than the folder of all runs."""
    closed = [run.id for run in RunStore(place.runs).list()[0] if not os.access(run.path, os.W_OK | os.X_OK)]
    if closed:
        raise RemarkError(f"{_some(closed)} can be read, but not written")
    return "every run can be written"


def _some(found: list[str]) -> str:
    more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return "; ".join(found[:SHOWN]) + more


LOOKS = (
    Look("digits", digits, "Run: .venv/bin/pip install -r requirements.txt"),
    *(
        Look(
            known.name,
            partial(dataset, known.name),
            f"Get it with: python -m edgenes_core download {known.name} (remove {known.name}.npz first if it is damaged)",
        )
        for known in KNOWN.values()
        if known.files
    ),
    Look("data folder", lambda place: writable(data_folder()), "Set EDGENES_DATA to a folder you may write to."),
    Look(
        "runs folder",
        lambda place: writable(place.runs),
        "Choose a folder you may write to: --runs DIR, or EDGENES_RUNS for the app.",
    ),
    Look("disk space", space, "Free space, or choose another disk with --runs DIR (EDGENES_RUNS) and EDGENES_DATA."),
    Look(
        "left-over files",
        left_over,
        "Listing the runs removes those among runs (python -m edgenes_core list); remove the others yourself.",
    ),
    Look(
        "damaged runs",
        damaged,
        "Restore the files named from a copy, or remove the folder.",
    ),
    Look(
        "files of runs",
        torn,
        "All files of one that are wrong: python -m edgenes_core show RUN. Restore them from a copy or an export; without one, train "
        "again with --again (Train page: Same settings again) and remove the damaged run's folder.",
    ),
    Look(
        "dead runs",
        dead,
        "Resume goes on from the last stored step; a stalled worker is ended first: cancel it on the Train page.",
    ),
    Look(
        "run permissions",
        permissions,
        "To go on with such a run or to keep ensembles in it: chmod -R u+w its folder, or copy it.",
    ),
)
