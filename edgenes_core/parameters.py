"""How many weights a cell's network would have, without building it."""

from __future__ import annotations

import numpy as np
import torch

from edgenes_core.architecture import CELL_INPUTS, Architecture
from edgenes_core.network import Network, cell_kinds, layer_plan, operation
from edgenes_core.space import SearchSpace


def parameter_count(architecture: Architecture, image_channels: int, classes: int, channels: int, layers: int) -> int:
    """Trained numbers of the discrete network (running statistics are not trained); its shapes are made, no memory is taken."""
    with torch.device("meta"):
        network = Network(architecture, image_channels, classes, channels, layers, None)
    return sum(parameter.numel() for parameter in network.parameters())


def operation_counts(space: SearchSpace, channels: int, layers: int) -> np.ndarray:
    """(E, O) int64: what each operation on each edge adds to `parameter_count`, over all layers of the edge's kind.

    The rest of a network is the same for all cells of a space.
    """
    plan, _ = layer_plan(cell_kinds(space.cells, layers), space.nodes, channels)
    counts = np.zeros((len(space.edges), len(space.operations)), np.int64)
    for e, edge in enumerate(space.edges):
        stride = 2 if edge.cell == "reduce" and edge.parent < CELL_INPUTS else 1
        for layer in plan:
            if layer.kind == edge.cell:
                counts[e] += [_size(name, layer.channels, stride) for name in space.operations]
    return counts


def _size(name: str, channels: int, stride: int) -> int:
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in operation(name, channels, stride).parameters())
