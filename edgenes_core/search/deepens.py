"""DeepEns (Lakshminarayanan, Pritzel, Blundell: Simple and scalable predictive uncertainty estimation using deep ensembles.
NeurIPS 2017): one architecture, n random initialisations and orders of the images.

    α* ← DARTS;   members ← α* trained with the seeds 0 … n − 1;   p̄ = mean of their probabilities

Without the paper's adversarial training, which it calls optional. The control that every search for diversity has to beat.
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
    """α* with n = `config.ensemble.size` seeds."""
    result = yield from search_cell(space, data, config.darts, generator, keeper=keeper)
    yield from numbered([result.architecture] * config.ensemble.size)


def samples(space: SearchSpace, config: PipelineConfig) -> int:
    """Images passed through the supernet: those of the search of α*."""
    return cell_samples(config.darts)
