"""The pictures of a run's validation images, for showing: read without torch, and only if they are those of the run."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from edgenes_core.catalogue import DataError
from edgenes_core.image_sources import read_images
from edgenes_core.preview import to_bytes
from edgenes_core.run_folder import Run
from edgenes_core.splits import split_rows


class Pictures(NamedTuple):
    """Validation images (B, H, W, 1 or 3) uint8 without padding, in the run's order, and the names of the classes."""

    pixels: np.ndarray
    classes: tuple[str, ...]


def validation_pictures(run: Run) -> Pictures:
    """DataError if the images are missing or are not those that the run was made with."""
    images = read_images(run.config.dataset)
    rows = split_rows(images.y).val
    if not np.array_equal(run.targets("val"), images.y[rows]):
        raise DataError(
            f"The validation images of {run.config.dataset} are not those that run {run.id} was made with: their classes differ."
        )
    return Pictures(to_bytes(images.x[rows]), images.classes)
