"""Trainings on a Dask cluster: an executor like the local one, whose workers may come late, die, or sit on other machines.

    joined     a session whose trainings go to the cluster
    welcome    same code? one task at a time? then images, to those workers only that cannot read the same ones themselves
    submit     one task; Dask gives it to a free worker, and to another one if that worker dies
    attend     while the run waits: is the scheduler there, is any worker?

Images go to a worker once and stay in its process; a task is a cell, settings and a seed. See docs/cluster.md and adr/0017.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import uuid4

from distributed import Client, KilledWorker, Security
from distributed import Future as DaskFuture
from distributed.protocol import serialize_bytes

from edgenes_core.cluster_code import code, difference, work
from edgenes_core.cluster_worker import NeedsImages, Source, digest, hold, unusable
from edgenes_core.executors import ClusterError, LethalTaskError, cluster_address
from edgenes_core.image_sources import Images, read_images
from edgenes_core.session import Session, outcome_stored

PATIENCE = "EDGENES_CLUSTER_PATIENCE"  # seconds without any worker, and how many if it is not set
PATIENT = 120.0
ANSWER = 30.0  # seconds in which a scheduler answers, also a busy one
LOOK = 2.0  # seconds between two looks at the list of workers
MOST_SENT = 2 << 30  # bytes of images in one message
GPU = "GPU"  # the resource that a worker with a GPU announces

log = logging.getLogger(__name__)


@contextmanager
def joined(session: Session, address: str) -> Iterator[Session]:
    """The session with its trainings on the cluster at `address`, maps still here; ClusterError says what does not fit."""
    with outcome_stored(session.run):
        executor = ClusterExecutor(cluster_address(address), session.run.config.dataset, f"resume {session.run.id}")
        try:
            executor.open(session.device != "cpu", session.check)
            yield replace(
                session,
                executor=executor,
                nearby=session.executor,
                trains_on=executor.device,
                attend=executor.attend,
            )
        finally:
            executor.shutdown()


class ClusterExecutor(Executor):
    """Tasks of one run on a cluster. `resume`: the command that goes on with the run."""

    def __init__(self, address: str, dataset: str, resume: str) -> None:
        self.address, self.dataset, self.device, self.patience = address, dataset, "cpu", _patience()
        self.again = f"go on with: python -m edgenes_core {resume} --cluster {address}"
        self.source = Source(dataset, "")
        self.sent: set[DaskFuture] = set()
        self.alone = self.looked = 0.0
        if address.startswith("tls") and not Security().get_connection_args("client").get("ssl_context"):
            raise ClusterError(
                f"{address} is encrypted, but Dask's settings on this machine name no certificate (distributed.comm.tls); "
                "docs/cluster.md has an example."
            )
        try:
            self.client = Client(address, timeout=ANSWER, set_as_default=False)
        except Exception as error:  # OSError, or whatever a wrong certificate or a foreign server leads to
            raise ClusterError(
                f"No Dask scheduler answers at {address} ({type(error).__name__}); start one with: "
                "python -m dask scheduler --host 127.0.0.1 (docs/cluster.md)."
            ) from None

    def open(self, gpu: bool, check: Callable[[], None]) -> None:
        """Wait for a worker and welcome all that are there; `check` may raise meanwhile. With `gpu`, train on the GPUs that
        workers announce, if any does."""
        self._same_code(f"The scheduler at {self.address}", self._on_scheduler())
        while not (workers := self._workers()):
            check()
            self.attend()
            time.sleep(LOOK / 10)
        if gpu and any(GPU in worker["resources"] for worker in workers.values()):
            self.device = "cuda"
        self.source = Source(self.dataset, digest(read_images(self.dataset)))
        self._welcome(self._usable())

    def submit(self, task: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Start `task(*args)` on a worker; a keeper among them keeps only where the worker sees the run's folder."""
        future: Future[Any] = Future()
        self._send(future, serialize_bytes((self.source, self.device, partial(task, **kwargs), args)))
        return future

    def attend(self) -> None:
        """Called while results are waited for: ClusterError once the scheduler is gone, or no worker came for too long."""
        now = time.monotonic()
        if now - self.looked < LOOK:
            return
        self.looked = now
        start = f"start one with: python -m dask worker {self.address} --nthreads 1"
        if self._usable():
            self.alone = 0.0
        elif not self.alone:
            self.alone = now
            log.warning("Waiting for workers: none is connected to %s; %s", self.address, start)
        elif now - self.alone > self.patience:
            raise ClusterError(
                f"No worker was connected to {self.address} for {self.patience:.0f} s; what is stored stays. Where the project "
                f"is installed, {start} (or wait longer: {PATIENCE}=3600), then {self.again}"
            )

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster; what runs there for this run ends at its next step."""
        with suppress(Exception):  # a scheduler that is gone cannot be told
            if self.client.status == "running":
                self.client.cancel(list(self.sent))
            self.client.close(ANSWER)

    def _send(self, future: Future[Any], packed: bytes) -> None:
        try:
            sent = self.client.submit(
                work,
                code(),
                packed,
                key=f"edgenes-{uuid4().hex}",
                pure=False,
                resources={GPU: 1} if self.device == "cuda" else None,
            )
        except Exception:  # a client whose scheduler is gone raises this or that
            raise self._gone() from None
        self.sent.add(sent)
        future.add_done_callback(lambda _: sent.cancel() if future.cancelled() else None)
        sent.add_done_callback(partial(self._ended, future, packed))

    def _ended(self, future: Future[Any], packed: bytes, sent: DaskFuture) -> None:
        """In a thread of Dask's: hand the outcome over, or send the task again once its worker has the images."""
        self.sent.discard(sent)
        try:
            try:
                result = sent.result()
            except NeedsImages as error:
                self._welcome(error.args)
                self._send(future, packed)
                return
        except Exception as error:
            if future.set_running_or_notify_cancel():
                future.set_exception(self._explained(error))
        else:
            if future.set_running_or_notify_cancel():
                future.set_result(result)

    def _explained(self, error: Exception) -> Exception:
        if isinstance(error, CancelledError):
            return self._gone()
        if isinstance(error, KilledWorker):
            return LethalTaskError(
                f"A training killed {error.allowed_failures + 1} of the cluster's workers (out of memory?), at last "
                f"{error.last_worker.address}; give workers more memory with --memory-limit, then {self.again}"
            )
        return error

    def _gone(self) -> ClusterError:
        return ClusterError(
            f"The scheduler at {self.address} is gone or does not answer; what is stored stays. Start it and its workers "
            f"again, then {self.again}"
        )

    def _workers(self) -> dict[str, Any]:
        """What the scheduler knows of each worker, by address."""
        try:
            seen = self.client.sync(self.client.scheduler.identity, n_workers=-1, callback_timeout=ANSWER)
        except Exception:  # no connection, no answer, or a client that has closed itself
            raise self._gone() from None
        return seen["workers"]

    def _usable(self) -> list[str]:
        """Addresses of the workers that this run's tasks may go to."""
        return [a for a, worker in self._workers().items() if self.device == "cpu" or GPU in worker["resources"]]

    def _on_scheduler(self) -> Any:
        try:
            return self.client.run_on_scheduler(code)
        except OSError:
            raise self._gone() from None
        except Exception as error:  # of unpacking or of the call
            return error

    def _on_workers(self, addresses: Sequence[str], function: Callable[..., Any], *args: Any) -> dict[str, Any]:
        """What a function returns or raises on each of some workers; those that have gone meanwhile are left out."""
        try:
            answers = self.client.run(function, *args, workers=list(addresses), on_error="return")
        except (OSError, RuntimeError, AttributeError):  # what a client without a scheduler raises
            raise self._gone() from None
        return {address: answer for address, answer in answers.items() if not isinstance(answer, OSError)}

    def _same_code(self, who: str, answer: Any) -> None:
        if isinstance(answer, Exception):
            raise ClusterError(
                f"{who} cannot run this code ({type(answer).__name__}: {answer}); start it in a checkout of the same commit, "
                "with python -m dask there (docs/cluster.md)."
            )
        if fault := difference(who, answer, code()):
            raise ClusterError(fault)

    def _welcome(self, addresses: Sequence[str]) -> None:
        """Give workers the images unless they have the same; ClusterError names the first that cannot take part."""
        for address, answer in self._on_workers(addresses, code).items():
            self._same_code(f"Worker {address}", answer)
        for fault in self._on_workers(addresses, unusable, self.device).values():
            if fault:
                raise ClusterError(str(fault))
        held = self._on_workers(addresses, hold, self.source)
        if lacking := [address for address, has in held.items() if has is not True]:
            self._give(lacking, read_images(self.dataset))

    def _give(self, addresses: Sequence[str], images: Images) -> None:
        size = sum(array.nbytes for array in (images.x, images.y, images.x_test, images.y_test))
        if size > MOST_SENT:
            raise ClusterError(
                f"{self.dataset} has {size / 2**30:.1f} GB, and {MOST_SENT >> 30} GB at most are sent to a worker; put it where "
                f"{addresses[0]} reads it under the same name or path."
            )
        for address, has in self._on_workers(addresses, hold, self.source, images).items():
            if has is not True:
                reason = f"{type(has).__name__}: {has}" if isinstance(has, Exception) else "they changed during the run"
                raise ClusterError(
                    f"Worker {address} cannot take the images of {self.dataset} ({reason}); {self.again}"
                )


def _patience() -> float:
    text = os.environ.get(PATIENCE, str(PATIENT))
    try:
        return float(text)
    except ValueError:
        raise ClusterError(f"{PATIENCE} is a number of seconds, got {text[:40]!r}.") from None
