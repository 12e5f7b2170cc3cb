"""Where independent trainings run: any `concurrent.futures.Executor`. Local worker processes by default."""

from __future__ import annotations

import multiprocessing
import os
import re
import threading
from concurrent.futures import Executor, ProcessPoolExecutor

from edgenes_core import EdgeNESError
from edgenes_core.processes import usable_cores

MAX_WORKERS = 64
ADDRESS = re.compile(
    r"(?:tcp|tls)://(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?):([1-9][0-9]{0,4})"
)


class WorkerError(EdgeNESError):
    """A worker process that died, or a number of workers that makes no sense."""


class ClusterError(WorkerError):
    """A cluster that cannot be reached, has no workers, or has workers that cannot do this run."""


class LethalTaskError(ClusterError):
    """One task that killed every worker it was given to; the cluster goes on with others."""


def default_workers() -> int:
    """One worker per usable core: small networks train fastest with one thread each."""
    return usable_cores()


def cluster_address(text: str) -> str:
    """The same address of a Dask scheduler, if it is one; ClusterError if not. Nothing is looked up or opened."""
    found = ADDRESS.fullmatch(text)
    if not found or int(found[1]) > 65535:
        raise ClusterError(
            f"The address of a cluster is tcp://HOST:PORT, or tls://HOST:PORT if it is encrypted, got {text[:60]!r}; "
            "the scheduler prints its own when it starts."
        )
    return text


def local_executor(workers: int) -> Executor:
    """Worker processes started afresh (spawn), one torch thread each; they end with the executor."""
    if not 1 <= workers <= MAX_WORKERS:
        raise WorkerError(f"The number of workers lies between 1 and {MAX_WORKERS}, got {workers}.")
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker)


def stop_workers() -> None:
    """End this process's workers at once: after an error or a stop nobody waits for their results."""
    for worker in multiprocessing.active_children():
        worker.terminate()


def one_thread() -> None:
    """What a process that trains is set to, here or on a cluster: one thread, and freed memory kept for the next step."""
    os.environ.update(OMP_NUM_THREADS="1", NUMBA_NUM_THREADS="1")
    import torch

    from edgenes_core.device import keep_freed_memory

    torch.set_num_threads(1)
    keep_freed_memory()


def _start_worker() -> None:
    threading.Thread(target=end_with_parent, daemon=True).start()
    one_thread()


def end_with_parent() -> None:
    """A worker whose run was killed must not go on training: it would wait for tasks for ever."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)
