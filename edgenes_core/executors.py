"""Where independent trainings run: any `concurrent.futures.Executor`. Local worker processes by default."""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import Executor, ProcessPoolExecutor

from edgenes_core import EdgeNESError
from edgenes_core.processes import usable_cores

MAX_WORKERS = 64


class WorkerError(EdgeNESError):
    """A worker process that died, or a number of workers that makes no sense."""


def default_workers() -> int:
    """One worker per usable core: small networks train fastest with one thread each."""
    return usable_cores()


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


def _start_worker() -> None:
    os.environ.update(OMP_NUM_THREADS="1", NUMBA_NUM_THREADS="1")
    threading.Thread(target=end_with_parent, daemon=True).start()
    import torch

    from edgenes_core.device import keep_freed_memory

    torch.set_num_threads(1)
    keep_freed_memory()


def end_with_parent() -> None:
    """A worker whose run was killed must not go on training: it would wait for tasks for ever."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)
