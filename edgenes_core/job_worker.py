"""The worker's side of a job: hold the run, stay below the memory cap, and call the next one in the queue at the end."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

from edgenes_core import EdgeNESError, job_queue, jobs, launch_options, memory, storage
from edgenes_core.launch_options import LaunchOptions
from edgenes_core.processes import every
from edgenes_core.run_folder import Run

LOOK = 0.25  # seconds between two looks at the memory; torch fills less than 1 GB in that time

log = logging.getLogger("edgenes_core")


@contextmanager
def working(run: Run, options: LaunchOptions) -> Iterator[None]:
    """Use around all work on a run, started as `options` say; JobError if another worker is at it."""
    limit = memory.cap()
    try:
        with jobs.hold(run):
            launch_options.keep(run.path, options)
            if limit is None:
                yield
            else:
                with every(LOOK, partial(stay_below, run, limit)):
                    yield
    finally:
        with suppress(EdgeNESError):  # of the others in the queue: no fault of this run
            job_queue.pump(run.path.parent)


def stay_below(run: Run, limit: int) -> None:
    """End this process and its children at once if they hold more than `limit` bytes; what is stored can be resumed.

    Waiting for the next step would leave the kernel time to choose whom to kill.
    """
    found = memory.held()
    if found <= limit:
        return
    sentence = (
        f"This run held {memory.said(found)} and may hold {memory.said(limit)}, so it was stopped. {memory.WAY_OUT}"
    )
    with suppress(EdgeNESError):
        storage.write_bytes(run.path / jobs.END, sentence.encode())
    with suppress(Exception):  # whatever cannot be said, the memory must be free again
        # Before the children die, or the main thread would find them dead and say that instead.
        log.error("the worker ends: %s", sentence)
        print(f"\nerror: {sentence}", file=sys.stderr, flush=True)
    for child in memory.children():
        with suppress(OSError):
            os.kill(int(child), signal.SIGKILL)
    os._exit(1)
