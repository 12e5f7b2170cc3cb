"""A download as a detached process, so that a page neither waits for it nor ends it.

    <name>.lock  in the data folder, held with flock while a process downloads: the only proof that one does
    <name>.log   its output; the last line that begins with `error:` says why it failed

`start` takes the lock itself and hands it over, so two clicks cannot start two downloads.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgenes_core.catalogue import KNOWN, DataError, data_folder
from edgenes_core.processes import environment, is_locked, reap

COMMAND = (sys.executable, "-m", "edgenes_core", "download")
HANDED_OVER = "EDGENES_DOWNLOAD"


@contextmanager
def hold(name: str) -> Iterator[None]:
    """The downloader's side: one process at a time; DataError if another is at it or the folder cannot be written."""
    if os.environ.pop(HANDED_OVER, "") == name:  # our starter locked for us
        yield
        return
    descriptor = _locked(name)
    try:
        yield
    finally:
        os.close(descriptor)


def start(name: str) -> None:
    """Download in a process of its own; DataError if one is at it or it cannot be started."""
    descriptor = _locked(name)
    try:
        with _log(name).open("wb") as log:
            process = subprocess.Popen(
                [*COMMAND, name],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=(descriptor,),
                env=environment(**{HANDED_OVER: name}),
            )
    except OSError as error:
        raise DataError(f"Cannot start the download of {name}: {error}.") from None
    finally:
        os.close(descriptor)
    reap(process, name)


def busy(name: str) -> bool:
    """Whether a process is downloading the dataset now."""
    return is_locked(_lock(name))


def arrived(name: str) -> float:
    """Share of the published files, by size, that lie in the data folder: 0 to 1."""
    files = [data_folder() / file for file in KNOWN[name].files]
    size = sum(path.stat().st_size for path in files if path.is_file())
    return min(1.0, size / (KNOWN[name].megabytes * 1e6))


def failure(name: str) -> str:
    """Why the last download failed, empty if it did not."""
    try:
        lines = _log(name).read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.removeprefix("error: ") for line in reversed(lines) if line.startswith("error: ")), "")


def _locked(name: str) -> int:
    """Open and lock; the caller closes the descriptor."""
    folder = data_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(_lock(name), os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise DataError(
            f"Cannot write to the data folder {folder}: {error.strerror or error}. Set EDGENES_DATA to another folder."
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise DataError(f"{name} is being downloaded already; wait until that ends.") from None
    return descriptor


def _lock(name: str) -> Path:
    return data_folder() / f"{name}.lock"


def _log(name: str) -> Path:
    return data_folder() / f"{name}.log"
