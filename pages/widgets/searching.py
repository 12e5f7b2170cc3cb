"""A search that goes on in a thread of its own, so that the page stays alive; it is watched, and can be cancelled.

A page's script is stopped by any click, and Streamlit does not let a fragment's button stop a script: a thread needs neither. It
draws nothing; the page looks at it from time to time.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

from edgenes_core import EdgeNESError

T = TypeVar("T")
Progress = Callable[[int, int], None]
Cancel = Callable[[], bool]


class Search(Generic[T]):
    """`work(progress, cancel)` in a thread; then `found`, or `error` with the sentence to show."""

    def __init__(self, asked: object, work: Callable[[Progress, Cancel], T]) -> None:
        self.asked, self.share = asked, 0.0
        self.found: T | None = None
        self.error = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True, name="search")
        self._thread.start()

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def cancel(self) -> None:
        """Stop within milliseconds; nothing is found then."""
        self._stop.set()

    def wait(self) -> None:
        """Until it is over."""
        self._thread.join()

    def _run(self, work: Callable[[Progress, Cancel], T]) -> None:
        with suppress(OSError, AttributeError):  # this thread gives way to the pages' where the system can do that
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
        try:
            self.found = work(self._at, self._stop.is_set)
        except EdgeNESError as error:
            self.error = str(error)

    def _at(self, done: int, total: int) -> None:
        self.share = done / max(1, total)
