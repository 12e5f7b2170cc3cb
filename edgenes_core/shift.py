"""Retrained networks on images that are not like those they learned from: corrupted ones, and ones of no class at all.

Each file (see `shifted`) is written in one step and none twice, so work that was stopped goes on where it ended. Images are
corrupted as bytes, before padding and standardisation (see `raw_images`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from functools import partial

import numpy as np

from edgenes_core import storage
from edgenes_core.corruptions import corrupt
from edgenes_core.data import Dataset
from edgenes_core.feature_maps import stored_network
from edgenes_core.network import Network
from edgenes_core.one_shot import images_of
from edgenes_core.raw_images import as_part, foreign_images, raw_bytes
from edgenes_core.records import Event
from edgenes_core.run_folder import Run
from edgenes_core.run_records import Training
from edgenes_core.shifted import STAGE, STAND_INS, check_conditions, file_of, name_of, read, trainings_of
from edgenes_core.train import predict


def predict_corrupted(
    run: Run, members: Sequence[str], corruptions: Sequence[str], severities: Sequence[int], split: str = "val"
) -> Generator[Event, None, None]:
    """Predict what is not stored yet, one event per file; whoever stops taking events stops the work."""
    check_conditions(corruptions, severities, split)
    wanted = [(name, severity) for name in corruptions for severity in severities]
    trained = trainings_of(run, members)
    missing = {c: [t for t in trained if not file_of(run, t, name_of(*c, split)).exists()] for c in wanted}
    if not any(missing.values()):
        return
    data = images_of(run)
    clean = raw_bytes(data, getattr(data, split))
    jobs = [
        (name_of(name, severity, split), partial(corrupt, clean, name, severity), left)
        for (name, severity), left in missing.items()
        if left
    ]
    yield from _predict(run, data, jobs)


def predict_outside(run: Run, members: Sequence[str], source: str) -> Generator[Event, None, None]:
    """The same for foreign images: 'noise', 'shuffled', or the name or path of a dataset with images of the same shape."""
    data = images_of(run)
    images, known_as = foreign_images(data, source)
    name = f"outside-{known_as}"
    left = [t for t in trainings_of(run, members) if not file_of(run, t, name).exists()]
    if left:
        yield from _predict(run, data, [(name, lambda: images, left)])


def foreign(run: Run, members: Sequence[str], source: str) -> np.ndarray:
    """Stored probabilities (M, B, C) of foreign images."""
    name = source if source in STAND_INS else foreign_images(images_of(run), source)[1]
    return read(run, members, f"outside-{name}")


def _predict(
    run: Run, data: Dataset, jobs: Sequence[tuple[str, Callable[[], np.ndarray], list[Training]]]
) -> Generator[Event, None, None]:
    networks: dict[str, Network] = {}
    started, done, steps = time.monotonic(), 0, sum(len(left) for *_, left in jobs)
    for name, make, left in jobs:
        part = as_part(data, make())
        for training in left:
            if training.id not in networks:
                networks[training.id] = stored_network(run, training, data.channels, len(data.classes))
            storage.write_array(file_of(run, training, name), predict(networks[training.id], part).numpy())
            done += 1
            yield Event(STAGE, done, steps, time.monotonic() - started)
