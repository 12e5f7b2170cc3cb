"""A correct example of each file that can be brought along, made from a run: what to look like, and what to start from."""

from __future__ import annotations

import io
import json
from itertools import count

import numpy as np

from edgenes_core import EdgeNESError
from edgenes_core.imported import classes_of
from edgenes_core.run_folder import Run

FORMS = ("edgenes", "authors")
SAMPLE_NAME = "sample, every class equally probable"


def sample_cell(run: Run, form: str) -> str:
    """α* as JSON text in our form ('edgenes') or the release's ('authors')."""
    if form not in FORMS:
        raise EdgeNESError(f"A cell's form is one of {', '.join(FORMS)}, got {form[:40]!r}.")
    base = run.base().architecture
    return base.to_json() if form == "edgenes" else json.dumps(base.to_authors(run.space.operations))


def sample_predictions(run: Run) -> bytes:
    """An .npz that this run accepts: α* with the first seed that is free, knowing nothing about any image.

    Its `val_y` are the true classes in the order that a file must keep.
    """
    base, y, classes = run.base().architecture, run.targets("val"), classes_of(run)
    used = {training.seed for training in run.trainings() if training.architecture == base}
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        val=np.full((len(y), classes), 1 / classes, np.float32),
        val_y=y,
        architecture=np.array(base.to_json()),
        seed=np.array(next(seed for seed in count() if seed not in used)),
        name=np.array(SAMPLE_NAME),
    )
    return buffer.getvalue()
