"""SNAS (Xie, Zheng, Liu, Lin: SNAS: Stochastic Neural Architecture Search. ICLR 2019), on one level.

    for step = 1..T:  temperature t falls linearly
        Z ← Concrete(α, t) for each edge's operations and each node's inputs
        ℓ ← CE(supernet(x, Z); all training images)
        w ← AdamW on ∇_w ℓ,   α, β ← Adam on ∇ ℓ                 one batch, one sample, one backward pass
    the k inputs with the largest softmax(β)·max softmax(α), each with its best operation

Nothing is held back for α: both follow the training loss, so both halves of the training images serve both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from edgenes_core.checkpoint import NO_KEEPER, Keeper
from edgenes_core.config import DartsConfig, PipelineConfig
from edgenes_core.data import Dataset
from edgenes_core.order import Order
from edgenes_core.records import Event
from edgenes_core.search import Candidate
from edgenes_core.search.bilevel import CLIP, Stream, data_loss
from edgenes_core.search.darts import CellSearch, pictured, run_search, start_search
from edgenes_core.search.loop import Measured
from edgenes_core.search.settings import SnasSettings
from edgenes_core.space import SearchSpace
from edgenes_core.train import linear, set_cosine, weight_step


def search(
    space: SearchSpace,
    data: Dataset,
    config: PipelineConfig,
    generator: torch.Generator,
    keeper: Keeper = NO_KEEPER,
    settings: SnasSettings = SnasSettings(),
) -> Iterator[Event | Candidate]:
    """One cell."""
    darts = sampled(config.darts, settings)
    found = start_search(space, data, darts, generator)
    whole = data.train.augmented(darts.augment)
    found = replace(found, train_w=Stream(whole, Order(len(whole), darts.batch, generator, whole=True)))
    result = yield from run_search(found, joint_step, "snas", keeper)
    yield Candidate(result.architecture)


def samples(space: SearchSpace, config: PipelineConfig, settings: SnasSettings = SnasSettings()) -> int:
    """Images passed through the supernet: one batch a step."""
    return config.darts.steps * config.darts.batch


def sampled(config: DartsConfig, settings: SnasSettings) -> DartsConfig:
    """The run's recipe with samples in the forward pass, at the method's own temperatures."""
    return replace(
        config,
        noise="gumbel",
        temperature_start=settings.temperature_start,
        temperature_end=settings.temperature_end,
    )


def joint_step(found: CellSearch, step: int) -> Measured:
    """Weights and architecture, from one backward pass."""
    config = found.config
    temperature = linear(config.temperature_start, config.temperature_end, step, config.steps)
    if config.schedule == "cosine":
        set_cosine(found.weights, config.weight_lr, step, config.steps)
    loss = data_loss(found.supernet, next(found.train_w), found.mix(found.logits, temperature))
    found.architecture.zero_grad()
    weight_step(found.supernet, found.weights, loss, CLIP)
    found.architecture.step()
    values: dict[str, Tensor | float] = {"temperature": temperature, "train_loss": loss.detach()}
    return Measured(values, found.logits.detach().clone() if pictured(step, config.steps) else None)
