"""Durable files: each write goes to a temporary name, is flushed to disk and renamed, so a reader never sees half a file."""

from __future__ import annotations

import io
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from edgenes_core import EdgeNESError

SCHEMA = 1
T = TypeVar("T")


class StorageError(EdgeNESError):
    """A file that cannot be written, or one that is missing, torn, or of another schema."""


def write_bytes(path: Path, content: bytes) -> None:
    """Replace `path` by `content` in one step; StorageError if the folder or disk refuses, the old file stays."""
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            temporary = file.name
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)
        raise StorageError(
            f"Cannot write {path}: {error.strerror or error}. What was stored before is intact; free space or "
            "choose a folder you may write to (--runs DIR)."
        ) from None


@contextmanager
def staged(parent: Path) -> Iterator[Path]:
    """A folder beside its final place, to be filled and renamed there in one step; whatever is left at the end is removed."""
    hidden = None
    try:
        parent.mkdir(parents=True, exist_ok=True)
        hidden = Path(tempfile.mkdtemp(prefix=".staged-", dir=parent))
        (hidden / "new").mkdir()
        yield hidden / "new"
    except OSError as error:
        raise StorageError(
            f"Cannot write to {parent}: {error.strerror or error}. What was stored before is intact; free space or "
            "choose a folder you may write to (--runs DIR)."
        ) from None
    finally:
        if hidden:
            shutil.rmtree(hidden, ignore_errors=True)


def write_json(path: Path, data: dict[str, Any]) -> None:
    """Write a JSON object with the schema version."""
    write_bytes(path, json.dumps({"schema": SCHEMA, **data}, indent=1, allow_nan=False).encode())


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; StorageError if missing, torn, not an object, or written by a newer version."""
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise StorageError(f"Cannot read {path}: {error.strerror or error}.") from None
    except (ValueError, RecursionError):
        raise StorageError(
            f"{path} is damaged: it is not complete JSON. Restore it from a copy or remove it."
        ) from None
    if not isinstance(data, dict):
        raise StorageError(f"{path} must hold a JSON object, got {type(data).__name__}.")
    if data.pop("schema", None) != SCHEMA:
        raise StorageError(
            f"{path} does not have schema version {SCHEMA}; it was written by another version of EdgeNES Explorer."
        )
    return data


@contextmanager
def fields(path: Path) -> Iterator[None]:
    """Use around the fields of a file: one that is missing or of another kind becomes a StorageError."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise StorageError(
            f"{path} is damaged: a field is missing or of another kind ({type(error).__name__}: {error}). "
            "Restore it from a copy or remove it."
        ) from None


def write_array(path: Path, array: np.ndarray) -> None:
    """Write one array as .npy, without pickle."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    write_bytes(path, buffer.getvalue())


def write_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Write named arrays as compressed .npz, without pickle."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    write_bytes(path, buffer.getvalue())


def read_array(path: Path) -> np.ndarray:
    """Read a .npy; StorageError if missing, damaged, or holding pickled objects."""
    return _parsed(path, ".npy", lambda file: np.lib.format.read_array(file, allow_pickle=False))


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read an .npz; StorageError if missing, damaged, or holding pickled objects."""

    def parse(file: io.BytesIO) -> dict[str, np.ndarray]:
        with np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}

    return _parsed(path, ".npz", parse)


def _parsed(path: Path, kind: str, parse: Callable[[io.BytesIO], T]) -> T:
    try:
        return parse(io.BytesIO(path.read_bytes()))
    except OSError as error:
        raise StorageError(f"Cannot read {path}: {error.strerror or error}.") from None
    except Exception as error:  # on damaged bytes the parsers raise whatever they stumble on
        raise StorageError(
            f"{path} is damaged: it is not a whole {kind} of plain arrays ({type(error).__name__}: {error}). "
            "Restore it from a copy or remove it."
        ) from None


def write_tensors(path: Path, **arrays: np.ndarray) -> None:
    """Write named arrays as .safetensors."""
    from safetensors.numpy import save

    write_bytes(path, save({name: np.ascontiguousarray(array) for name, array in arrays.items()}))


def read_tensors(path: Path) -> dict[str, np.ndarray]:
    """Read a .safetensors file; StorageError if missing or damaged."""
    from safetensors.numpy import load

    return _parsed(path, ".safetensors", lambda file: load(file.getvalue()))


def append_line(path: Path, data: dict[str, Any]) -> None:
    """Append one JSON line in a single write, so that readers see whole lines or a torn last one.

    A last line that a killed writer left torn is closed first: only that line is lost.
    """
    line = (json.dumps(data, separators=(",", ":")) + "\n").encode()
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            size = os.lseek(descriptor, 0, os.SEEK_END)
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                line = b"\n" + line
            if os.write(descriptor, line) < len(line):
                raise OSError("the disk is full")
        finally:
            os.close(descriptor)
    except OSError as error:
        raise StorageError(f"Cannot append to {path}: {error.strerror or error}.") from None


def read_lines(path: Path, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
    """JSON lines from a byte offset, and the offset to go on from; a torn or unreadable line is skipped."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            content = file.read()
    except FileNotFoundError:
        return [], 0
    except OSError as error:
        raise StorageError(f"Cannot read {path}: {error.strerror or error}.") from None
    whole = content[: content.rfind(b"\n") + 1]
    return list(_objects(whole)), offset + len(whole)


def _objects(content: bytes) -> Iterator[dict[str, Any]]:
    for line in content.splitlines():
        try:
            data = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(data, dict):
            yield data
