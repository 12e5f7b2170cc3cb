"""Ways to take one training step of N candidates at once: each function gives a `Step` that moves all of them.

separate   one network after another, as edgenes_core trains them
released   the same cells as the EdgeNES release builds them: all 14 edges computed in plain modules, 10 thrown away
stacked    torch.func.vmap over stacked weights; only for networks of one cell
Together   one network for all: the candidates' channels side by side, each kind of operation of all of them in one call
"""

import copy
from collections import defaultdict
from collections.abc import Callable, Sequence
from unittest.mock import patch

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgenes_core import compiled, wide
from edgenes_core.architecture import Architecture
from edgenes_core.network import FactorizedReduce, Network
from edgenes_core.space import SearchSpace
from edgenes_core.train import weight_optimizer, weight_step

BATCH, CLASSES, CLIP, RATE = 64, 10, 5.0, 0.01
SPACE = SearchSpace()

Step = Callable[[], None]
Batch = tuple[Tensor, Tensor]


def sampled(count: int, seed: int = 0) -> list[Architecture]:
    rng = np.random.default_rng(seed)
    return [SPACE.sample(rng) for _ in range(count)]


def batch(side: int, colours: int, seed: int) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(BATCH, colours, side, side, generator=generator)
    return x, torch.randint(CLASSES, (BATCH,), generator=generator)


def network(cell: Architecture, colours: int, channels: int, seed: int) -> Network:
    return Network(cell, colours, CLASSES, channels, 1, torch.Generator().manual_seed(seed))


def separate(networks: Sequence[nn.Module], batches: Sequence[Batch], capturable: bool = False) -> Step:
    """`capturable`: the optimisers will be recorded in a CUDA graph."""
    optimizers = [weight_optimizer(net, RATE) for net in networks]
    for optimizer in optimizers:
        optimizer.param_groups[0]["capturable"] = capturable

    def step() -> None:
        for net, optimizer, (x, y) in zip(networks, optimizers, batches, strict=True):
            weight_step(net, optimizer, F.cross_entropy(net(x), y), CLIP)

    return step


