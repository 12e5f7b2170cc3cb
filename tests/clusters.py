"""Real Dask schedulers and workers as processes of their own, on 127.0.0.1 only."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from distributed import Client

from edgenes_core.processes import environment

LOOPBACK = ("--host", "127.0.0.1")
DASHBOARD = ("--dashboard-address", "127.0.0.1:0")
PATIENT = 180.0

# Given to a worker with --preload: the first takes part without loading torch, as if on a machine with a GPU; the next never
# ends a task either; the last has the code of another commit.
GIFTED = """
import collections, sys, types
sys.modules["edgenes_core.cluster_worker"] = types.SimpleNamespace(
    Source=collections.namedtuple("Source", "name digest"),
    unusable=lambda device, dask_worker: "",
    hold=lambda *images: True,
    perform=lambda source, device, task, arguments: task(*arguments),
)
"""
HANGING = f"""{GIFTED}
import threading
from edgenes_core import cluster_code
cluster_code.work = lambda *task: threading.Event().wait()
"""
FOREIGN = """
from edgenes_core import cluster_code
cluster_code.source_digest = lambda: "another code"
"""


def until(condition: Callable[[], object]) -> None:
    """Wait for a condition; an error after three minutes."""
    end = time.monotonic() + PATIENT
    while not condition():
        assert time.monotonic() < end, f"{condition} did not come true in {PATIENT:.0f} s"
        time.sleep(0.02)


class Cluster:
    """A scheduler and the workers started for it. Worker processes run in `folder`, where none of the project's files lies."""

    def __init__(self, folder: Path, **added: str) -> None:
        self.folder, self.processes = folder, []
        file = folder / "scheduler.json"
        self.scheduler = self._start(
            "scheduler", *LOOPBACK, *DASHBOARD, "--port", "0", "--scheduler-file", str(file), **added
        )
        until(lambda: file.exists() and file.read_text().endswith("}"))
        self.address: str = json.loads(file.read_text())["address"]

    def worker(
        self, preload: str = "", *options: str, listen: tuple[str, ...] = LOOPBACK, scheduler: str = "", **added: str
    ) -> subprocess.Popen[bytes]:
        """One more worker process, without a nanny that would start it again; `scheduler`: another way to the same one."""
        usual = ["--nthreads", "1", "--no-nanny", "--local-directory", str(self.folder), *DASHBOARD, *listen]
        preloaded = ["--preload", preload] if preload else []
        return self._start("worker", scheduler or self.address, *usual, *options, *preloaded, **added)

    def open_ports(self) -> list[str]:
        """Addresses that the processes listen on."""
        connections = [c for p in self.processes for c in psutil.Process(p.pid).net_connections("inet")]
        return [c.laddr.ip for c in connections if c.status == psutil.CONN_LISTEN]

    def _start(self, *command: str, **added: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{len(self.processes)}.log").open("wb")
        with log:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *command],
                cwd=self.folder,
                env={**environment(OMP_NUM_THREADS="1"), **added},
                stdout=log,
                stderr=log,
            )
        self.processes.append(process)
        return process


@contextmanager
def started(folder: Path, **added: str) -> Iterator[Cluster]:
    """A cluster without workers, its scheduler with `added` in its environment; all processes are killed at the end."""
    cluster = Cluster(folder, **added)
    try:
        yield cluster
    finally:
        for process in cluster.processes:
            process.kill()
            process.wait()


@contextmanager
def killing(process: subprocess.Popen[bytes], address: str, worker: str = "") -> Iterator[None]:
    """Beside what is done meanwhile: kill a process once the named worker, or any, works on a task, at the latest afterwards."""
    over = threading.Event()

    def kill() -> None:
        with Client(address, set_as_default=False) as client:
            until(lambda: over.is_set() or any(keys for at, keys in client.processing().items() if worker in at))
        process.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield
    finally:
        over.set()
        killer.join()
    assert process.wait() == -9
