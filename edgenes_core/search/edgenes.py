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

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import torch
from torch import Tensor

from edgenes_core.alpha import mixing
from edgenes_core.checkpoint import NO_KEEPER, Keeper, LoopPart
from edgenes_core.config import HypernetConfig, PipelineConfig
from edgenes_core.data import Dataset
from edgenes_core.hypernet import Hypernet, LambdaMap, polish_loss, start_hypernet, warmed_penalty
from edgenes_core.lambda_path import Knots, choose_pool, lambda_error, lambda_path
from edgenes_core.records import Event
from edgenes_core.search import Candidate
from edgenes_core.search.bilevel import CLIP, Stream, architecture_loss, data_loss, streams
from edgenes_core.search.darts import SearchResult, cell_samples, picture, search_cell
from edgenes_core.search.loop import Describe, Measured, Rows, run_steps
from edgenes_core.space import SearchSpace
from edgenes_core.supernet import Supernet
from edgenes_core.train import descend, linear, set_cosine, weight_optimizer, weight_step

FORWARD_TEMPERATURE = 0.2  # where the search of α* ended
REPORT_EVERY = 10  # steps between two measurements of the achieved λ
M = TypeVar("M", bound=LambdaMap)


@dataclass(frozen=True)
class MapSearch(Generic[M]):
    """All that a step of a map's training reads and changes; `penalty(step)` is added to the loss of the map."""

    hypernet: M
    supernet: Supernet
    generator: torch.Generator
    weights: torch.optim.Optimizer
    knots: torch.optim.Optimizer
    polish: torch.optim.Optimizer
    train_w: Stream
    train_alpha: Stream
    penalty: Callable[[int], Tensor]
    temperatures: tuple[float, float] = (FORWARD_TEMPERATURE, FORWARD_TEMPERATURE)

    @property
    def steps(self) -> int:
        """Bilevel steps and polish steps together."""
        return self.hypernet.config.steps + self.hypernet.config.polish_steps

    def parts(self) -> dict[str, LoopPart]:
        """What a checkpoint holds."""
        return {
            "supernet": self.supernet,
            "values": self.hypernet.values,
            "weights": self.weights,
            "knots": self.knots,
            "polish": self.polish,
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
    """Protocol form: α*, then the pool along λ."""
    base = yield from search_cell(space, data, config.darts, generator, keeper=keeper)
    knots = yield from train_hypernet(space, data, base, config.hypernet, generator, keeper)
    for interval in choose_pool(space, knots, base.architecture, config.ensemble.pool):
        yield Candidate(interval.architecture, (interval.lo + interval.hi) / 2)


def samples(space: SearchSpace, config: PipelineConfig) -> int:
    """Images passed through the supernet: those of the base search, then two batches a step; the polish takes none."""
    return cell_samples(config.darts) + map_samples(config.hypernet)


def map_samples(config: HypernetConfig) -> int:
    """Of the training of one map."""
    return 2 * config.steps * config.batch


def train_hypernet(
    space: SearchSpace,
    data: Dataset,
    base: SearchResult,
    config: HypernetConfig,
    generator: torch.Generator,
    keeper: Keeper = NO_KEEPER,
) -> Generator[Event, None, Knots]:
    """Yields one event a step, returns the trained knots; the supernet of the base search is trained on."""
    found = start_map(space, data, base, config, generator)
    yield from run_steps(
        "hypernet",
        found.steps,
        found.parts(),
        lambda step: map_step(found, step) if step < config.steps else polish_step(found, step),
        lambda values: _describe(found.hypernet, values),
        keeper,
    )
    return found.hypernet.knots()


def start_map(
    space: SearchSpace, data: Dataset, base: SearchResult, config: HypernetConfig, generator: torch.Generator
) -> MapSearch[Hypernet]:
    """An untrained hypernetwork, the inherited supernet, fresh optimisers and data streams."""
    hypernet = start_hypernet(space, base.architecture, config, generator, data.device)
    return prepare_map(
        hypernet, base.supernet, data, generator, lambda step: warmed_penalty(hypernet, step, config.steps, generator)
    )


def prepare_map(
    hypernet: M, supernet: Supernet, data: Dataset, generator: torch.Generator, penalty: Callable[[int], Tensor]
) -> MapSearch[M]:
    """Fresh optimisers and data streams around a map and a supernet."""
    config = hypernet.config
    return MapSearch(
        hypernet,
        supernet,
        generator,
        weight_optimizer(supernet, config.weight_lr, config.optimizer),
        torch.optim.Adam([hypernet.values], lr=config.lr, betas=(0.5, 0.999)),
        torch.optim.Adam([hypernet.values], lr=config.polish_lr),
        *streams(data, config.batch, config.augment, generator),
        penalty,
    )


def train_map(found: MapSearch[M], stage: str, describe: Describe, keeper: Keeper) -> Generator[Event, None, Knots]:
    """A map without a polish: yields one event a step, returns the trained knots."""
    yield from run_steps(
        stage, found.hypernet.config.steps, found.parts(), lambda step: map_step(found, step), describe, keeper
    )
    return found.hypernet.knots()


def map_step(found: MapSearch[M], step: int) -> Measured:
    """One bilevel step: the map on images and penalty, then the weights."""
    hypernet, config, generator = found.hypernet, found.hypernet.config, found.generator
    temperature = linear(*found.temperatures, step, config.steps)
    if config.schedule == "cosine":
        set_cosine(found.weights, config.weight_lr, step, config.steps)
    batch = next(found.train_alpha)
    penalty = found.penalty(step)
    loss = architecture_loss(found.supernet, batch, _mixing(hypernet, temperature, generator))
    values = {"val_loss": loss.detach(), "regularizer": penalty.detach()}
    descend(found.knots, hypernet.values, loss + penalty)
    with torch.no_grad():
        mixed = _mixing(hypernet, temperature, generator)
    loss = data_loss(found.supernet, next(found.train_w), mixed)
    weight_step(found.supernet, found.weights, loss, CLIP)
    return _measured(found, step, {**values, "train_loss": loss.detach()})


def polish_step(found: MapSearch[Hypernet], step: int) -> Measured:
    """One step on the penalties alone; the supernet stays."""
    config = found.hypernet.config
    loss, penalty = polish_loss(found.hypernet, step - config.steps, config.polish_steps, found.generator)
    descend(found.polish, found.hypernet.values, loss)
    return _measured(found, step, {"regularizer": penalty.detach()})


def _mixing(hypernet: LambdaMap, temperature: float, generator: torch.Generator) -> Tensor:
    """(G, E, O): one architecture for each of G stratified λ, noisy, or the plain softmax if the config says so."""
    lam = hypernet.draw(hypernet.config.data_lambdas, generator)
    if hypernet.config.noise == "none":
        return mixing(hypernet.space, hypernet.at(lam), 1.0)
    return mixing(hypernet.space, hypernet.at(lam), temperature, generator)


def _measured(found: MapSearch[M], step: int, values: dict[str, Tensor | float]) -> Measured:
    """Every tenth step and the last leave a copy of the map, to be measured when it is read."""
    reported = step % REPORT_EVERY == 0 or step == found.steps - 1
    return Measured(values, found.hypernet.values.detach().clone() if reported else None)


def _describe(hypernet: Hypernet, values: Tensor) -> tuple[dict[str, float], Rows]:
    """The achieved λ of the map with these values (K, S), and the picture of α at λ = 0."""
    then = replace(hypernet, values=values)
    path = lambda_path(hypernet.space, then.knots(), hypernet.base)
    alpha = then.at(then.device_positions.new_zeros(1))[0]
    return {"lambda_error": lambda_error(path)}, picture(hypernet.space, alpha)
