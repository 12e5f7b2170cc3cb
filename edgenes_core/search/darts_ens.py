"""DartsEns: n searches by DARTS with noise of their own, one cell of each (the "DeepEns" of the EdgeNES thesis).

    for m = 1..n:   a_m ← DARTS with fresh weights, logits, order of the images and Gumbel noise
    members ← a_1 … a_n, each trained from scratch

A cell that several searches find is trained with as many seeds.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

from edgenes_core.checkpoint import NO_KEEPER, Keeper
from edgenes_core.config import PipelineConfig
from edgenes_core.data import Dataset
from edgenes_core.records import Event
from edgenes_core.search import Candidate, numbered
from edgenes_core.search.darts import cell_samples, search_cell
from edgenes_core.space import SearchSpace


def search(
    space: SearchSpace,
    data: Dataset,
    config: PipelineConfig,
    generator: torch.Generator,
    keeper: Keeper = NO_KEEPER,
) -> Iterator[Event | Candidate]:
    """n = `config.ensemble.size` cells; what a search draws follows what the one before it drew."""
    cells = []
    for member in range(config.ensemble.size):
        stage = f"darts_ens {member}"
        result = yield from search_cell(space, data, config.darts, generator, stage=stage, keeper=keeper)
        cells.append(result.architecture)
    yield from numbered(cells)


def samples(space: SearchSpace, config: PipelineConfig) -> int:
    """Images passed through a supernet: n whole searches."""
    return config.ensemble.size * cell_samples(config.darts)
