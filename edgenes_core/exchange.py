"""Files between people: a run out as a zip; a run, a cell, predictions or a folder of the EdgeNES release in. What a file is, its
content says, not its name."""

from __future__ import annotations

import argparse
import io
import shlex
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

from edgenes_core import EdgeNESError
from edgenes_core.architecture import Architecture, shared_edges
from edgenes_core.config import IMPORTED
from edgenes_core.imported import import_predictions
from edgenes_core.reply import Reply
from edgenes_core.run_zip import MOST_UPLOAD, export_run, import_run
from edgenes_core.runs import RunStore
from edgenes_core.schema import ConfigError, to_dict


class ImportFileError(EdgeNESError):
    """A file of no kind that can be imported."""


def kind_of(content: bytes) -> str:
    """'cell', 'run' or 'predictions': zips of nothing but arrays are predictions, other zips runs, JSON is a cell.

    Whether it is a good one is for its reader to say; ImportFileError if it cannot be any.
    """
    start = content[:40].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start[:1] in (b"{", b"["):
        return "cell"
    if not start.startswith(b"PK"):
        raise ImportFileError(
            "A file to import is a cell (JSON text), a run (a zip that this app made) or predictions (.npz); this one "
            f"begins with {content[:8]!r}."
        )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
    except Exception:  # damaged: the reader of runs says so
        return "run"
    return "predictions" if names and all(name.endswith(".npy") and "/" not in name for name in names) else "run"


def export(options: argparse.Namespace) -> Reply:
    run, file = RunStore(options.runs).open(options.run), Path(options.file)
    export_run(run, file)
    size = file.stat().st_size
    return Reply({"run": run.id, "file": str(file), "bytes": size}, f"{run.id} is in {file} ({size / 1e6:.1f} MB)")


def import_(options: argparse.Namespace) -> Reply:
    if Path(options.path).is_dir():
        return _import_release(options)
    content = read_file(Path(options.path))
    return IMPORTERS[kind_of(content)](content, options)


def read_file(path: Path) -> bytes:
    """The bytes of a file that may be imported; ImportFileError if it is too large or cannot be read."""
    try:
        if path.stat().st_size > MOST_UPLOAD:
            raise ImportFileError(
                f"{path} has {path.stat().st_size >> 20} MB, at most {MOST_UPLOAD >> 20} MB are read; give a smaller file."
            )
        return path.read_bytes()
    except OSError as error:
        raise ImportFileError(
            f"Cannot read {path}: {error.strerror or error}. Give a run (.zip), a cell (.json) or predictions (.npz)."
        ) from None


def _import_run(content: bytes, options: argparse.Namespace) -> Reply:
    run = import_run(RunStore(options.runs), content)
    return Reply({"kind": "run", "run": run.id}, f"run {run.id} is stored in {run.path}")


def _import_cell(content: bytes, options: argparse.Namespace) -> Reply:
    """A cell is only looked at, against α* if a run is named: a run keeps no cells without predictions."""
    cell = Architecture.from_json(content)
    data = {"kind": "cell", "key": cell.key, "architecture": cell.to_json()}
    text = f"cell {cell.key}: {cell.nodes} nodes, k = {cell.inputs_per_node}, {' and '.join(cell.cells)}; nothing is stored"
    if options.into is None:
        return Reply(data, text)
    run = RunStore(options.runs).open(options.into)
    run.space.encode(cell)  # says what differs if the cell is of another space
    shared, most = shared_edges(cell, run.base().architecture), run.space.lambda_max
    return Reply(
        data | {"run": run.id, "shared": shared}, f"{text}; shares {shared} of {most} edges with α* of {run.id}"
    )


def _import_predictions(content: bytes, options: argparse.Namespace) -> Reply:
    if options.into is None:
        raise ConfigError(f"Predictions belong to a run: python -m edgenes_core import {options.path} --into RUN")
    run = RunStore(options.runs).open(options.into)
    training = import_predictions(run, content)
    data = {"kind": "predictions", "run": run.id, "id": training.id, "shared": training.shared}
    return Reply(data, f"network {training.id} is stored with run {run.id}")


def _import_release(options: argparse.Namespace) -> Reply:
    """A folder: the EdgeNES release's own cells and weights."""
    from edgenes_core.release_import import import_release

    if options.dataset is None:
        raise ConfigError(
            f"A folder of the EdgeNES release needs the images it was trained on: python -m edgenes_core import {options.path} "
            "--dataset fashion_mnist (or cifar10, cifar100, FILE.npz)"
        )
    command = shlex.join(["python", "-m", "edgenes_core", *sys.argv[1:]])
    models, skipped = import_release(RunStore(options.runs), Path(options.path), options.dataset, command)
    lines = [
        f"{m.name}: {m.accuracy:.2%}, NLL {m.nll:.4f} on {m.n} test images (cell {m.key}, k = {m.k})" for m in models
    ]
    lines += [f"skipped {each.name}: {each.why}" for each in skipped]
    lines += [f"run {run} holds them as {IMPORTED} networks" for run in dict.fromkeys(m.run for m in models)]
    data = {"run": models[0].run if models else None, "models": [to_dict(m) for m in models]}
    return Reply(data | {"skipped": [to_dict(each) for each in skipped]}, "\n".join(lines), 0 if models else 1)


IMPORTERS: dict[str, Callable[[bytes, argparse.Namespace], Reply]] = {
    "cell": _import_cell,
    "run": _import_run,
    "predictions": _import_predictions,
}
