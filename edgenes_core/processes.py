"""What every process of this project is started with, and how one sees that another still works."""

from __future__ import annotations

import fcntl
import os
import subprocess
import threading
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
