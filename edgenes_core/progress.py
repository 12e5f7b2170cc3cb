"""One line of progress on a terminal, or now and then a line in a log; durations for people."""

from __future__ import annotations

import time
from typing import TextIO

from edgenes_core.records import Event

LOG_EVERY = 5.0  # seconds between two lines where the stream is no terminal


def duration(seconds: float) -> str:
    """4 s, 1 min 20 s, 3 h 5 min."""
    whole = round(seconds)
    if whole < 1:
        return "under 1 s"
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


class ProgressLine:
    """Stage, step, time left in the stage and the latest values; redrawn in place on a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self.stream, self.live, self.shown, self.stage = stream, stream.isatty(), 0.0, ""

    def show(self, event: Event) -> None:
        """Draw the event, unless another was drawn a moment ago and the stage is not over."""
        now, pause = time.monotonic(), 0.1 if self.live else LOG_EVERY
        if now - self.shown < pause and event.step < event.steps and event.stage == self.stage:
            return
        self.shown, self.stage = now, event.stage
        left = event.seconds / event.step * (event.steps - event.step) if event.step else 0.0
        values = "  ".join(f"{name} {value:.3f}" for name, value in event.values.items())
        text = f"{event.stage:9} {event.step:5}/{event.steps}  {left:5.0f} s left  {values}"
        print(f"\r{text:<110}" if self.live else text, end="" if self.live else "\n", file=self.stream, flush=True)

    def close(self) -> None:
        """End the line."""
        if self.live and self.stage:
            print(file=self.stream)
