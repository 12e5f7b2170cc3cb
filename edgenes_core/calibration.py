"""How fast this machine takes the steps of a run: a few real ones, on random images of the run's own shape.

    for each kind of step:  twice at batch 8, to load and compile what is needed and to see how long it takes
                            then at the run's batch, or at the largest that fits the time, scaled to the run's

The fastest repetition counts: a moment's load of the machine should not be taken for its speed through a long run.
The steps are those of search/darts.py and search/edgenes.py themselves, so whatever makes them faster shows here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F

from edgenes_core.architecture import Architecture
from edgenes_core.config import PipelineConfig
from edgenes_core.data import Dataset, Part
from edgenes_core.device import choose_device, synchronize
from edgenes_core.estimate import Shape, Timing
from edgenes_core.lambda_path import lambda_path
from edgenes_core.network import Network
from edgenes_core.run_records import build_space
from edgenes_core.search.bilevel import search_threads
from edgenes_core.search.darts import SearchResult, search_step, start_search
from edgenes_core.search.edgenes import MapSearch, map_step, polish_step, start_map
from edgenes_core.supernet import Supernet
from edgenes_core.train import weight_optimizer, weight_step

CELLS = 4  # of the space, whose retraining is timed
REPEATS = 9  # of one step at most
PROBE = 8  # images of the first steps
SECONDS = 3.0
STEPS = 1000  # of the trainings that the timed steps come from: no step is the last

Step = Callable[[], object]


def measure(config: PipelineConfig, shape: Shape, device: str = "auto", seconds: float = SECONDS) -> Timing:
    """Times of a run's steps, in about `seconds` plus what the first steps need to load; nothing is stored or downloaded."""
    machine, before = choose_device(device), torch.get_num_threads()
    bench, share = Bench(config, shape, machine), seconds / (4 + CELLS)
    threads = search_threads(bench.images(2))
    try:
        torch.set_num_threads(threads)
        weights = timed(lambda size: bench.search(size, frozen=True), config.darts.batch, share, machine)
        both = timed(lambda size: bench.search(size, frozen=False), config.darts.batch, share, machine)
        mapped = timed(bench.mapping, config.hypernet.batch, share, machine)
        polished = timed(bench.polish, PROBE, share / 2, machine)
        reported = timed(bench.report, PROBE, share / 2, machine)
        torch.set_num_threads(1)  # as in the workers
        batches = tuple(timed(bench.training(cell), config.retrain.batch, share, machine) for cell in bench.cells())
    finally:
        torch.set_num_threads(before)
    return Timing(weights, both, mapped, polished, reported, batches, threads, machine.type)


def timed(make: Callable[[int], Step], batch: int, seconds: float, machine: torch.device) -> float:
    """Seconds of the fastest step that `make(batch)` builds; at a smaller batch, and scaled, if it would take too long."""
    small = min(batch, PROBE)
    probe = make(small)
    _once(probe, machine)
    guess = _once(probe, machine) * batch / small
    size = batch if 2 * guess <= seconds else min(batch, max(small, int(batch * seconds / (2 * guess))))
    step = make(size)
    spent, times = _once(step, machine), list[float]()
    while not times or (spent < seconds and len(times) < REPEATS):
        times.append(_once(step, machine))
        spent += times[-1]
    return min(times) * batch / size


class Bench:
    """Steps of one config on random images of one shape; each builder returns a step at a batch size."""

    def __init__(self, config: PipelineConfig, shape: Shape, machine: torch.device) -> None:
        self.shape, self.machine = shape, machine
        darts = replace(config.darts, steps=STEPS, frozen=0.5)
        hypernet = replace(config.hypernet, steps=STEPS, polish_steps=STEPS)
        self.config = replace(config, darts=darts, hypernet=hypernet)
        self.space, self.random = build_space(config.space), torch.Generator().manual_seed(0)

    def images(self, count: int) -> Dataset:
        """Every part has `count` random images."""
        s = self.shape
        x = torch.randn(count, s.channels, s.height, s.width, generator=self.random).to(self.machine)
        part = Part(x, torch.randint(s.classes, (count,), generator=self.random).to(self.machine))
        names, constants = tuple(map(str, range(s.classes))), (0.0,) * s.channels
        return Dataset("random", names, constants, constants, part, part, part, part, part)

    def cells(self) -> list[Architecture]:
        rng = np.random.default_rng(0)
        return [self.space.sample(rng) for _ in range(CELLS)]

    def search(self, size: int, frozen: bool) -> Step:
        """A step of the base search while α is frozen, or with both halves."""
        config = replace(self.config.darts, batch=size)
        found = start_search(self.space, self.images(size), config, self.random)
        return lambda: search_step(found, 1 if frozen else STEPS // 2 + 1)

    def mapping(self, size: int) -> Step:
        found = self._map(size)
        return lambda: map_step(found, STEPS // 2)

    def polish(self, size: int) -> Step:
        found = self._map(size)
        return lambda: polish_step(found, STEPS + 1)

    def report(self, size: int) -> Step:
        """The exact path, as it is taken every few steps."""
        hypernet = self._map(size).hypernet
        return lambda: lambda_path(self.space, hypernet.knots(), hypernet.base)

    def training(self, cell: Architecture) -> Callable[[int], Step]:
        """A builder of steps that retrain this cell."""

        def build(size: int) -> Step:
            c, s = self.config.retrain, self.shape
            network = Network(cell, s.channels, s.classes, c.channels, c.layers, self.random).to(self.machine)
            optimizer, part = weight_optimizer(network, c.lr, c.optimizer), self.images(size).train.augmented(c.augment)
            rows = torch.arange(size)

            def step() -> None:
                x, y = part.draw(rows, self.random)
                weight_step(network, optimizer, F.cross_entropy(network(x), y), c.clip)

            return step

        return build

    def _map(self, size: int) -> MapSearch:
        c, s = self.config.darts, self.shape
        supernet = Supernet(self.space, s.channels, s.classes, c.channels, c.layers, self.random).to(self.machine)
        base = SearchResult(self.cells()[0], np.zeros(self.space.logits), supernet)
        config = replace(self.config.hypernet, batch=size)
        return start_map(self.space, self.images(size), base, config, self.random)


def _once(step: Step, machine: torch.device) -> float:
    start = time.perf_counter()
    step()
    synchronize(machine)
    return time.perf_counter() - start
