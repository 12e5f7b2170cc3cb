"""The loop around the steps of every differentiable searcher: it resumes, reads what was measured, and offers its state.

    state ← what was kept, or the start
    for each step left:   measured ← take(step), left on the device
        now and then:     read all that was measured since, yield one event per step, offer the state

A step asks the device for no number, so on a GPU the next steps are queued while it still works on this one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from edgenes_core.checkpoint import Keeper, LoopPart, capture, restore
from edgenes_core.records import Event

READ_STEPS = 10  # at most so many steps wait to be read
READ_SECONDS = 0.5  # and at most so long: a stop is honoured and the page moves

Rows = tuple[tuple[float, ...], ...]
Describe = Callable[[Tensor], tuple[dict[str, float], Rows]]


@dataclass(frozen=True)
class Measured:
    """Numbers of a step by metric, on the device (0-d) or known beforehand; sometimes a copy of the logits."""

    values: dict[str, Tensor | float]
    logits: Tensor | None = None


class _Waiting(NamedTuple):
    step: int  # steps done
    seconds: float
    measured: Measured


def run_steps(
    stage: str,
    steps: int,
    parts: Mapping[str, LoopPart],
    take: Callable[[int], Measured],
    describe: Describe,
    keeper: Keeper,
) -> Generator[Event, None, None]:
    """Yields an event for each step that was not yet done; `take(step)` does step 0..steps−1 by changing the parts.

    `describe(logits)` gives further values and the picture of α of a step that copied its logits. The first event comes at
    once. CheckpointError if the kept state belongs to another search.
    """
    first, before = restore(keeper.recall(stage), parts)
    start, waiting = time.monotonic() - before, list[_Waiting]()
    read_at = time.monotonic()
    for step in range(first, steps):
        measured = take(step)
        now = time.monotonic()
        waiting.append(_Waiting(step + 1, now - start, measured))
        if step in (first, steps - 1) or len(waiting) >= READ_STEPS or now - read_at >= READ_SECONDS:
            for at, values in zip(waiting, _read(waiting), strict=True):
                more, rows = ({}, ()) if at.measured.logits is None else describe(at.measured.logits)
                yield Event(stage, at.step, steps, at.seconds, values | more, rows)
            waiting, read_at = [], time.monotonic()
            keeper.offer(stage, partial(capture, step + 1, now - start, parts))


def _read(waiting: Sequence[_Waiting]) -> list[dict[str, float]]:
    """The values of several steps in one transfer from the device."""
    on_device = [v for at in waiting for v in at.measured.values.values() if isinstance(v, Tensor)]
    numbers = iter(torch.stack(on_device).tolist() if on_device else ())
    return [
        {name: next(numbers) if isinstance(v, Tensor) else v for name, v in at.measured.values.items()}
        for at in waiting
    ]
