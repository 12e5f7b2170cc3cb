"""The folders of the EdgeNES release: cells and weights, read without trusting them.

    <anything>/lambd=<λ> or lam=<λ>/    arc.json or arc_*.json: a cell     mod.json or mod_*.json: weights (a torch zip, whatever its name)
    <anything>/optimal/                 α*, usually without weights

Weights are read by torch's restricted reader, which makes tensors and nothing else; a file that would need more is refused. Sizes
are looked at before anything is unpacked.
"""

from __future__ import annotations

import json
import os
import re
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgenes_core import one_line
from edgenes_core.architecture import Architecture
from edgenes_core.release_network import ReleaseError

if TYPE_CHECKING:
    from torch import Tensor

MOST_FOLDERS, MOST_DEPTH = 1000, 6
MOST_CELL, MOST_WEIGHTS = 1 << 20, 200 << 20  # bytes
LAMBDA = re.compile(r"(?:lambd|lam|lambda)=(\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class Entry:
    """A cell of the tree: its name (folder, and file where a folder has several), the λ of its folder, its files."""

    name: str
    lam: float | None
    cell: Path
    weights: Path | None


def entries(root: Path) -> list[Entry]:
    """All cells of a tree, by name; ReleaseError if there is none or the tree is too large."""
    found = [entry for folder in _folders(root) for entry in _of_folder(root, folder)]
    if not found:
        raise ReleaseError(
            f"{root} has no arc.json in any folder; give a folder of the EdgeNES release, such as one with lambd=0.5/arc.json."
        )
    return sorted(found, key=lambda entry: entry.name)


def read_cell(path: Path) -> tuple[Architecture, dict[str, Any]]:
    """A cell, and the flat file with an operation for every candidate edge."""
    text = _bytes(path, MOST_CELL)
    try:
        cell = Architecture.from_json(text)
    except Exception as error:
        raise ReleaseError(f"{path.name} is no cell: {error}") from None
    return cell, json.loads(text)


def read_weights(path: Path) -> dict[str, Tensor]:
    """Tensors by name, on the CPU; ReleaseError if the file is anything else."""
    import torch

    _check_zip(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ReleaseError(
            f"{path.name} is no file of weights alone ({type(error).__name__}); it was not loaded, since it could run code."
        ) from None
    if not isinstance(found, dict) or not all(isinstance(v, torch.Tensor) for v in found.values()):
        raise ReleaseError(f"{path.name} must hold tensors by name, and nothing else.")
    tensors = {str(name): tensor for name, tensor in found.items()}
    if sum(tensor.numel() * tensor.element_size() for tensor in tensors.values()) > MOST_WEIGHTS:
        raise ReleaseError(f"The tensors of {path.name} claim more than {MOST_WEIGHTS >> 20} MB.")
    if not all(tensor.layout is torch.strided and bool(torch.isfinite(tensor).all()) for tensor in tensors.values()):
        raise ReleaseError(f"{path.name} holds NaN, infinite or sparse weights; nothing can be predicted with them.")
    return tensors


def _folders(root: Path) -> Iterator[Path]:
    """The tree's folders, links not followed."""
    if not root.is_dir():
        raise ReleaseError(f"{root} is no folder; give a folder of the EdgeNES release.")
    for count, (folder, below, _) in enumerate(os.walk(root, followlinks=False), 1):
        if count > MOST_FOLDERS:
            raise ReleaseError(f"{root} has more than {MOST_FOLDERS} folders; give the release's own folder.")
        if len(Path(folder).relative_to(root).parts) >= MOST_DEPTH:
            below.clear()
        below.sort()
        yield Path(folder)


def _of_folder(root: Path, folder: Path) -> Iterator[Entry]:
    where = folder.relative_to(root)
    lam = next((float(m[1]) for part in reversed(where.parts) if (m := LAMBDA.fullmatch(part))), None)
    cells = sorted(p for p in folder.iterdir() if re.fullmatch(r"arc(_.{1,40})?\.json", p.name) and _plain(p))
    for cell in cells:
        weights = folder / cell.name.replace("arc", "mod", 1)
        name = where if len(cells) == 1 else where / cell.stem
        yield Entry(one_line(str(name))[:60], lam, cell, weights if _plain(weights) else None)


def _plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _bytes(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise ReleaseError(f"Cannot read {path}: {error.strerror or error}.") from None
    if len(content) > most:
        raise ReleaseError(f"{path.name} has more than {most >> 20} MB; this is no cell.")
    return content


def _check_zip(path: Path) -> None:
    """A torch zip whose contents are not larger than they may be, packed or unpacked."""
    try:
        size = path.stat().st_size
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(item.file_size for item in archive.infolist())
            pickled = any(item.filename.endswith("data.pkl") for item in archive.infolist())
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise ReleaseError(f"{path.name} is no whole torch zip of weights ({error}).") from None
    if not pickled:
        raise ReleaseError(f"{path.name} is a zip, but not one that torch wrote.")
    if max(size, unpacked) > MOST_WEIGHTS:
        raise ReleaseError(f"{path.name} unpacks to {unpacked >> 20} MB, at most {MOST_WEIGHTS >> 20} MB are read.")
