"""Where tensors live: chosen here and nowhere else."""

from __future__ import annotations

import torch

from edgenes_core import EdgeNESError

DEVICES = ("auto", "cuda", "mps", "cpu")


class DeviceError(EdgeNESError):
    """A device that this machine does not have."""


def choose_device(name: str = "auto") -> torch.device:
    """`auto` takes cuda, then mps, then cpu; a named device that is missing gives DeviceError."""
    have = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name not in DEVICES:
        raise DeviceError(f"A device is one of {', '.join(DEVICES)}, got {name!r}.")
    if name == "auto":
        return torch.device(next(kind for kind in DEVICES[1:] if have[kind]))
    if not have[name]:
        raise DeviceError(
            f"This machine has no {name} device that torch {torch.__version__} can use; take --device auto."
        )
    return torch.device(name)


def describe(device: torch.device) -> str:
    """Device name for a run's record."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
