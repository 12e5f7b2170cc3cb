"""What both forms of NESBS share (Shu, Chen, Dai, Low: Neural ensemble search via Bayesian sampling. UAI 2022).

    w ← fair single-path training: each batch is split among O uniform cells that together run each operation of each edge once
    p_α(A) = Π_nodes P_β(inputs) · Π_kept edges softmax(α_e)_o,   w frozen:
        α, β ← Adam on E_{A~p_α} CE(supernet(x, A); train-α) + KL(p_α ‖ uniform)/|train-α|
    R ensembles of n cells ← nesbs_mc.py or nesbs_svgd.py
    kept: of those whose cells all differ (of all, if there are none) the one with the least NLL on train-α by the shared weights

A mean loss stands for the log-likelihood of all |train-α| images, so the KL is divided by their number. A node's k inputs are drawn
without replacement from softmax(β) (the k largest of β + Gumbel), its operations from softmax(α) of the inputs kept: each draw
is one cell, with the gradient of the relaxed draw (straight-through). The KL is exact, for inputs over all C(node, k) choices.

Collapse check: the number of different cells of each ensemble is reported, and whether it is less than n. A collapsed ensemble is
kept only if all are; its repeated cells are trained with further seeds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from edgenes_core.alpha import relax, split
from edgenes_core.architecture import Architecture
from edgenes_core.checkpoint import Keeper
from edgenes_core.config import PipelineConfig
from edgenes_core.data import Dataset
from edgenes_core.inherited import inherit
from edgenes_core.metrics import nll
from edgenes_core.records import Event
from edgenes_core.search import Candidate, numbered
from edgenes_core.search.baselines import numpy_generator
from edgenes_core.search.bilevel import CLIP, architecture_loss, data_loss
from edgenes_core.search.darts import CellSearch, picture, pictured, rounds, start_search
from edgenes_core.search.loop import Measured, run_steps
from edgenes_core.search.settings import NesbsSettings
from edgenes_core.space import SearchSpace
from edgenes_core.train import descend, set_cosine, weight_step

Draw = Callable[[Tensor, torch.Generator], list[list[Architecture]]]
"""Posterior logits (S,) → R ensembles of n cells."""


@dataclass(frozen=True)
class Ensemble:
    """Cells drawn together, and the NLL of their mean prediction on train-α with the shared weights."""

    cells: tuple[Architecture, ...]
    nll: float

    @property
    def unique(self) -> int:
        """Different cells."""
        return len(set(self.cells))

    @property
    def collapsed(self) -> bool:
        """Whether a cell is there twice."""
        return self.unique < len(self.cells)


def search_ensembles(
    space: SearchSpace,
    data: Dataset,
    config: PipelineConfig,
    generator: torch.Generator,
    keeper: Keeper,
    settings: NesbsSettings,
    draw: Draw,
) -> Iterator[Event | Candidate]:
    """The members of the best ensemble drawn."""
    found = start_search(space, data, config.darts, generator)
    yield from run_steps(
        "nesbs weights", config.darts.steps, found.parts(), lambda step: fair_step(found, step), _nothing, keeper
    )
    yield from run_steps(
        "nesbs posterior",
        rounds(config.darts),
        found.parts(),
        lambda step: posterior_step(found, settings.draws, step),
        lambda logits: ({}, picture(space, logits)),
        keeper,
    )
    best = yield from score(found, draw(found.logits.detach(), generator), settings.score_batches)
    yield from numbered(best.cells)


def ensemble_samples(config: PipelineConfig, settings: NesbsSettings) -> int:
    """Images passed through the supernet: as in a search by DARTS of first order, and every member's scoring."""
    darts = config.darts
    scored = settings.ensembles * config.ensemble.size * settings.score_batches
    return darts.batch * (darts.steps + rounds(darts) + scored)


def fair_step(found: CellSearch, step: int) -> Measured:
    """The weights, on a batch shared by O cells."""
    config = found.config
    if config.schedule == "cosine":
        set_cosine(found.weights, config.weight_lr, step, config.steps)
    cells = fair_cells(found.space, numpy_generator(found.generator))
    mixing = torch.from_numpy(np.stack([found.space.encode(cell) for cell in cells])).to(found.logits)
    loss = data_loss(found.supernet, next(found.train_w), mixing)
    weight_step(found.supernet, found.weights, loss, CLIP)
    return Measured({"train_loss": loss.detach()})


def fair_cells(space: SearchSpace, rng: np.random.Generator) -> list[Architecture]:
    """O cells, each uniform in the space. Among them an edge has each operation once, where it is kept; and a node keeps each
    input as often as any other, ± 1."""
    k, count = space.inputs_per_node, len(space.operations)
    kept = np.zeros((count, len(space.edges)), bool)
    for (_, node), where in zip(space.slots, space.slices, strict=True):
        turns = rng.permutation(node)[np.arange(count * k) % node].reshape(count, k)
        np.put_along_axis(kept[:, where], turns, True, axis=1)
    operations = rng.permuted(np.tile(np.arange(count)[:, None], len(space.edges)), axis=0)
    return [space.decode(inputs, names) for inputs, names in zip(kept, operations, strict=True)]


