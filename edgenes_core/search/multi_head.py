"""Multi-headed NES (Narayanan et al.: Multi-headed neural ensemble search. UDL workshop at ICML 2021): one trunk, M heads.

    network: stem and first ⌊2L/3⌋ cells shared; each head has the last cells and a classifier of its own, with α, β of its own
    α, β ← Adam on ∇ [CE(p̄, y; train-α) − γ·JSD],   p̄ = mean_m p_m,   JSD = H(p̄) − mean_m H(p_m)
    w ← AdamW on ∇_w mean_m CE(p_m, y; train-w)
    members ← the M heads' cells

Each head has Gumbel noise of its own, and starts from noise of its own: alike, they would stay alike. The weights follow the mean
loss, since training on that of p̄ alone lets heads lean on each other. With L = 1 the trunk is the stem.

The trunk mixes with the mean of the heads' weights. A cell kind that only the trunk has has one α for all, that of the first head.
With M = 1 and γ = 0 a step is a step of DARTS. Here the members' cells are trained apart from scratch, as every method's are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import log

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgenes_core import compiled
from edgenes_core.alpha import beta_rule, product_rule
from edgenes_core.checkpoint import NO_KEEPER, Keeper
from edgenes_core.config import DartsConfig, PipelineConfig
from edgenes_core.data import Dataset
from edgenes_core.network import cell_kinds
from edgenes_core.records import Event
from edgenes_core.search import Candidate, numbered
from edgenes_core.search.bilevel import CLIP
from edgenes_core.search.darts import INIT, CellSearch, cell_samples, picture, pictured, start_search
from edgenes_core.search.loop import Measured, run_steps
from edgenes_core.search.settings import MultiHeadSettings
from edgenes_core.space import SearchSpace
from edgenes_core.supernet import Supernet
from edgenes_core.train import descend, linear, set_cosine, weight_optimizer, weight_step


class Heads(Supernet):
    """heads(x (B, channels, H, W), mixing (M, E, O)) → class logits (M, B, C): whole supernets with one stem and trunk."""

    def __init__(self, heads: Sequence[Supernet]) -> None:
        nn.Module.__init__(self)
        self.trunk = trunk_cells(len(heads[0].cells))
        for head in heads[1:]:
            head.stem = heads[0].stem
            for layer in range(self.trunk):
                head.before[layer], head.cells[layer] = heads[0].before[layer], heads[0].cells[layer]
        self.space, self.heads = heads[0].space, nn.ModuleList(heads)

    def forward(self, x: Tensor, mixing: Tensor, twice: bool = False) -> Tensor:
        heads = [head for head in self.heads if isinstance(head, Supernet)]
        first, own = heads[0], slice(self.trunk, None)
        maps = first.stem(x, 1 if twice else compiled.lanes(x))
        shared = _through(first, slice(self.trunk), (maps, maps), mixing.mean(0, keepdim=True))
        ends = [_through(head, own, shared, row[None])[1] for head, row in zip(heads, mixing, strict=True)]
        return torch.stack(
            [head.classifier(end.mean((2, 3)).flatten(1).T) for head, end in zip(heads, ends, strict=True)]
        )


def search(
    space: SearchSpace,
    data: Dataset,
    config: PipelineConfig,
    generator: torch.Generator,
    keeper: Keeper = NO_KEEPER,
    settings: MultiHeadSettings = MultiHeadSettings(),
) -> Iterator[Event | Candidate]:
    """The cells of M = `config.ensemble.size` heads."""
    found = start_heads(space, data, first_order(config.darts), generator, config.ensemble.size)
    yield from run_steps(
        "multi_head",
        config.darts.steps,
        found.parts(),
        lambda step: head_step(found, settings.gamma, step),
        lambda logits: ({}, picture(space, logits.mean(0))),
        keeper,
    )
    rule = product_rule if config.darts.rule == "product" else beta_rule
    rows = of_heads(found).detach().double().cpu().numpy()
    yield from numbered(rule(space, row) for row in rows)


def samples(space: SearchSpace, config: PipelineConfig, settings: MultiHeadSettings = MultiHeadSettings()) -> int:
    """Images passed through the network, all heads at once: one image then costs up to M images of another search."""
    return cell_samples(first_order(config.darts))


def first_order(config: DartsConfig) -> DartsConfig:
    """The run's recipe, of first order."""
    return replace(config, order=1)


