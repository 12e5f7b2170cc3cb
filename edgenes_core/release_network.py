"""Weights of the EdgeNES release as a `Network` of ours: the two draw the same function from the same numbers.

    stem.0, stem.1                                      stem.convolution, stem.norm
    cells.i.preproc0, preproc1                          cells.i.before.first, second
    cells.i.mutable_ops.(node − 2).ops.parent.…         cells.i.operations.g of the kept edge g; other edges are left out
    linear                                              classifier             (aux_head.… is for training only)

The release stores every candidate edge of the cell that it trained, kept or not, so a cell file of another run gives itself away
by the shapes of its edges: all must fit. Max and average pooling have the same shapes; those two cannot be told apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from edgenes_core import EdgeNESError
from edgenes_core.architecture import CELL_INPUTS, OPERATIONS, Architecture
from edgenes_core.network import Layer, Network, kernel_side, layer_plan

State = Mapping[str, Tensor]
Shapes = dict[str, tuple[int, ...]]
MOST_LAYERS, MOST_CHANNELS, MOST_CLASSES = 20, 512, 10_000
EDGE = re.compile(r"cells\.(\d{1,2})\.mutable_ops\.(\d{1,2})\.ops\.(\d{1,2})\.(.+)")
NORM = {"mean": "running_mean", "var": "running_var"}


class ReleaseError(EdgeNESError):
    """Files of the EdgeNES release that cannot be read, or that do not belong together."""


@dataclass(frozen=True)
class ReleaseShape:
    """What the weights say about their network: C, image channels, classes, layers (all of them reduction cells)."""

    channels: int
    image_channels: int
    classes: int
    layers: int


def release_network(
    cell: Mapping[str, object], architecture: Architecture, state: State
) -> tuple[Network, ReleaseShape]:
    """A network ready to predict; `cell` is the flat cell file with an operation for every candidate edge.

    ReleaseError names the first place where cell and weights do not fit.
    """
    shape = shape_of(state)
    if architecture.cells != ("reduce",):
        raise ReleaseError(
            "The release trains reduction cells alone, this cell file has normal cells; nothing is guessed."
        )
    _check_edges(cell, architecture, state, shape)
    network = Network(
        architecture, shape.image_channels, shape.classes, shape.channels, shape.layers, generator=None
    ).eval()
    with torch.no_grad():
        for name, target in network.state_dict().items():
            target.copy_(_weight(name, target, architecture, state))
    return network, shape


def shape_of(state: State) -> ReleaseShape:
    """Read off the stem, the classifier and the cells; ReleaseError if they are not there."""
    stem, linear = _get(state, "stem.0.weight", 4), _get(state, "linear.weight", 2)
    layers = 1 + max((int(match[1]) for name in state if (match := re.match(r"cells\.(\d{1,2})\.", name))), default=-1)
    found = ReleaseShape(stem.shape[0] // 3, stem.shape[1], linear.shape[0], layers)
    inside = found.layers in range(1, MOST_LAYERS + 1) and found.channels in range(1, MOST_CHANNELS + 1)
    if not inside or found.classes not in range(2, MOST_CLASSES + 1) or found.image_channels not in (1, 3):
        raise ReleaseError(f"The weights speak of {found}, which is no network of the release.")
    return found


def _check_edges(cell: Mapping[str, object], architecture: Architecture, state: State, shape: ReleaseShape) -> None:
    """Every edge that has weights must have those of its operation, every kept one must have them."""
    plan, _ = layer_plan(("reduce",) * shape.layers, architecture.nodes, shape.channels)
    stored = _edges(state)
    kept = {(gene.node, gene.parent) for gene in architecture.genes}
    for index, layer in enumerate(plan):
        for node in range(CELL_INPUTS, CELL_INPUTS + architecture.nodes):
            for parent in range(node):
                operation, found = cell.get(f"reduce_n{node}_p{parent}"), stored.pop((index, node, parent), {})
                if (node, parent) not in kept and (not found or operation not in OPERATIONS):
                    continue
                wanted = _parts(str(operation), layer, 2 if parent < CELL_INPUTS else 1)
                if found != wanted:
                    raise ReleaseError(
                        f"Cell and weights do not fit: the cell has {operation} on the edge {parent} → {node}, but the weights "
                        f"of cell {index} are {_guess(found, layer, parent)}. They come from different runs."
                    )
    if stored:
        index, node, parent = next(iter(stored))
        raise ReleaseError(
            f"Cell and weights do not fit: the weights have an edge {parent} → {node} that the cell has not."
        )


def _edges(state: State) -> dict[tuple[int, int, int], Shapes]:
    """Shapes of the tensors of each edge (layer, node, parent), counters left out."""
    found: dict[tuple[int, int, int], Shapes] = {}
    for name, tensor in state.items():
        if (match := EDGE.fullmatch(name)) and not name.endswith("num_batches_tracked"):
            layer, node, parent = (int(match[k]) for k in (1, 2, 3))
            found.setdefault((layer, node + CELL_INPUTS, parent), {})[match[4]] = tuple(tensor.shape)
    return found


def _parts(operation: str, layer: Layer, stride: int) -> Shapes:
    """Names and shapes of an operation's tensors in the release."""
    c = layer.channels
    if operation.endswith("pool"):
        return _norm_parts("bn", c)
    if operation == "skipconnect":
        halves: Shapes = {f"conv{k}.weight": (c // 2, c, 1, 1) for k in (1, 2)}
        return {} if stride == 1 else halves | _norm_parts("bn", c)
    side, found = kernel_side(operation), Shapes()
    for prefix in ("net.0.net", "net.1.net") if operation.startswith("sep") else ("net",):
        found |= {f"{prefix}.1.weight": (c, 1, side, side), f"{prefix}.2.weight": (c, c, 1, 1)}
        found |= _norm_parts(f"{prefix}.3", c)
    return found


def _norm_parts(name: str, channels: int) -> Shapes:
    return {f"{name}.{part}": (channels,) for part in NORM.values()}


def _guess(found: Shapes, layer: Layer, parent: int) -> str:
    """Which operations these tensors could belong to, in words."""
    stride = 2 if parent < CELL_INPUTS else 1
    fitting = [name for name in OPERATIONS if _parts(name, layer, stride) == found]
    return f"those of {' or '.join(fitting)}" if fitting else "those of no operation of the space"


def _weight(name: str, target: Tensor, architecture: Architecture, state: State) -> Tensor:
    """The release's numbers for one tensor of ours, in its shape."""
    *path, part = name.split(".")
    if path[:1] == ["classifier"]:
        return _fitting(state, f"linear.{part}", target)
    if path[-1].startswith("norm") or path[-2:-1] == ["norms"]:
        return _norm(path, part, target, architecture, state)
    sources = [_get(state, source) for source in _sources(path, part, architecture, state)]
    joined = torch.cat(sources)
    if joined.numel() != target.numel():
        raise ReleaseError(
            f"Cell and weights do not fit: {name} needs {tuple(target.shape)}, got {tuple(joined.shape)}."
        )
    return joined.reshape(target.shape)


def _norm(path: list[str], part: str, target: Tensor, architecture: Architecture, state: State) -> Tensor:
    """Norms inside cells have neither scale nor shift in the release."""
    if path[0] == "stem":
        names = {"scale": "weight", "shift": "bias"} | NORM
        return _fitting(state, f"stem.1.{names[part]}", target)
    if part in ("scale", "shift"):
        return torch.full_like(target, float(part == "scale"))
    if path[2] == "before":
        prefix = f"cells.{path[1]}.preproc{0 if path[3] == 'first' else 1}"
        inner = "bn" if f"{prefix}.bn.running_mean" in state else "net.2"
    else:
        prefix, inner = _edge(path, architecture), "bn"
        if path[4] == "norms":
            inner = f"net.{path[5]}.net.3" if f"{prefix}.net.0.net.3.running_mean" in state else "net.3"
    return _fitting(state, f"{prefix}.{inner}.{NORM[part]}", target)


def _sources(path: list[str], part: str, architecture: Architecture, state: State) -> Iterator[str]:
    """Names in the release of the weights that make one of ours; two halves where the resolution is halved."""
    if path[0] == "stem":
        yield "stem.0.weight"
        return
    if path[2] == "before":
        prefix = f"cells.{path[1]}.preproc{0 if path[3] == 'first' else 1}"
        whole = f"{prefix}.net.1.weight"
    else:
        prefix = _edge(path, architecture)
        stage = f"net.{part}.net" if f"{prefix}.net.0.net.1.weight" in state else "net"
        whole = f"{prefix}.{stage}.{1 if path[-1] == 'depthwise' else 2}.weight"
    yield from (whole,) if whole in state else (f"{prefix}.conv1.weight", f"{prefix}.conv2.weight")


def _edge(path: list[str], architecture: Architecture) -> str:
    gene = architecture.genes[int(path[3])]
    return f"cells.{path[1]}.mutable_ops.{gene.node - CELL_INPUTS}.ops.{gene.parent}"


def _fitting(state: State, name: str, target: Tensor) -> Tensor:
    found = _get(state, name)
    if found.shape != target.shape:
        raise ReleaseError(f"{name} of the weights must have shape {tuple(target.shape)}, got {tuple(found.shape)}.")
    return found


def _get(state: State, name: str, axes: int | None = None) -> Tensor:
    found = state.get(name)
    if found is None or (axes is not None and found.dim() != axes):
        raise ReleaseError(
            f"The weights have no usable {name}; they are not those of a network that the release retrains."
        )
    return found
