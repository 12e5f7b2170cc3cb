"""The supernet in the run folder: base_supernet.safetensors after the base search, supernet.safetensors after the hypernetwork."""

from __future__ import annotations

from pathlib import Path

import torch

from edgenes_core import storage
from edgenes_core.data import Dataset
from edgenes_core.run_folder import Run
from edgenes_core.supernet import Supernet

BASE, FINAL = "base_supernet.safetensors", "supernet.safetensors"


def save_supernet(run: Run, name: str, supernet: Supernet) -> None:
    """Store all weights as `name`."""
    arrays = {key: tensor.detach().cpu().numpy() for key, tensor in supernet.state_dict().items()}
    storage.write_tensors(run.path / name, **arrays)


def load_supernet(run: Run, data: Dataset) -> Supernet:
    """The supernet that the base search trained, on the data's device; StorageError if it does not fit this run."""
    config = run.config.darts
    supernet = Supernet(run.space, data.channels, len(data.classes), config.channels, config.layers, torch.Generator())
    load_weights(run.path / BASE, supernet)
    return supernet.to(data.device)


def load_weights(path: Path, supernet: Supernet) -> None:
    """Put stored weights into a supernet; StorageError if they do not fit."""
    arrays = storage.read_tensors(path)
    try:
        supernet.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in arrays.items()})
    except RuntimeError as error:
        raise storage.StorageError(f"{path} does not fit this run's supernet: {error}.") from None
