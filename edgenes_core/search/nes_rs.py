"""NES-RS (Zaidi et al.: Neural ensemble search for uncertainty estimation and dataset shift. NeurIPS 2021): a random pool.

    pool ← K cells drawn uniformly, each trained from scratch;   members ← ForwardSelect(pool, validation, n)

ForwardSelect takes the best network, then again and again the one that helps the average most (selecting/rules.py).
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

from edgenes_core.checkpoint import NO_KEEPER, Keeper
from edgenes_core.config import PipelineConfig
from edgenes_core.data import Dataset
from edgenes_core.records import Event
from edgenes_core.search import Candidate, numbered
from edgenes_core.search.baselines import numpy_generator
from edgenes_core.space import SearchSpace


def search(
    space: SearchSpace,
    data: Dataset,
    config: PipelineConfig,
    generator: torch.Generator,
    keeper: Keeper = NO_KEEPER,
) -> Iterator[Event | Candidate]:
    """K = `config.ensemble.pool` cells; one drawn twice is trained twice."""
    rng, count = numpy_generator(generator), config.ensemble.pool
    for step, candidate in enumerate(numbered(space.sample(rng) for _ in range(count)), 1):
        yield candidate
        yield Event("nes_rs", step, count)


def samples(space: SearchSpace, config: PipelineConfig) -> int:
    """None: training the candidates is not part of the search."""
    return 0
