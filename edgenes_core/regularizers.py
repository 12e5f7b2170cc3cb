"""The λ penalty: R_λ = c·(λ − s̃)², with the soft count of edges shared with α*.

    A*[e] = τ·onehot(op*) + (1 − τ)/O,   s̃ = Σ_{e kept in α*} ⟨Ã_e, A*_e⟩ · B̃_e                    (method 2.1)

Its largest value is Λ·(τ + (1 − τ)/O). For k > 1 the inclusion weights sum to k, so λ counts shared edges for every k.
"""

from __future__ import annotations

import torch
from torch import Tensor

from edgenes_core.alpha import relax
from edgenes_core.architecture import Architecture
from edgenes_core.space import SearchSpace


def soft_target(space: SearchSpace, base: Architecture, tau: float) -> Tensor:
    """(E, O) smoothed one-hots of α*'s kept edges, zero on the others."""
    encoding = torch.from_numpy(space.encode(base)).float()
    kept = encoding.sum(-1, keepdim=True)
    return tau * encoding + (1 - tau) / len(space.operations) * kept


def soft_count(
    space: SearchSpace, logits: Tensor, target: Tensor, temperature: float, generator: torch.Generator | None = None
) -> Tensor:
    """s̃ (L,) of logits (L, S); one Gumbel draw per row if a generator is given, else noise-free."""
    operations, edges = relax(space, logits, temperature, generator)
    return ((operations * target).sum(-1) * edges).sum(-1)


def lambda_penalty(lam: Tensor, count: Tensor, weight: float) -> Tensor:
    """Mean of c·(λ − s̃)² over the sampled λ (L,)."""
    return weight * (lam - count).square().mean()


def stratified(count: int, lo: float, hi: float, generator: torch.Generator) -> Tensor:
    """`count` values, one uniform in each of `count` equal parts of [lo, hi], in random order."""
    cells = torch.randperm(count, generator=generator) + torch.rand(count, generator=generator)
    return lo + (hi - lo) * cells / count
