"""Images as device tensors in four disjoint parts: train-w, train-α, val, test.

`digits` ships with scikit-learn (no download). Any other dataset is an .npz of plain arrays `x_train y_train x_test y_test`
(images (n, H, W) or (n, H, W, channels), uint8 or float; whole-number labels from 0; optional `classes`). The file's test
part is the test part; its training part is split by class. Pixels are standardised per channel with the mean and standard
deviation of train-w ∪ train-α.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from edgenes_core import EdgeNESError
from edgenes_core.storage import StorageError, read_arrays

VAL_SHARE = 0.2
SPLIT_SEED = 0  # the split never depends on a run's seed: all runs on a dataset share one test part


class DataError(EdgeNESError):
    """A dataset that is missing, damaged or unusable."""


@dataclass(frozen=True)
class Part:
    """Images (B, channels, H, W) float32, standardised, and classes (B,) int64."""

    x: Tensor
    y: Tensor

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True)
class Dataset:
    """The four parts, with what is needed to name and undo the standardisation."""

    name: str
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    train_w: Part
    train_alpha: Part
    val: Part
    test: Part

    @property
    def train(self) -> Part:
        """train-w and train-α together: what candidates are retrained on."""
        return Part(torch.cat([self.train_w.x, self.train_alpha.x]), torch.cat([self.train_w.y, self.train_alpha.y]))

    @property
    def channels(self) -> int:
        return int(self.val.x.shape[1])

    def summary(self) -> dict[str, object]:
        """For the run's record."""
        parts = {"train_w": self.train_w, "train_alpha": self.train_alpha, "val": self.val, "test": self.test}
        return {
            "name": self.name,
            "classes": list(self.classes),
            "image": list(self.val.x.shape[1:]),
            "images": {name: len(part) for name, part in parts.items()},
            "mean": list(self.mean),
            "std": list(self.std),
        }


def load_dataset(name: str, device: torch.device | str = "cpu") -> Dataset:
    """`digits` or the path of an .npz file; DataError says what is wrong and what would be right."""
    x, y, x_test, y_test, classes = _digits() if name == "digits" else _npz(Path(name))
    train, val = _split(y, VAL_SHARE)
    part_w, part_alpha = _split(y[train], 0.5)
    mean, std = x[train].mean((0, 2, 3)), x[train].std((0, 2, 3))
    if (std == 0).any():
        raise DataError(f"Every pixel of a channel of {name} has the same value; there is nothing to learn.")

    def part(images: np.ndarray, labels: np.ndarray) -> Part:
        scaled = (images - mean[:, None, None]) / std[:, None, None]
        return Part(torch.from_numpy(scaled.astype(np.float32)).to(device), torch.from_numpy(labels).to(device))

    return Dataset(
        name,
        classes,
        tuple(map(float, mean)),
        tuple(map(float, std)),
        part(x[train[part_w]], y[train[part_w]]),
        part(x[train[part_alpha]], y[train[part_alpha]]),
        part(x[val], y[val]),
        part(x_test, y_test),
    )


def batches(count: int, size: int, generator: torch.Generator) -> list[Tensor]:
    """One epoch: a random order cut into batches of `size`; a last batch of one image joins the one before it."""
    order = torch.randperm(count, generator=generator)
    cut = list(order.split(size))
    if len(cut) > 1 and len(cut[-1]) == 1:
        cut[-2:] = [torch.cat(cut[-2:])]
    return cut


Arrays = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, tuple[str, ...]]


def _digits() -> Arrays:
    from sklearn.datasets import load_digits

    digits = load_digits()
    x, y = digits.images[:, None] / 16.0, digits.target.astype(np.int64)
    rest, test = _split(y, 0.2)
    return x[rest], y[rest], x[test], y[test], tuple(map(str, range(10)))


def _npz(path: Path) -> Arrays:
    if path.suffix != ".npz" or not path.is_file():
        raise DataError(f"Unknown dataset {str(path)!r}: give 'digits' or the path of an existing .npz file.")
    try:
        arrays = read_arrays(path)
    except StorageError as error:
        raise DataError(str(error)) from None
    if missing := sorted({"x_train", "y_train", "x_test", "y_test"} - set(arrays)):
        raise DataError(f"{path.name} lacks {', '.join(missing)}; it needs x_train, y_train, x_test and y_test.")
    (x, y), (x_test, y_test) = (_images(path, arrays, part) for part in ("train", "test"))
    if not len(x_test):
        raise DataError(f"{path.name} has no test images.")
    if x.shape[1:] != x_test.shape[1:]:
        raise DataError(
            f"Training and test images of {path.name} differ in shape: {x.shape[1:]} and {x_test.shape[1:]}."
        )
    if not len(y):
        raise DataError(f"{path.name} has no training images.")
    count = int(max(y.max(), y_test.max())) + 1
    _check_labels(path, y, count)
    names = [str(c) for c in arrays["classes"].ravel()] if "classes" in arrays else []
    return x, y, x_test, y_test, tuple(names) if len(names) == count else tuple(map(str, range(count)))


def _images(path: Path, arrays: dict[str, np.ndarray], part: str) -> tuple[np.ndarray, np.ndarray]:
    x, y = arrays[f"x_{part}"], arrays[f"y_{part}"].ravel()
    if x.ndim == 3:
        x = x[..., None]
    if x.ndim != 4 or x.shape[-1] not in (1, 3) or min(x.shape[1:3]) < 4 or x.dtype.kind not in "uif":
        raise DataError(
            f"x_{part} of {path.name} must be numbers (n, H, W) or (n, H, W, 1 or 3), H, W ≥ 4; got {x.dtype} {x.shape}."
        )
    if len(x) != len(y) or y.dtype.kind not in "ui" or (len(y) and y.min() < 0):
        raise DataError(
            f"y_{part} of {path.name} must hold {len(x)} whole-number labels from 0; got {y.dtype} {y.shape}."
        )
    if x.dtype.kind == "f" and not np.isfinite(x).all():
        raise DataError(
            f"x_{part} of {path.name} has {int((~np.isfinite(x)).sum())} NaN or infinite pixels; clean them first."
        )
    scale = 255.0 if x.dtype == np.uint8 else 1.0
    return np.moveaxis(x, -1, 1).astype(np.float32) / scale, y.astype(np.int64)


def _check_labels(path: Path, y: np.ndarray, count: int) -> None:
    present = np.bincount(y, minlength=count)
    if (present > 0).sum() < 2:
        raise DataError(f"{path.name} has images of one class only; a classifier needs at least two.")
    if (present < 5).any():
        scarce = int(np.argmin(present))
        raise DataError(
            f"Class {scarce} of {path.name} has {present[scarce]} training images; the split needs at least 5 of each."
        )


def _split(y: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Indices of two parts, the second with `share` of each class (at least one image), in a fixed random order."""
    rng = np.random.default_rng(SPLIT_SEED)
    second = np.zeros(len(y), bool)
    for label in np.unique(y):
        members = rng.permutation(np.flatnonzero(y == label))
        second[members[: max(1, round(share * len(members)))]] = True
    order = rng.permutation(len(y))
    return order[~second[order]], order[second[order]]
