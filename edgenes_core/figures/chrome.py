"""A Chrome of this machine as a printer, through kaleido: started for one job, gone after it, never two at a time.

Nothing leaves the machine: plotly.js comes from the plotly package, MathJax is off, and the browser is given a proxy at
a port where nobody answers, so that it cannot ask anyone even on its own behalf.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from edgenes_core import EdgeNESError
from edgenes_core.browser import INSTALL, fault, find

NOWHERE = "127.0.0.1:9"
TIMEOUT = 60.0  # seconds for start, drawing and end; the start alone takes 1 to 2
UNWIND = 10.0  # seconds for kaleido to notice that its browser was killed and to remove its folders
WITHOUT = "CSV and the SVG of a cell need no browser, and the camera button on a chart saves a PNG. A PDF can be made from either"

Job = Callable[[Any], Awaitable[bytes]]  # takes the running kaleido.Kaleido
_ONE = ThreadPoolExecutor(1, "chrome")  # one thread without an event loop of its own: the queue of all exports


class ExportError(EdgeNESError):
    """A file that could not be drawn: no browser, or one that failed."""


def ready() -> str:
    """The browser that will be used; ExportError, which says what to install, if there is none."""
    path = find()
    wrong = fault(path)
    if path is None or wrong:
        raise ExportError(
            f"This file is drawn by a Chrome or Chromium on this machine, and {wrong}: {INSTALL}. {WITHOUT}."
        )
    return path


def run(job: Job) -> bytes:
    """Do one job in a browser of its own, after those that wait already; ExportError if it cannot be done."""
    return _ONE.submit(asyncio.run, _drawn(ready(), job)).result()


async def _drawn(path: str, job: Job) -> bytes:
    from kaleido import Kaleido

    browser = Kaleido(path=path, n=1, timeout=None, mathjax=False, proxy_server=NOWHERE)
    work = asyncio.create_task(_in(browser, job))
    await asyncio.wait({work}, timeout=TIMEOUT)
    if work.done() and not work.cancelled() and not work.exception():
        return work.result()
    reason = f"took longer than {TIMEOUT:g} s" if not work.done() else "stopped while it drew"
    await _stop(browser, work)
    raise ExportError(f"The browser {path} {reason}, so there is no file; try again. {WITHOUT}.")


async def _in(browser: Any, job: Job) -> bytes:
    async with browser:
        return await job(browser)


async def _stop(browser: Any, work: asyncio.Task[bytes]) -> None:
    """End the browser with all its children, reap it, and let kaleido remove its folders."""
    process = getattr(browser, "subprocess", None)
    if process is not None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)  # kaleido starts it as the leader of a group
        process.wait()
    work.cancel()
    await asyncio.wait({work}, timeout=UNWIND)
    if work.done() and not work.cancelled():
        work.exception()  # looked at, so that asyncio does not report it
