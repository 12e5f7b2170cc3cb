"""A whole run in seconds: real data, real training, few steps."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from edgenes_core.checkpoint import EVERY, FileKeeper
from edgenes_core.config import DartsConfig, EnsembleConfig, HypernetConfig, PipelineConfig, RetrainConfig
from edgenes_core.pipeline import run_pipeline
from edgenes_core.run_folder import Run
from edgenes_core.runs import RunStore
from edgenes_core.session import Session

TINY = PipelineConfig(
    preset="custom",
    umap=False,
    darts=DartsConfig(steps=4, channels=4),
    hypernet=HypernetConfig(steps=3, polish_steps=40),
    retrain=RetrainConfig(epochs=1, channels=4),
    ensemble=EnsembleConfig(pool=4, size=2, seeds=2, controls=3),
)
# The same for the command line.
SETTINGS = [
    *("darts.steps=4", "darts.channels=4", "hypernet.steps=3", "hypernet.polish_steps=40", "umap=false"),
    *("retrain.epochs=1", "retrain.channels=4", "ensemble.pool=4", "ensemble.size=2", "ensemble.controls=3"),
]


class Killed(Exception):
    """Stands for the death of the process: nothing in the engine knows it."""


class Dying(FileKeeper):
    """Stores about half of the states it is offered, and is killed at one of the offers."""

    def __init__(self, folder: Path, rng: random.Random, offers: int) -> None:
        super().__init__(folder, 0.0)
        self.rng, self.left = rng, offers

    def offer(self, stage, captured) -> None:
        self.left -= 1
        if self.left < 0:
            raise Killed
        if self.rng.random() < 0.5:
            super().offer(stage, captured)


def finish(run: Run, stop=lambda: False, report=lambda event: None, every: float = EVERY) -> Run:
    """Do what is left of a run, in this process; `every` seconds between two checkpoints, 0 for as many as there can be."""
    with ThreadPoolExecutor(1) as executor:
        try:
            run_pipeline(Session(run, executor, "cpu", report, stop, every))
        finally:
            executor.shutdown(cancel_futures=True)
    return run


def tiny_run(root: Path, config: PipelineConfig = TINY) -> Run:
    """A new finished run."""
    return finish(RunStore(root).create(config))
