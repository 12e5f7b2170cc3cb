"""DARTS-CC (Yakovlev, Grebenkova, Bakhteev, Strijov: Neural Architecture Search with Structure Complexity Control. AIST 2021).

    min_b E_λ[ CE(supernet(x, GS α(λ)); train-α) + λ·Σ_e ⟨softmax α_e(λ), n_e⟩ ]     n_{e,o}: parameters of operation o on edge e
    α(λ) piecewise linear in u = (log λ − log λ_min)/(log λ_max − log λ_min) ∈ [0, 1]
    for step = 1..T:   temperature 1 → 0.2
        u ← stratified in [0, 1], one architecture per group of images;   b ← Adam,   w ← AdamW on fresh architectures
    candidates: the distinct cells met while u runs from 0 (large cells) to 1 (small ones), those of the widest stretches

n counts the parameters of the network that will be trained from scratch. λ is set in nats for a cell of average size, so that it
means the same for networks of every width: the even mixture of all operations costs λ. A candidate carries λ per parameter.
The paper's 10⁻¹⁰ to 10⁻⁶ per parameter, for 8 cells of 16 channels with 272 055 parameters on average, are 10^−4.6 to 10^−0.6.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from edgenes_core.alpha import mixing, split
from edgenes_core.architecture import Architecture
from edgenes_core.checkpoint import NO_KEEPER, Keeper
from edgenes_core.config import HypernetConfig, PipelineConfig
from edgenes_core.data import Dataset
from edgenes_core.hypernet import NOISE, LambdaMap
from edgenes_core.lambda_path import stretches, widest
from edgenes_core.parameters import operation_counts
from edgenes_core.records import Event
from edgenes_core.search import Candidate
from edgenes_core.search.darts import picture
from edgenes_core.search.edgenes import map_samples, prepare_map, train_map
from edgenes_core.search.loop import Rows
from edgenes_core.search.settings import DartsCcSettings
from edgenes_core.space import SearchSpace
from edgenes_core.supernet import Supernet

TEMPERATURES = (1.0, 0.2)


@dataclass(frozen=True)
class Complexity:
    """Parameters (E, O) of each operation on each edge, and of the even mixture."""

    space: SearchSpace
    counts: np.ndarray
    average: float
    settings: DartsCcSettings

    def weight(self, u: Tensor) -> Tensor:
        """λ at u ∈ [0, 1], in nats per average cell."""
        low, high = self.settings.lowest, self.settings.highest
        return 10.0 ** (low + u * (high - low))

    def size(self, logits: Tensor) -> Tensor:
        """Expected parameters (L,) of logits (L, S), in average cells."""
        counts = torch.from_numpy(self.counts).to(logits)
        return (self._weights(logits) * counts).sum((-2, -1)) / self.average

    def _weights(self, logits: Tensor) -> Tensor:
        if self.settings.counted == "all":
            return split(self.space, logits)[0].softmax(-1)
        return mixing(self.space, logits, 1.0)

    def parameters(self, cell: Architecture) -> int:
        """What the edges of a cell add to its network."""
        return int((self.space.encode(cell) * self.counts).sum())


def search(
    space: SearchSpace,
    data: Dataset,
    config: PipelineConfig,
    generator: torch.Generator,
    keeper: Keeper = NO_KEEPER,
    settings: DartsCcSettings = DartsCcSettings(),
) -> Iterator[Event | Candidate]:
    """Cells from large to small."""
    darts = config.darts
    complexity = measure(space, config, settings)
    supernet = Supernet(space, data.channels, len(data.classes), darts.channels, darts.layers, generator)
    found = start_complexity(space, config.hypernet, generator, data.device, settings)

    def describe(values: Tensor) -> tuple[dict[str, float], Rows]:
        sizes = sizes_along(complexity, replace(found, values=values))
        return {"falling": falling(sizes), "parameters": float(np.mean(sizes))}, picture(space, values[-1])

    prepared = prepare_map(
        found, supernet.to(data.device), data, generator, lambda step: size_penalty(found, complexity, generator)
    )
    knots = yield from train_map(replace(prepared, temperatures=TEMPERATURES), "darts_cc", describe, keeper)
    for stretch in widest(stretches(space, knots, 1.0), config.ensemble.pool):
        middle = torch.tensor((stretch.lo + stretch.hi) / 2, dtype=torch.float64)
        yield Candidate(stretch.architecture, float(complexity.weight(middle)) / complexity.average)


def samples(space: SearchSpace, config: PipelineConfig, settings: DartsCcSettings = DartsCcSettings()) -> int:
    """Images passed through the supernet: two batches a step of the map; no cell is searched before."""
    return map_samples(config.hypernet)


def measure(space: SearchSpace, config: PipelineConfig, settings: DartsCcSettings) -> Complexity:
    """Counts of the network that candidates are trained as."""
    counts = operation_counts(space, config.retrain.channels, config.retrain.layers)
    even = Complexity(space, counts, 1.0, settings)
    return replace(even, average=float(even.size(torch.zeros(1, space.logits, dtype=torch.float64))))


def start_complexity(
    space: SearchSpace,
    config: HypernetConfig,
    generator: torch.Generator,
    device: torch.device,
    settings: DartsCcSettings,
) -> LambdaMap:
    """An untrained map of small noise on u ∈ [0, 1]."""
    values = NOISE * torch.randn(settings.knots, space.logits, generator=generator)
    positions = np.linspace(0.0, 1.0, settings.knots)
    return LambdaMap(space, replace(config, polish_steps=0), positions, values.to(device).requires_grad_())


def size_penalty(found: LambdaMap, complexity: Complexity, generator: torch.Generator) -> Tensor:
    """Mean of λ·size over stratified u."""
    u = found.draw(found.config.regularizer_lambdas, generator)
    return (complexity.weight(u) * complexity.size(found.at(u))).mean()


def sizes_along(complexity: Complexity, found: LambdaMap) -> list[int]:
    """Parameters of the cells met while λ grows, in that order."""
    met = stretches(complexity.space, found.knots(), float(found.positions[-1]))
    return [complexity.parameters(stretch.architecture) for stretch in met]


def falling(sizes: Sequence[int]) -> float:
    """How monotone the control is: of all changes of size along λ, the share that falls; 1 if no cell is larger than the one before."""
    steps = [b - a for a, b in pairwise(sizes)]
    moved = sum(map(abs, steps))
    return -sum(step for step in steps if step < 0) / moved if moved else 1.0
