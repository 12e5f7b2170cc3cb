"""What a run will take, before it starts: step times of this machine, put together stage by stage. Arithmetic only.

    search   = frozen steps · weight step + other steps · bilevel step
    map      = steps · map step + polish steps · polish step + reports                       S = search + map
    network  = epochs · batches · batch time + one prediction of val and test               = T
    low      = start + max(S, (S·threads + R·T)/cores) + N·T/workers                         everything overlaps
    high     = 1.4·(start + S + 2·(R + N)·T/workers + maps)      nothing does, workers share a core two by two, a slower machine

N networks follow the search, R of them (the random control) may be trained beside it. `calibration.measure` gives the times.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edgenes_core import catalogue
from edgenes_core.catalogue import KNOWN
from edgenes_core.config import EnsembleConfig, PipelineConfig
from edgenes_core.image_folder import list_folder
from edgenes_core.npz_file import headers_of
from edgenes_core.splits import VAL_SHARE

REPORT_EVERY = 10  # steps between two exact paths during the training of the map
START_SECONDS = 5.0  # starting the worker and its processes: mostly imports
MAP_SECONDS = 10.0  # compiling and computing the maps of the cells
FORWARD_SHARE = 1 / 3  # of the cost of a training batch that a prediction takes
SHARED = 2  # trainings are timed alone: two hardware threads of one core, or a busy machine, may take twice as long
SLOWER = 1.4  # other processes, other frequencies, other cells than those measured


@dataclass(frozen=True)
class Shape:
    """Images as networks see them, and how many there are in all training parts together, in val and in test."""

    channels: int
    height: int
    width: int
    classes: int
    train: int
    val: int
    test: int


@dataclass(frozen=True)
class Timing:
    """Seconds on one machine: steps at the config's own batch, `batches` of retraining for a few cells of the space."""

    weight_step: float
    search_step: float
    map_step: float
    polish_step: float
    report: float
    batches: tuple[float, ...]
    threads: int
    device: str = "cpu"


@dataclass(frozen=True)
class Estimate:
    """Wall seconds from `low` to `high`; `stages` holds the seconds of each alone, `networks` at most how many trainings."""

    low: float
    high: float
    stages: dict[str, float]
    networks: int
    workers: int


def shape_of(dataset: str) -> Shape:
    """Shape of a dataset without downloading or decoding it; DataError if it is neither known nor readable."""
    if dataset in KNOWN:
        known = KNOWN[dataset]
        return _split(known.shape[2], (known.side, known.side), known.classes, known.train, known.test)
    path = Path(dataset)
    if path.suffix == ".npz" and path.is_file():
        headers = headers_of(path)
        shape = headers["x_train"].shape
        with np.load(path, allow_pickle=False) as arrays:
            classes = int(arrays["y_train"].max()) + 1
        colours = shape[3] if len(shape) == 4 else 1
        return _split(colours, shape[1:3], classes, shape[0], headers["x_test"].shape[0])
    if path.is_dir():
        from PIL import Image

        listing = list_folder(path)
        with Image.open(listing.train[0]) as image:
            colours, size = (1 if image.mode in ("1", "L") else 3), image.size[::-1]
        return _split(colours, size, len(listing.classes), len(listing.train), len(listing.test))
    raise catalogue.unknown(dataset)


def timed_alike(config: PipelineConfig) -> PipelineConfig:
    """The config without what does not change the time of a step: two configs with the same share a `Timing`."""
    return replace(
        config,
        seed=0,
        dataset="-",
        preset="-",
        umap=False,
        darts=replace(config.darts, steps=1),
        hypernet=replace(config.hypernet, steps=1, polish_steps=1),
        retrain=replace(config.retrain, epochs=1),
        ensemble=EnsembleConfig(),
    )


def networks(config: PipelineConfig) -> int:
    """At most so many trainings: the pool over its seeds, the further seeds of α*, both controls."""
    e = config.ensemble
    return e.pool * e.seeds + (e.size - 1) + 2 * e.controls


def estimate(config: PipelineConfig, shape: Shape, timing: Timing, workers: int, cores: int) -> Estimate:
    """The range of wall seconds of a whole run with so many worker processes on a machine with so many usable cores."""
    d, h = config.darts, config.hypernet
    frozen = min(d.steps, math.ceil(d.frozen * d.steps))
    search = frozen * timing.weight_step + (d.steps - frozen) * timing.search_step
    reports = (h.steps + h.polish_steps) / REPORT_EVERY * timing.report
    mapping = h.steps * timing.map_step + h.polish_steps * timing.polish_step + reports
    network, count, beside = seconds_per_network(config, shape, timing), networks(config), config.ensemble.controls
    slots, alone = min(workers, cores), search + mapping
    maps = MAP_SECONDS if config.umap else 0.0
    overlapped = max(alone, (alone * min(timing.threads, cores) + beside * network) / cores)
    low = START_SECONDS + overlapped + (count - beside) * network / slots
    together = count * network * min(SHARED, slots) / slots
    high = SLOWER * (START_SECONDS + alone + together + maps)
    stages = {"darts": search, "hypernet": mapping, "retrain": count * network / slots, "embed": maps}
    return Estimate(low, high, stages, count, workers)


def seconds_per_network(config: PipelineConfig, shape: Shape, timing: Timing) -> float:
    """Training and predicting with one network of average cost."""
    r, batch = config.retrain, sum(timing.batches) / len(timing.batches)
    predicted = FORWARD_SHARE * (shape.val + shape.test) / r.batch
    return batch * (r.epochs * math.ceil(shape.train / r.batch) + predicted)


def _split(channels: int, size: tuple[int, ...], classes: int, train: int, test: int) -> Shape:
    val = round(VAL_SHARE * train)
    return Shape(channels, size[0], size[1], classes, train - val, val, test)
