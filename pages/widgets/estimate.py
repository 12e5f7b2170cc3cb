"""What a run will cost, scaled from the measured stage costs of a finished one."""

from __future__ import annotations

from typing import NamedTuple

from edgenes_core.config import PipelineConfig
from edgenes_core.run_folder import Run
from edgenes_core.run_records import Manifest
from pages.widgets import session

DIGITS_IMAGES = 1150  # of the training part of digits


class Estimate(NamedTuple):
    """Seconds of the whole, networks to retrain, and the run whose costs were scaled."""

    seconds: float
    networks: int
    basis: str


def networks(config: PipelineConfig) -> int:
    """At most so many trainings: the pool over its seeds, the seeds of α*, both controls."""
    e = config.ensemble
    return e.pool * e.seeds + (e.size - 1) + 2 * e.controls


def work(config: PipelineConfig, images: int) -> dict[str, float]:
    """Images × channels × layers that pass through each stage: proportional to its seconds on one machine."""
    cells = len(config.space.cells.split("+")) * config.space.inputs_per_node
    supernet, net = config.darts.channels * config.darts.layers, config.retrain.channels * config.retrain.layers
    return {
        "darts": 2.0 * config.darts.steps * config.darts.batch * supernet,
        "hypernet": 2.0 * config.hypernet.steps * config.hypernet.batch * supernet,
        "retrain": float(networks(config) * config.retrain.epochs * images * net * cells),
        "select": 1.0,
        "embed": 1.0,
    }


def estimate(config: PipelineConfig, reference: Manifest, name: str) -> Estimate | None:
    """Scale a finished run stage by stage; None if it lacks a stage."""
    images = _images(reference)
    here, there = work(config, images), work(reference.config, images)
    costs = {stage: reference.cost(stage) for stage in here}
    total = sum(cost.seconds * here[stage] / there[stage] for stage, cost in costs.items() if cost)
    return Estimate(total, networks(config), name) if all(costs.values()) else None


def best_estimate(config: PipelineConfig) -> Estimate | None:
    """From the newest finished run of this machine on the same images, else from any finished run."""
    finished = [(run, m) for run in session.all_runs() for m in [run.manifest] if m.state == "finished"]
    finished.sort(key=lambda pair: (pair[1].config.dataset != config.dataset, session.origin(pair[0]) != "your run"))
    for run, manifest in finished:
        if found := estimate(config, manifest, _name(run)):
            return found
    return None


def _name(run: Run) -> str:
    return "the bundled run" if session.origin(run) == "bundled run" else f"your run {run.id}"


def _images(manifest: Manifest) -> int:
    parts = manifest.dataset.get("images", {})
    return sum(parts.get(name, 0) for name in ("train_w", "train_alpha")) or DIGITS_IMAGES
