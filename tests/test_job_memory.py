"""A run above its cap ends with all its processes and says so; what an allocator refuses becomes a sentence. Real allocations."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_jobs import wait

from edgenes_core import EdgeNESError, job_queue, jobs, memory, run_log
from edgenes_core.config import PipelineConfig
from edgenes_core.memory import MemorySettingError, OutOfMemoryError
from edgenes_core.run_folder import Run
from edgenes_core.runs import RunStore
from edgenes_core.session import outcome_stored

GREEDY = 'x = b"x" * (400 << 20); print("filled", flush=True); time.sleep(600)'
WORKER = """
import pathlib, subprocess, sys, time
from edgenes_core.job_worker import working
from edgenes_core.launch_options import LaunchOptions
from edgenes_core.run_folder import Run
from edgenes_core.run_log import recorded
run = Run(pathlib.Path(sys.argv[-1]))
with working(run, LaunchOptions()), recorded(run):
"""
ITSELF = WORKER + f"    {GREEDY}"
ITS_CHILD = WORKER + f"    subprocess.run([sys.executable, '-S', '-c', {'import time; ' + GREEDY!r}])"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return RunStore(tmp_path).create(PipelineConfig())


@pytest.mark.skipif(not memory.held(), reason="this system does not tell what a process holds")
@pytest.mark.parametrize("worker", [ITSELF, ITS_CHILD], ids=["itself", "its child"])
def test_a_run_above_its_cap_is_stopped_and_says_so(run: Run, monkeypatch: pytest.MonkeyPatch, worker: str) -> None:
    monkeypatch.setenv(memory.CAP, "300M")
    monkeypatch.setattr(jobs, "COMMAND", (sys.executable, "-c", worker))
    job_queue.launch(run)
    wait(lambda: not jobs.is_alive(run), seconds=60)
    found = jobs.state(run)
    assert (found.name, found.resumable) == ("failed", True)
    assert "may hold 300 MB" in found.message
    assert "fewer workers" in found.message
    assert f"error: {found.message}" in jobs.log_tail(run)
    assert [(line.level, line.message) for line in run_log.read(run)][-1:] == [
        ("ERROR", f"the worker ends: {found.message}")
    ]
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(run.path) not in listed
    assert "400 << 20" not in listed, "no child is left behind"


def test_a_run_below_its_cap_is_left_alone(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(memory.CAP, "8G")
    code = WORKER + "    pass\nprint('done')"
    done = subprocess.run([sys.executable, "-c", code, str(run.path)], capture_output=True, text=True, check=False)
    assert done.stdout == "done\n", done.stderr
    assert not (run.path / jobs.END).exists()


@pytest.mark.parametrize("greedy", [lambda: torch.empty(2**46), lambda: np.ones(2**46), lambda: bytearray(2**46)])
def test_what_an_allocator_refuses_is_stored_as_a_sentence(run: Run, greedy: object) -> None:
    with pytest.raises(OutOfMemoryError, match="fewer workers"), outcome_stored(run):
        greedy()
    assert jobs.state(run).name == "failed"
    assert jobs.state(run).resumable
    assert jobs.state(run).message.startswith("The machine has not enough memory")


def test_other_errors_are_not_taken_for_it() -> None:
    with pytest.raises(RuntimeError, match="size of tensor"), memory.explained():
        torch.zeros(2) + torch.zeros(3)
    with pytest.raises(EdgeNESError, match="as it was"), memory.explained():
        raise EdgeNESError("as it was")


@given(st.integers(1, 900_000), st.sampled_from("KMGTkmgt"), st.sampled_from(["", "B", "iB"]))
def test_a_cap_is_what_it_says(number: int, unit: str, tail: str) -> None:
    size = number * memory.UNITS[unit.upper()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(memory.CAP, f"{number}{unit}{tail}")
        if size >= memory.LEAST:
            assert memory.cap() == size
        else:
            with pytest.raises(MemorySettingError, match="at least 256 MB"):
                memory.cap()


@pytest.mark.parametrize("text", ["6", "six G", "-6G", "6 G", "1e3G", "0G", "G", "6G6G"])
def test_a_cap_that_is_none_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(memory.CAP, text)
    with pytest.raises(MemorySettingError, match="such as 6G"):
        memory.cap()


def test_the_cap_follows_the_machine_and_its_control_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(memory.CAP, raising=False)
    monkeypatch.setattr(memory, "PROC", tmp_path)
    monkeypatch.setattr(memory, "GROUPS", tmp_path / "groups")
    assert memory.cap() is None, "a system that does not tell has no cap"
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable: 10000000 kB\n")
    assert memory.cap() == int(0.8 * 10_000_000 * 1024)
    (tmp_path / "groups").mkdir()
    for name, text in {"memory.max": "max", "memory.current": "5", "memory.stat": "inactive_file 7\nfile 9"}.items():
        (tmp_path / "groups" / name).write_text(text)
    assert memory.cap() == int(0.8 * 10_000_000 * 1024)
    (tmp_path / "groups" / "memory.max").write_text(str(2**31))
    assert memory.cap() == int(0.8 * (2**31 - 5 + 7))
    monkeypatch.setenv(memory.CAP, "none")
    assert memory.cap() is None
