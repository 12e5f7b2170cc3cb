"""NES-RE (Zaidi et al.: Neural ensemble search for uncertainty estimation and dataset shift. NeurIPS 2021): regularised evolution.

    population ← P uniform cells, trained
    until K networks are trained:
        parent ← uniform among ForwardSelect(population, validation, m);   child ← mutate(parent), trained
        the child joins the population, the oldest leaves it
    members ← ForwardSelect(all K networks, validation, n)

    mutate: of one cell kind, uniformly one of
        the cell as it is, trained with a further seed;   another operation on one edge;   another input on one edge

Networks are numbered in the order of their training, so the population is always the last P of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from edgenes_core.architecture import Architecture, Gene
from edgenes_core.checkpoint import NO_KEEPER, Keeper, LoopPart
from edgenes_core.config import PipelineConfig
from edgenes_core.data import Dataset
from edgenes_core.ensembles import select
from edgenes_core.metrics import nll
from edgenes_core.records import Event
from edgenes_core.search import Candidate, Judge, numbered
from edgenes_core.search.baselines import numpy_generator
from edgenes_core.search.loop import Measured, run_steps
from edgenes_core.search.settings import NesReSettings
from edgenes_core.space import SearchSpace
from edgenes_core.train import predict, train_from_scratch, training_seed

NOBODY = -1  # parent of a cell that was drawn


@dataclass(frozen=True)
class Evolution:
    """All that a training reads and changes: of each of K networks its cell (K, E, O), the number of its parent (K,), and
    its validation probabilities (K, B, C), zero until it is trained; y (B,) are the classes of the validation images."""

    space: SearchSpace
    generator: torch.Generator
    judge: Judge
    y: np.ndarray
    population: int
    parents: int
    cells: Tensor
    parent: Tensor
    val: Tensor

    def cell(self, number: int) -> Architecture:
        code = self.cells[number].numpy()
        return self.space.decode(np.asarray(code.any(-1)), code.argmax(-1))

    def parts(self) -> dict[str, LoopPart]:
        """What a checkpoint holds."""
        return {"cells": self.cells, "parent": self.parent, "val": self.val, "generator": self.generator}


def search(
    space: SearchSpace,
    data: Dataset,
    config: PipelineConfig,
    generator: torch.Generator,
    keeper: Keeper = NO_KEEPER,
    settings: NesReSettings = NesReSettings(),
    judge: Judge | None = None,
) -> Iterator[Event | Candidate]:
    """All K = `config.ensemble.pool` networks, in the order of their training."""
    found = start_evolution(space, data, config, generator, settings, judge)
    count = config.ensemble.pool
    yield from run_steps(
        "nes_re", count, found.parts(), lambda number: train_next(found, number), lambda _: ({}, ()), keeper
    )
    yield from numbered(found.cell(number) for number in range(count))


def samples(space: SearchSpace, config: PipelineConfig, settings: NesReSettings = NesReSettings()) -> int:
    """None beyond the trainings of its K candidates, which are those that the search looks at."""
    return 0


def start_evolution(
    space: SearchSpace,
    data: Dataset,
    config: PipelineConfig,
    generator: torch.Generator,
    settings: NesReSettings,
    judge: Judge | None = None,
) -> Evolution:
    """Nobody is trained yet."""
    count = config.ensemble.pool
    population = min(count, settings.population or max(2, count // 4))
    parents = min(population, settings.parents or max(2, population // 5))
    return Evolution(
        space,
        generator,
        judge or own_judge(data, config),
        data.val.y.cpu().numpy(),
        population,
        parents,
        torch.zeros(count, len(space.edges), len(space.operations), dtype=torch.bool),
        torch.full((count,), NOBODY),
        torch.zeros(count, len(data.val), len(data.classes)),
    )


def train_next(found: Evolution, number: int) -> Measured:
    """Draw or breed a cell, and train it."""
    rng = numpy_generator(found.generator)
    if number < found.population:
        cell = found.space.sample(rng)
    else:
        chosen = parents(found, number)
        found.parent[number] = chosen[int(rng.integers(len(chosen)))]
        cell = mutate(found.space, found.cell(int(found.parent[number])), rng)
    before = sum(found.cell(other) == cell for other in range(number))
    found.cells[number] = torch.from_numpy(found.space.encode(cell) > 0)
    found.val[number] = torch.from_numpy(np.asarray(found.judge(cell, before), np.float32))
    return Measured({"nll": nll(found.val[number].numpy(), found.y)})


def parents(found: Evolution, number: int) -> tuple[int, ...]:
    """Those of the population before this training that ForwardSelect picks on validation."""
    alive = range(number - found.population, number)
    names = [f"{each:04d}" for each in alive]
    chosen = select(found.val[alive.start : alive.stop].numpy(), found.y, names, found.parents, "forward")
    return tuple(int(name) for name in chosen.members)


def mutate(space: SearchSpace, cell: Architecture, rng: np.random.Generator) -> Architecture:
    """At most one edit away; where no input can move (one node that keeps both of its inputs), the cell as it is."""
    kind = space.cells[int(rng.integers(len(space.cells)))]
    change = (_nothing, _other_operations, _other_inputs)[int(rng.integers(3))]
    options = [(g, others) for g in cell.genes if g.cell == kind and (others := change(space, cell, g))]
    if not options:
        return cell
    gene, others = options[int(rng.integers(len(options)))]
    other = others[int(rng.integers(len(others)))]
    return Architecture((*(g for g in cell.genes if g != gene), other))


def _nothing(space: SearchSpace, cell: Architecture, gene: Gene) -> list[Gene]:
    return []


def _other_operations(space: SearchSpace, cell: Architecture, gene: Gene) -> list[Gene]:
    return [gene._replace(operation=name) for name in space.operations if name != gene.operation]


def _other_inputs(space: SearchSpace, cell: Architecture, gene: Gene) -> list[Gene]:
    taken = {g.parent for g in cell.genes if g[:2] == gene[:2]}
    return [gene._replace(parent=parent) for parent in range(gene.node) if parent not in taken]


def own_judge(data: Dataset, config: PipelineConfig) -> Judge:
    """Trains here as a run retrains its candidates, to the same bits."""

    def judge(cell: Architecture, seed: int) -> np.ndarray:
        network, _ = train_from_scratch(data, cell, config.retrain, training_seed(config.seed, cell, seed))
        return predict(network, data.val).numpy()

    return judge
