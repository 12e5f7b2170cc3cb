"""Fixed-λ search: one DARTS search per whole λ, its architecture step pulled to λ shared edges (method 2.2).

    min_α  L_val(w, α) + c·(λ − s̃(α))²     with c and the temperature of s̃ warmed as in the hypernetwork

Expensive (Λ + 1 searches); the reference that the hypernetwork is judged against. Cells are read with the β rule, on which
the soft count is defined. With k = 2 the upper λ need about 300 steps, with k = 1 half as many (tests/test_searchers.py).
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from edgenes_core.alpha import beta_rule
from edgenes_core.architecture import Architecture
from edgenes_core.checkpoint import NO_KEEPER, Keeper
from edgenes_core.config import DartsConfig, PipelineConfig, RegularizerConfig
from edgenes_core.data import Dataset
from edgenes_core.records import Event
from edgenes_core.regularizers import lambda_penalty, soft_count, soft_target
from edgenes_core.search import Candidate
from edgenes_core.search.darts import Penalty, cell_samples, search_cell
from edgenes_core.space import SearchSpace
from edgenes_core.train import linear


def search(
    space: SearchSpace,
    data: Dataset,
    config: PipelineConfig,
    generator: torch.Generator,
    keeper: Keeper = NO_KEEPER,
) -> Iterator[Event | Candidate]:
    """α* first, then one search for each λ = 0, 1, …, Λ."""
    base = yield from search_cell(space, data, config.darts, generator, keeper=keeper)
    yield Candidate(base.architecture, float(space.lambda_max))
    for lam in range(space.lambda_max + 1):
        pull = fixed_penalty(space, base.architecture, lam, config.darts, config.hypernet.regularizer, generator)
        result = yield from search_cell(space, data, config.darts, generator, pull, f"fixed_lambda {lam}", keeper)
        yield Candidate(beta_rule(space, result.logits), float(lam))


def samples(space: SearchSpace, config: PipelineConfig) -> int:
    """Images passed through a supernet: Λ + 2 whole searches."""
    return (space.lambda_max + 2) * cell_samples(config.darts)


def fixed_penalty(
    space: SearchSpace,
    base: Architecture,
    lam: float,
    darts: DartsConfig,
    config: RegularizerConfig,
    generator: torch.Generator,
    draws: int = 16,
) -> Penalty:
    """penalty(logits, step) with `draws` Gumbel draws of s̃ a step."""
    target = soft_target(space, base, config.tau)

    def penalty(logits: Tensor, step: int) -> Tensor:
        weight = linear(config.c_start, config.c_end, step, darts.steps)
        temperature = linear(config.temperature_start, config.temperature_end, step, darts.steps)
        rows = logits.expand(draws, -1)
        count = soft_count(space, rows, target.to(logits), temperature, generator)
        return lambda_penalty(torch.full_like(count, lam), count, weight)

    return penalty