def trunk_cells(layers: int) -> int:
    """How many of L cells are shared: those before the last reduction, at 2L/3."""
    return 2 * layers // 3


def start_heads(
    space: SearchSpace, data: Dataset, config: DartsConfig, generator: torch.Generator, count: int
) -> CellSearch:
    """As DARTS starts it, with M heads; its logits are (M, S)."""
    found = start_search(space, data, config, generator)
    sizes = data.channels, len(data.classes), config.channels, config.layers
    more = [Supernet(space, *sizes, generator) for _ in range(count - 1)]
    heads = Heads([found.supernet, *more]).to(data.device)
    noise = INIT * torch.randn(count - 1, space.logits, generator=generator)
    logits = torch.cat([found.logits.detach()[None], noise.to(data.device)]).requires_grad_()
    (group,) = found.architecture.param_groups
    architecture = torch.optim.Adam([logits], lr=group["lr"], betas=group["betas"], weight_decay=group["weight_decay"])
    weights = weight_optimizer(heads, config.weight_lr, config.optimizer)
    return replace(found, supernet=heads, logits=logits, weights=weights, architecture=architecture)


def head_step(found: CellSearch, gamma: float, step: int) -> Measured:
    """One bilevel step: all heads' architectures (once they are no longer frozen), then all weights."""
    config = found.config
    temperature = linear(config.temperature_start, config.temperature_end, step, config.steps)
    if config.schedule == "cosine":
        set_cosine(found.weights, config.weight_lr, step, config.steps)
    values: dict[str, Tensor | float] = {"temperature": temperature}
    if step >= config.frozen * config.steps:
        x, y = next(found.train_alpha)
        logs = found.supernet.with_weights_fixed(x, found.mix(of_heads(found), temperature)).log_softmax(-1)
        loss, apart = F.nll_loss(mean_log(logs), y), divergence(logs)
        descend(found.architecture, found.logits, loss - gamma * apart)
        values |= {"val_loss": loss.detach(), "mutual_information": apart.detach()}
    x, y = next(found.train_w)
    heads = found.supernet(x, found.mix(of_heads(found).detach(), temperature))
    loss = F.cross_entropy(heads.flatten(0, 1), y.repeat(len(heads)))
    weight_step(found.supernet, found.weights, loss, CLIP)
    pictures = of_heads(found).detach().clone() if pictured(step, config.steps) else None
    return Measured(values | {"train_loss": loss.detach()}, pictures)


def of_heads(found: CellSearch) -> Tensor:
    """(M, S): each head's logits, with those of the first where the edge is of a kind that no head has."""
    space, layers = found.space, found.config.layers
    own = set(cell_kinds(space.cells, layers)[trunk_cells(layers) :])
    edges = torch.tensor([edge.cell in own for edge in space.edges], device=found.logits.device)
    mine = torch.cat([edges.repeat_interleave(len(space.operations)), edges])
    return torch.where(mine, found.logits, found.logits[:1])


def mean_log(logs: Tensor) -> Tensor:
    """log p̄ (B, C) of log p_m (M, B, C)."""
    return logs.logsumexp(0) - log(len(logs))


def divergence(logs: Tensor) -> Tensor:
    """JSD = H(p̄) − mean_m H(p_m) of log p_m (M, B, C), mean over images, in nats: from 0 to log M."""
    return _entropy(mean_log(logs)) - _entropy(logs)


def _entropy(logs: Tensor) -> Tensor:
    """Mean over all distributions."""
    return -(logs.exp() * logs).sum(-1).mean()


def _through(net: Supernet, layers: slice, maps: tuple[Tensor, Tensor], mixing: Tensor) -> tuple[Tensor, Tensor]:
    """The two maps that leave some layers of a supernet, all with one mixing (1, E, O)."""
    s0, s1 = maps
    for before, cell in zip(net.before[layers], net.cells[layers], strict=True):
        a, b = before(s0, s1)
        s0, s1 = s1, cell(a, b, mixing)
    return s0, s1
