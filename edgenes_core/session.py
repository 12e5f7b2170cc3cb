"""One attempt at a run: where trainings go, how progress is stored and reported, when to stop."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from edgenes_core import EdgeNESError, tasks
from edgenes_core.device import choose_device
from edgenes_core.records import Event
from edgenes_core.run_folder import Run
from edgenes_core.run_records import Training

T = TypeVar("T")


class Cancelled(EdgeNESError):
    """The run was stopped on request; what is stored stays and can be resumed."""


@dataclass
class Session:
    """One attempt at a run: where to train, how to report, when to stop. Trainings are started once per session."""

    run: Run
    executor: Executor
    device: str = "auto"
    report: Callable[[Event], None] = lambda event: None
    stop: Callable[[], bool] = lambda: False
    trainings: dict[str, Future[tasks.TrainedNetwork]] = field(default_factory=dict)
    maps: Future[dict[str, np.ndarray]] | None = None

    def emit(self, event: Event) -> None:
        """Store and report an event; Cancelled if a stop was asked for."""
        self.run.append(event)
        self.report(event)
        if self.stop():
            raise Cancelled(
                f"Run {self.run.id} was stopped on request; go on with: python -m edgenes_core resume {self.run.id}"
            )

    def follow(self, steps: Generator[Event, None, T]) -> T:
        """Emit each event of a stage and return its result."""
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
        seed = tasks.derive_seed(config.seed, "retrain", training.architecture.key, training.seed)
        device = str(choose_device(self.device))
        self.trainings[training.id] = self.executor.submit(
            tasks.train_candidate, config.dataset, training.architecture, config.retrain, seed, device
        )
