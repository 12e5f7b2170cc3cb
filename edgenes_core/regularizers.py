"""The λ penalty: R_λ = c·(λ − s̃)², with the soft count of edges shared with α*.

    A*[e] = τ·onehot(op*) + (1 − τ)/O,   s̃ = Σ_{e kept in α*} ⟨Ã_e, A*_e⟩ · B̃_e                    (method 2.1)

    nesting = mean over e kept in α* of Σ_i max(0, μ_e(λ_i) − μ_e(λ_{i+1})),  λ_i increasing

μ_e is the margin by which edge e is kept with α*'s operation, so e is shared exactly if μ_e > 0. The shared count can only
fall along λ if a shared edge is lost, that is if some μ_e falls through 0: pushing all margins to rise with λ makes the
shared sets nested. s̃'s largest value is Λ·(τ + (1 − τ)/O). For k > 1 the inclusion weights sum to k, so λ counts shared edges for every k.
"""

from __future__ import annotations

import torch
from torch import Tensor

from edgenes_core.alpha import relax, split
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


def shared_margins(space: SearchSpace, logits: Tensor, base: Architecture) -> Tensor:
    """μ (L, Λ) of logits (L, S): the smaller of β's lead over the (k+1)-th input and α's lead over the next operation."""
    alpha, beta = split(space, logits)
    margins = []
    for gene in base.genes:
        slot = space.slices[space.slots.index(gene[:2])]
        edge, o = slot.start + gene.parent, space.operations.index(gene.operation)
        lead = alpha[:, edge, o] - _without(alpha[:, edge], o).amax(-1)
        rivals = _without(beta[:, slot], gene.parent)
        if rivals.shape[-1] >= space.inputs_per_node:  # else the node keeps all its inputs
            lead = torch.minimum(lead, beta[:, edge] - rivals.topk(space.inputs_per_node, -1).values[:, -1])
        margins.append(lead)
    return torch.stack(margins, -1)


def nesting_penalty(margins: Tensor) -> Tensor:
    """Mean over edges of the total fall of μ (L, Λ) along increasing λ."""
    return (margins[:-1] - margins[1:]).relu().sum(0).mean()


def _without(values: Tensor, index: int) -> Tensor:
    """(L, X) without column `index`."""
    return torch.cat([values[:, :index], values[:, index + 1 :]], -1)
