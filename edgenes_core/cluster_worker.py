"""The side of a cluster's workers: are the images here, then the task, as a local process does it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from distributed import Worker, get_worker

from edgenes_core.catalogue import DataError
from edgenes_core.checkpoint import Keeper, State
from edgenes_core.device import DeviceError, choose_device
from edgenes_core.executors import ClusterError, one_thread
from edgenes_core.image_sources import Images, read_images
from edgenes_core.tasks import give_images


class Source(NamedTuple):
    """A dataset by the name or path the run knows it by, and the digest of its images."""

    name: str
    digest: str


class NeedsImages(Exception):
    """A worker that came later and cannot read the run's images itself; `args[0]` is its address."""


class Abandoned(Exception):
    """Nobody waits for this task any more."""


def perform(source: Source, device: str, task: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    """A task in this worker's process, the same as in a local one; NeedsImages if they must be sent first."""
    worker = get_worker()
    if fault := unusable(device, worker):
        raise ClusterError(fault)
    if not hold(source):
        raise NeedsImages(worker.address)
    one_thread()
    return task(*(Watched(value, worker) if isinstance(value, Keeper) else value for value in arguments))


def unusable(device: str, dask_worker: Worker) -> str:
    """Why this worker cannot train on `device`, empty if it can."""
    if dask_worker.state.nthreads != 1:
        return (
            f"Worker {dask_worker.address} does {dask_worker.state.nthreads} tasks at once in one process, but a training "
            "needs a process of its own; start it with --nthreads 1 and more --nworkers."
        )
    try:
        choose_device(device)
    except DeviceError as error:
        return f"Worker {dask_worker.address} announces a GPU. {error}"
    return ""


_held: dict[str, str] = {}  # digest of the images that this process trains on, by the dataset's name


def hold(source: Source, sent: Images | None = None) -> bool:
    """Whether this process has the images from now on: those it has, those sent, or those it reads under the same name."""
    if _held.get(source.name) != source.digest:
        images = sent or _read(source.name)
        if images is None or digest(images) != source.digest:
            return False
        give_images(source.name, images)
        _held[source.name] = source.digest
    return True


def digest(images: Images) -> str:
    """Of all pixels, labels and class names."""
    found = hashlib.sha256(repr(images.classes).encode())
    for array in (images.x, images.y, images.x_test, images.y_test):
        found.update(f"{array.shape} {array.dtype.str}".encode())
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()


def _read(name: str) -> Images | None:
    try:
        return read_images(name)
    except (DataError, OSError):
        return None


class Watched(Keeper):
    """The keeper of a training that ends at its next step once nobody waits for it: cancelled, or the run's process died."""

    def __init__(self, keeper: Keeper, worker: Worker) -> None:
        self.keeper, self.worker, self.key = keeper, worker, worker.get_current_task()

    def recall(self, stage: str) -> State | None:
        return self.keeper.recall(stage)

    def offer(self, stage: str, captured: Callable[[], State]) -> None:
        task = self.worker.state.tasks.get(self.key)
        if task is None or task.state == "cancelled":
            raise Abandoned(self.key)
        self.keeper.offer(stage, captured)

    def forget(self) -> None:
        self.keeper.forget()
