"""DARTS of second order as published: the architecture is judged after one virtual step of the weights (see unrolled.py).

α, β ← Adam on ∇ CE(supernet(x; w − ξ·∇_w L_train(w, α), α); train-α);   otherwise darts.py
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch

from edgenes_core.checkpoint import NO_KEEPER, Keeper
from edgenes_core.config import PipelineConfig
from edgenes_core.data import Dataset
from edgenes_core.records import Event
from edgenes_core.search import Candidate
from edgenes_core.search.darts import cell_samples, search_cell
from edgenes_core.space import SearchSpace


def search(
    space: SearchSpace,
    data: Dataset,
    config: PipelineConfig,
    generator: torch.Generator,
    keeper: Keeper = NO_KEEPER,
) -> Iterator[Event | Candidate]:
    """One cell."""
    darts = replace(config.darts, order=2)
    result = yield from search_cell(space, data, darts, generator, stage="darts2", keeper=keeper)
    yield Candidate(result.architecture)


def samples(space: SearchSpace, config: PipelineConfig) -> int:
    """Images passed through the supernet: each architecture step takes a batch of train-w more, for the virtual step."""
    return cell_samples(replace(config.darts, order=2))
