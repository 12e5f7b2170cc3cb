"""Images as device tensors in four disjoint parts: train-w, train-α, val, test.

The test part is the one that comes with the images; their training part is split by class (`splits`). Images live on the
device once, uint8 as they came, and are standardised batch by batch with the mean and standard deviation, per channel, of
train-w ∪ train-α before any padding. Fashion-MNIST is padded with black from 28 to 32, train and test alike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from edgenes_core.augment import crop_and_flip, cut_out
from edgenes_core.catalogue import KNOWN, DataError
from edgenes_core.config import AugmentConfig
from edgenes_core.image_sources import Images, read_images
from edgenes_core.splits import split_rows

BYTE = 255.0


@dataclass(frozen=True)
class Part:
    """Images (n, channels, H, W) on one device and their classes (n,) int64.

    uint8 images are as they came, and a batch of them is (pixel − mean) / std, float32, with `mean` and `std`
    (channels, 1, 1) in units of a byte; float32 images are standardised already and stay as they are.
    """

    images: Tensor
    y: Tensor
    mean: Tensor = torch.zeros(1, 1, 1)
    std: Tensor = torch.ones(1, 1, 1)
    augment: AugmentConfig = AugmentConfig()

    def __len__(self) -> int:
        return len(self.y)

    @property
    def device(self) -> torch.device:
        return self.images.device

    @property
    def x(self) -> Tensor:
        """All images standardised, float32; a loop takes or draws batches instead."""
        return self._standardised(self.images)

    def take(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Images (B, channels, H, W) float32, standardised, and classes (B,) at `rows` (B,), never augmented."""
        rows = rows.to(self.device)
        return self._standardised(self.images.index_select(0, rows)), self.y[rows]

    def draw(self, rows: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """The same, augmented as `augment` says; without augmentation no random number is drawn."""
        rows, how = rows.to(self.device), self.augment
        images = crop_and_flip(self.images, rows, how.shift, how.flip, self._black(), generator)
        return cut_out(self._standardised(images), how.cutout, generator), self.y[rows]

    def augmented(self, how: AugmentConfig) -> Part:
        """The same images, augmented in this way when drawn."""
        return replace(self, augment=how)

    def _standardised(self, images: Tensor) -> Tensor:
        return images if images.is_floating_point() else (images.float() - self.mean) / self.std

    def _black(self) -> Tensor:
        return -self.mean / self.std if self.images.is_floating_point() else torch.zeros_like(self.mean)


@dataclass(frozen=True)
class Dataset:
    """The four parts, with what is needed to name and undo the standardisation (mean and std of pixels from 0 to 1).

    `train` is train-w and train-α together, what candidates are retrained on; the three share their memory.
    """

    name: str
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    train: Part
    train_w: Part
    train_alpha: Part
    val: Part
    test: Part

    @property
    def channels(self) -> int:
        return int(self.val.images.shape[1])

    @property
    def device(self) -> torch.device:
        return self.val.device

    def summary(self) -> dict[str, object]:
        """For the run's record."""
        parts = {"train_w": self.train_w, "train_alpha": self.train_alpha, "val": self.val, "test": self.test}
        return {
            "name": self.name,
            "classes": list(self.classes),
            "image": list(self.val.images.shape[1:]),
            "images": {name: len(part) for name, part in parts.items()},
            "mean": list(self.mean),
            "std": list(self.std),
        }


def load_dataset(name: str, device: torch.device | str = "cpu") -> Dataset:
    """A known name, or the path of an .npz file or image folder; DataError says what is wrong and what would be right."""
    return split_images(name, read_images(name), device)


def split_images(name: str, images: Images, device: torch.device | str = "cpu") -> Dataset:
    """The four parts of images that were read already; `name` says whether they are padded."""
    rows = split_rows(images.y)
    searched = np.concatenate([rows.train_w, rows.train_alpha])
    pixels, scale = images.x[searched], BYTE if images.x.dtype == np.uint8 else 1.0
    mean, std = _statistics(pixels)
    if (std == 0).any():
        raise DataError(f"Every pixel of a channel of {name} has the same value; there is nothing to learn.")
    pad = KNOWN[name].pad if name in KNOWN else 0

    def part(x: np.ndarray, y: np.ndarray) -> Part:
        ready = torch.from_numpy(_resident(np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0))), mean, std))
        middle, spread = (torch.from_numpy(value).float()[:, None, None].to(device) for value in (mean, std))
        return Part(ready.to(device), torch.from_numpy(y).to(device), middle, spread)

    train, cut = part(pixels, images.y[searched]), len(rows.train_w)
    return Dataset(
        name,
        images.classes,
        tuple(float(value) / scale for value in mean),
        tuple(float(value) / scale for value in std),
        train,
        replace(train, images=train.images[:cut], y=train.y[:cut]),
        replace(train, images=train.images[cut:], y=train.y[cut:]),
        part(images.x[rows.val], images.y[rows.val]),
        part(images.x_test, images.y_test),
    )


def _statistics(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation (channels,) float64 of the pixels of images (n, H, W, channels), in units of a pixel."""
    if x.dtype != np.uint8:
        return x.mean((0, 1, 2), dtype=np.float64), x.std((0, 1, 2), dtype=np.float64)
    channels = np.moveaxis(x, -1, 0)  # counted, not summed: exact, and without a float copy of all images
    counts = np.stack([torch.from_numpy(c.ravel()).bincount(minlength=256).numpy() for c in channels])
    shares = counts / counts.sum(1, keepdims=True)
    mean = shares @ np.arange(256.0)
    return mean, np.sqrt((shares * (np.arange(256.0) - mean[:, None]) ** 2).sum(1))


def _resident(x: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    """(n, H, W, channels) as (n, channels, H, W): bytes stay bytes, other numbers become standardised float32."""
    ready = x if x.dtype == np.uint8 else ((x - mean) / std).astype(np.float32)
    return np.ascontiguousarray(np.moveaxis(ready, -1, 1))
