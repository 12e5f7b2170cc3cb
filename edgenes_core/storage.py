"""The files of a run: JSON, lines of JSON, arrays. Each is written whole and durably (see `durable`) and never pickled; what
cannot be written or read is said in one sentence that names the file."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from edgenes_core import EdgeNESError, __version__, durable
from edgenes_core.processes import lock

SCHEMA = 1  # of every JSON file; docs/adr/0016-schema-versions.md says when it grows
MOST_UNPACKED = 256 << 20  # bytes of an .npz: a small file may claim any size
RESTORE = "Restore it from a copy or remove it."
T = TypeVar("T")


class StorageError(EdgeNESError):
    """A file that cannot be written, or one that is missing, torn, or of another schema."""


def write_bytes(path: Path, content: bytes) -> None:
    """Replace `path` by `content` in one step; StorageError if the folder or disk refuses, the old file stays."""
    with writing(f"write {path}"):
        durable.replace(path, content)


@contextmanager
def staged(parent: Path) -> Iterator[Path]:
    """A folder beside its final place, to be filled and moved there in one step; whatever is left at the end is removed."""
    with writing(f"write to {parent}"), durable.staged(parent) as folder:
        yield folder


@contextmanager
def writing(what: str) -> Iterator[None]:
    """Use around all that changes a folder: what the disk refuses becomes a StorageError."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"Cannot {what}: {error.strerror or error}. What was stored before is intact; free space or "
            "choose a folder you may write to (--runs DIR)."
        ) from None


def locked(path: Path, seconds: float, what: str, busy: EdgeNESError) -> int:
    """Hold a file's lock; the caller closes the descriptor. `busy` if another process holds it for so many seconds."""
    try:
        return lock(path, seconds)
    except BlockingIOError:
        raise busy from None
    except OSError as error:
        raise StorageError(f"Cannot {what}: {error.strerror or error}. Copy it to a folder you may write to.") from None


def write_json(path: Path, data: dict[str, Any]) -> None:
    """Write a JSON object with the schema version."""
    write_bytes(path, json.dumps({"schema": SCHEMA, **data}, indent=1, allow_nan=False).encode())


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; StorageError if missing, torn, not an object, or of another schema."""
    try:
        data = json.loads(_content(path))
    except (ValueError, RecursionError):
        raise StorageError(f"{path} is damaged: it is not complete JSON. {RESTORE}") from None
    if not isinstance(data, dict):
        raise StorageError(f"{path} must hold a JSON object, got {type(data).__name__}. {RESTORE}")
    schema = data.pop("schema", None)
    if type(schema) is not int or schema < SCHEMA:
        raise StorageError(f"{path} is damaged: it has no schema version that ever was. {RESTORE}")
    if schema > SCHEMA:
        raise StorageError(f"{path} has schema {schema}, and only schema {SCHEMA} is read here. {newer(path)}")
    return data


def newer(path: Path) -> str:
    """What to do about a file of a later version; which one that is, run.json says, of whatever schema it is."""
    writer = next(filter(None, map(_writer, (path, *(above / "run.json" for above in path.parents[:3])))), "")
    return (
        f"It was written by {f'version {writer}' if writer else 'a later version'} of EdgeNES Explorer, this is {__version__}: "
        f"update to {writer or 'that version'} or later; nothing was changed."
    )


def _writer(file: Path) -> str:
    try:
        version = json.loads(file.read_bytes())["versions"]["edgenes"]
        return version if re.fullmatch(r"[0-9A-Za-z.+-]{1,20}", version) else ""
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return ""


@contextmanager
def fields(path: Path) -> Iterator[None]:
    """Use around the fields of a file: one that is missing or of another kind becomes a StorageError that names the file."""
    try:
        yield
    except StorageError:
        raise
    except EdgeNESError as error:
        raise StorageError(f"{path} is damaged: {error} {RESTORE}") from None
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise StorageError(
            f"{path} is damaged: a field is missing or of another kind ({type(error).__name__}: {error}). {RESTORE}"
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


def read_stack(files: Sequence[Path]) -> np.ndarray:
    """Several .npy of one shape as one array; StorageError if one cannot be read or is of another shape than the first."""
    found = [read_array(file) for file in files]
    for file, array in zip(files, found, strict=True):
        if array.shape != found[0].shape:
            raise StorageError(
                f"{file} does not fit {files[0]}: shapes {array.shape} and {found[0].shape}, so they are of different images or "
                f"classes. {RESTORE}"
            )
    return np.stack(found)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read an .npz; StorageError if missing, damaged, holding pickled objects, or far larger unpacked than any of a run."""

    def parse(file: io.BytesIO) -> dict[str, np.ndarray]:
        with zipfile.ZipFile(file) as packed:
            if (size := sum(entry.file_size for entry in packed.infolist())) > MOST_UNPACKED:
                raise ValueError(f"it unpacks to {size >> 20} MB, at most {MOST_UNPACKED >> 20} MB are read")
        with np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}

    return _parsed(path, ".npz", parse)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StorageError(f"Cannot read {path}: {error.strerror or error}. {RESTORE}") from None


def _parsed(path: Path, kind: str, parse: Callable[[io.BytesIO], T]) -> T:
    content = _content(path)
    try:
        return parse(io.BytesIO(content))
    except Exception as error:  # on damaged bytes the parsers raise whatever they stumble on
        raise StorageError(
            f"{path} is damaged: it is not a whole {kind} of plain arrays ({type(error).__name__}: {error}). {RESTORE}"
        ) from None


def write_tensors(path: Path, **arrays: np.ndarray) -> None:
    """Write named arrays as .safetensors."""
    from safetensors.numpy import save

    write_bytes(path, save({name: np.ascontiguousarray(array) for name, array in arrays.items()}))


def read_tensors(path: Path) -> dict[str, np.ndarray]:
    """Read a .safetensors file; StorageError if missing or damaged."""
    from safetensors.numpy import load

    return _parsed(path, ".safetensors", lambda file: load(file.getvalue()))


def append_line(path: Path, data: dict[str, Any], *, kept: bool = True) -> None:
    """Append one JSON line; it is on the disk on return, unless it is not `kept`: then a power cut may lose it."""
    line = (json.dumps(data, separators=(",", ":")) + "\n").encode()
    with writing(f"append to {path}"):
        durable.append(path, line, kept=kept)


def read_lines(path: Path, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
    """JSON lines from a byte offset, and the offset to go on from; a torn or unreadable line is skipped."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            content = file.read()
    except FileNotFoundError:
        return [], 0
    except OSError as error:
        raise StorageError(f"Cannot read {path}: {error.strerror or error}. {RESTORE}") from None
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
