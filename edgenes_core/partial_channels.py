"""Partial channels (Xu et al., PC-DARTS, 2020): only the first 1/K of a cell's channels go through the operations.

    edge(x) = shuffle_K [ Σ_o m_o·o(x_first),  B·x_rest ],   B = Σ_o m_o

The rest passes by, pooled 2×2 by its maximum where the edge has stride 2. An edge's operation weights sum to 1, so B is the
weight of the edge itself and both parts are weighted alike. The shuffle (K groups) puts channels of both parts into the first
1/K that the next edge reads. A `Source` of C/K channels does the mixing, in its compiled form where there is one.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgenes_core.network import init_weights
from edgenes_core.supernet import SearchCell, Source, Supernet

HALVED = (2, 2, 1)  # of (H, W, L)


class PartialSource(nn.Module):
    """In the place of a `Source`: the same maps and mixing in, the same shape out."""

    def __init__(self, source: Source, share: int) -> None:
        super().__init__()
        self.share, self.kept = share, source.channels // share
        self.mixed = Source(source.operations, source.edges, self.kept, source.stride)

    def forward(self, x: Tensor, mixing: Tensor) -> Tensor:
        mixed, rest = self.mixed(x[: self.kept], mixing), x[self.kept :]
        if self.mixed.stride == 2:
            rest = F.max_pool3d(rest, HALVED, HALVED, ceil_mode=True)  # odd sides as by the operations
        weight = mixing.sum(0)  # (edges, B or 1)
        groups, lanes = (x.shape[1], x.shape[-1]) if weight.shape[1] > 1 else (1, 1)
        y = torch.cat([mixed, weight.view(-1, 1, groups, 1, 1, lanes) * rest], 1)
        return y.unflatten(1, (self.share, self.kept)).transpose(1, 2).flatten(1, 2)


def with_partial_channels(supernet: Supernet, share: int, generator: torch.Generator) -> Supernet:
    """The same supernet, its operations on 1/K of the channels, all weights drawn anew; K = `share` must divide C."""
    for cell in supernet.cells:
        assert isinstance(cell, SearchCell)  # noqa: S101 - a ModuleList forgets its type
        cell.sources = nn.ModuleList(PartialSource(source, share) for source in cell.sources)  # type: ignore[arg-type]
    init_weights(supernet, generator)
    return supernet
