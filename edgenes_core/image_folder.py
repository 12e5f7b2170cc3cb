"""Own images as files: `train/<class>/*` and `test/<class>/*`, PNG or JPEG.

All images must have one size: nothing is resized behind the user's back. If every image is grey there is one channel, else
three. Names that start with a dot and files of other kinds are passed over. A header tells an image's size, so an image that
is too large is refused before it is unpacked.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edgenes_core import one_line
from edgenes_core.catalogue import DataError
from edgenes_core.npz_file import LEAST_SIDE, MOST_BYTES

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = (".png", ".jpg", ".jpeg")
MOST_SIDE = 1024
GREY, COLOUR = ("1", "L"), ("RGB", "RGBA", "P", "LA", "PA", "CMYK", "YCbCr")


class Listing(NamedTuple):
    """Class names in alphabetic order, and per part the files with their class numbers, in order of class and name."""

    classes: tuple[str, ...]
    train: tuple[Path, ...]
    y_train: np.ndarray
    test: tuple[Path, ...]
    y_test: np.ndarray


def list_folder(folder: Path) -> Listing:
    """What the folder holds, without opening an image; DataError if a part or class is missing or empty."""
    parts = {part: _classes(folder / part) for part in ("train", "test")}
    classes = tuple(sorted(parts["train"]))
    if strange := sorted(set(parts["test"]) - set(classes)):
        raise DataError(
            f"{folder / 'test' / strange[0]} has no counterpart in train/; its classes are those of train/."
        )
    train = [(path, i) for i, name in enumerate(classes) for path in parts["train"][name]]
    test = [(path, i) for i, name in enumerate(classes) for path in parts["test"].get(name, ())]
    return Listing(tuple(map(one_line, classes)), *_columns(train), *_columns(test))


def read_files(paths: Sequence[Path]) -> np.ndarray:
    """Images (n, H, W, 1 or 3) uint8; DataError names the file that is damaged, too large, or of another size."""
    opened = [_opened(path) for path in paths]
    sizes = Counter(size for size, _ in opened)
    (width, height), _ = sizes.most_common(1)[0]
    for path, (size, _) in zip(paths, opened, strict=True):
        if size != (width, height):
            raise DataError(
                f"{path} has {size[0]} × {size[1]} pixels, {sizes[width, height]} of {len(paths)} images have "
                f"{width} × {height}; give all images one size."
            )
    colour = any(mode not in GREY for _, mode in opened)
    if len(paths) * width * height * (3 if colour else 1) > MOST_BYTES:
        raise DataError(f"{len(paths)} images of {width} × {height} take over {MOST_BYTES >> 30} GB; use smaller ones.")
    pixels = np.empty((len(paths), height, width, 3 if colour else 1), np.uint8)
    for row, path in zip(pixels, paths, strict=True):
        row[:] = _pixels(path, "RGB" if colour else "L")
    return pixels


def _opened(path: Path) -> tuple[tuple[int, int], str]:
    """Width, height and colour mode from an image's header."""
    with _image(path) as image:
        size, mode = image.size, image.mode
    if mode not in (*GREY, *COLOUR):
        raise DataError(f"{path} has pixels of mode {mode}; give 8-bit grey or colour images.")
    if not LEAST_SIDE <= min(size) <= max(size) <= MOST_SIDE:
        raise DataError(f"{path} has {size[0]} × {size[1]} pixels; each side may have {LEAST_SIDE} to {MOST_SIDE}.")
    return size, mode


def _pixels(path: Path, mode: str) -> np.ndarray:
    """(H, W, 1 or 3) uint8."""
    with _image(path) as image:
        try:
            found = np.asarray(image.convert(mode))
        except Exception as error:  # on damaged bytes the decoders raise whatever they stumble on
            raise _damaged(path, error) from None
    return found[..., None] if found.ndim == 2 else found


def _image(path: Path) -> Image.Image:
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a picture of too many pixels: MOST_SIDE refuses far smaller ones
        try:
            return Image.open(path, formats=("PNG", "JPEG"))
        except (Image.UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError) as error:
            raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(f"{path} is no whole PNG or JPEG image ({type(error).__name__}); mend it or take it away.")


def _classes(part: Path) -> dict[str, list[Path]]:
    """Image files of each class folder, in order of name."""
    try:
        folders = [entry for entry in part.iterdir() if entry.is_dir() and not entry.name.startswith(".")]
        found = {folder.name: sorted(filter(_is_image, folder.iterdir())) for folder in folders}
    except OSError as error:
        raise DataError(
            f"Cannot read {part}: {error.strerror or error}. An image folder has train/<class>/ and test/<class>/."
        ) from None
    if not found:
        raise DataError(f"{part} has no class folders; an image folder has train/<class>/ and test/<class>/.")
    for name, paths in found.items():
        if not paths:
            raise DataError(f"{part / name} has no PNG or JPEG image; add some or take the folder away.")
    return found


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def _columns(rows: Iterable[tuple[Path, int]]) -> tuple[tuple[Path, ...], np.ndarray]:
    rows = list(rows)
    return tuple(path for path, _ in rows), np.array([label for _, label in rows], np.int64)
