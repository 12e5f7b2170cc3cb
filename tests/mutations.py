"""Hostile bytes: real files changed as an attacker or a bad disk would, by structure where there is one, and bombs."""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
from collections.abc import Callable, Sequence
from typing import Any
from zlib import crc32

import numpy as np
from zips import packed

LONGEST = 1 << 20  # bytes of a mutated file
MARKUP = (
    "<script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "$\\write18{id}$",
    ":material/bug_report:",
)
PATHS = ("../../etc/passwd", "/etc/passwd", "..\\..\\x", "C:\\x", "%2e%2e%2fx", "a\x00b", "‥/x", "n" * 300)
ODD: tuple[Any, ...] = (
    *(None, True, False, -1, 0, 2, 2**31, 10**30, 1e308, -1e-320, float("nan"), float("inf"), float("-inf")),
    *("", "x" * 5000, "\x1b[2J", "\ud800", "a\nb", [], {}, [[]], [None] * 40, {"schema": 99}, *MARKUP, *PATHS),
)
TOKENS = (
    b"null",
    b"NaN",
    b"-1",
    b"1e999",
    b"9" * 5000,
    b"[" * 3000,
    b'{"a":' * 3000,
    b"\xff\xfe",
    b"\x00" * 64,
    b"\n",
    b"PK\x03\x04",
)
SHAPES = ((10**9,), (2**62, 2), (-1,), (0,), (1,) * 40, (10**5, 10**5), (2**31, 2**31), ())
KINDS = ("|O", "<f8", "<i8", "|b1", "<U5", "<U99999999", "<c16", "<M8[s]", ">f4", "|V8", "<f2", "x", "[('a','<f8')]")


