"""The supernet as a function: supernet(x, mixing) runs all operations on all edges, weighted.

    ō_{n,p}(h) = Σ_o mixing[(n,p), o]·o(h),   node_n = Σ_p ō_{n,p}(node_p),   cell = concat(node_2 … node_{N+1})

All edges leaving a node read the same maps, so a `Source` computes them together (see wide.py): pooling once for all of
them, each kind of convolution of all edges as one wide product. Normalisation uses the batch's own statistics and has no
parameters, so nothing is stored between calls. Where several images lie together
(L > 1, on a CPU), a Source runs in its compiled form. The per-edge form the field writes is tests/reference_supernet.py; all three agree to 1e-10 in float64.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgenes_core import compiled, wide
from edgenes_core.architecture import CELL_INPUTS
from edgenes_core.network import Preprocess, Stem, cell_kinds, init_weights, kernel_side, layer_plan, pool, shifted
from edgenes_core.space import Edge, SearchSpace


class Source(nn.Module):
    """All K edges leaving one node.

    Maps (C, G, H, W, L) and mixing (O, K, B or 1), in the space's operation order, to (K, C, G, H', W', L).
    Weights are stored wide: depthwise (K·C, 1, k, k) and pointwise (K·C, C) per stage of a convolution.
    """

    def __init__(self, operations: tuple[str, ...], edges: int, channels: int, stride: int) -> None:
        super().__init__()
        self.operations, self.edges, self.channels, self.stride = operations, edges, channels, stride
        self.convolutions = [name for name in operations if "conv" in name]
        self.separable = [name for name in operations if name.startswith("sep")]
        rows = edges * channels
        self.depthwise, self.pointwise = nn.ParameterDict(), nn.ParameterDict()
        for name in self.convolutions:
            for stage in (f"{name}_1", f"{name}_2") if name in self.separable else (f"{name}_1",):
                side = kernel_side(name)
                self.depthwise[stage] = nn.Parameter(torch.empty(rows, 1, side, side))
                self.pointwise[stage] = nn.Parameter(torch.empty(rows, channels))
        if "skipconnect" in operations and stride == 2:
            self.reduce = nn.Parameter(torch.empty(rows, channels))

    def forward(self, x: Tensor, mixing: Tensor) -> Tensor:
        if x.shape[-1] > 1:
            return self._compiled(x, mixing)
        maps = self._convolve(torch.relu(x)) | self._pool(x)
        weights = mixing[:, :, None, :, None, None, None]
        node = weights[0] * maps[self.operations[0]]
        for weight, name in zip(weights[1:], self.operations[1:], strict=True):
            node = torch.addcmul(node, weight, maps[name])
        return node

    def _compiled(self, x: Tensor, mixing: Tensor) -> Tensor:
        from edgenes_core.compiled import node

        maps = self._pool(x)
        outside = [maps[name] for name in self.operations if name in maps]
        stages = node.plan(self.operations, self.stride)
        return node.mix(stages, x, mixing, outside, list(self.depthwise.values()), list(self.pointwise.values()))

    def _pool(self, x: Tensor) -> dict[str, Tensor]:
        """Pooling and skip, (1 or K, C, G, H', W', L): computed once where the edges would all do the same."""
        pools = [name for name in self.operations if name.endswith("pool")]
        maps = {name: wide.norm(pool(name, x, self.stride))[None] for name in pools}
        if "skipconnect" in self.operations:
            maps["skipconnect"] = x[None] if self.stride == 1 else self._factorized_reduce(x)
        return maps

    def _factorized_reduce(self, x: Tensor) -> Tensor:
        """Per edge, half of the channels from the even pixels and half from the odd ones."""
        even, odd = (weight.unflatten(0, (self.edges, -1)) for weight in self.reduce.chunk(2))
        weight = torch.cat([F.pad(even, (0, self.channels)), F.pad(odd, (self.channels, 0))], 1).flatten(0, 1)
        pixels = torch.relu(torch.cat([shifted(x, 0), shifted(x, 1)]))
        return wide.norm(wide.pointwise(pixels, weight)).unflatten(0, (self.edges, -1))

    def _convolve(self, x: Tensor) -> dict[str, Tensor]:
        """Every convolution of every edge: per kind one depthwise and one pointwise product, twice for separable ones."""
        maps = {}
        for name in self.convolutions:
            dilation = 2 if name.startswith("dil") else 1
            y = self._stage(f"{name}_1", x, self.stride, dilation)
            if name in self.separable:
                y = self._stage(f"{name}_2", torch.relu(y), 1, 1)
            maps[name] = y.unflatten(0, (self.edges, self.channels))
        return maps

    def _stage(self, stage: str, x: Tensor, stride: int, dilation: int) -> Tensor:
        deep = wide.depthwise(x, self.depthwise[stage], stride, dilation)
        return wide.norm(wide.pointwise(deep, self.pointwise[stage]))


class SearchCell(nn.Module):
    """One cell with all candidate edges; `edge_ids[s]` are the rows of the mixing matrix for edges leaving node s.

    `by_source` are all of them on the module's device: rows named by a list would be copied there in every step.
    """

    by_source: Tensor

    def __init__(self, space: SearchSpace, kind: str, channels: int) -> None:
        super().__init__()
        self.edge_ids = [
            [space.edges.index(Edge(kind, n, s)) for n in range(max(CELL_INPUTS, s + 1), CELL_INPUTS + space.nodes)]
            for s in range(CELL_INPUTS + space.nodes - 1)
        ]
        every = [row for ids in self.edge_ids for row in ids]
        self.register_buffer("by_source", torch.tensor(every), persistent=False)
        self.sources = nn.ModuleList(
            Source(space.operations, len(ids), channels, 2 if kind == "reduce" and s < CELL_INPUTS else 1)
            for s, ids in enumerate(self.edge_ids)
        )

    def forward(self, s0: Tensor, s1: Tensor, mixing: Tensor) -> Tensor:
        """(C, G, H, W, L) twice and mixing (B or 1, E, O) → (N·C, G, H', W', L)."""
        states = [s0, s1]
        rows = mixing.permute(2, 1, 0).index_select(1, self.by_source)  # (O, E, B or 1)
        arriving: dict[int, Tensor] = {}
        last = len(self.sources)
        sizes = [len(ids) for ids in self.edge_ids]
        for s, (mine, source) in enumerate(zip(rows.split(sizes, 1), self.sources, strict=True)):
            y = source(states[s], mine)  # (K, C, G, H', W', L)
            for k, node in enumerate(range(last + 1 - sizes[s], last + 1)):
                arriving[node] = arriving[node] + y[k] if node in arriving else y[k]
            if s + 1 >= CELL_INPUTS:
                states.append(arriving.pop(s + 1))
        return torch.cat(states[CELL_INPUTS:])


class Supernet(nn.Module):
    """supernet(x (B, channels, H, W), mixing (E, O) or (G, E, O)) → class logits (B, C).

    With G rows of mixing, image b uses row ⌊b·G/B⌋: several architectures in one batch at the price of one.
    """

    def __init__(
        self,
        space: SearchSpace,
        image_channels: int,
        classes: int,
        channels: int,
        layers: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.space = space
        plan, width = layer_plan(cell_kinds(space.cells, layers), space.nodes, channels)
        self.stem, self.classifier = Stem(image_channels, channels, affine=False), nn.Linear(width, classes)
        self.before = nn.ModuleList(Preprocess(step, affine=False) for step in plan)
        self.cells = nn.ModuleList(SearchCell(space, step.kind, step.channels) for step in plan)
        init_weights(self, generator)

    def with_weights_fixed(self, x: Tensor, mixing: Tensor) -> Tensor:
        """The same logits, differentiable in the mixing alone: no weight gradient is prepared or computed."""
        weights = {name: weight.detach() for name, weight in self.named_parameters()}
        return torch.func.functional_call(self, weights, (x, mixing))

    def forward(self, x: Tensor, mixing: Tensor, twice: bool = False) -> Tensor:
        """`twice`: gradients of gradients will be asked for, which the compiled form cannot give."""
        mixing = mixing if mixing.dim() == 3 else mixing.unsqueeze(0)
        if len(mixing) > 1:
            mixing = mixing[torch.arange(len(x), device=x.device) * len(mixing) // len(x)]
        s0 = s1 = self.stem(x, 1 if twice else compiled.lanes(x))
        for before, cell in zip(self.before, self.cells, strict=True):
            a, b = before(s0, s1)
            s0, s1 = s1, cell(a, b, mixing)
        return self.classifier(s1.mean((2, 3)).flatten(1).T)
