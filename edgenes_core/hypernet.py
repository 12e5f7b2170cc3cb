"""The hypernetwork: a piecewise linear map λ ↦ α(λ), one (K, S) tensor.

    λ ∈ [r_k, r_{k+1}]:  u = (λ − r_k)/(r_{k+1} − r_k),  α(λ) = (1 − u)·a_k + u·a_{k+1}        (method 2.2)

The EdgeNES release swaps the weights (u·a_k + (1 − u)·a_{k+1}): each stretch runs backwards and jumps at every knot.
`swapped=True` repeats that, as the negative control.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from edgenes_core.architecture import Architecture
from edgenes_core.config import HypernetConfig
from edgenes_core.lambda_path import Knots
from edgenes_core.regularizers import (
    lambda_penalty,
    nesting_penalty,
    shared_margins,
    soft_count,
    soft_target,
    stratified,
)
from edgenes_core.space import SearchSpace
from edgenes_core.train import linear

RAMP = 2.0  # added to α*'s entries at λ = Λ, falling linearly to 0 at λ = 0
POLISH_LAMBDAS = 128  # λ per step of the polish
NOISE = 0.2  # standard deviation of the initial values: knots must differ for the cells to differ


def knot_positions(lambda_max: int, config: HypernetConfig) -> np.ndarray:
    """r (K,): −ε, 0, 1, …, Λ, Λ+ε, or K equal steps from −ε to Λ+ε; float64."""
    if config.knots:
        return np.linspace(-config.epsilon, lambda_max + config.epsilon, config.knots)
    whole = np.arange(lambda_max + 1.0)
    return np.unique(np.concatenate([[-config.epsilon], whole, [lambda_max + config.epsilon]]))


def initial_values(space: SearchSpace, base: Architecture, positions: np.ndarray, generator: torch.Generator) -> Tensor:
    """a (K, S): small noise plus a ramp on α*'s operations and edges that reaches its full height at λ = Λ."""
    encoding = torch.from_numpy(space.encode(base)).float()
    target = torch.cat([encoding.flatten(), encoding.sum(-1)])
    height = torch.from_numpy(positions / space.lambda_max).float().clamp(0, 1)
    noise = torch.randn(len(positions), space.logits, generator=generator)
    return NOISE * noise + RAMP * height[:, None] * target


def interpolate(positions: Tensor, values: Tensor, lam: Tensor, swapped: bool = False) -> Tensor:
    """α(λ): (L, S) for λ (L,), positions (K,), values (K, S); differentiable in the values."""
    left = (torch.searchsorted(positions, lam, right=True) - 1).clamp(0, len(positions) - 2)
    u = ((lam - positions[left]) / (positions[left + 1] - positions[left])).clamp(0, 1).unsqueeze(-1)
    return torch.lerp(values[left], values[left + 1], 1 - u if swapped else u)


def to_knots(positions: np.ndarray, values: Tensor, swapped: bool = False) -> Knots:
    """float64 arrays; the swapped form becomes two knots per stretch, so that its jumps are kept exactly."""
    array = values.detach().double().cpu().numpy()
    if not swapped:
        return Knots(positions, array)
    starts, ends = positions[:-1], np.nextafter(positions[1:], -np.inf)
    return Knots(np.stack([starts, ends], 1).ravel(), np.stack([array[1:], array[:-1]], 1).reshape(-1, array.shape[1]))


@dataclass
class LambdaMap:
    """A map under training along any axis: fixed positions (K,), increasing, and learned values (K, S)."""

    space: SearchSpace
    config: HypernetConfig
    positions: np.ndarray
    values: Tensor
    device_positions: Tensor = field(init=False)

    def __post_init__(self) -> None:
        self.device_positions = torch.from_numpy(self.positions).to(self.values)

    def at(self, lam: Tensor) -> Tensor:
        """α(λ): (L, S)."""
        return interpolate(self.device_positions, self.values, lam, self.config.interpolation == "swapped")

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Stratified λ from the first knot to the last."""
        return stratified(count, float(self.positions[0]), float(self.positions[-1]), generator).to(self.values)

    def knots(self) -> Knots:
        """The map as arrays."""
        return to_knots(self.positions, self.values, self.config.interpolation == "swapped")


@dataclass
class Hypernet(LambdaMap):
    """The map of EdgeNES, from −ε to Λ+ε, with α* and the target of the soft count."""

    base: Architecture
    target: Tensor

    def penalty(self, lam: Tensor, weight: float, temperature: float, generator: torch.Generator | None) -> Tensor:
        """Mean c·(λ − s̃(α(λ)))²; Gumbel noise in s̃ if a generator is given."""
        return lambda_penalty(lam, soft_count(self.space, self.at(lam), self.target, temperature, generator), weight)


def start_hypernet(
    space: SearchSpace, base: Architecture, config: HypernetConfig, generator: torch.Generator, device: torch.device
) -> Hypernet:
    """Untrained map: noise plus a ramp towards α*."""
    positions = knot_positions(space.lambda_max, config)
    values = initial_values(space, base, positions, generator).to(device).requires_grad_()
    target = soft_target(space, base, config.regularizer.tau).to(device)
    return Hypernet(space, config, positions, values, base, target)


def warmed_penalty(hypernet: Hypernet, step: int, steps: int, generator: torch.Generator) -> Tensor:
    """The penalty of a training step: c rises and the temperature of s̃ falls linearly from the first step to the last."""
    r = hypernet.config.regularizer
    weight = linear(r.c_start, r.c_end, step, steps)
    temperature = linear(r.temperature_start, r.temperature_end, step, steps)
    lam = hypernet.draw(hypernet.config.regularizer_lambdas, generator)
    return hypernet.penalty(lam, weight, temperature, generator)


def polish_loss(hypernet: Hypernet, step: int, steps: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """What a polish step descends on, and the λ penalty in it: no noise, no images, plus a nesting penalty that fades.

    The nesting penalty keeps the shared count from falling along λ. It fades, since at full weight to the end it costs
    exactness at whole λ (measured: docs/adr/0005).
    """
    config = hypernet.config
    lam = hypernet.draw(POLISH_LAMBDAS, generator).sort().values
    penalty = hypernet.penalty(lam, config.regularizer.c_end, config.regularizer.temperature_end, None)
    falls = nesting_penalty(shared_margins(hypernet.space, hypernet.at(lam), hypernet.base))
    return penalty + config.nesting * (1 - step / steps) * falls, penalty
