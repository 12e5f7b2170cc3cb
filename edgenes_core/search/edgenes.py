"""EdgeNES: train the hypernetwork so that α(λ) is a good cell sharing λ edges with α* (method 2.3, Algorithm 1).

    given α*, the supernet of its search, knots a (K, S) = noise + ramp to α* at λ = Λ
    for step = 1..T:   c rises, the temperature of s̃ falls
        λ' ← 64 stratified in [−ε, Λ+ε];   λ ← 16 stratified, one architecture per group of images
        a ← Adam on ∇_a [ CE(supernet(x, GS α(λ)); train-α) + mean c·(λ' − s̃(α(λ')))² ]
        w ← AdamW on ∇_w CE(supernet(x, GS α(λ)); train-w)
    polish: the penalty alone, noise-free s̃ at the final temperature, 128 λ a step, plus a fading nesting penalty

The regulariser never touches the supernet, so many λ a step are nearly free; they, not more steps, make every whole λ exact.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator

import torch
from torch import Tensor

from edgenes_core.alpha import mixing
from edgenes_core.config import HypernetConfig, PipelineConfig
from edgenes_core.data import Dataset
from edgenes_core.hypernet import Hypernet, polish, start_hypernet, warmed_penalty
from edgenes_core.lambda_path import Knots, choose_pool, lambda_error, lambda_path
from edgenes_core.records import Event
from edgenes_core.search import Candidate
from edgenes_core.search.bilevel import CLIP, data_loss, streams
from edgenes_core.search.darts import SearchResult, search_cell, snapshot
from edgenes_core.space import SearchSpace
from edgenes_core.supernet import Supernet
from edgenes_core.train import descend, set_cosine, weight_optimizer, weight_step

FORWARD_TEMPERATURE = 0.2  # where the search of α* ended
REPORT_EVERY = 10  # steps between two measurements of the achieved λ


def search(
    space: SearchSpace, data: Dataset, config: PipelineConfig, generator: torch.Generator
) -> Iterator[Event | Candidate]:
    """Protocol form: α*, then the pool along λ."""
    base = yield from search_cell(space, data, config.darts, generator)
    knots = yield from train_hypernet(space, data, base, config.hypernet, generator)
    for interval in choose_pool(space, knots, base.architecture, config.ensemble.pool):
        yield Candidate(interval.architecture, (interval.lo + interval.hi) / 2)


def train_hypernet(
    space: SearchSpace, data: Dataset, base: SearchResult, config: HypernetConfig, generator: torch.Generator
) -> Generator[Event, None, Knots]:
    """Yields one event a step, returns the trained knots; the supernet of the base search is trained on."""
    hypernet = start_hypernet(space, base.architecture, config, generator, data.val.x.device)
    weights = weight_optimizer(base.supernet, config.weight_lr)
    optimizer = torch.optim.Adam([hypernet.values], lr=config.lr, betas=(0.5, 0.999))
    train_w, train_alpha = streams(data, config.batch, generator)
    start, total = time.monotonic(), config.steps + config.polish_steps
    for step in range(config.steps):
        set_cosine(weights, config.weight_lr, step, config.steps)
        loss, values = _architecture_loss(hypernet, base.supernet, next(train_alpha), step, generator)
        descend(optimizer, hypernet.values, loss)
        with torch.no_grad():
            mixed = _mixing(hypernet, generator)
        loss = data_loss(base.supernet, next(train_w), mixed)
        weight_step(base.supernet, weights, loss, CLIP)
        values["train_loss"] = float(loss.detach())
        yield _report(hypernet, step, total, time.monotonic() - start, values)
    yield from _polish(hypernet, generator, total, start)
    return hypernet.knots()


def _architecture_loss(
    hypernet: Hypernet, supernet: Supernet, batch: tuple[Tensor, Tensor], step: int, generator: torch.Generator
) -> tuple[Tensor, dict[str, float]]:
    penalty = warmed_penalty(hypernet, step, hypernet.config.steps, generator)
    loss = data_loss(supernet, batch, _mixing(hypernet, generator))
    values = {"val_loss": float(loss.detach()), "regularizer": float(penalty.detach())}
    return loss + penalty, values


def _mixing(hypernet: Hypernet, generator: torch.Generator) -> Tensor:
    """(G, E, O): one noisy architecture for each of G stratified λ."""
    lam = hypernet.draw(hypernet.config.data_lambdas, generator)
    return mixing(hypernet.space, hypernet.at(lam), FORWARD_TEMPERATURE, generator)


def _polish(hypernet: Hypernet, generator: torch.Generator, total: int, start: float) -> Generator[Event, None, None]:
    config = hypernet.config
    for step, penalty in enumerate(polish(hypernet, config.polish_steps, generator), config.steps):
        yield _report(hypernet, step, total, time.monotonic() - start, {"regularizer": penalty})


def _report(hypernet: Hypernet, step: int, total: int, seconds: float, values: dict[str, float]) -> Event:
    """Event of a step; every tenth and the last also measure the achieved λ and picture α at λ = 0."""
    if step % REPORT_EVERY and step != total - 1:
        return Event("hypernet", step + 1, total, seconds, values)
    path = lambda_path(hypernet.space, hypernet.knots(), hypernet.base)
    picture = snapshot(hypernet.space, hypernet.at(hypernet.device_positions.new_zeros(1))[0])
    return Event("hypernet", step + 1, total, seconds, {**values, "lambda_error": lambda_error(path)}, picture)
