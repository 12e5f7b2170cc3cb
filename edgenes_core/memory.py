"""The memory that a run may take, and how it is said that there was not enough.

    before   a run may hold EDGENES_MEMORY (6G, 512M, none), else 80 % of what was free when its worker began
    during   a thread adds up the run's processes four times a second; above the cap it ends them all
    after    an allocator that refused, or the kernel that killed, becomes one sentence with the way out

A limit of the kernel's own (RLIMIT_DATA) would hold for each process alone, and RLIMIT_AS counts what is only reserved, so one
thread looks at all of them. Linux tells what a process holds; elsewhere there is no cap.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edgenes_core import EdgeNESError

CAP = "EDGENES_MEMORY"
SHARE = 0.8  # of what is free
UNITS = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
SIZE = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)([KMGT])(?:i?B)?", re.IGNORECASE)
LEAST = 256 * 2**20  # bytes; Python and torch alone need that much
PROC, GROUPS = Path("/proc"), Path("/sys/fs/cgroup")
PAGE = os.sysconf("SC_PAGE_SIZE")
REFUSED = ("out of memory", "can't allocate memory")  # in what torch's allocators raise, on a CPU and on a GPU
WAY_OUT = (
    "Take smaller batches or fewer channels, or fewer workers (--workers 1), and give it more with "
    f"{CAP} where the machine has it; what is stored stays, and resume goes on from there."
)


class OutOfMemoryError(EdgeNESError):
    """A run that needed more memory than it may take or the machine has."""


class MemorySettingError(EdgeNESError):
    """A cap that is none."""


def cap() -> int | None:
    """Bytes that a run starting now may hold, all its processes together; None if there is no cap."""
    text = os.environ.get(CAP, "").strip()
    if not text:
        free = available()
        return None if free is None else max(LEAST, int(SHARE * free))
    if text.lower() == "none":
        return None
    found = SIZE.fullmatch(text)
    size = float(found[1]) * UNITS[found[2].upper()] if found else 0
    if size < LEAST:
        raise MemorySettingError(
            f"{CAP} is a size of at least {said(LEAST)}, such as 6G or 512M, or none, got {text[:40]!r}."
        )
    return int(size)


def available() -> int | None:
    """Bytes that may still be taken on this machine and in this process's control group; None where Linux does not tell."""
    with suppress(OSError, ValueError, StopIteration):
        line = next(line for line in (PROC / "meminfo").read_text().splitlines() if line.startswith("MemAvailable:"))
        return min([int(line.split()[1]) * 1024, *_group_room()])
    return None


def held() -> int:
    """Bytes of this process and its children that they share with no file and no other process; 0 where Linux does not tell."""
    return sum(map(_own, ("self", *children())))


def children() -> set[str]:
    """Process ids of this process's children, those that run its trainings among them."""
    found = set[str]()
    for listed in (PROC / "self/task").glob("*/children"):
        with suppress(OSError):  # a thread that has just ended
            found.update(listed.read_text().split())
    return found


def kills() -> int:
    """How often this machine's kernel has killed a process for want of memory since it was started; 0 where it does not tell."""
    with suppress(OSError, ValueError):
        lines = (PROC / "vmstat").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
    return 0


@contextmanager
def explained() -> Iterator[None]:
    """Use around work: what an allocator refused becomes an OutOfMemoryError."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and not any(words in str(error).lower() for words in REFUSED):
            raise
        reason = f" ({str(error).splitlines()[0][:160]})" if str(error) else ""
        raise OutOfMemoryError(f"The machine has not enough memory for this run{reason}. {WAY_OUT}") from error


def said(size: float) -> str:
    """512 MB, 6.0 GB."""
    return f"{size / 2**30:.1f} GB" if size >= 2**30 else f"{size / 2**20:.0f} MB"


def _own(process: str) -> int:
    """Resident pages of a process without the shared ones; spawned processes share only what is read from files."""
    try:
        resident, shared = (PROC / process / "statm").read_text().split()[1:3]
    except (OSError, ValueError):
        return 0
    return (int(resident) - int(shared)) * PAGE


def _group_room() -> Iterator[int]:
    """Bytes that the control group has left (version 2, then 1); what it only caches can be taken back."""
    for limit, usage, cached in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),
    ):
        with suppress(OSError, ValueError):  # no such group, or no limit: "max"
            stat = (GROUPS / limit).with_name("memory.stat").read_text().splitlines()
            spare = sum(int(line.split()[1]) for line in stat if line.startswith(f"{cached} "))
            yield int((GROUPS / limit).read_text()) - int((GROUPS / usage).read_text()) + spare
