"""A whole run in seconds: real data, real training, few steps."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

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


def finish(run: Run, stop=lambda: False) -> Run:
    """Do what is left of a run, in this process."""
    with ThreadPoolExecutor(1) as executor:
        run_pipeline(Session(run, executor, "cpu", stop=stop))
    return run


def tiny_run(root: Path, config: PipelineConfig = TINY) -> Run:
    """A new finished run."""
    return finish(RunStore(root).create(config))
