"""One-shot score: a cell judged by the trained supernet, without retraining it.

The supernet of the hypernetwork stage is evaluated with the one-hot mixing of the cell, on validation images alone, which no
search has seen. Its norms have no memory: they use the statistics of the batch at hand, so a score depends on which images lie
together. Batches are therefore fixed: consecutive images of the validation part, whose order is random but the same for every
run, in equal parts of about 256.

A score is no forecast of the retrained accuracy: the shared weights suit the cells that the λ path passes. In the bundled run
a random cell scores 49 % and retrains to 99.7 %.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch

from edgenes_core.architecture import Architecture
from edgenes_core.catalogue import DataError
from edgenes_core.data import Dataset, Part, load_dataset
from edgenes_core.ensembles import evaluate
from edgenes_core.inherited import inherit
from edgenes_core.preview import to_bytes
from edgenes_core.records import Evaluation
from edgenes_core.run_folder import Run
from edgenes_core.storage import StorageError
from edgenes_core.stored_supernet import FINAL, load_supernet
from edgenes_core.supernet import Supernet

MOST_IMAGES = 2048  # an accuracy of 0.9 then has a standard error of 0.7 %, and a score comes while one looks at it
BATCH = 256


class Probe(NamedTuple):
    """What looking into one run's cells needs, loaded once, on the CPU: the first validation images, at most 2048.

    `pixels` are the same images for showing, (B, H, W, 1 or 3) uint8.
    """

    run: Run
    val: Part
    pixels: np.ndarray
    classes: tuple[str, ...]
    supernet: Supernet


def load_probe(run: Run) -> Probe:
    """StorageError before the hypernetwork is trained; DataError if the images are missing or are not those of the run."""
    if not (run.path / FINAL).exists():
        raise StorageError(
            f"Run {run.id} has no {FINAL}: its stage 'hypernet' has not finished, or it was copied without. "
            f"Finish it with: python -m edgenes_core resume {run.id}"
        )
    data = images_of(run)
    images = data.val.images[:MOST_IMAGES].clone()  # a copy, so that the other parts can be forgotten
    val = replace(data.val, images=images, y=data.val.y[:MOST_IMAGES].clone())
    return Probe(run, val, _pixels(data, val), data.classes, load_supernet(run, data, FINAL))


def images_of(run: Run) -> Dataset:
    """The run's images, read again, on the CPU; DataError if they are missing or are not those of the run."""
    data = load_dataset(run.config.dataset)
    if not np.array_equal(run.targets("val"), data.val.y.numpy()):
        raise DataError(
            f"The validation images of {data.name} are not those that run {run.id} was made with: their classes differ. "
            "Put the old files back, or start a new run."
        )
    return data


def one_shot(probe: Probe, architecture: Architecture) -> Evaluation:
    """The cell judged as above; ArchitectureError if it is not in the run's space. No state: the order of calls is free."""
    probabilities = torch.cat([inherited_probabilities(probe, architecture, rows) for rows in batches(len(probe.val))])
    return evaluate(probabilities[None].numpy(), probe.val.y.numpy(), "val")


@torch.no_grad()
def inherited_probabilities(probe: Probe, architecture: Architecture, rows: torch.Tensor) -> torch.Tensor:
    """Class probabilities (B, C) float32 of one batch of validation images by the supernet with the cell's one-hot mixing."""
    network = inherit(probe.supernet, architecture)
    return network(probe.val.take(rows)[0]).softmax(-1)


def batches(images: int) -> tuple[torch.Tensor, ...]:
    """The fixed batches: rows 0 … images − 1 in their order, in equal parts (± 1) of about 256."""
    return torch.arange(images).tensor_split(max(1, round(images / BATCH)))


def _pixels(data: Dataset, val: Part) -> np.ndarray:
    """For showing: bytes as they came; standardised numbers as they were, stretched from their least to their largest."""
    images = val.images
    if images.is_floating_point():
        mean, std = (torch.tensor(value)[:, None, None] for value in (data.mean, data.std))
        images = images * std + mean
    return to_bytes(images.movedim(1, -1).numpy())
