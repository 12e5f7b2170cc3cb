"""The law for every reader of what others wrote: an input loads, or is refused in one EdgeNESError sentence, within bounds.

`parsers.py` lists the readers; `tests/test_fuzz.py` tries each for a moment, `benchmarks/fuzz.py` for as long as one likes.
"""

from __future__ import annotations

import dataclasses
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, get_type_hints

from mutations import mutate

from edgenes_core import EdgeNESError

MOST_MEMORY = 1 << 30  # bytes that one input may ask for beyond what the process holds
MOST_SECONDS = 20  # of the processor, after which an input counts as hanging
LONGEST = 600  # letters of a refusal


class Parser(NamedTuple):
    """A reader: `read` takes the bytes of a file and gives back what it makes of them; `seeds` are whole files."""

    name: str
    read: Callable[[bytes], object]
    seeds: tuple[bytes, ...]


class Attempt(NamedTuple):
    """What became of one input: 'accepted', 'refused' or 'failed', with the sentence of a refusal or what is wrong, and the
    processor's seconds."""

    outcome: str
    said: str
    seconds: float


class Hang(BaseException):
    """An input that is still being read after MOST_SECONDS; no reader catches it."""


def attempt(parser: Parser, content: bytes) -> Attempt:
    """Read one input under the limits."""
    start = time.process_time()
    try:
        with limits():
            misfit(parser.read(content))
    except EdgeNESError as error:
        wrong = complaint(str(error))
        return Attempt("failed" if wrong else "refused", wrong or str(error), time.process_time() - start)
    except Hang:
        return Attempt("failed", f"still busy after {MOST_SECONDS} s", time.process_time() - start)
    except Exception as error:
        return Attempt("failed", f"{type(error).__name__}: {error}"[:300], time.process_time() - start)
    return Attempt("accepted", "", time.process_time() - start)


def complaint(sentence: str) -> str:
    """What keeps a refusal from being one sentence for a person; empty if nothing does."""
    if not sentence.isprintable():
        return f"not printable: {sentence[:200]!r}"
    if not 20 <= len(sentence) <= LONGEST:
        return f"{len(sentence)} letters: {sentence[:200]!r}"
    return f"a traceback: {sentence[:200]!r}" if "Traceback" in sentence else ""


def misfit(value: object) -> None:
    """AssertionError if a record, at any depth, holds a number, text or truth value of another kind than it declares."""
    if isinstance(value, dict | list | tuple) and not hasattr(value, "_fields"):
        for part in value.values() if isinstance(value, dict) else value:
            misfit(part)
    elif dataclasses.is_dataclass(value) or hasattr(value, "_fields"):
        for name, declared in get_type_hints(type(value)).items():
            held = getattr(value, name)
            if declared in (int, float, str, bool) or (declared == float | None and held is not None):
                wanted = declared if declared in (int, str, bool) else (int, float)
                fits = isinstance(held, wanted) and (declared is bool or not isinstance(held, bool))
                assert fits, f"{type(value).__name__}.{name} is {held!r:.80}, declared as {declared}"
            misfit(held)


def inputs(parser: Parser, seed: int) -> Iterator[bytes]:
    """Endlessly many: the seeds as they are, then changed; the same for the same seed."""
    rng = random.Random(f"{parser.name} {seed}")
    yield from parser.seeds
    while True:
        yield mutate(rng, rng.choice(parser.seeds), parser.seeds)


@contextmanager
def limits() -> Iterator[None]:
    """No more memory and time than an input may cost; MemoryError or Hang beyond (Linux; elsewhere only the time)."""

    def stop(*_: object) -> None:
        raise Hang

    before, statm = signal.signal(signal.SIGPROF, stop), Path("/proc/self/statm")
    signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
    try:
        if not statm.exists():
            yield
            return
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        held = int(statm.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (held + MOST_MEMORY, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
