"""Scripts take turns: forty that compute at once are each forty times as slow, one after the other most are done at once.

Python computes in one thread at a time, so they would only hand the interpreter around. Measured with forty users on two cores
(benchmarks/load.py): the slowest of twenty evaluations takes a third of the time.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

AT_ONCE = 2  # one more than the interpreter can run: a script that waits for a file or a process holds up nobody
PATIENCE = 1.0  # seconds after which a script goes on beside the others, so that none that is long holds up the rest

_places = threading.BoundedSemaphore(AT_ONCE)
_mine = threading.local()


@contextmanager
def turn() -> Iterator[None]:
    """Wait for a place, then keep it to the end; inside another turn of the same script it does nothing. Also a decorator."""
    if getattr(_mine, "taken", False):
        yield
        return
    placed = _places.acquire(timeout=PATIENCE)
    _mine.taken = True
    try:
        yield
    finally:
        _mine.taken = False
        if placed:
            _places.release()
