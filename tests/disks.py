"""A disk as a test wants it: watched, or read-only even for root, by an audit hook of this process; and what a folder holds."""

from __future__ import annotations

import errno
import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = {
    f"os.{name}" for name in ("mkdir", "rename", "remove", "rmdir", "chmod", "truncate", "link", "symlink", "utime")
}


class Watch:
    """Attempts to write below `folder` and processes that were started, while it is on; `refuse` makes it a read-only disk."""

    def __init__(self) -> None:
        self.folder: str | None = None
        self.refuse = False
        self.attempts: list[str] = []

    def __call__(self, event: str, args: tuple[object, ...]) -> None:
        if self.folder is None or not (event in CHANGES or event in ("open", "subprocess.Popen")):
            return
        if event == "subprocess.Popen":
            self.attempts.append(f"{event} {args[1]}")
            return
        if event == "open" and not (isinstance(args[2], int) and args[2] & WRITING):
            return
        for path in args[:2] if event == "os.rename" else args[:1]:
            if isinstance(path, str | bytes | os.PathLike) and self._below(os.fsdecode(path)):
                self.attempts.append(f"{event} {os.fsdecode(path)}")
                if self.refuse:
                    raise OSError(errno.EROFS, os.strerror(errno.EROFS), os.fsdecode(path))

    def _below(self, path: str) -> bool:
        return os.path.abspath(path).startswith(f"{self.folder}{os.sep}")


_WATCH = Watch()
_HOOKED: list[bool] = []


@contextmanager
def watched(folder: Path, refuse: bool = False) -> Iterator[list[str]]:
    """The attempts made inside the block; a hook cannot be taken away, so it is switched off after it."""
    if not _HOOKED:
        sys.addaudithook(_WATCH)
        _HOOKED.append(True)
    _WATCH.folder, _WATCH.refuse, _WATCH.attempts = str(folder.resolve()), refuse, []
    try:
        yield _WATCH.attempts
    finally:
        _WATCH.folder = None


def tree(folder: Path) -> dict[str, str]:
    """Every file and folder below, with the hash of its content."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in sorted(folder.rglob("*"))
    }
