"""How what a run knows lies on disk: manifest, α*, knots, trainings (plan.json, imported.json), intervals of λ, histories.

Every reader gives its value or a StorageError that names the file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgenes_core import storage
from edgenes_core.architecture import Architecture
from edgenes_core.lambda_path import Interval, Knots, LambdaPath
from edgenes_core.run_records import Base, Manifest, SoftCount, Training
from edgenes_core.schema import UnknownFieldError, from_dict, to_dict

MOST_SEED = 2**31 - 1
NAME = re.compile(r"[\w .,+=()-]{0,60}")  # nothing that a page could take for markup


def read_manifest(file: Path) -> Manifest:
    """run.json; StorageError if it is damaged, or has settings that this version does not know."""
    data = storage.read_json(file)
    with storage.fields(file):
        try:
            manifest = from_dict(Manifest, data)
        except UnknownFieldError as error:
            raise storage.StorageError(f"{file}: {error} {storage.newer(file)}") from None
        for stage in manifest.stages:
            manifest.cost(stage)
        return manifest


def write_base(file: Path, base: Base) -> None:
    """α* and its logits."""
    cell = {"key": base.architecture.key, "architecture": base.architecture.to_json()}
    storage.write_json(file, {**cell, "logits": base.logits.tolist()})


def read_base(file: Path) -> Base:
    """The same again."""
    data = storage.read_json(file)
    with storage.fields(file):
        return Base(Architecture.from_json(data["architecture"]), np.array(data["logits"], float))


def read_knots(file: Path) -> Knots:
    """The hypernetwork as it stands in hypernet.safetensors."""
    data = storage.read_tensors(file)
    with storage.fields(file):
        return Knots(data["positions"], data["values"])


def write_trainings(path: Path, trainings: Sequence[Training]) -> None:
    """Replace the list in one step."""
    storage.write_json(path, {"trainings": [_row(t) for t in trainings]})


def read_trainings(path: Path) -> tuple[Training, ...]:
    """The list in its order, empty while there is no file; StorageError if it is damaged."""
    if not path.exists():
        return ()
    data = storage.read_json(path)
    with storage.fields(path):
        return tuple(_training(row) for row in data["trainings"])


def check_label(training: Training) -> Training:
    """The same training, if its seed can name a folder and its name be drawn on a page; ValueError if not."""
    if type(training.seed) is not int or not 0 <= training.seed <= MOST_SEED:
        raise ValueError(f"a seed is a whole number from 0 to {MOST_SEED}, got {str(training.seed)[:40]!r}")
    if not isinstance(training.name, str) or not NAME.fullmatch(training.name):
        raise ValueError(
            f"a name has up to 60 letters, digits, spaces and . , + - = ( ) only, got {str(training.name)[:40]!r}"
        )
    return training


def _row(training: Training) -> dict[str, Any]:
    row = {**to_dict(training), "architecture": training.architecture.to_json()}
    return row if training.name else {key: value for key, value in row.items() if key != "name"}


def _training(row: dict[str, Any]) -> Training:
    return check_label(from_dict(Training, {**row, "architecture": Architecture.from_json(row["architecture"])}))


def read_history(file: Path) -> dict[str, list[float]]:
    """What a training measured, per epoch, by name; StorageError if the file is damaged."""
    data = storage.read_json(file)
    with storage.fields(file):
        return {str(name): list(map(float, values)) for name, values in data["history"].items()}


def write_path(file: Path, path: LambdaPath, soft: SoftCount) -> None:
    """The intervals and the soft count on its grid of λ."""
    rows = [
        {
            "lo": i.lo,
            "hi": i.hi,
            "key": i.architecture.key,
            "shared": i.shared,
            "architecture": i.architecture.to_json(),
        }
        for i in path.intervals
    ]
    grid = {"lambda": soft.lam.tolist(), "count": soft.count.tolist()}
    storage.write_json(file, {"lambda_max": path.lambda_max, "intervals": rows, "soft": grid})


def read_path(file: Path) -> LambdaPath:
    """The exact intervals; StorageError if the file is damaged."""
    data = storage.read_json(file)
    with storage.fields(file):
        rows = [
            Interval(float(r["lo"]), float(r["hi"]), Architecture.from_json(r["architecture"]), int(r["shared"]))
            for r in data["intervals"]
        ]
        return LambdaPath(int(data["lambda_max"]), tuple(rows))


def read_soft_count(file: Path) -> SoftCount:
    """The soft count of the same file."""
    data = storage.read_json(file)
    with storage.fields(file):
        return SoftCount(np.array(data["soft"]["lambda"], float), np.array(data["soft"]["count"], float))
