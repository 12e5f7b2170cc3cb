"""A run's images as bytes before padding and standardisation, where they can be corrupted, and foreign images beside them.

Images that came as numbers (digits) are brought to bytes between the least and the largest pixel of the training part, which costs
at most half a step of 255.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from edgenes_core.catalogue import KNOWN
from edgenes_core.data import BYTE, Dataset, Part
from edgenes_core.shifted import STAND_INS, ShiftError, foreign_of


def raw_bytes(data: Dataset, part: Part) -> np.ndarray:
    """A part's images as they came, (B, H, W, C) uint8: no padding, no standardisation."""
    images, pad = part.images, _pad(data)
    images = images[:, :, pad : images.shape[2] - pad, pad : images.shape[3] - pad]
    if images.is_floating_point():
        low, high = _range(data)
        images = ((_unscaled(data, images) - low) / (high - low) * BYTE).round().clamp(0, BYTE).to(torch.uint8)
    return np.ascontiguousarray(images.movedim(1, -1).numpy())


def as_part(data: Dataset, pixels: np.ndarray) -> Part:
    """Bytes (B, H, W, C) as networks of this dataset take them; their classes are not known (−1)."""
    pad = _pad(data)
    padded = np.pad(pixels, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    images = torch.from_numpy(np.ascontiguousarray(np.moveaxis(padded, -1, 1)))
    if data.val.images.is_floating_point():
        low, high = _range(data)
        mean, std = (torch.tensor(value)[:, None, None] for value in (data.mean, data.std))
        images = (images.float() / BYTE * (high - low) + low - mean) / std
    return replace(data.val, images=images, y=torch.full((len(images),), -1))


def foreign_images(data: Dataset, source: str) -> tuple[np.ndarray, str]:
    """Foreign images (B, H, W, C) uint8 and a name for them: that of a stand-in, else 12 hex digits of their hash.

    A run is trained on all classes of its dataset, so no class is held out; what is foreign must come from elsewhere. 'noise' has
    independent pixels drawn from those of the validation images, 'shuffled' those images with their pixels in another order: both
    keep the brightness and lose every shape, so they are easy. The honest test is another dataset of the same shape.
    """
    own, rng = raw_bytes(data, data.val), np.random.default_rng(0)
    if source in STAND_INS:
        pixels = own.reshape(len(own), -1, own.shape[3])
        order = rng.random(pixels.shape[:2]).argsort(1)[..., None]
        everywhere = rng.permutation(pixels.reshape(-1, own.shape[3]))
        mixed = np.take_along_axis(pixels, order, 1) if source == "shuffled" else everywhere
        return np.ascontiguousarray(mixed.reshape(own.shape)), source
    if source == data.name:
        raise ShiftError(f"{source} is what the run was trained on; foreign images must come from elsewhere.")
    images, known_as = foreign_of(source)
    if images.shape[1:] != own.shape[1:]:
        raise ShiftError(
            f"Foreign images must have the shape of the run's, {own.shape[1:]}, but those of {source} have {images.shape[1:]}."
        )
    if images.dtype != np.uint8:
        raise ShiftError(
            f"Foreign images must be bytes (uint8), those of {source} are {images.dtype}; store them as bytes."
        )
    return images, known_as


def _pad(data: Dataset) -> int:
    return KNOWN[data.name].pad if data.name in KNOWN else 0


def _unscaled(data: Dataset, images: torch.Tensor) -> torch.Tensor:
    mean, std = (torch.tensor(value)[:, None, None] for value in (data.mean, data.std))
    return images * std + mean


def _range(data: Dataset) -> tuple[float, float]:
    """Least and largest pixel of the training part, before standardisation."""
    pixels = _unscaled(data, data.train.images)
    return float(pixels.min()), float(pixels.max())
