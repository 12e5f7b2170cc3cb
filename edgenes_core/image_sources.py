"""Images by name or path, as arrays: `digits`, a named dataset, an .npz file, or a folder of image files.

The four sources end in one form, `Images`; whatever is wrong with one of them is said in a sentence. A named dataset other
than digits is read from the data folder and never downloaded here (see `downloads`).
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from edgenes_core import catalogue, one_line
from edgenes_core.catalogue import KNOWN, DataError
from edgenes_core.image_folder import list_folder, read_files
from edgenes_core.npz_file import read_npz
from edgenes_core.splits import split

LEAST_PER_CLASS = 5


class Images(NamedTuple):
    """Images (n, H, W, channels), uint8 or float, labels (n,) int64 from 0, and a name for each class."""

    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    classes: tuple[str, ...]


def read_images(name: str) -> Images:
    """All images of a dataset, checked; DataError says what is wrong and what would be right."""
    if name == "digits":
        return _digits()
    if name in KNOWN:
        return _arrays(known_file(name))
    path = Path(name)
    if path.suffix == ".npz" and path.is_file():
        return _arrays(path)
    if path.is_dir():
        return _files(path)
    raise catalogue.unknown(name)


def known_file(name: str) -> Path:
    """The .npz of a named dataset; DataError says how to get one that is not there yet."""
    if not catalogue.present(name):
        raise DataError(
            f"{KNOWN[name].title} is not in {catalogue.data_folder()} yet ({name}.npz is missing); "
            f"get it with: python -m edgenes_core download {name}"
        )
    return catalogue.stored_file(name)


def class_names(names: np.ndarray | None, count: int) -> tuple[str, ...]:
    """The names stored with the images, if there are as many as classes, else the numbers."""
    try:
        given = () if names is None else tuple(one_line(str(name)) for name in names.ravel())
    except SystemError:  # numpy's for letters that Unicode does not have
        given = ()
    return given if len(given) == count else tuple(map(str, range(count)))


def check_labels(name: str, y: np.ndarray, y_test: np.ndarray) -> int:
    """Number of classes; DataError if labels are negative or a class has too few training images for the split."""
    if min(y.min(), y_test.min()) < 0:
        raise DataError(f"Labels of {name} must be whole numbers from 0, got {min(y.min(), y_test.min())}.")
    count = int(max(y.max(), y_test.max())) + 1
    if count > len(y):
        raise DataError(f"{name} has label {count - 1} but only {len(y)} training images; number the classes from 0.")
    present = np.bincount(y, minlength=count)
    if (present > 0).sum() < 2:
        raise DataError(f"{name} has images of one class only; a classifier needs at least two.")
    if (present < LEAST_PER_CLASS).any():
        scarce = int(np.argmin(present))
        raise DataError(
            f"Class {scarce} of {name} has {present[scarce]} training images; the split needs at least "
            f"{LEAST_PER_CLASS} of each."
        )
    return count


def _digits() -> Images:
    from sklearn.datasets import load_digits

    digits = load_digits()
    x, y = digits.images[..., None] / 16.0, digits.target.astype(np.int64)
    rest, test = split(y, 0.2)
    return Images(x[rest], y[rest], x[test], y[test], tuple(map(str, range(10))))


def _arrays(path: Path) -> Images:
    arrays = read_npz(path)
    x, x_test = (_pixels(path, arrays, name) for name in ("x_train", "x_test"))
    y, y_test = (arrays[name].ravel().astype(np.int64) for name in ("y_train", "y_test"))
    count = check_labels(path.name, y, y_test)
    return Images(x, y, x_test, y_test, class_names(arrays.get("classes"), count))


def _pixels(path: Path, arrays: dict[str, np.ndarray], name: str) -> np.ndarray:
    x = arrays[name]
    if x.dtype.kind == "f" and not np.isfinite(x).all():
        raise DataError(
            f"{name} of {path.name} has {int((~np.isfinite(x)).sum())} NaN or infinite pixels; clean them first."
        )
    return x if x.dtype == np.uint8 else x.astype(np.float32)


def _files(folder: Path) -> Images:
    listing = list_folder(folder)
    check_labels(str(folder), listing.y_train, listing.y_test)
    pixels = read_files((*listing.train, *listing.test))
    cut = len(listing.train)
    return Images(pixels[:cut], listing.y_train, pixels[cut:], listing.y_test, listing.classes)
