"""DARTS with Gumbel noise in the forward pass; of second order on request (unrolled.py).

    α, β ← 1e-3·N(0, 1)
    for step = 1..T:  temperature falls linearly
        after the first 20 % of the steps:  α, β ← Adam on ∇ CE(supernet(x, GS mixing); train-α)
        w ← AdamW on ∇_w CE(supernet(x, fresh GS mixing); train-w)
    α* = per node the k parents with the largest softmax(β)·max softmax(α), each with its best operation

The noise is what matters: without it the same budget gives a clearly worse cell (design measurements).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from edgenes_core.alpha import beta_rule, mixing, product_rule
from edgenes_core.architecture import Architecture
from edgenes_core.checkpoint import NO_KEEPER, Keeper, LoopPart
from edgenes_core.config import DartsConfig, PipelineConfig
from edgenes_core.data import Dataset
from edgenes_core.records import Event
from edgenes_core.search import Candidate
from edgenes_core.search.bilevel import CLIP, Stream, architecture_loss, data_loss, streams
from edgenes_core.search.loop import Measured, Rows, run_steps
from edgenes_core.search.unrolled import drift, supernet_loss, unrolled_loss
from edgenes_core.space import SearchSpace
from edgenes_core.supernet import Supernet
from edgenes_core.train import descend, linear, set_cosine, weight_optimizer, weight_step

INIT = 1e-3
PICTURE_EVERY = 5  # steps between two stored pictures of the mixing weights

Penalty = Callable[[Tensor, int], Tensor]
Forward = Callable[[SearchSpace, Tensor, float, torch.Generator | None], Tensor]
"""Mixing weights (E, O) of logits (S,) at a temperature, with noise if a generator is given: see `alpha.mixing`."""


@dataclass(frozen=True)
class SearchResult:
    """The cell found, its logits (S,) float64, and the trained supernet."""

    architecture: Architecture
    logits: np.ndarray
    supernet: Supernet


@dataclass(frozen=True)
class CellSearch:
    """All that a step of the search reads and changes."""

    space: SearchSpace
    config: DartsConfig
    generator: torch.Generator
    supernet: Supernet
    logits: Tensor
    weights: torch.optim.Optimizer
    architecture: torch.optim.Optimizer
    train_w: Stream
    train_alpha: Stream
    penalty: Penalty | None = None
    forward: Forward = mixing

    def mix(self, logits: Tensor, temperature: float) -> Tensor:
        """Mixing weights (E, O), with fresh Gumbel noise unless the config says none."""
        return self.forward(self.space, logits, temperature, self.generator if self.config.noise == "gumbel" else None)

    def parts(self) -> dict[str, LoopPart]:
        """What a checkpoint holds."""
        return {
            "supernet": self.supernet,
            "logits": self.logits,
            "weights": self.weights,
            "architecture": self.architecture,
            "train_w": self.train_w.order,
            "train_alpha": self.train_alpha.order,
            "generator": self.generator,
        }


def search(
    space: SearchSpace,
    data: Dataset,
    config: PipelineConfig,
    generator: torch.Generator,
    keeper: Keeper = NO_KEEPER,
) -> Iterator[Event | Candidate]:
    """Protocol form: the events of the search, then α*."""
    result = yield from search_cell(space, data, config.darts, generator, keeper=keeper)
    yield Candidate(result.architecture)


def samples(space: SearchSpace, config: PipelineConfig) -> int:
    """Images passed through the supernet."""
    return cell_samples(config.darts)


def cell_samples(config: DartsConfig) -> int:
    """Of one search: each step a batch for the weights, each architecture step one more, of second order two more."""
    return config.batch * (config.steps + config.order * rounds(config))


def rounds(config: DartsConfig) -> int:
    """Architecture steps: those that are not in the frozen part."""
    return config.steps - math.ceil(config.frozen * config.steps)


def search_cell(
    space: SearchSpace,
    data: Dataset,
    config: DartsConfig,
    generator: torch.Generator,
    penalty: Penalty | None = None,
    stage: str = "darts",
    keeper: Keeper = NO_KEEPER,
) -> Generator[Event, None, SearchResult]:
    """Yields one event a step, returns the `SearchResult`. `penalty(logits, step)` is added to the architecture's loss."""
    found = start_search(space, data, config, generator, penalty)
    return (yield from run_search(found, search_step, stage, keeper))


