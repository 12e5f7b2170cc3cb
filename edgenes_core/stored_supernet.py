"""The supernet in the run folder: base_supernet.safetensors after the base search, supernet.safetensors after the hypernetwork."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from edgenes_core import storage
from edgenes_core.data import Dataset
from edgenes_core.run_folder import Run
from edgenes_core.supernet import Supernet

BASE, FINAL = "base_supernet.safetensors", "supernet.safetensors"


def save_supernet(run: Run, name: str, supernet: Supernet) -> None:
    """Store all weights as `name`."""
    arrays = {key: tensor.detach().cpu().numpy() for key, tensor in supernet.state_dict().items()}
    storage.write_tensors(run.path / name, **arrays)


def load_supernet(run: Run, data: Dataset, name: str = BASE) -> Supernet:
    """The supernet that the base search trained (or another stored one), on the data's device; StorageError if it does not fit."""
    config = run.config.darts
    supernet = Supernet(run.space, data.channels, len(data.classes), config.channels, config.layers, torch.Generator())
    load_weights(run.path / name, supernet)
    return supernet.to(data.device)


def load_weights(path: Path, network: nn.Module) -> None:
    """Put stored weights into a supernet or network; StorageError if they do not fit."""
    arrays = storage.read_tensors(path)
    try:
        network.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in arrays.items()})
    except RuntimeError:
        raise storage.StorageError(
            f"{path} does not fit this run: the weights that its config asks for have other names or shapes. "
            "Restore the file from a copy."
        ) from None
