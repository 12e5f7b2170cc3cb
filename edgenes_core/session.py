"""One attempt at a run: where trainings go, how progress is stored and reported, when to stop."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from edgenes_core import EdgeNESError, memory, tasks
from edgenes_core.checkpoint import EVERY, FileKeeper, Keeper, State, resumed
from edgenes_core.device import choose_device
from edgenes_core.records import Event
from edgenes_core.run_folder import Run
from edgenes_core.run_records import Training
from edgenes_core.train import training_seed

T = TypeVar("T")


class Cancelled(EdgeNESError):
    """The run was stopped on request; what is stored stays and can be resumed."""


class StoppingKeeper(FileKeeper):
    """Stores the state when a stop is asked for, and stops there. `earlier`: seconds of work in the state recalled last."""

    def __init__(self, folder: Path, every: float, check: Callable[[], None]) -> None:
        super().__init__(folder, every)
        self.check, self.earlier = check, 0.0

    def recall(self, stage: str) -> State | None:
        state = super().recall(stage)
        self.earlier = state.seconds if state else 0.0
        return state

    def offer(self, stage: str, captured: Callable[[], State]) -> None:
        try:
            self.check()
        except Cancelled:
            self.keep(stage, captured)
            raise
        super().offer(stage, captured)


class TrainingKeeper(FileKeeper):
    """Keeps a training's state in the run's folder. A worker of a cluster that does not see that folder, or may not write to
    it, keeps nothing: such a training starts again from its first step."""

    def __init__(self, run: Path, training: str, every: float) -> None:
        super().__init__(run / "checkpoints" / training, every)
        self.run = run

    def recall(self, stage: str) -> State | None:
        return super().recall(stage) if self._reachable() else None

    def keep(self, stage: str, captured: Callable[[], State]) -> None:
        if self._reachable():
            super().keep(stage, captured)
        else:
            self.next = time.monotonic() + self.every

    def _reachable(self) -> bool:
        return os.access(self.run / "run.json", os.R_OK) and os.access(self.run, os.W_OK)


@contextmanager
def outcome_stored(run: Run) -> Iterator[None]:
    """Why an attempt ended early is in run.json before the error goes on its way."""
    try:
        with memory.explained():
            yield
    except Cancelled as error:
        run.update(state="cancelled", message=str(error))
        raise
    except EdgeNESError as error:
        run.update(state="failed", message=str(error))
        raise


@dataclass
class Session:
    """One attempt at a run: where to train, how to report, when to stop. Trainings are started once per session.

    Stages work on `device` in this process. Trainings go to `executor` and run on `trains_on` there (None: on `device`), maps
    to `nearby` (None: to `executor` too). `attend` is called twice a second while trainings are waited for and may raise.
    `every`: seconds between two states stored of a stage or training. `earlier`: seconds that an interrupted attempt already
    worked on what the current stage goes on from.
    """

    run: Run
    executor: Executor
    device: str = "auto"
    report: Callable[[Event], None] = lambda event: None
    stop: Callable[[], bool] = lambda: False
    every: float = EVERY
    earlier: float = 0.0
    trainings: dict[str, Future[tasks.TrainedNetwork]] = field(default_factory=dict)
    maps: Future[dict[str, np.ndarray]] | None = None
    nearby: Executor | None = None
    trains_on: str | None = None
    attend: Callable[[], None] = lambda: None

    @property
    def mapper(self) -> Executor:
        """Where cells are placed on maps."""
        return self.nearby or self.executor

    def check(self) -> None:
        """Cancelled if a stop was asked for."""
        if self.stop():
            raise Cancelled(
                f"Run {self.run.id} was stopped on request; go on with: python -m edgenes_core resume {self.run.id}"
            )

    def emit(self, event: Event) -> None:
        """Store and report an event."""
        self.run.append(event)
        self.report(event)

    def follow(self, stage: str, start: Callable[[Keeper], Generator[Event, None, T]]) -> T:
        """Emit each event of a stage and return its result; goes on from a stored state if there is one."""
        keeper = StoppingKeeper(self.run.checkpoints(stage), self.every, self.check)
        result = resumed(keeper, lambda keeper: self._follow(start(keeper)))
        self.earlier = keeper.earlier
        return result

    def _follow(self, steps: Generator[Event, None, T]) -> T:
        while True:
            try:
                event = next(steps)
            except StopIteration as end:
                return end.value
            self.emit(event)

    def submit(self, training: Training) -> None:
        """Start a training unless it is stored or under way."""
        if training.id in self.trainings or self.run.is_trained(training):
            return
        config = self.run.config
        seed = training_seed(config.seed, training.architecture, training.seed)
        device = self.trains_on or str(choose_device(self.device))
        keeper = TrainingKeeper(self.run.path.resolve(), training.id, self.every)
        self.trainings[training.id] = self.executor.submit(
            tasks.train_candidate, config.dataset, training.architecture, config.retrain, seed, device, keeper
        )
