"""Stored predictions on images that are not like those the networks learned from: read here, without torch; `shift` makes them.

shift/<key>-<seed>/<corruption>-<severity>.npy          probabilities (B, C) of the corrupted validation images
shift/<key>-<seed>/<corruption>-<severity>-test.npy     the same of the test images; reading them counts as a look
shift/<key>-<seed>/outside-<source>.npy                 of foreign images: a stand-in, or 12 hex digits of their hash
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgenes_core import EdgeNESError, storage
from edgenes_core.catalogue import KNOWN, present
from edgenes_core.corruptions import SEVERITIES, TEST_CORRUPTIONS, VALIDATION_CORRUPTIONS
from edgenes_core.image_sources import read_images
from edgenes_core.run_folder import Run
from edgenes_core.run_records import Training
from edgenes_core.storage import StorageError

STAGE = "shift"
SPLITS = ("val", "test")
STAND_INS = ("noise", "shuffled")
MOST_FOREIGN = 2000  # images of another dataset
Condition = tuple[str, int]  # a corruption and its severity


class ShiftError(EdgeNESError):
    """A shift that cannot be made, or one that must not be used for this."""


def corrupted(run: Run, members: Sequence[str], corruption: str, severity: int) -> np.ndarray:
    """Stored probabilities (M, B, C) of corrupted validation images; StorageError says how to make them."""
    check_conditions([corruption], [severity], "val")
    return read(run, members, name_of(corruption, severity, "val"))


def for_selection(run: Run, members: Sequence[str], corruption: str, severity: int) -> np.ndarray:
    """The same for choosing members; ShiftError for a corruption that results are reported on."""
    if corruption in TEST_CORRUPTIONS:
        raise ShiftError(
            f"Nothing may be chosen by {corruption!r}: results are reported on it. For selection there are "
            f"{', '.join(VALIDATION_CORRUPTIONS)}."
        )
    return corrupted(run, members, corruption, severity)


def reveal_corrupted(
    run: Run, members: Sequence[str], conditions: Sequence[Condition], **about: Any
) -> list[np.ndarray]:
    """Stored probabilities (M, B, C) of corrupted test images, one array per condition; counted as one look, stored with
    `about`."""
    check_conditions([name for name, _ in conditions], [severity for _, severity in conditions], "test")
    found = [read(run, members, name_of(*condition, "test")) for condition in conditions]
    line = {"time": time.time(), "members": list(members), "conditions": [list(c) for c in conditions], **about}
    storage.append_line(run.path / "reveals.jsonl", line)
    return found


def stored(run: Run, members: Sequence[str], split: str = "val") -> tuple[Condition, ...]:
    """The conditions that all members have predictions for, in the order of CORRUPTIONS; what they predict is not read."""
    names = [*VALIDATION_CORRUPTIONS, *TEST_CORRUPTIONS]
    common = _common(run, members)
    return tuple((name, s) for name in names for s in SEVERITIES if name_of(name, s, split) in common)


def stored_foreign(run: Run, members: Sequence[str]) -> tuple[str, ...]:
    """Sources of foreign images, as their files name them, that all members have predictions for."""
    return tuple(sorted(n.removeprefix("outside-") for n in _common(run, members) if n.startswith("outside-")))


def missing(
    run: Run, members: Iterable[str], conditions: Sequence[Condition], foreign: Sequence[str] = (), split: str = "val"
) -> int:
    """How many files are not there yet."""
    names = {*(name_of(*condition, split) for condition in conditions), *(f"outside-{source}" for source in foreign)}
    return sum(len(names - _common(run, [member])) for member in dict.fromkeys(members))


def foreign_of(source: str) -> tuple[np.ndarray, str]:
    """The first test images of another dataset, and what their predictions are stored under: a hash of them."""
    images = read_images(source).x_test[:MOST_FOREIGN]
    return images, hashlib.sha256(images.tobytes()).hexdigest()[:12]


def known_as(source: str) -> str:
    """What predictions of a source are stored under; reads the images of a dataset."""
    return source if source in STAND_INS else foreign_of(source)[1]


def datasets_like(run: Run) -> list[str]:
    """Other datasets by name that are at hand, hold bytes, and have the shape of the run's images."""
    own = KNOWN.get(run.config.dataset)
    channels, height, width = run.manifest.dataset.get("image", (0, 0, 0)) if own is None else (0, 0, 0)
    shape = own.shape if own else (height, width, channels)
    alike = (k for k in KNOWN.values() if k.shape == tuple(shape) and k.name not in ("digits", run.config.dataset))
    return [known.name for known in alike if present(known.name)]


def check_conditions(corruptions: Sequence[str], severities: Sequence[int], split: str) -> None:
    """ShiftError unless all of it exists."""
    known = {**VALIDATION_CORRUPTIONS, **TEST_CORRUPTIONS}
    if wrong := [name for name in corruptions if name not in known]:
        raise ShiftError(f"A corruption is one of {', '.join(known)}, got {wrong[0][:40]!r}.")
    if wrong_severities := [severity for severity in severities if severity not in SEVERITIES]:
        raise ShiftError(f"A severity is a whole number from 1 to 5, got {wrong_severities[0]}.")
    if split not in SPLITS:
        raise ShiftError(f"A split is 'val' or 'test', got {split[:40]!r}.")


def read(run: Run, members: Sequence[str], name: str) -> np.ndarray:
    """Stored probabilities (M, B, C) under a file's name; StorageError unless they fit together."""
    files = [file_of(run, training, name) for training in trainings_of(run, members)]
    if absent := next((file for file in files if not file.exists()), None):
        raise StorageError(
            f"Network {absent.parent.name} of run {run.id} has no predictions {name} yet; make them with: "
            f"python -m edgenes_core shift {run.id} --keys {','.join(members)}"
        )
    return storage.read_stack(files)


def trainings_of(run: Run, members: Sequence[str]) -> list[Training]:
    """The retrained networks of these ids; StorageError if one is none."""
    trained = {t.id: t for t in run.trainings() if run.is_trained(t)}
    if not members or len(set(members)) != len(members):
        raise ShiftError("A shift needs one or more different members.")
    if missing := [member for member in members if member not in trained]:
        raise StorageError(f"Run {run.id} has no retrained network {missing[0]!r}; known are {', '.join(trained)}.")
    return [trained[member] for member in members]


def file_of(run: Run, training: Training, name: str) -> Path:
    return run.path / STAGE / run.folder(training).name / f"{name}.npy"


def name_of(corruption: str, severity: int, split: str) -> str:
    """A file's name without its ending."""
    return f"{corruption}-{severity}{'-test' if split == 'test' else ''}"


def _common(run: Run, members: Iterable[str]) -> set[str]:
    """Names of the files that all members have."""
    known, found = {training.id: training for training in run.trainings()}, []
    for member in dict.fromkeys(members):
        folder = file_of(run, known[member], "").parent if member in known else None
        found.append({file.stem for file in folder.glob("[a-z]*.npy")} if folder else set())
    return set.intersection(*found) if found else set()
