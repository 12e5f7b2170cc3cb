"""How many weights a cell's network would have, without building it."""

from __future__ import annotations

import torch

from edgenes_core.architecture import Architecture
from edgenes_core.network import Network


def parameter_count(architecture: Architecture, image_channels: int, classes: int, channels: int, layers: int) -> int:
    """Trained numbers of the discrete network (running statistics are not trained); its shapes are made, no memory is taken."""
    with torch.device("meta"):
        network = Network(architecture, image_channels, classes, channels, layers, None)
    return sum(parameter.numel() for parameter in network.parameters())