def mutate(rng: random.Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """A file changed once to four times; a zip, an array, tensors, JSON and lines of it stay what they are most of the time."""
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        structured = _structured(content) if rng.random() < 0.75 else None
        try:
            with np.errstate(all="ignore"):
                content = structured(rng, content, others) if structured else rng.choice(BYTES)(rng, content, others)
        except (ValueError, RuntimeError, RecursionError):  # changed too often to be changed by its structure
            content = rng.choice(BYTES)(rng, content, others)
    return content[:LONGEST]


def _structured(content: bytes) -> Callable[[random.Random, bytes, Sequence[bytes]], bytes] | None:
    if content.startswith(b"PK"):
        return _zip
    if content.startswith(b"\x93NUMPY"):
        return _array
    if content[8:9] == b"{":
        return _tensors
    return _lines if content.lstrip()[:1] in (b"{", b"[") else None


def _flip(rng: random.Random, content: bytes, others: Sequence[bytes]) -> bytes:
    changed = bytearray(content or b"\x00")
    for _ in range(rng.randint(1, 8)):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _cut(rng: random.Random, content: bytes, others: Sequence[bytes]) -> bytes:
    lo, hi = _span(rng, content)
    return content[:lo] if rng.random() < 0.5 else content[:lo] + content[hi:]


def _repeat(rng: random.Random, content: bytes, others: Sequence[bytes]) -> bytes:
    lo, hi = _span(rng, content)
    return content[:hi] + content[lo:hi] * rng.randint(1, 20) + content[hi:]


def _insert(rng: random.Random, content: bytes, others: Sequence[bytes]) -> bytes:
    lo, hi = _span(rng, content)
    token = rng.choice((*TOKENS, *(text.encode() for text in (*MARKUP, *PATHS))))
    return content[:lo] + token + content[rng.choice((lo, hi)) :]


def _splice(rng: random.Random, content: bytes, others: Sequence[bytes]) -> bytes:
    other = rng.choice(others)
    return content[: _span(rng, content)[0]] + other[_span(rng, other)[0] :]


BYTES = (_flip, _cut, _repeat, _insert, _splice)


def _span(rng: random.Random, content: bytes) -> tuple[int, int]:
    lo = rng.randrange(len(content) + 1)
    return lo, min(len(content), lo + rng.choice((1, 4, 30, 1000)))


def _lines(rng: random.Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """One value of a JSON text, or of one line of JSON lines, becomes something else."""
    try:
        return _json(rng, json.loads(content))
    except (ValueError, RecursionError):
        lines = content.splitlines(keepends=True) or [b""]
    row = rng.randrange(len(lines))
    try:
        lines[row] = _json(rng, json.loads(lines[row])) + b"\n"
    except (ValueError, RecursionError):
        return rng.choice(BYTES)(rng, content, others)
    return b"".join(lines)


def _json(rng: random.Random, data: Any) -> bytes:
    return json.dumps(_changed(rng, data)).encode()


def _changed(rng: random.Random, data: Any) -> Any:
    if isinstance(data, str) and data[:1] == "{" and rng.random() < 0.5:  # cells lie as text inside of JSON
        return _json(rng, json.loads(data)).decode()
    if not isinstance(data, dict | list) or not data or rng.random() < 0.1:
        return rng.choice(ODD)
    places = list(data) if isinstance(data, dict) else list(range(len(data)))
    place, act = rng.choice(places), rng.random()
    if act < 0.15:
        data.pop(place)
    elif act < 0.25 and isinstance(data, dict):
        data[str(rng.choice(ODD))] = data[place]
    elif act < 0.3 and isinstance(data, list):
        data.insert(place, data[place])
    else:
        data[place] = _changed(rng, data[place])
    return data


def _zip(rng: random.Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """One member is changed, renamed, taken out or added; a run's list of hashes is made again, as a forger would."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = {e.filename: archive.read(e) for e in archive.infolist() if e.file_size < LONGEST}
    except Exception:
        return rng.choice(BYTES)(rng, content, others)
    if not files:
        return _flip(rng, content, others)
    name, act = rng.choice(list(files)), rng.random()
    if act < 0.7:
        files[name] = mutate(rng, files[name], others)
    elif act < 0.8:
        del files[name]
    else:
        files[rng.choice((*PATHS, *MARKUP, name + "x"))] = files.pop(name) if act < 0.9 else files[name]
    return packed(files, hashed="run.json" in files or rng.random() < 0.1)


def _array(rng: random.Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """Another shape or type is claimed, or values become odd."""
    try:
        array = np.load(io.BytesIO(content), allow_pickle=False)
    except Exception:
        return rng.choice(BYTES)(rng, content, others)
    act = rng.random()
    if act < 0.5:
        shape, kind = (rng.choice(SHAPES), array.dtype.str) if act < 0.25 else (array.shape, rng.choice(KINDS))
        return claimed(shape, kind) + content[128:]
    if act < 0.75 and array.dtype.kind in "fiu" and array.size and array.ndim < 32:
        array = array.copy()
        odd = np.array([np.nan, -1, np.inf, 1e30, 0]).astype(array.dtype)
        array.flat[rng.randrange(array.size)] = rng.choice(list(odd))
    elif array.ndim and act < 0.9:
        array = array[: rng.randrange(len(array) + 1)]
    else:
        array = (
            array.astype(rng.choice(("f4", "i8", "?", "U5", "c8"))) if array.dtype.kind in "fiub" else array[..., None]
        )
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def claimed(shape: tuple[int, ...], kind: str, order: bool = False) -> bytes:
    """The header of an .npy that claims a shape and a type."""
    text = f"{{'descr': {kind if kind[:1] == '[' else repr(kind)}, 'fortran_order': {order}, 'shape': {shape!r}, }}"
    line = text.encode().ljust(118 - 1) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(line)) + line


def _tensors(rng: random.Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """The header of a .safetensors is changed, and its length said again, right or wrong."""
    (length,) = struct.unpack("<Q", content[:8])
    try:
        header = json.loads(content[8 : 8 + length])
    except (ValueError, RecursionError):
        return rng.choice(BYTES)(rng, content, others)
    changed, body = _json(rng, header), content[8 + length :]
    said = rng.choice((len(changed), len(changed), len(changed), 2**63, 0, len(changed) + 1))
    return struct.pack("<Q", said) + changed + body


def deflated(**members: bytes) -> bytes:
    """A zip of packed members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("_npy", ".npy"), data)
    return buffer.getvalue()


def _zeros(name: str, size: int, **others: bytes) -> bytes:
    """A zip with an array of so many zeros, made without holding them."""
    buffer = io.BytesIO(deflated(**others))
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive, archive.open(name, "w") as file:
        file.write(claimed((size,), "|u1"))
        for _ in range(size >> 20):
            file.write(bytes(1 << 20))
    return buffer.getvalue()


def bombs() -> dict[str, bytes]:
    """Small files that claim or unpack to something huge, by what they are."""
    images = {"x_train_npy": claimed((2**40, 8, 8), "|u1"), "y_train_npy": claimed((2**40,), "<i8")}
    return {
        "deep list": b"[" * 200_000,
        "deep object": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        "deep and whole": b"[" * 100_000 + b"]" * 100_000,
        "number of 5000 digits": b'{"schema": ' + b"9" * 5000 + b"}",
        **{f"array {shape} {kind}": claimed(shape, kind) for shape in SHAPES[:3] for kind in ("<f8", "<U99999999")},
        "header of 4 GB": b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1) + b"{" * 100,
        "an array of 300 MB": _zeros(
            "val.npy", 300 << 20, val_y_npy=claimed((0,), "<i8"), architecture_npy=claimed((), "<U5")
        ),
        "images of 64 TB": deflated(**images, x_test_npy=images["x_train_npy"], y_test_npy=images["y_train_npy"]),
        "20 000 members": deflated(**{f"a{i}_npy": b"" for i in range(20_000)}),
        "tensors with a header of 8 EB": struct.pack("<Q", 2**63 - 1) + b"{}",
        "tensors that claim 10^18": _claimed_tensors(),
        "picture of 60 000 × 60 000": _picture(),
    }


def _claimed_tensors() -> bytes:
    header = json.dumps({"positions": {"dtype": "F64", "shape": [10**18], "data_offsets": [0, 8 * 10**18]}}).encode()
    return struct.pack("<Q", len(header)) + header


def _picture() -> bytes:
    chunk = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", crc32(chunk)) + b"\x00" * 16
