"""EdgeNES: train the hypernetwork so that α(λ) is a good cell sharing λ edges with α* (method 2.3, Algorithm 1).

    given α*, the supernet of its search, knots a (K, S) = noise + ramp to α* at λ = Λ
    for step = 1..T:   c rises, the temperature of s̃ falls
        λ' ← 64 stratified in [−ε, Λ+ε];   λ ← 16 stratified, one architecture per group of images
        a ← Adam on ∇_a [ CE(supernet(x, GS α(λ)); train-α) + mean c·(λ' − s̃(α(λ')))² ]
        w ← AdamW on ∇_w CE(supernet(x, GS α(λ)); train-w)
    polish: the penalty alone, noise-free s̃ at the final temperature, 128 λ a step

The regulariser never touches the supernet, so many λ a step are nearly free; they, not more steps, make every whole λ exact.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from edgenes_core.alpha import mixing
from edgenes_core.architecture import Architecture
from edgenes_core.data import Dataset
from edgenes_core.hypernet import initial_values, interpolate, knot_positions, to_knots
from edgenes_core.lambda_path import Interval, Knots, LambdaPath, exact_decode, lambda_path
from edgenes_core.records import Event, HypernetConfig, PipelineConfig
from edgenes_core.regularizers import lambda_penalty, soft_count, soft_target, stratified
from edgenes_core.search import Candidate
from edgenes_core.search.bilevel import CLIP, data_loss, descend, linear, streams
from edgenes_core.search.darts import SearchResult, search_cell, snapshot
from edgenes_core.space import SearchSpace
from edgenes_core.supernet import Supernet
from edgenes_core.train import set_cosine, weight_optimizer, weight_step

FORWARD_TEMPERATURE = 0.2  # where the search of α* ended
POLISH_LAMBDAS = 128
REPORT_EVERY = 10  # steps between two measurements of the achieved λ


def search(
    space: SearchSpace, data: Dataset, config: PipelineConfig, generator: torch.Generator
) -> Iterator[Event | Candidate]:
    """Protocol form: α*, then the pool along λ."""
    base = yield from search_cell(space, data, config.darts, generator)
    knots = yield from train_hypernet(space, data, base, config.hypernet, generator)
    for interval in choose_pool(space, knots, base.architecture, config.ensemble.pool):
        yield Candidate(interval.architecture, (interval.lo + interval.hi) / 2)


@dataclass
class Hypernet:
    """The map under training: fixed positions (K,), learned values (K, S), and the target of the soft count."""

    space: SearchSpace
    base: Architecture
    config: HypernetConfig
    positions: np.ndarray
    values: Tensor
    target: Tensor
    device_positions: Tensor = field(init=False)

    def __post_init__(self) -> None:
        self.device_positions = torch.from_numpy(self.positions).to(self.values)

    def at(self, lam: Tensor) -> Tensor:
        """α(λ): (L, S)."""
        return interpolate(self.device_positions, self.values, lam, self.config.interpolation == "swapped")

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Stratified λ over [−ε, Λ+ε]."""
        eps = self.config.epsilon
        return stratified(count, -eps, self.space.lambda_max + eps, generator).to(self.values)

    def penalty(self, lam: Tensor, weight: float, temperature: float, generator: torch.Generator | None) -> Tensor:
        """Mean c·(λ − s̃(α(λ)))²; Gumbel noise in s̃ if a generator is given."""
        return lambda_penalty(lam, soft_count(self.space, self.at(lam), self.target, temperature, generator), weight)

    def knots(self) -> Knots:
        """The map as arrays."""
        return to_knots(self.positions, self.values, self.config.interpolation == "swapped")


