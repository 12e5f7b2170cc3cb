"""Random cells: drawn uniformly from the whole space, without looking at data."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from edgenes_core.checkpoint import NO_KEEPER, Keeper
from edgenes_core.config import PipelineConfig
from edgenes_core.data import Dataset
from edgenes_core.records import Event
from edgenes_core.search import Candidate
from edgenes_core.space import SearchSpace


def search(
    space: SearchSpace,
    data: Dataset,
    config: PipelineConfig,
    generator: torch.Generator,
    keeper: Keeper = NO_KEEPER,
) -> Iterator[Event | Candidate]:
    """`config.ensemble.controls` cells."""
    rng = numpy_generator(generator)
    for step in range(config.ensemble.controls):
        yield Candidate(space.sample(rng))
        yield Event("random", step + 1, config.ensemble.controls)


def samples(space: SearchSpace, config: PipelineConfig) -> int:
    """None: no image is looked at."""
    return 0


def numpy_generator(generator: torch.Generator) -> np.random.Generator:
    """A numpy generator seeded from a torch one, so that one seed decides both."""
    return np.random.default_rng(int(torch.randint(2**62, (1,), generator=generator)))