def posterior_step(found: CellSearch, draws: int, step: int) -> Measured:
    """The posterior's logits, on a batch shared by the draws."""
    rows = draw_mixing(found.space, found.logits.expand(draws, -1), found.generator)
    loss = architecture_loss(found.supernet, next(found.train_alpha), rows)
    divergence = kl_to_uniform(found.space, found.logits)
    descend(found.architecture, found.logits, loss + divergence / len(found.train_alpha.part))
    shown = found.logits.detach().clone() if pictured(step, rounds(found.config)) else None
    return Measured({"val_loss": loss.detach(), "kl": divergence.detach()}, shown)


def draw_mixing(space: SearchSpace, logits: Tensor, generator: torch.Generator) -> Tensor:
    """(..., E, O): a discrete cell drawn for each row of logits (..., S), with the gradient of the relaxed draw at temperature 1."""
    operations, edges = relax(space, logits, 1.0, generator)
    hard = torch.zeros_like(operations).scatter_(-1, operations.argmax(-1, keepdim=True), 1.0)
    kept = torch.zeros_like(edges)
    for where in space.slices:
        kept[..., where].scatter_(-1, edges[..., where].topk(space.inputs_per_node).indices, 1.0)
    return _through(kept, edges).unsqueeze(-1) * _through(hard, operations)


def kl_to_uniform(space: SearchSpace, logits: Tensor) -> Tensor:
    """KL(p_α ‖ uniform over all cells) in nats, exact: of each node's inputs, and of the operations of the inputs kept."""
    alpha, beta = split(space, logits)
    log_operations = alpha.log_softmax(-1)
    per_edge = (log_operations.exp() * (log_operations + np.log(len(space.operations)))).sum(-1)
    total = logits.new_zeros(())
    for where in space.slices:
        log_inputs, members = input_choices(beta[where], space.inputs_per_node)
        chances = log_inputs.exp()
        total = total + (chances * (log_inputs + np.log(len(log_inputs)))).sum()
        total = total + (chances @ members * per_edge[where]).sum()
    return total


def input_choices(beta: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Log-probability of each of a node's C choices of k = 1 or 2 inputs, (C,), and which inputs they are, (C, inputs) of 0 and 1.

    Two inputs are drawn one after the other: P{i, j} = p_i·p_j/(1 − p_i) + p_j·p_i/(1 − p_j).
    """
    logs = beta.log_softmax(-1)
    choices = torch.tensor(list(combinations(range(len(beta)), k)), device=beta.device)
    members = F.one_hot(choices, len(beta)).sum(1).to(beta)
    if k == 1:
        return logs, members
    i, j = choices.T
    others = torch.stack([torch.cat([beta[:at], beta[at + 1 :]]).logsumexp(-1) for at in range(len(beta))])
    others = others - beta.logsumexp(-1)  # log(1 − p)
    return logs[i] + logs[j] + torch.logaddexp(-others[i], -others[j]), members


def score(found: CellSearch, drawn: list[list[Architecture]], batches: int) -> Generator[Event, None, Ensemble]:
    """One event for each ensemble; returns the one to keep, the first of equals. All see the same images."""
    seen, start = [next(found.train_alpha) for _ in range(batches)], time.monotonic()
    y, scored = torch.cat([y for _, y in seen]).cpu().numpy(), list[Ensemble]()
    for step, cells in enumerate(drawn, 1):
        probs = np.mean([shared_probabilities(found, cell, seen) for cell in cells], 0)
        one = Ensemble(tuple(cells), nll(probs, y))
        scored.append(one)
        values = {"val_loss": one.nll, "unique": one.unique, "collapsed": float(one.collapsed)}
        yield Event("nesbs ensembles", step, len(drawn), time.monotonic() - start, values)
    return min(scored, key=lambda ensemble: (ensemble.collapsed, ensemble.nll))


@torch.no_grad()
def shared_probabilities(found: CellSearch, cell: Architecture, batches: list[tuple[Tensor, Tensor]]) -> np.ndarray:
    """(B, C) float64 class probabilities of a cell with the supernet's weights, batch by batch."""
    network = inherit(found.supernet, cell)
    return torch.cat([network(x).double().softmax(-1) for x, _ in batches]).cpu().numpy()


def _through(hard: Tensor, soft: Tensor) -> Tensor:
    """The value of the first, the gradient of the second."""
    return hard + soft - soft.detach()


def _nothing(logits: Tensor) -> tuple[dict[str, float], tuple[tuple[float, ...], ...]]:
    return {}, ()
