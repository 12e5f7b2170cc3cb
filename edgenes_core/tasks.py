"""Work that runs in worker processes: plain functions of plain values, the same result wherever they run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from edgenes_core.architecture import Architecture
from edgenes_core.cell_distances import Cells
from edgenes_core.cell_map import place_all
from edgenes_core.checkpoint import NO_KEEPER, Keeper, resumed
from edgenes_core.config import RetrainConfig
from edgenes_core.data import Dataset, load_dataset, split_images
from edgenes_core.device import peak_memory
from edgenes_core.image_sources import Images
from edgenes_core.train import derive_seed as derive_seed
from edgenes_core.train import predict, train_from_scratch


@dataclass(frozen=True)
class TrainedNetwork:
    """What a training gives back: weights by name, probabilities (B, C) on both splits, history per epoch (its `seconds`
    and `peak_memory`, bytes held by the process so far, have one entry)."""

    weights: dict[str, np.ndarray]
    val: np.ndarray
    test: np.ndarray
    history: dict[str, list[float]]


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
    data = dataset_of(dataset, device)
    network, events = resumed(keeper, partial(train_from_scratch, data, architecture, config, seed))
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


_given: dict[str, Images] = {}


def give_images(name: str, images: Images) -> None:
    """What this process trains on from now on where a task says `name`: images that were brought, not read by their name."""
    _given[name] = images
    dataset_of.cache_clear()


@lru_cache(maxsize=1)
def dataset_of(name: str, device: str) -> Dataset:
    """The images this process trains on, read once."""
    return split_images(name, _given[name], device) if name in _given else load_dataset(name, device)
