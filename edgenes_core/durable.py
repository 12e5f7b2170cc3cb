"""Files and folders that are there whole or not at all, and stay there when the power fails right after.

A file is written under a hidden name, flushed to the disk, renamed, and its folder flushed too: without the last step a power
cut may take the rename back. A writer holds a lock on what it has not renamed yet, so what a killed one left can be told from
what a living one writes, and be removed. Everything here raises OSError.
"""

from __future__ import annotations

import errno
import fcntl
import glob
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path

from edgenes_core.access import Mode, read_access

PART, STAGED = ".part", ".staged-"
LEFT_OVER = re.compile(rf"\..+{re.escape(PART)}|{re.escape(STAGED)}.+")


def replace(path: Path, content: bytes) -> None:
    """Make `content` the whole content of a file; whatever fails before it is, the old one stays."""
    make_folder(path.parent)
    descriptor, temporary = tempfile.mkstemp(PART, _hidden(path), path.parent)
    try:
        try:
            _hold(descriptor)
            _write(descriptor, content)
            os.fchmod(descriptor, 0o644)
            os.fsync(descriptor)
            os.replace(temporary, path)
        finally:
            os.close(descriptor)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    flush_folder(path.parent)


def append(path: Path, line: bytes, *, kept: bool) -> None:
    """Add a line in a single write, so that readers see whole lines or a torn last one; `kept`: on the disk on return.

    A last line that a killed writer left torn is closed first: only that line is lost.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        size = os.lseek(descriptor, 0, os.SEEK_END)
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            line = b"\n" + line
        _write(descriptor, line)
        if kept:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if kept and not size:
        flush_folder(path.parent)


@contextmanager
def staged(parent: Path) -> Iterator[Path]:
    """A hidden folder to fill, and to `move` to its place in one step; whatever is left at the end is removed."""
    make_folder(parent)
    hidden = Path(tempfile.mkdtemp(prefix=STAGED, dir=parent))
    try:
        descriptor = os.open(hidden, os.O_RDONLY)
        try:
            _hold(descriptor)
            (hidden / "new").mkdir()
            yield hidden / "new"
        finally:
            os.close(descriptor)
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def move(folder: Path, path: Path) -> None:
    """Rename a folder, all of its files on the disk by then; OSError if there is something at `path`."""
    for where, _, files in os.walk(folder, onerror=_fail):
        for name in files:
            _flush(Path(where) / name)
        flush_folder(Path(where))
    os.rename(folder, path)
    flush_folder(path.parent)


def remove(path: Path) -> None:
    """Remove a file for good."""
    os.unlink(path)
    flush_folder(path.parent)


def make_folder(path: Path) -> None:
    """A folder with all that are above it, if it is not there."""
    missing = list(takewhile(lambda each: not each.exists(), (path, *path.parents)))
    path.mkdir(parents=True, exist_ok=True)
    for made in missing:
        flush_folder(made.parent)


def sweep(folder: Path) -> None:
    """Remove what killed writers left in a folder and below it. Where nothing may be removed, it stays."""
    for where, folders, files in os.walk(folder):
        for name in filter(LEFT_OVER.fullmatch, (*folders, *files)):
            discard(Path(where) / name)
        folders[:] = [name for name in folders if not name.startswith(STAGED)]


def discard_parts(path: Path) -> None:
    """The same for what was to become one file, in a folder that is not ours to look through."""
    for part in path.parent.glob(f"{glob.escape(_hidden(path))}*{PART}"):
        discard(part)


def discard(left_over: Path) -> None:
    """Remove an unfinished file or folder, unless its writer lives; a classroom leaves it, as it changes nothing."""
    if read_access(os.environ).mode is Mode.CLASSROOM:
        return
    with suppress(OSError):
        descriptor = os.open(left_over, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left_over) if left_over.is_dir() else os.unlink(left_over)
        finally:
            os.close(descriptor)


def _hidden(path: Path) -> str:
    """How the name begins under which a file is written."""
    return f".{path.name[:100]}."


def _hold(descriptor: int) -> None:
    """Lock what is being written; a file system without locks keeps what killed writers leave."""
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _write(descriptor: int, content: bytes) -> None:
    """All of it: a disk that takes a part refuses the rest with the reason."""
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]


def _flush(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_folder(folder: Path) -> None:
    """What was made, renamed or removed in a folder is on the disk then; some file systems cannot do it and say EINVAL."""
    try:
        _flush(folder)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise


def _fail(error: OSError) -> None:
    raise error
