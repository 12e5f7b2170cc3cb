"""A download as a detached process, so that a page neither waits for it nor ends it.

    <name>.lock  in the data folder, held with flock while a process downloads: the only proof that one does
    <name>.log   its output; the last line that begins with `error:` says why it failed

`start` takes the lock itself and hands it over, so two clicks cannot start two downloads.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgenes_core.catalogue import KNOWN, DataError, data_folder
from edgenes_core.processes import detached, is_locked, last_error, lock, reap

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
        process = detached([*COMMAND, name], _log(name), descriptor, fresh_log=True, **{HANDED_OVER: name})
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
    return last_error(_log(name))


def _locked(name: str) -> int:
    """Open and lock; the caller closes the descriptor."""
    folder = data_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return lock(_lock(name))
    except BlockingIOError:
        raise DataError(f"{name} is being downloaded already; wait until that ends.") from None
    except OSError as error:
        raise DataError(
            f"Cannot write to the data folder {folder}: {error.strerror or error}. Set EDGENES_DATA to another folder."
        ) from None


def _lock(name: str) -> Path:
    return data_folder() / f"{name}.lock"


def _log(name: str) -> Path:
    return data_folder() / f"{name}.log"
