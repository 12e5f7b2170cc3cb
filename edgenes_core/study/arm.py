"""One repeat of an arm, in one process: search, retrain every candidate, predict. The same result wherever it runs.

    candidates ← search(space, data, config, generator of (seed, arm's searcher))
    for each different candidate:   network ← fit from scratch, seeded by (seed, cell, candidate's seed);   predict val and test
    members ← chosen on val, for its bill alone: a table chooses anew

Seconds are those that a core computed, so that a busy machine does not make a method dear; on a GPU they are those of a clock.
"""

from __future__ import annotations

import inspect
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

from edgenes_core import tasks
from edgenes_core.architecture import Architecture
from edgenes_core.config import DartsConfig, PipelineConfig
from edgenes_core.data import Dataset
from edgenes_core.device import describe
from edgenes_core.pipeline import stage_generator
from edgenes_core.run_records import Cost, build_space
from edgenes_core.search import SEARCHERS, Candidate, load_samples, load_searcher
from edgenes_core.space import SearchSpace
from edgenes_core.study import Arm
from edgenes_core.study.chosen import choose
from edgenes_core.train import training_seed


@dataclass(frozen=True)
class Repeat:
    """What one arm with one seed gave: N different candidates in the order of their proposal, probabilities (N, B, C) on
    validation and test, the seconds each training took and the images it passed. `search`, `select` say what these cost (a
    choice passes each validation image forward through each network); `stages` are the parts of the search in seconds, which
    are those of a core of a CPU, or of a clock beside any other `device`."""

    candidates: tuple[Candidate, ...]
    val: np.ndarray
    test: np.ndarray
    seconds: tuple[float, ...]
    samples: int
    search: Cost
    select: Cost
    stages: tuple[tuple[str, float], ...] = ()
    device: str = "cpu"


def run_repeat(arm: Arm, config: PipelineConfig, device: str = "cpu") -> Repeat:
    """Do one repeat; EdgeNESError if the method cannot run or a training diverges."""
    data, space = tasks.dataset_of(config.dataset, device), build_space(config.space)
    warm_up(config.dataset, device)
    trainings = Trainings(config, device)
    candidates, stages = _searched(arm, space, data, config, trainings)
    looked_at = [name for name in trainings.took if name not in {(c.architecture.key, c.seed) for c in candidates}]
    networks = [trainings.train(c.architecture, c.seed) for c in candidates]
    samples = config.retrain.epochs * len(data.train)
    billed = load_samples(arm.searcher)(space, config, **arm.keywords()) + samples * len(looked_at)
    search = Cost(sum(stages.values()) + sum(map(trainings.took.__getitem__, looked_at)), billed)
    val, start = np.stack([network.val for network in networks]), trainings.clock()
    choose(SEARCHERS[arm.searcher].members, val, data.val.y.cpu().numpy(), config.ensemble.size)
    select = Cost(trainings.clock() - start, len(val) * len(data.val))
    test = np.stack([network.test for network in networks])
    seconds = tuple(trainings.took[c.architecture.key, c.seed] for c in candidates)
    known = seconds, samples, search, select, tuple(stages.items()), describe(torch.device(device))
    return Repeat(candidates, val, test, *known)


class Trainings:
    """Networks of one repeat, each cell and seed trained once and timed: `took` is in seconds of `clock`."""

    def __init__(self, config: PipelineConfig, device: str) -> None:
        self.config, self.device = config, device
        self.trained: dict[tuple[str, int], tasks.TrainedNetwork] = {}
        self.took: dict[tuple[str, int], float] = {}
        self.clock: Callable[[], float] = time.process_time if device == "cpu" else time.monotonic

    def train(self, cell: Architecture, seed: int) -> tasks.TrainedNetwork:
        """Train a network, or give it again."""
        name = cell.key, seed
        if name not in self.trained:
            start, config = self.clock(), self.config
            seeded = training_seed(config.seed, cell, seed)
            self.trained[name] = tasks.train_candidate(config.dataset, cell, config.retrain, seeded, self.device)
            self.took[name] = self.clock() - start
        return self.trained[name]

    def judge(self, cell: Architecture, seed: int) -> np.ndarray:
        """Validation probabilities (B, C) of a trained network, for a search that looks at them."""
        return self.train(cell, seed).val


def _searched(
    arm: Arm, space: SearchSpace, data: Dataset, config: PipelineConfig, trainings: Trainings
) -> tuple[tuple[Candidate, ...], Counter[str]]:
    """The different candidates of a search, and the seconds of its stages without those of trainings."""
    search, more = load_searcher(arm.searcher), arm.keywords()
    if "judge" in inspect.signature(search).parameters:
        more["judge"] = trainings.judge
    found, stages, stage = dict[tuple[Architecture, int], Candidate](), Counter[str](), arm.searcher
    before = trainings.clock()
    for each in search(space, data, config, stage_generator(config.seed, arm.searcher), **more):
        now = trainings.clock() - sum(trainings.took.values())
        if isinstance(each, Candidate):
            found.setdefault((each.architecture, each.seed), each)
        else:
            stage = each.stage
        stages[stage] += now - before  # type: ignore[assignment]
        before = now
    return tuple(found.values()), stages


@cache
def warm_up(dataset: str, device: str) -> None:
    """One step of a search: what torch and numba load at their first step in a process is billed to nobody."""
    config = PipelineConfig(dataset=dataset, darts=DartsConfig(steps=1, channels=2))
    search = load_searcher("darts")(
        build_space(config.space), tasks.dataset_of(dataset, device), config, stage_generator(0, "darts")
    )
    for _ in search:
        pass
