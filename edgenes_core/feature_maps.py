"""An image on its way through a cell: the real maps at every node, read while a network computes its prediction.

Two kinds of weights: those of a retrained network, with the statistics its norms have kept, and those of the supernet with the
cell's one-hot mixing, whose norms use the statistics of a batch: the fixed batch of `one_shot` that contains the image.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from edgenes_core import EdgeNESError
from edgenes_core.architecture import CELL_INPUTS, Architecture
from edgenes_core.inherited import inherit, parts
from edgenes_core.network import DiscreteCell, Network
from edgenes_core.one_shot import Probe, batches
from edgenes_core.run_folder import Run
from edgenes_core.run_records import Training
from edgenes_core.storage import StorageError
from edgenes_core.stored_supernet import load_weights

WEIGHTS = "weights.safetensors"
SUPERNET = "supernet weights, one-hot"


class ImageError(EdgeNESError):
    """A number that no validation image has."""


class LayerMaps(NamedTuple):
    """One cell of the network. `nodes[i]` are the maps (C, H, W) float32 at node i; 0 and 1 are the cell's inputs as its edges
    read them, brought to the cell's channels and to one resolution."""

    kind: str
    nodes: tuple[np.ndarray, ...]

    @property
    def out(self) -> np.ndarray:
        """What leaves the cell, (N·C, H', W'): the maps of all nodes but the inputs, one after the other."""
        return np.concatenate(self.nodes[CELL_INPUTS:])


class FeatureMaps(NamedTuple):
    """Validation image number `image` of `images`, as `pixels` (H, W, 1 or 3) uint8, through every layer of a network.

    `source` says whose weights; `label` is the true class, `probabilities` (C,) float32 the prediction.
    """

    architecture: Architecture
    source: str
    image: int
    images: int
    pixels: np.ndarray
    label: int
    classes: tuple[str, ...]
    probabilities: np.ndarray
    layers: tuple[LayerMaps, ...]


def with_weights(run: Run, architecture: Architecture) -> tuple[Training, ...]:
    """The retrained networks of a cell whose weights are stored, in the order of their seeds; imported ones have none."""
    mine = [t for t in run.plan() if t.architecture == architecture and run.is_trained(t)]
    return tuple(sorted((t for t in mine if (run.folder(t) / WEIGHTS).exists()), key=lambda t: t.seed))


def trained_maps(probe: Probe, training: Training, image: int) -> FeatureMaps:
    """Maps of a retrained network, which predicts as it did when it was stored; StorageError if its weights are not there."""
    _check(probe, image)
    network = load_network(probe, training)
    source = f"trained network {training.id}"
    return _watched(probe, training.architecture, source, network, torch.tensor([image]), image)


def supernet_maps(probe: Probe, architecture: Architecture, image: int) -> FeatureMaps:
    """Maps of any cell of the run's space, trained or not, with the supernet's weights; the prediction is the one-shot one."""
    _check(probe, image)
    rows = next(rows for rows in batches(len(probe.val)) if image in rows)
    return _watched(probe, architecture, SUPERNET, inherit(probe.supernet, architecture), rows, image)


def load_network(probe: Probe, training: Training) -> Network:
    """As `stored_network`, for the images of the probe."""
    return stored_network(probe.run, training, probe.val.images.shape[1], len(probe.classes))


def stored_network(run: Run, training: Training, channels: int, classes: int) -> Network:
    """A retrained network in evaluation mode; StorageError if its weights are missing or do not fit."""
    file, config = run.folder(training) / WEIGHTS, run.config.retrain
    if not file.exists():
        raise StorageError(
            f"Run {run.id} has no weights of network {training.id}: it is not trained yet, or was imported without."
        )
    network = Network(training.architecture, channels, classes, config.channels, config.layers, None)
    load_weights(file, network)
    return network.eval()


@torch.no_grad()
def _watched(
    probe: Probe, architecture: Architecture, source: str, network: Network, rows: Tensor, image: int
) -> FeatureMaps:
    """Run a batch through the network's own forward, keeping one image's part of what passes each node."""
    place, layers = int((rows == image).nonzero()), list[list[np.ndarray]]()

    def keep_inputs(module: torch.nn.Module, read: object, given: tuple[Tensor, ...]) -> None:
        layers.append([_one(maps, place) for maps in given])

    def keep_nodes(module: torch.nn.Module, read: object, given: Tensor) -> None:
        layers[-1].extend(np.split(_one(given, place), architecture.nodes))

    cells = parts(network, DiscreteCell)
    for cell in cells:
        cell.before.register_forward_hook(keep_inputs)
        cell.register_forward_hook(keep_nodes)
    logits = network(probe.val.take(rows)[0])
    return FeatureMaps(
        architecture,
        source,
        image,
        len(probe.val),
        probe.pixels[image],
        int(probe.val.y[image]),
        probe.classes,
        logits[place].softmax(-1).numpy(),
        tuple(LayerMaps(cell.genes[0].cell, tuple(nodes)) for cell, nodes in zip(cells, layers, strict=True)),
    )


def _one(maps: Tensor, place: int) -> np.ndarray:
    """(C, G, H, W, L) → (C, H, W) of one image, whose group and lane follow from its place in the batch; a copy."""
    return maps[:, place // maps.shape[-1], :, :, place % maps.shape[-1]].contiguous().numpy().copy()


def _check(probe: Probe, image: int) -> None:
    if not 0 <= image < len(probe.val):
        raise ImageError(f"Validation images are numbered from 0 to {len(probe.val) - 1} here, got {image}.")
