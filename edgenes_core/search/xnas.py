"""XNAS (Nayman et al.: XNAS: Neural Architecture Search with Expert Advice. NeurIPS 2019): exponentiated gradient with wipeout.

    log v ← 0 for the N operations (experts) of each edge, all of them in I
    for round t = 1..T:   w ← AdamW on ∇_w CE(supernet(x, m); train-w),   m_e = softmax of log v_e over I_e
        G_e ← ∂CE(train-α)/∂(output of edge e)
        R_{e,o} ← clip(−⟨G_e, f_{e,o}⟩, −L, L),   log v += η·R,   η = √(2 ln N/(T·L²))
        I_e ← I_e without every o whose log v_o < max over I_e of log v − 2ηL(T − t)
    per node the k inputs whose best expert has the largest share, each with that expert

The gradient with respect to an edge's output comes exactly from the mixing weights: edge e gives p_e = Σ_o m_{e,o}·f_{e,o}, so
∂p_e/∂m_{e,o} = f_{e,o} and ∂ℓ/∂m_{e,o} = ⟨∂ℓ/∂p_e, f_{e,o}⟩ = ⟨G_e, f_{e,o}⟩. No map and no gradient of a map is stored.

A batch is one round of every cell: its mean loss makes R the mean over images. Cells of a kind share their experts and each
visits them once a batch, so T = architecture steps · cells of the kind, and η is smaller for the more frequent kind.
A dropped expert could not have become the best by T: a round moves no log v by more than ηL, no gap by more than 2ηL. Before
t = T/2 no gap can exceed 2ηL(T − t). Looking once a batch drops the same experts as looking at every visit.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from edgenes_core.alpha import product_rule, split
from edgenes_core.checkpoint import NO_KEEPER, Keeper
from edgenes_core.config import PipelineConfig
from edgenes_core.data import Dataset
from edgenes_core.network import cell_kinds
from edgenes_core.records import Event
from edgenes_core.search import Candidate
from edgenes_core.search.bilevel import CLIP, architecture_loss, data_loss
from edgenes_core.search.darts import CellSearch, picture, pictured, rounds, start_search
from edgenes_core.search.loop import Measured, run_steps
from edgenes_core.search.settings import XnasSettings
from edgenes_core.space import SearchSpace
from edgenes_core.supernet import SearchCell, Supernet
from edgenes_core.train import set_cosine, weight_step


@dataclass(frozen=True)
class ExpertSearch:
    """A search as DARTS starts it, whose logits are log v (E·O) and a zero per edge; per edge its visits a batch (E, 1), in
    all (T), and η; and for each expert the round in which it was dropped (E, O), 0 while it advises."""

    search: CellSearch
    visits: Tensor
    total: Tensor
    rate: Tensor
    dropped: Tensor
    settings: XnasSettings


def search(
    space: SearchSpace,
    data: Dataset,
    config: PipelineConfig,
    generator: torch.Generator,
    keeper: Keeper = NO_KEEPER,
    settings: XnasSettings = XnasSettings(),
) -> Iterator[Event | Candidate]:
    """One cell."""
    found = start_experts(start_search(space, data, config.darts, generator), settings)
    yield from run_steps(
        "xnas",
        config.darts.steps,
        {**found.search.parts(), "dropped": found.dropped},
        lambda step: expert_step(found, step),
        lambda logits: ({}, picture(space, logits)),
        keeper,
    )
    yield Candidate(product_rule(space, found.search.logits.double().cpu().numpy()))


def samples(space: SearchSpace, config: PipelineConfig, settings: XnasSettings = XnasSettings()) -> int:
    """Images passed through the supernet, as by DARTS of first order."""
    return config.darts.batch * (config.darts.steps + rounds(config.darts))


def start_experts(search: CellSearch, settings: XnasSettings) -> ExpertSearch:
    """Every expert weighs the same and advises; the search's logits are overwritten."""
    space, logits = search.space, search.logits.requires_grad_(False).zero_()
    kinds = Counter(cell_kinds(space.cells, search.config.layers))
    visits = torch.tensor([[kinds[edge.cell]] for edge in space.edges], device=logits.device)
    total = visits * rounds(search.config)
    rate = learning_rate(len(space.operations), total, settings.limit)
    dropped = torch.zeros(len(space.edges), len(space.operations), dtype=torch.long, device=logits.device)
    return ExpertSearch(search, visits, total, rate, dropped, settings)


