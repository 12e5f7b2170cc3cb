"""Own images as an .npz: `x_train y_train x_test y_test`, optional `classes`; checked by its headers before it is unpacked.

Images are (n, H, W) or (n, H, W, 1 or 3), uint8 or other numbers; labels are whole numbers from 0; never pickled objects.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from edgenes_core.catalogue import DataError

NEEDED = ("x_train", "y_train", "x_test", "y_test")
LEAST_SIDE = 4
MOST_BYTES = 8 << 30  # unpacked: a small file may claim any size


class Header(NamedTuple):
    """Shape and type of a stored array, read without its content."""

    shape: tuple[int, ...]
    dtype: np.dtype


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """All arrays of a checked file, the images as (n, H, W, channels); DataError says what is wrong."""
    arrays = read_members(path, tuple(headers_of(path)))
    return arrays | {x: _with_channels(arrays[x]) for x in ("x_train", "x_test")}


def headers_of(path: Path) -> dict[str, Header]:
    """Checked headers of an .npz file on this machine; DataError if it cannot be read or used."""
    try:
        with path.open("rb") as file:
            return check_headers(read_headers(file, str(path)), str(path))
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror or error}. Give the path of an .npz file.") from None


def read_headers(file: IO[bytes], name: str) -> dict[str, Header]:
    """Shape and type of each array of an .npz, without unpacking any; DataError if it is none."""
    try:
        with zipfile.ZipFile(file) as archive:
            return {member.removesuffix(".npy"): _header(archive, member) for member in archive.namelist()}
    except Exception as error:  # on damaged bytes the parsers raise whatever they stumble on
        raise DataError(f"{name} is not a whole .npz of plain arrays: {error}.") from None


def check_headers(headers: dict[str, Header], name: str) -> dict[str, Header]:
    """The same headers, if they can be trained on; DataError names the first rule that is broken."""
    if missing := [needed for needed in NEEDED if needed not in headers]:
        raise DataError(f"{name} lacks {', '.join(missing)}; it needs {', '.join(NEEDED)}.")
    for part in ("train", "test"):
        x, y = headers[f"x_{part}"], headers[f"y_{part}"]
        image = len(x.shape) == 3 or (len(x.shape) == 4 and x.shape[3] in (1, 3))
        if not image or x.dtype.kind not in "uif" or min(x.shape[1:3]) < LEAST_SIDE:
            raise DataError(
                f"x_{part} must be numbers of shape (n, H, W) or (n, H, W, 1 or 3) with H, W ≥ {LEAST_SIDE}, "
                f"got {x.dtype} {x.shape} in {name}."
            )
        if y.dtype.kind not in "ui" or int(np.prod(y.shape)) != x.shape[0]:
            raise DataError(
                f"y_{part} must be {x.shape[0]} whole numbers from 0, one per image, got {y.dtype} {y.shape} in {name}."
            )
        if not x.shape[0]:
            raise DataError(f"{name} has no {'training' if part == 'train' else 'test'} images.")
    if (size := sum(h.dtype.itemsize * math.prod(h.shape) for h in headers.values())) > MOST_BYTES:
        raise DataError(
            f"{name} unpacks to {size >> 30} GB, at most {MOST_BYTES >> 30} GB are read; store fewer images."
        )
    if _image(headers["x_train"]) != _image(headers["x_test"]):
        raise DataError(
            f"Training and test images must have one shape, got {headers['x_train'].shape[1:]} and "
            f"{headers['x_test'].shape[1:]} in {name}."
        )
    return headers


def read_members(path: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Those of the named arrays that an .npz holds, without unpacking the others; DataError if one is torn."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in names if name in archive.files}
    except Exception as error:  # as above
        raise DataError(f"{path} is not a whole .npz of plain arrays: {error}.") from None


def pick(path: Path, array: str, rows: np.ndarray) -> np.ndarray:
    """Some rows of a stored array, in ascending order, without unpacking what comes after the last; DataError if torn."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(f"{array}.npy") as file:
            header, by_column = _header_of(file)
            if by_column:
                return read_members(path, [array])[array][np.sort(rows)]
            start, size = file.tell(), header.dtype.itemsize * int(np.prod(header.shape[1:]))
            images = []
            for row in np.sort(rows):
                file.seek(start + int(row) * size)
                images.append(np.frombuffer(file.read(size), header.dtype).reshape(header.shape[1:]))
            return np.stack(images)
    except Exception as error:  # as above
        raise DataError(f"{path} is not a whole .npz of plain arrays: {error}.") from None


def _with_channels(x: np.ndarray) -> np.ndarray:
    return x[..., None] if x.ndim == 3 else x


def _image(header: Header) -> tuple[int, ...]:
    return header.shape[1:] if len(header.shape) == 4 else (*header.shape[1:], 1)


def _header(archive: zipfile.ZipFile, member: str) -> Header:
    with archive.open(member) as file:
        try:
            return _header_of(file)[0]
        except ValueError as error:
            raise ValueError(f"{member}: {error}") from None


def _header_of(file: IO[bytes]) -> tuple[Header, bool]:
    """Header of an open .npy, and whether it is stored column by column; the file is then at the first value."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, by_column, dtype = read(file)
    if dtype.hasobject:
        raise ValueError("it holds pickled objects, which could run code")
    return Header(shape, dtype), by_column
