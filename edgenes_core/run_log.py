"""What a person needs who must find out why a run went wrong: runs/<id>/log.jsonl, a JSON line for each message.

    {"time", "level", "stage", "worker", "source", "message", "trace"}      trace: the traceback of an error, else ""

It says where work began and ended, with which versions and on which machine; stages, warnings, errors with their traceback.
It is no second truth about a run: progress is read from events.jsonl, state from run.json, and nothing reads this file but
people. Messages of the run's own process are here, also those of libraries, warnings included; what worker processes print
goes to log.txt, and the error that ends a training comes back and is here. At 1 MB the file becomes log.1.jsonl, whose
predecessor is lost. A disk that refuses a line loses that line: no training ends for its log.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import socket
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import NamedTuple

from edgenes_core import EdgeNESError, jobs, one_line, storage
from edgenes_core.progress import duration
from edgenes_core.provenance import versions
from edgenes_core.records import Event
from edgenes_core.run_folder import Run
from edgenes_core.schema import ConfigError

FILE, EARLIER = "log.jsonl", "log.1.jsonl"
MOST_BYTES = 1 << 20
LONGEST_MESSAGE, LONGEST_TRACE = 2000, 20_000  # letters; of a traceback the end says most
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

logger = logging.getLogger("edgenes_core")


class Line(NamedTuple):
    """One message; `time` in UTC, `worker` the machine and process that wrote it, `source` the logger's name."""

    time: str
    level: str
    stage: str
    worker: str
    source: str
    message: str
    trace: str = ""


class Recorder(RotatingFileHandler):
    """Writes the messages of this process to a run's log; never raises."""

    def __init__(self, run: Run) -> None:
        super().__init__(
            run.path / FILE, maxBytes=MOST_BYTES, backupCount=1, encoding="utf-8", errors="replace", delay=True
        )
        self.namer = lambda name: str(run.path / EARLIER)
        self.run, self.stage, self.worker = run, "", f"{socket.gethostname()}:{os.getpid()}"

    def told(self, report: Callable[[Event], None]) -> Callable[[Event], None]:
        """The same report of events, each of them noted here too."""

        def both(event: Event) -> None:
            self.note(event)
            report(event)

        return both

    def note(self, event: Event) -> None:
        """Where a stage begins, and what the one before it took."""
        if event.stage == self.stage:
            return
        self.tell_cost()
        self.stage = event.stage
        logger.info("stage %s begins at step %d of %d", event.stage, event.step, event.steps)

    def tell_cost(self) -> None:
        """What the stage before this one took, if it was finished."""
        with suppress(EdgeNESError):
            if cost := self.run.manifest.cost(self.stage):
                logger.info("stage %s took %s, %d images", self.stage, duration(cost.seconds), cost.samples)

    def format(self, record: logging.LogRecord) -> str:
        trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
        when = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03d}Z"
        message = record.getMessage()[:LONGEST_MESSAGE]
        line = Line(when, record.levelname, self.stage, self.worker, record.name, message, trace[-LONGEST_TRACE:])
        return json.dumps(line._asdict())

    def handleError(self, record: logging.LogRecord) -> None:
        """A full disk, a folder that is gone: the line is lost."""


@contextmanager
def recorded(run: Run) -> Iterator[Recorder]:
    """While a worker works on a run, keep what is said; the error that ends the work is kept with its traceback and raised."""
    recorder, root, level = Recorder(run), logging.getLogger(), logger.level
    handlers = [
        recorder,
        *([logging.lastResort] if logging.lastResort and not root.handlers else []),
    ]  # stderr as before
    _end_line(run.path / FILE)
    for handler in handlers:
        root.addHandler(handler)
    logger.setLevel(logging.INFO)
    logging.captureWarnings(True)
    try:
        _tell_start(run)
        yield recorder
        recorder.tell_cost()
        logger.info("the worker ends: all stages are done")
    except BaseException as error:
        why = one_line(str(error)) or type(error).__name__
        if isinstance(error, KeyboardInterrupt) or jobs.cancel_requested(run):
            logger.info("the worker ends: %s", why)
        else:
            logger.error("the worker ends: %s", why, exc_info=True)
        raise
    finally:
        logging.captureWarnings(False)
        logger.setLevel(level)
        for handler in handlers:
            root.removeHandler(handler)
        with suppress(OSError, ValueError):  # as `handleError`
            recorder.close()


def _tell_start(run: Run) -> None:
    known = ", ".join(f"{name} {version}" for name, version in versions().items())
    logger.info("a worker begins on %s, %s; %s", platform.platform(), f"{os.cpu_count()} cores", known)
    with suppress(EdgeNESError):
        done = ", ".join(run.manifest.stages) or "none"
        logger.info("dataset %s, seed %d; stages done: %s", run.config.dataset, run.config.seed, done)


def _end_line(file: Path) -> None:
    """A last line that a killed worker left torn is ended, so that only that line is lost."""
    with suppress(OSError), file.open("r+b") as opened:
        if opened.seek(0, os.SEEK_END) and opened.seek(-1, os.SEEK_END) >= 0 and opened.read(1) != b"\n":
            opened.write(b"\n")


def read(run: Run, least: str = "DEBUG") -> list[Line]:
    """All messages of a level or above it, the oldest first; ConfigError for an unknown level."""
    return [line for name in (EARLIER, FILE) for line in read_on(run.path / name, 0, least)[0]]


def read_on(file: Path, offset: int, least: str = "DEBUG") -> tuple[list[Line], int]:
    """Messages from a byte offset, and the offset to go on from; what is no message is skipped. A file that was begun anew is
    read from its start."""
    with suppress(OSError):
        offset = offset if offset <= file.stat().st_size else 0
    rows, offset = storage.read_lines(file, offset)
    lowest = rank(least)
    lines = [line for row in rows if (line := _line(row))]
    return [line for line in lines if LEVELS.index(line.level) >= lowest], offset


def rank(level: str) -> int:
    """Where a level stands among LEVELS."""
    if level.upper() not in LEVELS:
        raise ConfigError(f"A level is one of {', '.join(LEVELS)}, got {level[:40]!r}.")
    return LEVELS.index(level.upper())


def _line(row: dict[str, object]) -> Line | None:
    known = [row.get(name, "") for name in Line._fields]
    if (
        set(row) - set(Line._fields)
        or not all(isinstance(value, str) for value in known)
        or row.get("level") not in LEVELS
    ):
        return None
    return Line(*map(str, known))


def spoken(line: Line) -> str:
    """A message for people: one line, and a traceback indented below it; nothing in it moves a terminal's cursor."""
    trace = "".join(f"\n    {one_line(part)}" for part in line.trace.splitlines())
    head = (line.time[:19].replace("T", " "), f"{line.level:7}", f"{line.stage or '-':8}", line.message)
    return one_line("  ".join(head)) + trace
