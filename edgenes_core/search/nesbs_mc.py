"""NESBS by Monte Carlo (Shu, Chen, Dai, Low: Neural ensemble search via Bayesian sampling. UAI 2022): see nesbs.py.

R times:   A_1, …, A_n ~ p_α, independently
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from edgenes_core.alpha import beta_rule, gumbel
from edgenes_core.architecture import Architecture
from edgenes_core.checkpoint import NO_KEEPER, Keeper
from edgenes_core.config import PipelineConfig
from edgenes_core.data import Dataset
from edgenes_core.records import Event
from edgenes_core.search import Candidate
from edgenes_core.search.nesbs import ensemble_samples, search_ensembles
from edgenes_core.search.settings import NesbsSettings
from edgenes_core.space import SearchSpace


def search(
    space: SearchSpace,
    data: Dataset,
    config: PipelineConfig,
    generator: torch.Generator,
    keeper: Keeper = NO_KEEPER,
    settings: NesbsSettings = NesbsSettings(),
) -> Iterator[Event | Candidate]:
    """n = `config.ensemble.size` cells."""

    def draw(logits: Tensor, generator: torch.Generator) -> list[list[Architecture]]:
        size = config.ensemble.size
        return [draw_cells(space, logits, size, generator) for _ in range(settings.ensembles)]

    yield from search_ensembles(space, data, config, generator, keeper, settings, draw)


def samples(space: SearchSpace, config: PipelineConfig, settings: NesbsSettings = NesbsSettings()) -> int:
    """Images passed through the supernet, scoring included."""
    return ensemble_samples(config, settings)


def draw_cells(space: SearchSpace, logits: Tensor, count: int, generator: torch.Generator) -> list[Architecture]:
    """Independent cells from the posterior with logits (S,)."""
    noisy = logits.cpu().double() + gumbel((count, len(logits)), generator)
    return [beta_rule(space, row) for row in noisy.numpy()]