def expert_step(found: ExpertSearch, step: int) -> Measured:
    """The experts' round (once they are no longer frozen), then the weights."""
    search, config = found.search, found.search.config
    if config.schedule == "cosine":
        set_cosine(search.weights, config.weight_lr, step, config.steps)
    values: dict[str, Tensor | float] = {}
    log_weights, _ = split(search.space, search.logits)
    first = config.steps - rounds(config)
    if step >= first:
        values |= _round(found, log_weights, step - first + 1)
    mixing = shares(log_weights, found.dropped == 0)
    loss = data_loss(search.supernet, next(search.train_w), mixing)
    weight_step(search.supernet, search.weights, loss, CLIP)
    values["train_loss"] = loss.detach()
    return Measured(values, _advising(found) if pictured(step, config.steps) else None)


def _round(found: ExpertSearch, log_weights: Tensor, batches: int) -> dict[str, Tensor | float]:
    """One batch of train-α; `log_weights` is a view of the search's logits and is changed in place."""
    search, limit = found.search, found.settings.limit
    advising = found.dropped == 0
    loss, gradients = cell_gradients(search.supernet, next(search.train_alpha), shares(log_weights, advising))
    log_weights += found.rate * rewards(gradients, limit)
    if found.settings.wipeout == "on":
        now = found.visits * batches
        left = surviving(log_weights, advising, found.rate, limit, found.total - now)
        found.dropped.copy_(torch.where(advising & ~left, now, found.dropped))
    return {"val_loss": loss, "experts": (found.dropped == 0).sum(1).float().mean()}


def learning_rate(experts: int, rounds: Tensor, limit: float) -> Tensor:
    """η* = √(2 ln N/(T·L²)), which makes the bound ηL²T/2 + ln N/η on the regret smallest; rounds T of any shape."""
    return (2 * math.log(experts) / (rounds.clamp(min=1) * limit**2)).sqrt()


def cell_gradients(supernet: Supernet, batch: tuple[Tensor, Tensor], mixing: Tensor) -> tuple[Tensor, Tensor]:
    """Mean loss of a batch, and its gradient in the mixing weights of each cell by itself, (cells, E, O).

    The rows of edges that a cell does not have are zero. Each cell gets a leaf of its own, by a hook for this one call.
    """
    leaves: list[Tensor] = []

    def own(cell: SearchCell, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        leaves.append(inputs[2].detach().requires_grad_())
        return *inputs[:2], leaves[-1]

    hooks = [cell.register_forward_pre_hook(own) for cell in supernet.cells]
    try:
        loss = architecture_loss(supernet, batch, mixing)
    finally:
        for hook in hooks:
            hook.remove()
    return loss.detach(), torch.cat(torch.autograd.grad(loss, leaves))


def rewards(gradients: Tensor, limit: float) -> Tensor:
    """R (E, O): each round's −∂ℓ/∂m (rounds, E, O) clipped to [−L, L], summed over the rounds."""
    return (-gradients).clamp(-limit, limit).sum(0)


def shares(log_weights: Tensor, advising: Tensor) -> Tensor:
    """Mixing weights (..., O): v over the sum of the v of all experts that still advise, computed from log v."""
    return log_weights.masked_fill(~advising, -torch.inf).softmax(-1)


def surviving(log_weights: Tensor, advising: Tensor, rate: Tensor, limit: float, left: Tensor) -> Tensor:
    """Which experts may still become the best in the `left` rounds; per edge (E, 1) the rate and what is left."""
    best = log_weights.masked_fill(~advising, -torch.inf).amax(-1, keepdim=True)
    return advising & (log_weights >= best - 2 * rate * limit * left)


def _advising(found: ExpertSearch) -> Tensor:
    """The logits as a picture shows them: a dropped expert has no weight."""
    alpha, beta = split(found.search.space, found.search.logits)
    return torch.cat([alpha.masked_fill(found.dropped > 0, -torch.inf).flatten(), beta])