class Released(nn.Module):
    """One cell as the release has it: an operation on every edge, computed and summed only where the cell keeps it."""

    def __init__(self, cell: Architecture, colours: int, channels: int, seed: int) -> None:
        super().__init__()
        rng, kept = np.random.default_rng(seed), {(g.node, g.parent): g.operation for g in cell.genes}
        self.kept, c = set(kept), channels * 2
        self.stem = nn.Sequential(nn.Conv2d(colours, 3 * channels, 3, 1, 1, bias=False), nn.BatchNorm2d(3 * channels))
        self.before = nn.ModuleList(_unit(nn.Conv2d(3 * channels, c, 1, bias=False)) for _ in range(2))
        self.edges = nn.ModuleDict()
        for _, node, parent in SPACE.edges:
            name = kept.get((node, parent)) or SPACE.operations[rng.integers(len(SPACE.operations))]
            self.edges[f"{node}-{parent}"] = _released_operation(name, c, 2 if parent < 2 else 1)
        self.classifier = nn.Linear(4 * c, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        states = [before(x) for before in self.before]
        for node in range(2, 6):
            every = {parent: self.edges[f"{node}-{parent}"](states[parent]) for parent in range(node)}
            states.append(sum(y for parent, y in every.items() if (node, parent) in self.kept))
        return self.classifier(torch.cat(states[2:], 1).mean((2, 3)))


def _unit(*convolutions: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.ReLU(), *convolutions, nn.BatchNorm2d(convolutions[-1].out_channels))


def _released_operation(name: str, c: int, stride: int) -> nn.Module:
    if name == "maxpool":
        return nn.Sequential(nn.MaxPool2d(3, stride, 1), nn.BatchNorm2d(c))
    if name == "avgpool":
        return nn.Sequential(nn.AvgPool2d(3, stride, 1, count_include_pad=False), nn.BatchNorm2d(c))
    if name == "skipconnect":
        return nn.Identity() if stride == 1 else _unit(nn.Conv2d(c, c, 1, stride, bias=False))
    side, dilation = int(name[-1]), 2 if name.startswith("dil") else 1
    strides = (stride, 1) if name.startswith("sep") else (stride,)
    pad = dilation * (side // 2)
    return nn.Sequential(
        *(
            _unit(nn.Conv2d(c, c, side, s, pad, dilation, c, bias=False), nn.Conv2d(c, c, 1, bias=False))
            for s in strides
        )
    )


def stacked(networks: Sequence[Network], batches: Sequence[Batch]) -> Step:
    """With torch's own operations alone: functions that are differentiated by hand cannot be mapped."""
    weights, buffers = torch.func.stack_module_state(list(networks))
    optimizer = torch.optim.AdamW(weights.values(), lr=RATE, weight_decay=3e-4, fused=True)
    x, y = (torch.stack(part) for part in zip(*batches, strict=True))

    def loss(weights: dict[str, Tensor], buffers: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(torch.func.functional_call(networks[0], (weights, buffers), (x,)), y)

    slopes, each = torch.func.vmap(torch.func.grad(loss)), torch.arange(len(networks), device=x.device)

    def step() -> None:
        with patch.object(compiled, "unavailable", lambda: "no vmap"), patch.object(wide, "ROW_PIXELS", 0):
            fixed = {name: weight.detach() for name, weight in weights.items()}  # else autograd records it all again
            found = slopes(fixed, buffers, x, y)
        for name, slope in found.items():
            weights[name].grad = slope
        clip_each([(weight, each) for weight in weights.values()], len(networks))
        optimizer.step()

    return step


class Together(nn.Module):
    """together(x (N, B, channels, H, W)) → class logits (N, B, C) of N one-layer networks whose weights it takes over.

    Wave by wave: every (candidate, node) whose parent is ready, those with the same operation and stride in one call.
    """

    def __init__(self, networks: Sequence[Network]) -> None:
        super().__init__()
        n = self.count = len(networks)
        self.owners: dict[nn.Parameter, Tensor] = {}
        self.stem = self._side_by_side([net.stem for net in networks], list(range(n)))
        self.stem.convolution.groups = n
        self.before = self._side_by_side([net.cells[0].before for net in networks], list(range(n)))
        self.classifier = self._side_by_side([net.classifier for net in networks], list(range(n)))
        self.calls: list[tuple[nn.Module, list[tuple[int, int, int]]]] = []
        ready = {(i, node) for i in range(n) for node in (0, 1)}
        left = [
            (i, g)
            for i, net in enumerate(networks)
            for g in zip(net.cells[0].genes, net.cells[0].operations, strict=True)
        ]
        while left:
            groups, waiting = defaultdict(list), []
            for i, (gene, module) in left:
                if (i, gene.parent) not in ready:
                    waiting.append((i, (gene, module)))
                    continue
                alone = i if isinstance(module, FactorizedReduce) else -1  # its output channels would interleave
                groups[gene.operation, gene.parent < 2, alone].append((module, (i, gene.node, gene.parent)))
            for members in groups.values():
                modules, places = zip(*members, strict=True)
                self.calls.append((self._side_by_side(modules, [i for i, _, _ in places]), list(places)))
                ready |= {(i, node) for i, node, _ in places}
            left = waiting
        self.modules_called = nn.ModuleList(module for module, _ in self.calls)

    def _side_by_side(self, modules: Sequence[nn.Module], owners: list[int]) -> nn.Module:
        one = copy.deepcopy(modules[0])
        for name, parameter in one.named_parameters():
            parameter.data = torch.cat([module.get_parameter(name).data for module in modules])
            self.owners[parameter] = torch.tensor(owners)
        for name, buffer in one.named_buffers():
            buffer.data = torch.cat([module.get_buffer(name) for module in modules])
        return one

    def forward(self, x: Tensor) -> Tensor:
        maps = self.stem(x.transpose(0, 1).flatten(1, 2), 1)
        a, b = (side.chunk(self.count) for side in self.before(maps, maps))
        states = {(i, node): side[i] for node, side in enumerate((a, b)) for i in range(self.count)}
        for module, places in self.calls:
            ins = [states[i, parent] for i, _, parent in places]
            outs = module(torch.cat(ins) if len(ins) > 1 else ins[0]).chunk(len(places))
            states |= {(i, node): out for (i, node, _), out in zip(places, outs, strict=True)}
        last = torch.cat([states[i, node] for i in range(self.count) for node in range(2, 6)])
        features = last.mean((2, 3)).flatten(1).unflatten(0, (self.count, -1))  # (N, 4C, B)
        weight = self.classifier.weight.view(self.count, CLASSES, -1)
        return (weight @ features).transpose(1, 2) + self.classifier.bias.view(self.count, 1, CLASSES)


def together(networks: Sequence[Network], batches: Sequence[Batch]) -> Step:
    one, device = Together(networks), batches[0][0].device
    optimizer = weight_optimizer(one.to(device), RATE)
    rows = [(parameter, owners.to(device)) for parameter, owners in one.owners.items()]
    x, y = (torch.stack(part) for part in zip(*batches, strict=True))

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        (len(networks) * F.cross_entropy(one(x).flatten(0, 1), y.flatten())).backward()  # a sum of means
        clip_each(rows, len(networks))
        optimizer.step()

    return step


def clip_each(rows: Sequence[tuple[Tensor, Tensor]], count: int) -> None:
    """Shorten each candidate's gradient on its own; `rows` has each parameter and the candidate of each of its shares."""
    total = torch.zeros(count, device=rows[0][0].device)
    for parameter, owners in rows:
        total.index_add_(0, owners, parameter.grad.reshape(len(owners), -1).square().sum(1))
    scale = (CLIP / (total.sqrt() + 1e-6)).clamp(max=1.0)
    for parameter, owners in rows:
        parameter.grad.view(len(owners), -1).mul_(scale[owners][:, None])