def run_search(
    found: CellSearch, take: Callable[[CellSearch, int], Measured], stage: str, keeper: Keeper
) -> Generator[Event, None, SearchResult]:
    """All steps `take(found, step)` of a search that was started; its result is read off the logits."""
    space, config = found.space, found.config
    yield from run_steps(
        stage,
        config.steps,
        found.parts(),
        lambda step: take(found, step),
        lambda logits: ({}, picture(space, logits)),
        keeper,
    )
    logits = found.logits.detach().double().cpu().numpy()
    rule = product_rule if config.rule == "product" else beta_rule
    return SearchResult(rule(space, logits), logits, found.supernet)


def start_search(
    space: SearchSpace,
    data: Dataset,
    config: DartsConfig,
    generator: torch.Generator,
    penalty: Penalty | None = None,
) -> CellSearch:
    """An untrained supernet, logits near zero, fresh optimisers and data streams."""
    device = data.device
    supernet = Supernet(space, data.channels, len(data.classes), config.channels, config.layers, generator).to(device)
    logits = (INIT * torch.randn(space.logits, generator=generator)).to(device).requires_grad_()
    weights = weight_optimizer(supernet, config.weight_lr, config.optimizer)
    architecture = torch.optim.Adam([logits], lr=config.alpha_lr, betas=(0.5, 0.999), weight_decay=config.alpha_decay)
    train_w, train_alpha = streams(data, config.batch, config.augment, generator)
    return CellSearch(space, config, generator, supernet, logits, weights, architecture, train_w, train_alpha, penalty)


def search_step(found: CellSearch, step: int) -> Measured:
    """One bilevel step: the architecture (once it is no longer frozen), then the weights."""
    config = found.config
    temperature = linear(config.temperature_start, config.temperature_end, step, config.steps)
    if config.schedule == "cosine":
        set_cosine(found.weights, config.weight_lr, step, config.steps)
    values: dict[str, Tensor | float] = {"temperature": temperature}
    if step >= config.frozen * config.steps:
        values |= _architecture_step(found, step, temperature)
    batch, logits = next(found.train_w), found.logits.detach()
    loss = data_loss(found.supernet, batch, found.mix(logits, temperature))
    weight_step(found.supernet, found.weights, loss, CLIP)
    return Measured(values | {"train_loss": loss.detach()}, logits.clone() if pictured(step, config.steps) else None)


def pictured(step: int, steps: int) -> bool:
    """Whether a step leaves a picture: every fifth and the last."""
    return step % PICTURE_EVERY == 0 or step == steps - 1


def _architecture_step(found: CellSearch, step: int, temperature: float) -> dict[str, Tensor]:
    batch = next(found.train_alpha)
    if found.config.order == 1:
        loss = architecture_loss(found.supernet, batch, found.mix(found.logits, temperature))
    else:
        loss = _second_order_loss(found, batch, temperature)
    values = {"val_loss": loss.detach()}
    if found.penalty is not None:
        added = found.penalty(found.logits, step)
        values["regularizer"] = added.detach()
        loss = loss + added
    descend(found.architecture, found.logits, loss)
    return values


def _second_order_loss(found: CellSearch, batch: tuple[Tensor, Tensor], temperature: float) -> Tensor:
    """The loss after a virtual step on a further batch of train-w, with the rate and drift of the real one."""

    def mix(logits: Tensor) -> Tensor:
        return found.mix(logits, temperature)

    train = supernet_loss(found.supernet, next(found.train_w), mix, twice=True)
    val = supernet_loss(found.supernet, batch, mix, twice=False)
    rate, weights = found.weights.param_groups[0]["lr"], list(found.supernet.parameters())
    return unrolled_loss(train, val, weights, found.logits, rate, drift(found.weights))


def picture(space: SearchSpace, logits: Tensor) -> Rows:
    """Noise-free mixing weights as rows (E × O), for the live heat map."""
    rows = mixing(space, logits.float(), 1.0).cpu().tolist()
    return tuple(tuple(round(value, 4) for value in row) for row in rows)
