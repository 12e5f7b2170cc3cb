"""Where tensors live and what memory they take: chosen, counted and tuned here and nowhere else.

Everything runs in plain eager float32 on every device. What was measured, on CPUs and on one GPU, is in
docs/adr/0009.
"""

from __future__ import annotations

import ctypes
import platform
import resource
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch

from edgenes_core import EdgeNESError
from edgenes_core.processes import DEVICES

PROCESS = Path("/proc/self/status")
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # names of glibc's malloc.h
KEPT_BYTES = 2**31 - 1  # freed memory at the end of the heap that is kept
HEAP_BLOCK = 2**30  # blocks below this come from the heap


class DeviceError(EdgeNESError):
    """A device that this machine does not have."""


def choose_device(name: str = "auto") -> torch.device:
    """`auto` takes cuda, then mps, then cpu; a named device that is missing gives DeviceError."""
    have = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name not in DEVICES:
        raise DeviceError(f"A device is one of {', '.join(DEVICES)}, got {name!r}.")
    if name == "auto":
        return torch.device(next(kind for kind in DEVICES[1:] if have[kind]))
    if not have[name]:
        raise DeviceError(
            f"This machine has no {name} device that torch {torch.__version__} can use; take --device auto."
        )
    return torch.device(name)


def describe(device: torch.device) -> str:
    """Device name for a run's record."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def synchronize(device: torch.device) -> None:
    """Wait until the device has done its work: before a clock is read. A CPU never lags."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def autocast(device: torch.device) -> AbstractContextManager[object]:
    """bfloat16 products on cuda; elsewhere nothing changes (on a CPU bfloat16 was measured to be slower).

    No run uses it: whether it pays is for benchmarks/gpu.py to say on the machine at hand.
    """
    return torch.autocast("cuda", torch.bfloat16) if device.type == "cuda" else nullcontext()


def peak_memory(device: torch.device) -> int:
    """Bytes this process held at most since it began: of tensors on a cuda device, else of the whole process.

    Linux carries getrusage's figure over from the process that started this one, so /proc is read where it is there.
    """
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    if PROCESS.exists():
        (line,) = (line for line in PROCESS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else largest * 1024  # bytes on macOS, KiB elsewhere


def keep_freed_memory() -> bool:
    """Let this process use the memory of freed tensors again; True if glibc's allocator agreed, False where it is another.

    By default glibc gives each block above some MB back to the system and asks for fresh pages, each a page fault, at the
    next step. What a process holds no longer shrinks, so only runs and their workers do this, the app never.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(M_MMAP_THRESHOLD, HEAP_BLOCK)) and bool(mallopt(M_TRIM_THRESHOLD, KEPT_BYTES))
