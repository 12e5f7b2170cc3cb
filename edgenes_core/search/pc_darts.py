"""PC-DARTS (Xu et al.: PC-DARTS: Partial Channel Connections for Memory-Efficient Architecture Search. ICLR 2020).

    node_n = Σ_p softmax(β[n])_p · edge_{n,p},   edge: 1/K of the channels through Σ_o softmax(α)_o·o, the rest by-passed
    in the first 30 % of the steps only w moves;  then as DARTS of first order, without noise, at temperature 1
    the k inputs with the largest softmax(β)·max softmax(α), each with its best operation

The weights β of edges are those of every search here (alpha.py); partial channels are edgenes_core/partial_channels.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch

from edgenes_core.checkpoint import NO_KEEPER, Keeper
from edgenes_core.config import DartsConfig, PipelineConfig
from edgenes_core.data import Dataset
from edgenes_core.partial_channels import with_partial_channels
from edgenes_core.records import Event
from edgenes_core.schema import ConfigError
from edgenes_core.search import Candidate
from edgenes_core.search.darts import CellSearch, cell_samples, run_search, search_step, start_search
from edgenes_core.search.settings import PcDartsSettings
from edgenes_core.space import SearchSpace
from edgenes_core.train import weight_optimizer


def search(
    space: SearchSpace,
    data: Dataset,
    config: PipelineConfig,
    generator: torch.Generator,
    keeper: Keeper = NO_KEEPER,
    settings: PcDartsSettings = PcDartsSettings(),
) -> Iterator[Event | Candidate]:
    """One cell; ConfigError if K does not divide the channels."""
    found = start_partial(space, data, plain(config.darts, settings), generator, settings.share)
    result = yield from run_search(found, search_step, "pc_darts", keeper)
    yield Candidate(result.architecture)


def samples(space: SearchSpace, config: PipelineConfig, settings: PcDartsSettings = PcDartsSettings()) -> int:
    """Images passed through the supernet."""
    return cell_samples(plain(config.darts, settings))


def plain(config: DartsConfig, settings: PcDartsSettings) -> DartsConfig:
    """The run's recipe without noise, of first order, with the method's own frozen part and rule."""
    return replace(
        config,
        order=1,
        noise="none",
        temperature_start=1.0,
        temperature_end=1.0,
        frozen=settings.frozen,
        rule="product",
    )


def start_partial(
    space: SearchSpace, data: Dataset, config: DartsConfig, generator: torch.Generator, share: int
) -> CellSearch:
    """A search as DARTS starts it, its supernet with partial channels."""
    if config.channels % share:
        raise ConfigError(
            f"Partial channels mix 1/K of the channels, so K = {share} must divide channels = {config.channels}; "
            f"set darts.channels to a multiple of {share}, or K to 1."
        )
    found = start_search(space, data, config, generator)
    if share == 1:
        return found
    supernet = with_partial_channels(found.supernet, share, generator).to(data.device)
    weights = weight_optimizer(supernet, config.weight_lr, config.optimizer)
    return replace(found, supernet=supernet, weights=weights)
