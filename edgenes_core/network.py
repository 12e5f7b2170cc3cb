"""One discrete network: a stem, L copies of a cell with only its kept edges, a linear classifier (DARTS, Liu et al. 2019).

Cells at L//3 and 2L//3 reduce the resolution and double the channels; with one searched cell kind every layer is of that
kind. An operation is ReLU–convolution–norm or pooling–norm, as in the supernet. Maps are channel-first, see wide.py.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgenes_core import compiled, wide
from edgenes_core.architecture import CELL_INPUTS, Architecture, Gene
from edgenes_core.schema import ConfigError


class Layer(NamedTuple):
    """Where a cell stands: its kind, the channels of its two inputs and its own; whether input 0 is twice as large."""

    kind: str
    inputs: tuple[int, int]
    channels: int
    halve_first: bool


def cell_kinds(cells: tuple[str, ...], layers: int) -> tuple[str, ...]:
    """Kind of each of L layers; ConfigError if a searched kind would not appear."""
    if len(cells) == 1:
        return cells * layers
    if layers < 2:
        raise ConfigError(f"Normal and reduction cells need at least 2 layers, got {layers}; set layers to 2 or more.")
    reducing = {layers // 3, 2 * layers // 3} if layers > 2 else {1}
    return tuple("reduce" if index in reducing else "normal" for index in range(layers))


def layer_plan(kinds: tuple[str, ...], nodes: int, channels: int) -> tuple[list[Layer], int]:
    """Where each cell stands behind a stem of 3C channels, and the channels that leave the last one."""
    plan, before, last, previous = [], 3 * channels, 3 * channels, "normal"
    for kind in kinds:
        channels *= 2 if kind == "reduce" else 1
        plan.append(Layer(kind, (before, last), channels, previous == "reduce"))
        before, last, previous = last, nodes * channels, kind
    return plan, last


class Norm(nn.Module):
    """Batch normalisation of maps (C, …). `affine` adds scale, shift and running statistics (a network that is kept);
    without, the batch's own statistics are used always (the supernet, where a scale would undo α)."""

    mean: Tensor
    var: Tensor

    def __init__(self, channels: int, affine: bool) -> None:
        super().__init__()
        self.affine = affine
        if affine:
            self.scale, self.shift = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
            self.register_buffer("mean", torch.zeros(channels))
            self.register_buffer("var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        if not self.affine:
            return wide.norm(x)
        rows = x.reshape(1, len(x), -1)
        return F.batch_norm(rows, self.mean, self.var, self.scale, self.shift, self.training).view(x.shape)


class Pointwise(nn.Module):
    """ReLU, 1×1 convolution, norm."""

    def __init__(self, inputs: int, outputs: int, affine: bool) -> None:
        super().__init__()
        self.weight, self.norm = nn.Parameter(torch.empty(outputs, inputs)), Norm(outputs, affine)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(wide.pointwise(torch.relu(x), self.weight))


class FactorizedReduce(nn.Module):
    """Halve the resolution: ReLU, two 1×1 convolutions of stride 2, one shifted by a pixel, norm. Sides must be even."""

    def __init__(self, inputs: int, outputs: int, affine: bool) -> None:
        super().__init__()
        self.weight, self.norm = nn.Parameter(torch.empty(outputs, inputs)), Norm(outputs, affine)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(x)
        halves = [wide.pointwise(shifted(x, i), weight) for i, weight in enumerate(self.weight.chunk(2))]
        return self.norm(torch.cat(halves))


def shifted(x: Tensor, offset: int) -> Tensor:
    """Every second pixel from `offset` (0 or 1) on; the last row and column repeat where a side is odd."""
    if offset and (x.shape[2] % 2 or x.shape[3] % 2):
        x = F.pad(x, (0, 0, 0, x.shape[3] % 2, 0, x.shape[2] % 2), mode="replicate")
    return x[:, :, offset::2, offset::2]


class Pool(nn.Module):
    """3×3 pooling (`maxpool`, or `avgpool` that leaves the padding out) and norm."""

    def __init__(self, name: str, channels: int, stride: int) -> None:
        super().__init__()
        self.name, self.stride, self.norm = name, stride, Norm(channels, True)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(pool(self.name, x, self.stride))


def pool(name: str, x: Tensor, stride: int) -> Tensor:
    """Max or average pooling of the planes of (C, G, H, W, L)."""
    if x.shape[-1] > 1:
        from edgenes_core.compiled import pooling

        return pooling.pool(name, x, stride)
    x = x.squeeze(-1)
    if name == "maxpool":
        return F.max_pool2d(x, 3, stride, 1).unsqueeze(-1)
    return F.avg_pool2d(x, 3, stride, 1, count_include_pad=False).unsqueeze(-1)


class Convolution(nn.Module):
    """ReLU, depthwise convolution, pointwise convolution, norm; twice if separable, once with dilation 2 if dilated."""

    def __init__(self, name: str, channels: int, stride: int) -> None:
        super().__init__()
        self.strides = (stride, 1) if name.startswith("sep") else (stride,)
        self.dilation = 2 if name.startswith("dil") else 1
        side, stages = kernel_side(name), len(self.strides)
        self.depthwise = nn.ParameterList(nn.Parameter(torch.empty(channels, 1, side, side)) for _ in range(stages))
        self.pointwise = nn.ParameterList(nn.Parameter(torch.empty(channels, channels)) for _ in range(stages))
        self.norms = nn.ModuleList(Norm(channels, True) for _ in range(stages))

    def forward(self, x: Tensor) -> Tensor:
        for stride, taps, weight, norm in zip(self.strides, self.depthwise, self.pointwise, self.norms, strict=True):
            x = norm(wide.separable(x, taps, weight, stride, self.dilation))
        return x


def kernel_side(name: str) -> int:
    """3 or 5, from an operation's name."""
    return 5 if name.endswith("5x5") else 3


def operation(name: str, channels: int, stride: int) -> nn.Module:
    """One operation of the space on maps of C channels."""
    if name.endswith("pool"):
        return Pool(name, channels, stride)
    if name == "skipconnect":
        return nn.Identity() if stride == 1 else FactorizedReduce(channels, channels, True)
    return Convolution(name, channels, stride)


class Preprocess(nn.Module):
    """Bring both inputs of a cell to its channels and to one resolution."""

    def __init__(self, layer: Layer, affine: bool) -> None:
        super().__init__()
        kind = FactorizedReduce if layer.halve_first else Pointwise
        self.first = kind(layer.inputs[0], layer.channels, affine)
        self.second = Pointwise(layer.inputs[1], layer.channels, affine)

    def forward(self, s0: Tensor, s1: Tensor) -> tuple[Tensor, Tensor]:
        if s0 is s1 and isinstance(self.first, Pointwise) and not self.second.norm.affine:  # a first cell: one product
            y = wide.norm(wide.pointwise(torch.relu(s0), torch.cat([self.first.weight, self.second.weight])))
            a, b = y.chunk(2)
            return a, b
        return self.first(s0), self.second(s1)


class Stem(nn.Module):
    """3×3 convolution to 3C channels and norm: images (B, channels, H, W) → maps (3C, B/L, H, W, L)."""

    def __init__(self, image_channels: int, channels: int, affine: bool) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(image_channels, 3 * channels, 3, padding=1, bias=False)
        self.norm = Norm(3 * channels, affine)

    def forward(self, x: Tensor, lanes: int) -> Tensor:
        if lanes > 1 and not x.requires_grad:
            from edgenes_core.compiled import stem

            return self.norm(stem.convolve(wide.to_maps(x, lanes), self.convolution.weight))
        return self.norm(wide.to_maps(self.convolution(x), lanes))


class DiscreteCell(nn.Module):
    """A cell with only its kept edges, one operation each."""

    def __init__(self, genes: tuple[Gene, ...], layer: Layer) -> None:
        super().__init__()
        self.genes = tuple(gene for gene in genes if gene.cell == layer.kind)
        self.before = Preprocess(layer, affine=True)
        self.operations = nn.ModuleList(
            operation(g.operation, layer.channels, 2 if layer.kind == "reduce" and g.parent < CELL_INPUTS else 1)
            for g in self.genes
        )

    def forward(self, s0: Tensor, s1: Tensor) -> Tensor:
        states = dict(enumerate(self.before(s0, s1)))
        for gene, apply in zip(self.genes, self.operations, strict=True):  # genes are sorted by node
            y = apply(states[gene.parent])
            states[gene.node] = states[gene.node] + y if gene.node in states else y
        return torch.cat([states[node] for node in sorted(states) if node >= CELL_INPUTS])


class Network(nn.Module):
    """network(x (B, channels, H, W)) → class logits (B, C). Without a generator no weight is drawn: they come from elsewhere."""

    def __init__(
        self,
        architecture: Architecture,
        image_channels: int,
        classes: int,
        channels: int,
        layers: int,
        generator: torch.Generator | None,
    ) -> None:
        super().__init__()
        plan, width = layer_plan(cell_kinds(architecture.cells, layers), architecture.nodes, channels)
        self.stem, self.classifier = Stem(image_channels, channels, True), nn.Linear(width, classes)
        self.cells = nn.ModuleList(DiscreteCell(architecture.genes, layer) for layer in plan)
        if generator is not None:
            init_weights(self, generator)

    def forward(self, x: Tensor) -> Tensor:
        s0 = s1 = self.stem(x, compiled.lanes(x))
        for cell in self.cells:
            s0, s1 = s1, cell(s0, s1)
        return self.classifier(s1.mean((2, 3)).flatten(1).T)


def init_weights(module: nn.Module, generator: torch.Generator) -> None:
    """Uniform in ±1/√fan_in (torch's default for convolutions and linear layers), drawn from `generator`."""
    for name, parameter in module.named_parameters():
        if parameter.dim() > 1:
            bound = parameter[0].numel() ** -0.5
            with torch.no_grad():
                parameter.copy_(torch.rand(parameter.shape, generator=generator) * 2 * bound - bound)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)