def start_hypernet(
    space: SearchSpace, base: Architecture, config: HypernetConfig, generator: torch.Generator, device: torch.device
) -> Hypernet:
    """Untrained map: noise plus a ramp towards α*."""
    positions = knot_positions(space.lambda_max, config)
    values = initial_values(space, base, positions, generator).to(device).requires_grad_()
    target = soft_target(space, base, config.regularizer.tau).to(device)
    return Hypernet(space, base, config, positions, values, target)


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
    r, steps = hypernet.config.regularizer, hypernet.config.steps
    weight = linear(r.c_start, r.c_end, step, steps)
    temperature = linear(r.temperature_start, r.temperature_end, step, steps)
    lam = hypernet.draw(hypernet.config.regularizer_lambdas, generator)
    penalty = hypernet.penalty(lam, weight, temperature, generator)
    loss = data_loss(supernet, batch, _mixing(hypernet, generator))
    values = {"val_loss": float(loss.detach()), "regularizer": float(penalty.detach()), "temperature": temperature}
    return loss + penalty, values


def _mixing(hypernet: Hypernet, generator: torch.Generator) -> Tensor:
    """(G, E, O): one noisy architecture for each of G stratified λ."""
    lam = hypernet.draw(hypernet.config.data_lambdas, generator)
    return mixing(hypernet.space, hypernet.at(lam), FORWARD_TEMPERATURE, generator)


def _polish(hypernet: Hypernet, generator: torch.Generator, total: int, start: float) -> Generator[Event, None, None]:
    config = hypernet.config
    optimizer = torch.optim.Adam([hypernet.values], lr=config.polish_lr)
    for step in range(config.steps, total):
        lam = hypernet.draw(POLISH_LAMBDAS, generator)
        r = config.regularizer
        penalty = hypernet.penalty(lam, r.c_end, r.temperature_end, None)
        descend(optimizer, hypernet.values, penalty)
        values = {"regularizer": float(penalty.detach()), "temperature": r.temperature_end}
        yield _report(hypernet, step, total, time.monotonic() - start, values)


def _report(hypernet: Hypernet, step: int, total: int, seconds: float, values: dict[str, float]) -> Event:
    """Event of a step; every tenth and the last also measure the achieved λ and picture α at λ = 0."""
    if step % REPORT_EVERY and step != total - 1:
        return Event("hypernet", step + 1, total, seconds, values)
    path = lambda_path(hypernet.space, hypernet.knots(), hypernet.base)
    picture = snapshot(hypernet.space, hypernet.at(hypernet.device_positions.new_zeros(1))[0])
    return Event("hypernet", step + 1, total, seconds, {**values, "lambda_error": lambda_error(path)}, picture)


def lambda_error(path: LambdaPath) -> float:
    """Mean |λ − shared| over λ ∈ [0, Λ], exactly (0.25 is the floor that rounding leaves).

    On a stretch [lo, hi] with m shared edges, ∫|λ − m| is the difference of sign(λ − m)(λ − m)²/2 at its ends.
    """
    total = sum(
        (abs(i.hi - i.shared) * (i.hi - i.shared) - abs(i.lo - i.shared) * (i.lo - i.shared)) / 2
        for i in path.intervals
    )
    return total / path.lambda_max


def choose_pool(space: SearchSpace, knots: Knots, base: Architecture, size: int) -> tuple[Interval, ...]:
    """Up to N distinct cells in order of λ: α*, the best exact cell for each missing shared count, then the widest stretches.

    An exactly decoded cell gets the empty stretch [m, m].
    """
    best: dict[Architecture, Interval] = {}
    for interval in sorted(lambda_path(space, knots, base).intervals, key=lambda i: (-i.width, i.lo)):
        best.setdefault(interval.architecture, interval)
    top = float(space.lambda_max)
    chosen = {base: best.get(base, Interval(top, top, base, space.lambda_max))}
    met = {interval.shared for interval in best.values()} | {space.lambda_max}
    ranked = list(best.values())
    for m in range(space.lambda_max):
        if m not in met:
            ranked.insert(0, Interval(float(m), float(m), exact_decode(space, knots, base, m), m))
    for interval in ranked:
        if len(chosen) < size:
            chosen.setdefault(interval.architecture, interval)
    return tuple(sorted(chosen.values(), key=lambda i: (i.lo, i.hi)))
