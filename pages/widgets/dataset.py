"""Which images to train on: the digits that ship with the software, or an .npz file, checked by its headers alone."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import streamlit as st

from edgenes_core.storage import StorageError, write_bytes
from pages.widgets import session

NEEDED = ("x_train", "y_train", "x_test", "y_test")
MOST_MB = 200
DIGITS = "digits"


class Header(NamedTuple):
    """Shape and type of a stored array, read without its content."""

    shape: tuple[int, ...]
    dtype: np.dtype


def dataset_choice(*, key: str) -> str | None:
    """`digits` or the path of a checked .npz file; None while none is given or the one given cannot be used."""
    kind = st.segmented_control("Images", (DIGITS, ".npz file"), default=DIGITS, required=True, key=f"{key}_kind")
    if kind == DIGITS:
        st.caption("1797 handwritten digits of 8 × 8 pixels; they come with scikit-learn, nothing is downloaded.")
        return DIGITS
    left, right = st.columns(2, gap="medium")
    path = left.text_input("Path on this machine", key=f"{key}_path", placeholder="/data/images.npz")
    upload = right.file_uploader("or upload it", type="npz", max_upload_size=MOST_MB, key=f"{key}_upload")
    st.caption(
        "Arrays x_train (n, H, W) or (n, H, W, 1 or 3), y_train (n) from 0, x_test, y_test. Never pickled objects."
    )
    with session.guard():
        if upload is not None:
            return str(stored(upload.getvalue(), session.store().root))
        if path.strip():
            file = Path(path.strip()).expanduser().resolve()
            describe(file, headers_of(file))
            return str(file)
    return None


def stored(content: bytes, root: Path) -> Path:
    """Keep an uploaded file under the runs' folder, named by its content; StorageError if it is too large or unusable."""
    if len(content) > MOST_MB << 20:
        raise StorageError(
            f"An uploaded file may have {MOST_MB} MB, this one has {len(content) >> 20}; give its path instead."
        )
    headers = check(read_headers(io.BytesIO(content), "The uploaded file"), "The uploaded file")
    file = root.resolve() / "datasets" / f"{hashlib.sha256(content).hexdigest()[:12]}.npz"
    if not file.exists():
        write_bytes(file, content)
    describe(file, headers)
    return file


def headers_of(path: Path) -> dict[str, Header]:
    """Checked headers of an .npz file on this machine."""
    try:
        with path.open("rb") as file:
            return check(read_headers(file, str(path)), str(path))
    except OSError as error:
        raise StorageError(f"Cannot read {path}: {error.strerror or error}. Give the path of an .npz file.") from None


def read_headers(file: BinaryIO, name: str) -> dict[str, Header]:
    """Shape and type of each array of an .npz, without unpacking any; StorageError if it is none."""
    try:
        with zipfile.ZipFile(file) as archive:
            return {member.removesuffix(".npy"): _header(archive, member) for member in archive.namelist()}
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, KeyError, NotImplementedError) as error:
        raise StorageError(f"{name} is no .npz file of plain arrays: {error}.") from None


def check(headers: dict[str, Header], name: str) -> dict[str, Header]:
    """The same headers, if they can be trained on; StorageError names the first rule that is broken."""
    if missing := [needed for needed in NEEDED if needed not in headers]:
        raise StorageError(f"{name} lacks {', '.join(missing)}; it needs {', '.join(NEEDED)}.")
    for part in ("train", "test"):
        x, y = headers[f"x_{part}"], headers[f"y_{part}"]
        colours = len(x.shape) == 3 or (len(x.shape) == 4 and x.shape[3] in (1, 3))
        if not colours or x.dtype.kind not in "uif":
            raise StorageError(
                f"x_{part} must be numbers of shape (n, H, W) or (n, H, W, 1 or 3), got {x.dtype} {x.shape} in {name}."
            )
        if y.dtype.kind not in "ui" or int(np.prod(y.shape)) != x.shape[0]:
            raise StorageError(
                f"y_{part} must be {x.shape[0]} whole numbers, one per image, got {y.dtype} {y.shape} in {name}."
            )
    if headers["x_train"].shape[1:] != headers["x_test"].shape[1:]:
        raise StorageError(
            f"Training and test images must have one shape, got {headers['x_train'].shape[1:]} and "
            f"{headers['x_test'].shape[1:]} in {name}."
        )
    return headers


def describe(file: Path, headers: dict[str, Header]) -> None:
    """What was found, in one line."""
    train, test = headers["x_train"].shape, headers["x_test"].shape
    size = " × ".join(map(str, train[1:]))
    st.caption(f":material/check: {train[0]} training and {test[0]} test images of {size}, in `{file}`.")


def _header(archive: zipfile.ZipFile, member: str) -> Header:
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
    if dtype.hasobject:
        raise ValueError(f"{member} holds pickled objects, which could run code")
    return Header(shape, dtype)
