"""Random deviation (RandomD): α* with exactly d of its edges replaced, uniformly among all cells at that distance.

d runs through 1, 2, …, Λ again and again, as the pool does through λ. Corrects the release, which always moves the parent
(57 624 of 238 680 cells at d = 4) and never ends for k = 2.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

from edgenes_core.checkpoint import NO_KEEPER, Keeper
from edgenes_core.config import PipelineConfig
from edgenes_core.data import Dataset
from edgenes_core.records import Event
from edgenes_core.search import Candidate
from edgenes_core.search.baselines import numpy_generator
from edgenes_core.search.darts import cell_samples, search_cell
from edgenes_core.space import SearchSpace


def search(
    space: SearchSpace,
    data: Dataset,
    config: PipelineConfig,
    generator: torch.Generator,
    keeper: Keeper = NO_KEEPER,
) -> Iterator[Event | Candidate]:
    """α* by DARTS, then `config.ensemble.controls` deviations of it."""
    base = yield from search_cell(space, data, config.darts, generator, keeper=keeper)
    rng = numpy_generator(generator)
    for shared in deviation_counts(space.lambda_max, config.ensemble.controls):
        yield Candidate(space.sample_sharing(base.architecture, shared, rng), float(shared))


def samples(space: SearchSpace, config: PipelineConfig) -> int:
    """Images passed through the supernet: those of the search of α*."""
    return cell_samples(config.darts)


def deviation_counts(lambda_max: int, count: int) -> tuple[int, ...]:
    """Shared edges left in each deviation: Λ−1, Λ−2, …, 0, then again."""
    return tuple(lambda_max - 1 - index % lambda_max for index in range(count))
