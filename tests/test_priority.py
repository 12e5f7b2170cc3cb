"""A detached process gives way to the app, also where the kernel shares the processor between sessions."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from edgenes_core.processes import NICE, detached, lock, niced

GROUP = Path("/proc/self/autogroup")


def test_a_detached_process_and_its_session_have_a_low_priority(tmp_path):
    descriptor = lock(tmp_path / "lock")
    process = detached(niced(["sleep", "60"]), tmp_path / "log", descriptor, fresh_log=True)
    os.close(descriptor)
    try:
        end = time.monotonic() + 20
        while os.getpriority(os.PRIO_PROCESS, process.pid) < NICE:  # `nice` may not have come so far
            assert time.monotonic() < end
            time.sleep(0.01)
        if not GROUP.exists():
            pytest.skip("this kernel does not share the processor between sessions")
        assert Path(f"/proc/{process.pid}/autogroup").read_text().split()[-1] == str(NICE)
        # A process outside every autogroup (some containers' first one) reads as an empty line.
        assert GROUP.read_text().split()[:1] != Path(f"/proc/{process.pid}/autogroup").read_text().split()[:1]
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
