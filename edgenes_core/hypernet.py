"""The hypernetwork: a piecewise linear map λ ↦ α(λ), one (K, S) tensor.

    λ ∈ [r_k, r_{k+1}]:  u = (λ − r_k)/(r_{k+1} − r_k),  α(λ) = (1 − u)·a_k + u·a_{k+1}        (method 2.2)

The EdgeNES release swaps the weights (u·a_k + (1 − u)·a_{k+1}): each stretch runs backwards and jumps at every knot.
`swapped=True` repeats that, as the negative control.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from edgenes_core.architecture import Architecture
from edgenes_core.lambda_path import Knots
from edgenes_core.records import HypernetConfig
from edgenes_core.space import SearchSpace

RAMP = 2.0  # added to α*'s entries at λ = Λ, falling linearly to 0 at λ = 0
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
