"""A cell's discrete network with the weights of a supernet: what a one-hot mixing computes, at the price of the kept edges alone."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import nn

from edgenes_core.architecture import Architecture
from edgenes_core.network import Convolution, DiscreteCell, FactorizedReduce, Network
from edgenes_core.supernet import SearchCell, Source, Supernet

M = TypeVar("M", bound=nn.Module)


def inherit(supernet: Supernet, architecture: Architecture) -> Network:
    """In training mode: network(x) = supernet(x, encode(architecture)), with the batch's own statistics in every norm.

    ArchitectureError if the cell is not in the supernet's space. The supernet stays as it is.
    """
    supernet.space.encode(architecture)
    first, last = supernet.stem.convolution, supernet.classifier
    sizes = first.in_channels, last.out_features, first.out_channels // 3, len(supernet.cells)
    network = Network(architecture, *sizes, None).to(first.weight)
    network.stem.load_state_dict(supernet.stem.state_dict(), strict=False)  # norms keep their scale 1 and shift 0
    network.classifier.load_state_dict(last.state_dict())
    for cell, before, mixed in zip(
        parts(network, DiscreteCell), supernet.before, parts(supernet, SearchCell), strict=True
    ):
        cell.before.load_state_dict(before.state_dict(), strict=False)
        sources = parts(mixed, Source)
        for gene, operation in zip(cell.genes, cell.operations, strict=True):
            first_node = len(sources) + 1 - len(mixed.edge_ids[gene.parent])
            _copy(operation, sources[gene.parent], gene.node - first_node, gene.operation)
    return network.train()


def parts(module: nn.Module, kind: type[M]) -> list[M]:
    """All parts of one kind, in the order in which they were put in."""
    return [part for part in module.modules() if isinstance(part, kind)]


@torch.no_grad()
def _copy(operation: nn.Module, source: Source, edge: int, name: str) -> None:
    """The weights of one operation on the edge-th of the edges that leave a node."""
    channels = source.channels
    if isinstance(operation, Convolution):
        rows = slice(edge * channels, (edge + 1) * channels)
        for stage, (taps, points) in enumerate(zip(operation.depthwise, operation.pointwise, strict=True), 1):
            taps.copy_(source.depthwise[f"{name}_{stage}"][rows])
            points.copy_(source.pointwise[f"{name}_{stage}"][rows])
    elif isinstance(operation, FactorizedReduce):
        half = channels // 2  # even pixels give one half of the channels, odd ones the other
        rows = slice(edge * half, (edge + 1) * half)
        operation.weight.copy_(torch.cat([weight[rows] for weight in source.reduce.chunk(2)]))
