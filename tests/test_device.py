"""The device layer: choice, precision, memory; and trainings that are the same in any process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from edgenes_core import device, tasks
from edgenes_core.config import RetrainConfig
from edgenes_core.device import DEVICES, DeviceError, autocast, choose_device, keep_freed_memory, peak_memory
from edgenes_core.executors import local_executor
from edgenes_core.space import SearchSpace

CPU = torch.device("cpu")
ROOT = Path(__file__).parents[1]
MB = 2**20


@pytest.fixture
def have(monkeypatch):
    """Pretend that the machine has these devices beside its CPU."""

    def pretend(*kinds: str) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: "cuda" in kinds)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: "mps" in kinds)

    return pretend


@pytest.mark.parametrize("kinds", [(), ("mps",), ("cuda",), ("cuda", "mps")])
def test_auto_takes_the_best_device_and_a_missing_one_is_named(have, kinds):
    have(*kinds)
    assert choose_device().type == next((kind for kind in DEVICES if kind in kinds), "cpu")
    for kind in DEVICES[1:]:
        if kind in (*kinds, "cpu"):
            assert choose_device(kind).type == kind
        else:
            with pytest.raises(DeviceError, match=f"no {kind} device.*--device auto"):
                choose_device(kind)
    with pytest.raises(DeviceError, match="auto, cuda, mps, cpu, got 'tpu'"):
        choose_device("tpu")


def test_autocast_changes_nothing_on_a_cpu():
    a, b = torch.randn(2, 8, 8)
    with autocast(CPU):
        assert torch.equal(a @ b, a.matmul(b))
        assert (a @ b).dtype == torch.float32


def run(code: str) -> int:
    """The number that a new process prints."""
    command = [
        sys.executable,
        "-c",
        f"import torch\nfrom edgenes_core.device import *\ncpu = torch.device('cpu')\n{code}",
    ]
    return int(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)


def test_peak_memory_counts_what_was_freed_and_not_what_a_parent_held():
    """A tensor's memory counts after it is gone, in the process that had it and in no other."""
    before = peak_memory(CPU)
    held = torch.ones(64 * MB)  # 256 MB
    del held
    peak = peak_memory(CPU)
    assert peak - before <= 300 * MB
    assert peak >= 256 * MB
    assert run("print(peak_memory(cpu))") < peak
    assert run("x = torch.ones(2**26); del x; print(peak_memory(cpu))") >= 256 * MB


@pytest.mark.parametrize(("system", "unit"), [("darwin", 1), ("linux", 1024)])
def test_peak_memory_without_proc_is_the_systems_figure(monkeypatch, tmp_path, system, unit):
    monkeypatch.setattr(device, "PROCESS", tmp_path / "gone")
    monkeypatch.setattr(sys, "platform", system)
    assert peak_memory(CPU) % unit == 0
    assert peak_memory(CPU) >= 100 * MB // (1024 // unit)


FAULTS = """
import resource
kept = KEEP
def step():
    x = torch.ones(10 * 2**20)  # 40 MB: above glibc's largest threshold
    del x
for _ in range(20):  # glibc first needs some rounds to join what it freed
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before if kept else -1)
"""


def test_kept_memory_is_used_again():
    """The same tensor made again costs no new pages where freed memory is kept, all its pages where it is not."""
    kept = run(FAULTS.replace("KEEP", "keep_freed_memory()"))
    if kept == -1:
        pytest.skip("this C library is not glibc, and its allocator is left as it is")
    assert kept < 10
    assert run(FAULTS.replace("KEEP", "True")) >= 10 * 40 * MB // (2 * MB), "at least one fault per huge page"


def test_another_allocator_is_left_alone(monkeypatch):
    monkeypatch.setattr(device.platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(device.ctypes, "CDLL", None)
    assert keep_freed_memory() is False


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> str:
    """Random images of 32×32 in three colours, as a user's .npz."""
    rng, file = np.random.default_rng(0), tmp_path_factory.mktemp("data") / "pictures.npz"
    arrays = {
        f"x_{part}": rng.integers(0, 256, (count, 32, 32, 3), np.uint8) for part, count in (("train", 60), ("test", 8))
    }
    np.savez(file, **arrays, y_train=np.arange(60) % 2, y_test=np.arange(8) % 2)
    return str(file)


def test_a_network_is_the_same_from_any_process(pictures):
    """Two worker processes and this process: the same weights and predictions, bit for bit, whichever worker took which."""
    config, rng = RetrainConfig(epochs=1, batch=16, channels=4), np.random.default_rng(0)
    jobs = [(pictures, SearchSpace().sample(rng), config, seed, "cpu") for seed in range(3)]
    with local_executor(2) as executor:
        started = [executor.submit(tasks.train_candidate, *job) for job in jobs]
        there = [future.result() for future in started]
    for job, b in zip(jobs, there, strict=True):
        a = tasks.train_candidate(*job)
        assert all(np.array_equal(a.weights[name], b.weights[name]) for name in a.weights | b.weights)
        assert np.array_equal(a.val, b.val)
        assert np.array_equal(a.test, b.test)
        assert a.history["train_loss"] == b.history["train_loss"]
        assert b.history["peak_memory"][0] > 0
