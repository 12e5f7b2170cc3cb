"""The relaxed architecture: logits (S,) to mixing weights (E, O), with or without Gumbel noise.

    Ã[n,p] = GS(α[n,p], T),  GS(a, T) = softmax((a + Gumbel)/T)               operation weights, per edge
    B̃[n]  = Σ_{j=1..k} p_j,  p_j = softmax(z_j/T),  z_{j+1} = z_j + log(1 − p_j)  inclusion, per node (Xie & Ermon 2019)
    mixing[e, o] = B̃_e · Ã_{e,o}

For k = 1 the inclusion weights are GS(β). A multi-hot mixing is a discrete cell (`SearchSpace.encode`).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from edgenes_core.architecture import Architecture
from edgenes_core.lambda_path import discretise, split_logits
from edgenes_core.space import SearchSpace


def gumbel(shape: tuple[int, ...] | torch.Size, generator: torch.Generator) -> Tensor:
    """Standard Gumbel noise, drawn on the CPU so that a seed means the same on every device."""
    uniform = torch.rand(shape, generator=generator).clamp_(1e-10, 1 - 1e-7)
    return -(-uniform.log()).log()


def split(space: SearchSpace, logits: Tensor) -> tuple[Tensor, Tensor]:
    """(..., S) → operation logits (..., E, O) and edge logits (..., E)."""
    e, o = len(space.edges), len(space.operations)
    return logits[..., : e * o].unflatten(-1, (e, o)), logits[..., e * o :]


def relax(
    space: SearchSpace, logits: Tensor, temperature: float, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """Operation weights (..., E, O) and inclusion weights (..., E); Gumbel noise if a generator is given."""
    if generator is not None:
        logits = logits + gumbel(logits.shape, generator).to(logits)
    alpha, beta = split(space, logits)
    return (alpha / temperature).softmax(-1), _inclusion(space, beta, temperature)


def mixing(space: SearchSpace, logits: Tensor, temperature: float, generator: torch.Generator | None = None) -> Tensor:
    """Weight of each operation on each edge, (..., E, O)."""
    operations, edges = relax(space, logits, temperature, generator)
    return edges.unsqueeze(-1) * operations


def product_rule(space: SearchSpace, logits: np.ndarray) -> Architecture:
    """DARTS' α*: per node the k parents with the largest softmax(β)·max softmax(α), each with its best operation."""
    alpha, beta = split_logits(space, logits)
    weights = np.exp(alpha - alpha.max(-1, keepdims=True))
    confidence = 1.0 / weights.sum(-1)  # max softmax(α) of each edge
    return beta_rule(space, np.concatenate([alpha.ravel(), beta + np.log(confidence)]))


def beta_rule(space: SearchSpace, logits: np.ndarray) -> Architecture:
    """The release's rule and that of the λ path: the k largest β, the best operation of each."""
    kept, operations = discretise(space, logits)
    return space.decode(kept[0], operations[0])


def _inclusion(space: SearchSpace, beta: Tensor, temperature: float) -> Tensor:
    """(..., E) edge logits → (..., E) inclusion weights that sum to k at each node."""
    where, padding, places = _slots(space, beta.device)
    z = beta[..., where].masked_fill(padding, -torch.inf)  # (..., slots, widest node)
    total = p = (z / temperature).softmax(-1)
    for _ in range(space.inputs_per_node - 1):
        z = z + torch.log1p(-p.clamp(max=1 - 1e-6))
        p = (z / temperature).softmax(-1)
        total = total + p
    return total.flatten(-2).index_select(-1, places)  # a mask would make the device wait for its count


@lru_cache(maxsize=16)
def _slots(space: SearchSpace, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Edge indices of each node padded to the widest, which are padding, and where the others lie in row-major order.

    Row-major order is edge order.
    """
    widest = max(node for _, node in space.slots)
    where = torch.zeros(len(space.slots), widest, dtype=torch.long)
    real = torch.zeros(len(space.slots), widest, dtype=torch.bool)
    for row, edges in enumerate(space.slices):
        count = edges.stop - edges.start
        where[row, :count], real[row, :count] = torch.arange(edges.start, edges.stop), True
    return where.to(device), ~real.to(device), real.ravel().nonzero().ravel().to(device)
