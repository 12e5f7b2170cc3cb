"""A census: cells drawn uniformly at each number of edges shared with α*, to see whether farther from α* is worse.

    α* ← DARTS
    for m = 0 … Λ − 1:   different cells, uniform among those that share exactly m edges with α*
    each of them, and α*, is trained with the seeds 0 … s − 1

No method: its first n candidates are one network of one cell with n seeds.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from edgenes_core.architecture import Architecture
from edgenes_core.checkpoint import NO_KEEPER, Keeper
from edgenes_core.config import PipelineConfig
from edgenes_core.data import Dataset
from edgenes_core.records import Event
from edgenes_core.search import Candidate
from edgenes_core.search.baselines import numpy_generator
from edgenes_core.search.darts import cell_samples, search_cell
from edgenes_core.search.settings import CensusSettings
from edgenes_core.space import SearchSpace


def search(
    space: SearchSpace,
    data: Dataset,
    config: PipelineConfig,
    generator: torch.Generator,
    keeper: Keeper = NO_KEEPER,
    settings: CensusSettings = CensusSettings(),
) -> Iterator[Event | Candidate]:
    """α* first, then by rising number of shared edges, which is the candidates' λ."""
    base = (yield from search_cell(space, data, config.darts, generator, keeper=keeper)).architecture
    rng = numpy_generator(generator)
    yield from _trainings(base, space.lambda_max, settings.seeds)
    for shared in range(space.lambda_max):
        for cell in sharing(space, base, shared, settings.cells, rng):
            yield from _trainings(cell, shared, settings.seeds)


def samples(space: SearchSpace, config: PipelineConfig, settings: CensusSettings = CensusSettings()) -> int:
    """Images passed through the supernet: those of the search of α*."""
    return cell_samples(config.darts)


def sharing(
    space: SearchSpace, base: Architecture, shared: int, count: int, rng: np.random.Generator
) -> tuple[Architecture, ...]:
    """`count` different cells that share exactly `shared` edges with the base, or all of them if there are fewer."""
    drawn: dict[Architecture, None] = {}
    while len(drawn) < min(count, space.census(base)[shared]):
        drawn[space.sample_sharing(base, shared, rng)] = None
    return tuple(drawn)


def _trainings(cell: Architecture, shared: int, seeds: int) -> Iterator[Candidate]:
    return (Candidate(cell, float(shared), seed) for seed in range(seeds))
