"""A full run, zips of it as a forger would make them, prediction files, and what a refusal must leave behind: nothing."""

from __future__ import annotations

import io
import json
import zipfile
from hashlib import sha256
from pathlib import Path

import numpy as np
import page_runs
import pytest
from sample_runs import CLASSES, IMAGES

from edgenes_core import EdgeNESError, storage
from edgenes_core.config import PipelineConfig
from edgenes_core.imported import import_predictions
from edgenes_core.run_folder import Run
from edgenes_core.run_zip import SUMS, import_run
from edgenes_core.runs import RunStore
from edgenes_core.samples import sample_predictions

BESIDE = {"lock", "pid", "cancel", "log.txt", "checkpoints/darts/darts.safetensors", "candidates/.x.npy"}


def full_run(root: Path) -> Run:
    """Everything a run can hold, and what belongs to this machine beside it."""
    run = page_runs.whole(root)
    import_predictions(run, sample_predictions(run))
    run.reveal([run.plan()[0].id])
    for name in BESIDE:
        storage.write_bytes(run.path / name, b"of this machine")
    return run


def store_with_a_run(root: Path) -> RunStore:
    """A store with another run in it."""
    store = RunStore(root)
    store.create(PipelineConfig(seed=7))
    return store


def everything(folder: Path) -> dict[str, bytes]:
    """All files and folders, hidden ones too, with their contents."""
    return {str(f.relative_to(folder)): f.read_bytes() if f.is_file() else b"" for f in folder.rglob("*")}


def contents(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(files: dict[str, bytes], hashed: bool = True) -> bytes:
    """A zip with right hashes of these files, as a forger would make it."""
    files = {name: data for name, data in files.items() if name != SUMS or not hashed}
    if hashed:
        sums = {name: sha256(data).hexdigest() for name, data in files.items()}
        files[SUMS] = json.dumps({"schema": 1, "format": "edgenes-run", "files": sums}).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def refused(store: RunStore, data: bytes | Path, sentence: str) -> None:
    before = everything(store.root)
    with pytest.raises(EdgeNESError, match=sentence) as error:
        import_run(store, data)
    assert everything(store.root) == before
    assert "\n" not in str(error.value)
    assert ".staged-" not in str(error.value)


def packed_raw(files: dict[str, bytes], name: str) -> bytes:
    """With one more entry whose name zipfile itself would have mended."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for known, data in files.items():
            archive.writestr(known, data)
        entry = zipfile.ZipInfo("x")
        entry.filename = entry.orig_filename = name
        archive.writestr(entry, b"x")
    return buffer.getvalue()


def fitting(run: Run, seed: int = 0) -> dict:
    """What a file for this run holds: a random cell, which the run does not train, with random predictions."""
    rng = np.random.default_rng(seed)
    return {
        "val": rng.dirichlet(np.ones(CLASSES), IMAGES),
        "test": rng.dirichlet(np.ones(CLASSES), IMAGES),
        "val_y": run.targets("val"),
        "architecture": np.array(run.space.sample(rng).to_json()),
        "seed": np.array(3),
        "name": np.array("My net (λ = 2, wide)"),
    }


def npz(**arrays: object) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **{name: array for name, array in arrays.items() if array is not None})
    return buffer.getvalue()
