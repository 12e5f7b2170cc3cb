"""DARTS, first order, with Gumbel noise in the forward pass.

    α, β ← 1e-3·N(0, 1)
    for step = 1..T:  temperature falls linearly
        after the first 20 % of the steps:  α, β ← Adam on ∇ CE(supernet(x, GS mixing); train-α)
        w ← AdamW on ∇_w CE(supernet(x, fresh GS mixing); train-w)
    α* = per node the k parents with the largest softmax(β)·max softmax(α), each with its best operation

The noise is what matters: without it the same budget gives a clearly worse cell (design measurements).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from edgenes_core.alpha import mixing, product_rule
from edgenes_core.architecture import Architecture
from edgenes_core.config import DartsConfig, PipelineConfig
from edgenes_core.data import Dataset
from edgenes_core.records import Event
from edgenes_core.search import Candidate
from edgenes_core.search.bilevel import CLIP, data_loss, linear, streams
from edgenes_core.space import SearchSpace
from edgenes_core.supernet import Supernet
from edgenes_core.train import descend, set_cosine, weight_optimizer, weight_step

INIT = 1e-3
PICTURE_EVERY = 5  # steps between two stored pictures of the mixing weights

Penalty = Callable[[Tensor, int], Tensor]


@dataclass(frozen=True)
class SearchResult:
    """The cell found, its logits (S,) float64, and the trained supernet."""

    architecture: Architecture
    logits: np.ndarray
    supernet: Supernet


def search(
    space: SearchSpace, data: Dataset, config: PipelineConfig, generator: torch.Generator
) -> Iterator[Event | Candidate]:
    """Protocol form: the events of the search, then α*."""
    result = yield from search_cell(space, data, config.darts, generator)
    yield Candidate(result.architecture)


def search_cell(
    space: SearchSpace,
    data: Dataset,
    config: DartsConfig,
    generator: torch.Generator,
    penalty: Penalty | None = None,
    stage: str = "darts",
) -> Generator[Event, None, SearchResult]:
    """Yields one event a step, returns the `SearchResult`. `penalty(logits, step)` is added to the architecture's loss."""
    device = data.val.x.device
    supernet = Supernet(space, data.channels, len(data.classes), config.channels, config.layers, generator).to(device)
    logits = (INIT * torch.randn(space.logits, generator=generator)).to(device).requires_grad_()
    weights = weight_optimizer(supernet, config.weight_lr)
    architecture = torch.optim.Adam([logits], lr=config.alpha_lr, betas=(0.5, 0.999), weight_decay=config.alpha_decay)
    train_w, train_alpha = streams(data, config.batch, generator)
    start = time.monotonic()
    for step in range(config.steps):
        temperature = linear(config.temperature_start, config.temperature_end, step, config.steps)
        set_cosine(weights, config.weight_lr, step, config.steps)
        values = {"temperature": temperature}
        if step >= config.frozen * config.steps:
            loss = data_loss(supernet, next(train_alpha), mixing(space, logits, temperature, generator))
            values["val_loss"] = float(loss.detach())
            if penalty is not None:
                added = penalty(logits, step)
                values["regularizer"] = float(added.detach())
                loss = loss + added
            descend(architecture, logits, loss)
        loss = data_loss(supernet, next(train_w), mixing(space, logits.detach(), temperature, generator))
        weight_step(supernet, weights, loss, CLIP)
        values["train_loss"] = float(loss.detach())
        picture = snapshot(space, logits) if step % PICTURE_EVERY == 0 or step == config.steps - 1 else ()
        yield Event(stage, step + 1, config.steps, time.monotonic() - start, values, picture)
    found = logits.detach().double().cpu().numpy()
    return SearchResult(product_rule(space, found), found, supernet)


def snapshot(space: SearchSpace, logits: Tensor) -> tuple[tuple[float, ...], ...]:
    """Noise-free mixing weights as rows (E × O), for the live heat map."""
    rows = mixing(space, logits.detach().float(), 1.0).cpu().tolist()
    return tuple(tuple(round(value, 4) for value in row) for row in rows)
