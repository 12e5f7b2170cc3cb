"""The Jensen–Shannon variant of EdgeNES (2023): a map λ ↦ α(λ) pushed away from α* by a divergence.

    linear      min_a E_λ[ CE(supernet(x, GS α(λ)); train-α) − λ·JS(α*, α(λ)) ]                   λ ∈ [0, 40]
    quadratic   min_a E_d[ CE(supernet(x, GS α(d)); train-α) + c·(d − JS(α*, α(d)))² ]            d ∈ [0, 0.9] bits
    JS(p, q) = ½·KL(p‖m) + ½·KL(q‖m),  m = ½(p + q),   against τ·onehot(α*) + (1 − τ)/O

Unlike in EdgeNES of 2024, a large λ (or d) is far from α* and 0 is near it. α(λ) is `hypernet.LambdaMap` with equal knots, the
supernet that of the search of α*. The release computes other divergences than it names; `formulas = "published"` repeats them:

    linear      ½·KL(m‖p) + ½·KL(m‖q), divided by O     `kl_div(log p, m)` turns KL round, "batchmean" divides by the rows
    quadratic   Σ p^(1/ln 2)·(log₂ p − log₂ m) for KL   `log_target=True` takes exp of a log₂

For opposite one-hots with τ = 0.95 they give 0.243 instead of 0.626 nats, and 0.924 instead of 0.903 bits. It also compares the
operations of all candidate edges and never β, so of edges that no cell keeps: `compared = "all"`. By default a node's weights
of (input, operation) are compared, which sees what discretisation sees.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from edgenes_core.alpha import mixing, split
from edgenes_core.checkpoint import NO_KEEPER, Keeper
from edgenes_core.config import HypernetConfig, PipelineConfig
from edgenes_core.data import Dataset
from edgenes_core.hypernet import NOISE, LambdaMap
from edgenes_core.lambda_path import stretches, widest
from edgenes_core.records import Event
from edgenes_core.regularizers import soft_target
from edgenes_core.search import Candidate
from edgenes_core.search.darts import SearchResult, cell_samples, picture, search_cell
from edgenes_core.search.edgenes import map_samples, prepare_map, train_map
from edgenes_core.search.loop import Rows
from edgenes_core.search.settings import JensenShannonSettings
from edgenes_core.space import SearchSpace

Distance = Callable[[Tensor], Tensor]
"""Logits (L, S) → divergence from α* (L,)."""


def search(
    space: SearchSpace,
    data: Dataset,
    config: PipelineConfig,
    generator: torch.Generator,
    keeper: Keeper = NO_KEEPER,
    settings: JensenShannonSettings = JensenShannonSettings(),
) -> Iterator[Event | Candidate]:
    """α* first, then the distinct cells along λ (or d), those of the widest stretches."""
    base = yield from search_cell(space, data, config.darts, generator, keeper=keeper)
    found = start_divergence(space, config.hypernet, generator, data.device, settings)
    distance = distance_from(space, base, settings)

    def describe(values: Tensor) -> tuple[dict[str, float], Rows]:
        far = float(distance(values[-1:]))
        return {"divergence": far}, picture(space, values[-1])

    prepared = prepare_map(
        found, base.supernet, data, generator, lambda step: divergence_penalty(found, distance, generator, settings)
    )
    knots = yield from train_map(prepared, "jensen_shannon", describe, keeper)
    yield Candidate(base.architecture, 0.0)
    others = [s for s in stretches(space, knots, float(found.positions[-1])) if s.architecture != base.architecture]
    for stretch in widest(others, config.ensemble.pool - 1):
        yield Candidate(stretch.architecture, (stretch.lo + stretch.hi) / 2)


def samples(
    space: SearchSpace, config: PipelineConfig, settings: JensenShannonSettings = JensenShannonSettings()
) -> int:
    """Images passed through the supernet: the search of α*, then the map."""
    return cell_samples(config.darts) + map_samples(config.hypernet)


def start_divergence(
    space: SearchSpace,
    config: HypernetConfig,
    generator: torch.Generator,
    device: torch.device,
    settings: JensenShannonSettings,
) -> LambdaMap:
    """An untrained map of small noise, from 0 to the largest λ or d."""
    top = settings.largest if settings.form == "linear" else settings.farthest
    values = NOISE * torch.randn(settings.knots, space.logits, generator=generator)
    positions = np.linspace(0.0, top, settings.knots)
    return LambdaMap(space, replace(config, polish_steps=0), positions, values.to(device).requires_grad_())


def divergence_penalty(
    found: LambdaMap, distance: Distance, generator: torch.Generator, settings: JensenShannonSettings
) -> Tensor:
    """Mean of −λ·JS, or of c·(d − JS)², over stratified λ or d."""
    lam = found.draw(found.config.regularizer_lambdas, generator)
    far = distance(found.at(lam))
    if settings.form == "linear":
        return -(lam * far).mean()
    return settings.strength * (lam - far).square().mean()


def distance_from(space: SearchSpace, base: SearchResult, settings: JensenShannonSettings) -> Distance:
    """The divergence from α* that the settings name: in nats in the linear form, in bits in the quadratic one."""
    formula = FORMULAS[settings.formulas, settings.form]
    if settings.compared == "kept":
        target = _per_node(space, soft_target(space, base.architecture, settings.tau))
        return lambda logits: formula(_per_node(space, mixing(space, logits, 1.0)), target.to(logits)).mean(-1)
    alpha, _ = split(space, torch.from_numpy(base.logits))
    hot = F.one_hot(alpha.argmax(-1), len(space.operations)).double()
    smooth = settings.tau * hot + (1 - settings.tau) / len(space.operations)
    return lambda logits: formula(split(space, logits)[0].softmax(-1), smooth.to(logits)).mean(-1)


def jensen_shannon(p: Tensor, q: Tensor) -> Tensor:
    """½·KL(p‖m) + ½·KL(q‖m) over the last axis, in nats: between 0 and ln 2."""
    m = (p + q) / 2
    return (_kl(p, m) + _kl(q, m)) / 2


def in_bits(p: Tensor, q: Tensor) -> Tensor:
    """The same between 0 and 1."""
    return jensen_shannon(p, q) / math.log(2)


def reversed_mean(p: Tensor, q: Tensor) -> Tensor:
    """What the release's linear form computes: unbounded, and divided by the number of operations."""
    m = (p + q) / 2
    return (_kl(m, p) + _kl(m, q)) / 2 / p.shape[-1]


