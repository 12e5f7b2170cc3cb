"""Work that runs in worker processes: plain functions of plain values, the same result wherever they run."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from edgenes_core.architecture import Architecture
from edgenes_core.cell_distances import Cells
from edgenes_core.cell_map import place_all
from edgenes_core.checkpoint import NO_KEEPER, Keeper, resumed
from edgenes_core.config import RetrainConfig
from edgenes_core.data import Dataset, load_dataset
from edgenes_core.device import peak_memory
from edgenes_core.network import Network
from edgenes_core.records import Event
from edgenes_core.train import fit, predict


@dataclass(frozen=True)
class TrainedNetwork:
    """What a training gives back: weights by name, probabilities (B, C) on both splits, history per epoch (its `seconds`
    and `peak_memory`, bytes held by the process so far, have one entry)."""

    weights: dict[str, np.ndarray]
    val: np.ndarray
    test: np.ndarray
    history: dict[str, list[float]]


def derive_seed(*parts: object) -> int:
    """A 62-bit seed from any values: the same parts always give the same seed, different parts unrelated ones."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8], "big") >> 2


def train_candidate(
    dataset: str,
    architecture: Architecture,
    config: RetrainConfig,
    seed: int,
    device: str,
    keeper: Keeper = NO_KEEPER,
) -> TrainedNetwork:
    """Train one cell from scratch on train-w ∪ train-α and predict validation and test; TrainingError if it diverges.

    Goes on from the state that an interrupted training left with the keeper, to the same bits.
    """
    data = _dataset(dataset, device)

    def train(keeper: Keeper) -> tuple[Network, list[Event]]:
        generator = torch.Generator().manual_seed(seed)
        network = Network(architecture, data.channels, len(data.classes), config.channels, config.layers, generator)
        network.to(device)
        return network, list(fit(network, data.train, config, generator, keeper))

    network, events = resumed(keeper, train)
    weights = {name: tensor.cpu().numpy() for name, tensor in network.state_dict().items()}
    val, test = predict(network, data.val).numpy(), predict(network, data.test).numpy()
    history = {
        "train_loss": [event.values["train_loss"] for event in events],
        "seconds": [events[-1].seconds],
        "peak_memory": [float(peak_memory(data.device))],
    }
    return TrainedNetwork(weights, val, test, history)


def embed_cells(measured: Sequence[Cells], seed: int, with_umap: bool) -> dict[str, np.ndarray]:
    """Maps (P, 2) of cells by each of several distances, by the name they are stored under; one process compiles UMAP once."""
    return {name: xy for cells in measured for name, xy in place_all(cells, seed, with_umap).items()}


@lru_cache(maxsize=1)
def _dataset(name: str, device: str) -> Dataset:
    return load_dataset(name, device)
