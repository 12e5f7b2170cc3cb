"""NESBS by SVGD-RD (Shu, Chen, Dai, Low: Neural ensemble search via Bayesian sampling. UAI 2022): see nesbs.py.

    n particles minimise   KL(q ‖ p_α) + n·δ·E_{x,x'~q} k(x, x'):
        φ(z_i) = (1/n)·Σ_j { k(x_j, x_i)·[∇_{z_j} log p(x_j) − δ·∇_{z_j} Σ_{l≠j} k(x_j, x_l)] + ∇_{z_j} k(x_j, x_i) }
        z_i ← Adam along φ(z_i),   cell_i = the k inputs with the largest weights, each with its best operation
    R ensembles with δ in equal steps up to the largest, all from the same start

A particle z_i is a vector of logits and x_i the relaxed cell at temperature 1: at each node weights over (input, operation) that
sum to k. So inputs are treated as operations are: a node is one categorical variable of node·O values, of which a cell has k.

    log p(x) = Σ_{e,o} x_{e,o}·(log softmax(β)_e + log softmax(α_e)_o)
    k(x, x') = mean over nodes of exp(−‖x_n − x'_n‖²/(k·h)),   h = 0.5

The kernel adds over nodes. With one kernel over whole vectors, of median width, all particles fell on the same cell.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from edgenes_core.alpha import mixing, product_rule, split
from edgenes_core.architecture import Architecture
from edgenes_core.checkpoint import NO_KEEPER, Keeper
from edgenes_core.config import PipelineConfig
from edgenes_core.data import Dataset
from edgenes_core.records import Event
from edgenes_core.search import Candidate
from edgenes_core.search.nesbs import ensemble_samples, search_ensembles
from edgenes_core.search.settings import NesbsSvgdSettings
from edgenes_core.space import SearchSpace

WIDTH = 0.5  # h, in squared distance per input kept
RATE = 0.1  # of Adam


def search(
    space: SearchSpace,
    data: Dataset,
    config: PipelineConfig,
    generator: torch.Generator,
    keeper: Keeper = NO_KEEPER,
    settings: NesbsSvgdSettings = NesbsSvgdSettings(),
) -> Iterator[Event | Candidate]:
    """n = `config.ensemble.size` cells."""

    def draw(logits: Tensor, generator: torch.Generator) -> list[list[Architecture]]:
        deltas = settings.delta * torch.arange(1, settings.ensembles + 1) / settings.ensembles
        return particle_cells(space, logits.cpu(), config.ensemble.size, deltas, settings.particle_steps, generator)

    yield from search_ensembles(space, data, config, generator, keeper, settings, draw)


def samples(space: SearchSpace, config: PipelineConfig, settings: NesbsSvgdSettings = NesbsSvgdSettings()) -> int:
    """Images passed through the supernet, scoring included; the particles see none."""
    return ensemble_samples(config, settings)


def particle_cells(
    space: SearchSpace, logits: Tensor, count: int, deltas: Tensor, steps: int, generator: torch.Generator
) -> list[list[Architecture]]:
    """For each δ (R,) the cells of `count` particles after descending on the posterior with logits (S,)."""
    start = torch.randn(count, space.logits, generator=generator, dtype=torch.float64)
    particles = start.expand(len(deltas), -1, -1).clone().requires_grad_()
    optimizer = torch.optim.Adam([particles], lr=RATE)
    for _ in range(steps):
        particles.grad = -direction(space, logits.double(), particles.detach(), deltas.double())
        optimizer.step()
    return [[product_rule(space, z) for z in ensemble] for ensemble in particles.detach().numpy()]


def direction(space: SearchSpace, logits: Tensor, particles: Tensor, deltas: Tensor) -> Tensor:
    """φ (R, n, S) of the particles (R, n, S) of R independent ensembles, each with its δ (R,)."""
    z = particles.detach().requires_grad_()
    pairs = particles.detach().unsqueeze(2).expand(-1, -1, particles.shape[1], -1).clone().requires_grad_()
    x = mixing(space, z, 1.0)
    near = kernel(space, mixing(space, pairs, 1.0), x.detach().unsqueeze(1))  # [r, j, i] = k(x_j, x_i)
    likely, apart = torch.autograd.grad(log_density(space, logits, x).sum() + near.sum(), [z, pairs])
    drive = likely - deltas[:, None, None] * apart.sum(2)  # ∇_{z_j} k(x_j, x_j) = 0
    return (torch.einsum("rji,rjs->ris", near.detach(), drive) + apart.sum(1)) / particles.shape[1]


def kernel(space: SearchSpace, x: Tensor, other: Tensor) -> Tensor:
    """k of relaxed cells (..., E, O): 1 for the same."""
    squares = (x - other).square().sum(-1)
    per_node = torch.stack([squares[..., where].sum(-1) for where in space.slices], -1)
    return (-per_node / (space.inputs_per_node * WIDTH)).exp().mean(-1)


def log_density(space: SearchSpace, logits: Tensor, x: Tensor) -> Tensor:
    """log p of relaxed cells (..., E, O), up to a constant if k = 2, where inputs count as drawn independently."""
    alpha, beta = split(space, logits)
    inputs = torch.cat([beta[where].log_softmax(-1) for where in space.slices])
    return (x * (inputs.unsqueeze(-1) + alpha.log_softmax(-1))).sum((-2, -1))
