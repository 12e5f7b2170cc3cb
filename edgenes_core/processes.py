"""What every process of this project is started with, and how one sees that another still works."""

from __future__ import annotations

import fcntl
import os
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path


def usable_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def environment(**added: str) -> dict[str, str]:
    """This process's environment, with this package importable from any folder, and `added`."""
    package = str(Path(__file__).resolve().parents[1])
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")])), **added}


def is_locked(path: Path) -> bool:
    """Whether a process holds the file's lock. The test is a shared lock, so that two who ask at once see no holder."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def reap(process: subprocess.Popen[bytes], name: str) -> None:
    """Wait for a child beside other work: unwaited for, it would stay a zombie for the life of the app."""
    threading.Thread(target=process.wait, daemon=True, name=f"reap-{name}").start()


def lock(path: Path) -> int:
    """Open a file and hold its lock; the caller closes the descriptor. BlockingIOError if another process holds it, OSError
    if it cannot be written."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise
    return descriptor


def detached(
    command: Sequence[str], log: Path, descriptor: int, *, fresh_log: bool, **added: str
) -> subprocess.Popen[bytes]:
    """Start a process that outlives this one and keeps the lock of `descriptor` for as long as it lives."""
    with log.open("wb" if fresh_log else "ab") as file:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
            pass_fds=(descriptor,),
            env=environment(**added),
        )


def last_error(log: Path) -> str:
    """The last sentence after `error:` in a process's output, empty if there is none."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.removeprefix("error: ") for line in reversed(lines) if line.startswith("error: ")), "")
