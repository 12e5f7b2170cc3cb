"""GDAS (Dong, Yang: Searching for a Robust Neural Architecture in Four GPU Hours. CVPR 2019).

    y = softmax((α + Gumbel)/τ),   h = onehot(argmax y) − stopgrad(y) + y        per edge, τ from 10 down to 0.1
    α, β ← Adam on ∇ CE(supernet(x, B·h); train-α),   w ← AdamW on ∇_w CE(supernet(x, B·h'); train-w),  h' a fresh sample

h is exactly one operation, its gradient is that of y. B are the relaxed inclusion weights of each node's inputs: hard ones would
leave the α of an input that was not drawn without a gradient.

The release draws again while a sample holds NaN or infinity. Here none can: `gumbel` is clamped, so finite logits give finite y.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from edgenes_core.alpha import relax
from edgenes_core.checkpoint import NO_KEEPER, Keeper
from edgenes_core.config import DartsConfig, PipelineConfig
from edgenes_core.data import Dataset
from edgenes_core.records import Event
from edgenes_core.search import Candidate
from edgenes_core.search.darts import cell_samples, run_search, search_step, start_search
from edgenes_core.search.settings import GdasSettings
from edgenes_core.space import SearchSpace


def search(
    space: SearchSpace,
    data: Dataset,
    config: PipelineConfig,
    generator: torch.Generator,
    keeper: Keeper = NO_KEEPER,
    settings: GdasSettings = GdasSettings(),
) -> Iterator[Event | Candidate]:
    """One cell."""
    found = replace(start_search(space, data, hard(config.darts, settings), generator), forward=hard_mixing)
    result = yield from run_search(found, search_step, "gdas", keeper)
    yield Candidate(result.architecture)


def samples(space: SearchSpace, config: PipelineConfig, settings: GdasSettings = GdasSettings()) -> int:
    """Images passed through the supernet."""
    return cell_samples(hard(config.darts, settings))


def hard(config: DartsConfig, settings: GdasSettings) -> DartsConfig:
    """The run's recipe with samples in the forward pass, at the method's own τ, of first order."""
    return replace(
        config,
        order=1,
        noise="gumbel",
        temperature_start=settings.temperature_start,
        temperature_end=settings.temperature_end,
    )


def hard_mixing(
    space: SearchSpace, logits: Tensor, temperature: float, generator: torch.Generator | None = None
) -> Tensor:
    """(..., E, O): on each edge one operation, with the gradient of the relaxed sample."""
    operations, edges = relax(space, logits, temperature, generator)
    drawn = torch.zeros_like(operations).scatter_(-1, operations.argmax(-1, keepdim=True), 1.0)
    return edges.unsqueeze(-1) * (drawn - operations.detach() + operations)
