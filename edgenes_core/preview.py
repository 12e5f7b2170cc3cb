"""What a dataset holds, cheaply: sizes, counts per class and part, a few training images. Nothing is unpacked as a whole."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from edgenes_core import catalogue
from edgenes_core.catalogue import KNOWN
from edgenes_core.image_folder import list_folder, read_files
from edgenes_core.image_sources import check_labels, class_names, known_file, read_images
from edgenes_core.npz_file import headers_of, pick, read_members
from edgenes_core.splits import split_rows

PER_CLASS = 4


class Preview(NamedTuple):
    """`counts` (C, 4) are images per class in train-w, train-α, val and test; `samples` C arrays (n, H, W, 1 or 3) uint8.

    `shape` is (H, W, channels) as networks see it, `kind` the type of a stored pixel.
    """

    shape: tuple[int, int, int]
    kind: str
    classes: tuple[str, ...]
    counts: np.ndarray
    samples: tuple[np.ndarray, ...]


def preview(name: str, per_class: int = PER_CLASS) -> Preview:
    """Look at a known dataset that is present, an .npz file or an image folder; DataError as `read_images` gives."""
    if name in KNOWN and KNOWN[name].files:
        found, pad = _of_file(known_file(name), per_class), KNOWN[name].pad
        height, width, channels = found.shape
        return found._replace(shape=(height + 2 * pad, width + 2 * pad, channels))
    if name in KNOWN:
        return _of_digits(name, per_class)
    path = Path(name)
    if path.suffix == ".npz" and path.is_file():
        return _of_file(path, per_class)
    if path.is_dir():
        return _of_folder(path, per_class)
    raise catalogue.unknown(name)


def stamp(name: str) -> tuple[int, ...]:
    """Changes whenever the dataset's files do: the key of a cache. Empty if there are none."""
    path = catalogue.stored_file(name) if name in KNOWN else Path(name)
    try:
        if not path.is_dir():
            found = path.stat()
            return (found.st_mtime_ns, found.st_size)
        classes = [
            entry for part in ("train", "test") for entry in sorted(os.scandir(path / part), key=lambda e: e.name)
        ]
        return tuple(entry.stat().st_mtime_ns for entry in classes)
    except OSError:
        return ()


def _of_digits(name: str, per_class: int) -> Preview:
    images = read_images(name)
    rows = _first(images.y, len(images.classes), per_class)
    samples = tuple(to_bytes(images.x[chosen]) for chosen in rows)
    counts = _counts(images.y, images.y_test, len(images.classes))
    return Preview(KNOWN[name].shape, "0 to 16", images.classes, counts, samples)


def _of_file(path: Path, per_class: int) -> Preview:
    header = headers_of(path)["x_train"]
    arrays = read_members(path, ("y_train", "y_test", "classes"))
    y, y_test = (arrays[name].ravel().astype(np.int64) for name in ("y_train", "y_test"))
    count = check_labels(path.name, y, y_test)
    rows = _first(y, count, per_class)
    shown = np.sort(np.concatenate(rows))
    pixels = to_bytes(pick(path, "x_train", shown).reshape(len(shown), *header.shape[1:3], -1))
    samples = tuple(pixels[np.searchsorted(shown, chosen)] for chosen in rows)
    return Preview(
        pixels.shape[1:],
        str(header.dtype),
        class_names(arrays.get("classes"), count),
        _counts(y, y_test, count),
        samples,
    )


def _of_folder(path: Path, per_class: int) -> Preview:
    listing = list_folder(path)
    count = check_labels(str(path), listing.y_train, listing.y_test)
    rows = _first(listing.y_train, count, per_class)
    pixels = read_files([listing.train[row] for row in np.concatenate(rows)])
    samples = tuple(np.split(pixels, np.cumsum([len(chosen) for chosen in rows])[:-1]))
    counts = _counts(listing.y_train, listing.y_test, count)
    return Preview(pixels.shape[1:], "uint8", listing.classes, counts, samples)


def _first(y: np.ndarray, count: int, per_class: int) -> list[np.ndarray]:
    """Rows of the first images of each class."""
    order = np.argsort(y, kind="stable")
    groups = np.split(order, np.searchsorted(y[order], np.arange(1, count)))
    return [group[:per_class] for group in groups]


def _counts(y: np.ndarray, y_test: np.ndarray, count: int) -> np.ndarray:
    parts = [*(y[rows] for rows in split_rows(y)), y_test]
    return np.stack([np.bincount(labels, minlength=count) for labels in parts], axis=1)


def to_bytes(x: np.ndarray) -> np.ndarray:
    """Pixels for showing: bytes as they are, other numbers stretched from their least to their largest finite one."""
    if x.dtype == np.uint8:
        return x
    finite = x[np.isfinite(x)].astype(float)
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 0.0)
    with np.errstate(all="ignore"):  # what cannot be stretched is shown black
        return np.nan_to_num((x - low) / (high - low or 1.0) * 255).clip(0, 255).astype(np.uint8)
