"""What every process of this project is started with, and how one sees that another still works."""

from __future__ import annotations

import fcntl
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

DEVICES = ("auto", "cuda", "mps", "cpu")
NICE = 10  # the app stays responsive while others compute
LOOK = 0.02  # seconds between two tries for a lock
INHERITED = "EDGENES_LOCK"  # names the descriptor of a lock that a process hands to one it starts


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


def reap(process: subprocess.Popen[bytes], name: str, ended: Callable[[], object] = lambda: None) -> None:
    """Wait for a child beside other work, then call `ended`: unwaited for, it would stay a zombie for the life of the app."""

    def wait() -> None:
        process.wait()
        ended()

    threading.Thread(target=wait, daemon=True, name=f"reap-{name}").start()


@contextmanager
def every(seconds: float, act: Callable[[], object]) -> Iterator[None]:
    """Act at once, and again and again in a thread beside other work; `act` is done for the last time when this ends."""
    over = threading.Event()

    def repeat() -> None:
        while not over.wait(seconds):
            act()

    act()
    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def lock(path: Path, seconds: float = 0.0) -> int:
    """Open a file and hold its lock; the caller closes the descriptor. BlockingIOError if another process holds it for so many
    seconds, OSError if it cannot be written."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    end = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except OSError as error:
            if not isinstance(error, BlockingIOError) or time.monotonic() >= end:
                os.close(descriptor)
                raise
            time.sleep(LOOK)


def inherited(path: Path) -> int | None:
    """The descriptor that the process which started this one handed over, if it really is this file's lock."""
    text = os.environ.pop(INHERITED, "")
    try:
        same = os.path.samestat(os.fstat(int(text)), os.stat(path))
    except (ValueError, OSError):
        return None
    if same:
        os.set_inheritable(int(text), False)
    return int(text) if same else None


def end(pid: int, how: int) -> None:
    """Send a signal to a process, and to its whole group if it leads one; OSError if it is gone."""
    (os.killpg if os.getpgid(pid) == pid else os.kill)(pid, how)


def niced(command: Sequence[str]) -> list[str]:
    """The command at priority NICE, also where this process has a low one itself."""
    return ["nice", "-n", str(max(0, NICE - os.getpriority(os.PRIO_PROCESS, 0))), *command]


def detached(
    command: Sequence[str], log: Path, descriptor: int, *, fresh_log: bool, **added: str
) -> subprocess.Popen[bytes]:
    """Start a process that outlives this one and keeps the lock of `descriptor` for as long as it lives."""
    with log.open("wb" if fresh_log else "ab") as file:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
            pass_fds=(descriptor,),
            env=environment(**added),
        )
    _give_way(process.pid)
    return process


def _give_way(pid: int) -> None:
    """On Linux kernels that schedule by session, `nice` counts among the processes of one session alone; the session that a
    detached process leads gets the same priority."""
    with suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(NICE))


def last_error(log: Path) -> str:
    """The last sentence after `error:` in a process's output, empty if there is none."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.removeprefix("error: ") for line in reversed(lines) if line.startswith("error: ")), "")