def mixed_bases(p: Tensor, q: Tensor) -> Tensor:
    """What the release's quadratic form computes: exp(log₂ p) = p^(1/ln 2) in the place of p."""
    m = (p + q) / 2
    return (_kl(p, m, 1 / math.log(2)) + _kl(q, m, 1 / math.log(2))) / 2 / math.log(2)


FORMULAS = {
    ("corrected", "linear"): jensen_shannon,
    ("corrected", "quadratic"): in_bits,
    ("published", "linear"): reversed_mean,
    ("published", "quadratic"): mixed_bases,
}


def _kl(p: Tensor, q: Tensor, power: float = 1.0) -> Tensor:
    """Σ p^power·(log p − log q) in nats; where p is 0 it adds nothing."""
    return (p.pow(power) * (p.clamp(min=1e-30).log() - q.clamp(min=1e-30).log())).sum(-1)


def _per_node(space: SearchSpace, weights: Tensor) -> Tensor:
    """(..., E, O), k per node → (..., slots, widest node·O): a distribution for each node, padded with zeros."""
    widest_node = max(node for _, node in space.slots)
    rows = [
        F.pad(weights[..., where, :].flatten(-2), (0, (widest_node - node) * len(space.operations)))
        for (_, node), where in zip(space.slots, space.slices, strict=True)
    ]
    return torch.stack(rows, -2) / space.inputs_per_node
