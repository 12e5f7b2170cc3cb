"""Predictions made elsewhere, brought to a run as an .npz: checked, then shown beside the run's own networks.

    val           (B, C) probabilities of this run's validation images, in its order
    val_y         (B,) the true classes that the file believes in: they give another order of the images away
    architecture  JSON text, our form or the authors'
    seed          whole number, 0 if absent          name  up to 60 letters, if given
    test          (B, C) for the test images, if given

Such a network plays the part `imported`: the pipeline neither trains nor selects it, and test predictions wait for `reveal`.
"""

from __future__ import annotations

import io
import math
import zipfile
from typing import NamedTuple

import numpy as np

from edgenes_core import EdgeNESError, durable, jobs, storage
from edgenes_core.architecture import Architecture, shared_edges
from edgenes_core.metrics import distributions
from edgenes_core.npz_file import read_headers
from edgenes_core.run_files import check_label
from edgenes_core.run_folder import Run
from edgenes_core.run_records import Training

MOST_BYTES = 64 << 20  # of the file, and of what it unpacks to
NEEDED = ("val", "val_y", "architecture")
OPTIONAL = ("seed", "name", "test")
ALLOWED = f"{', '.join(NEEDED)} and, if you like, {', '.join(OPTIONAL)}"


class PredictionError(EdgeNESError):
    """A prediction file that is damaged or does not fit the run."""


class Predictions(NamedTuple):
    """A file that fits its run: `val` and `test` are float32 (B, C), `test` None where the file brings none."""

    training: Training
    val: np.ndarray
    test: np.ndarray | None


def import_predictions(run: Run, content: bytes) -> Training:
    """Store the predictions of an .npz with the run, after all checks of `read_predictions`."""
    found = read_predictions(run, content)
    if jobs.is_alive(run):
        raise PredictionError(f"A worker is at work on run {run.id}; import when it has ended, or cancel it first.")
    store_predictions(run, found)
    return found.training


def store_predictions(run: Run, found: Predictions) -> None:
    """Keep a network that was checked; it is listed and there in one step."""
    with storage.staged(run.path) as folder:  # listed without its folder, a network counts as not there
        storage.write_bytes(folder / "architecture.json", found.training.architecture.to_json().encode())
        storage.write_array(folder / "val.npy", found.val)
        if found.test is not None:
            storage.write_array(folder / "test.npy", found.test)
        storage.write_json(folder / "history.json", {"history": {}})
        others = [known for known in run.imported() if known.id != found.training.id]
        run.save_imported([*others, found.training])
        durable.make_folder(run.folder(found.training).parent)
        durable.move(folder, run.folder(found.training))


def read_predictions(run: Run, content: bytes) -> Predictions:
    """Check an .npz against the run it is meant for; an EdgeNESError names the rule that it breaks."""
    y, plan = run.targets("val"), run.plan()
    if not plan:
        raise PredictionError(
            f"Run {run.id} has not chosen yet what it trains; import once its stage 'hypernet' has finished."
        )
    arrays = _arrays(content)
    training = _training(run, arrays)
    val = _probabilities(run, arrays["val"], "val", len(y))
    _same_images(run, arrays["val_y"], y)
    test = _probabilities(run, arrays["test"], "test", len(run.targets("test"))) if "test" in arrays else None
    if run.folder(training).exists() or training.id in {planned.id for planned in plan}:
        raise PredictionError(
            f"Run {run.id} has the network {training.id} already (cell and seed); give the file another seed."
        )
    return Predictions(training, val, test)


def classes_of(run: Run) -> int:
    """C, from the run's record of its data or from a network; PredictionError while neither is there."""
    if named := run.manifest.dataset.get("classes"):
        return len(named)
    for training in run.plan():
        if run.is_trained(training):
            return storage.read_array(run.folder(training) / "val.npy").shape[-1]
    raise PredictionError(f"Run {run.id} does not know its classes yet; import once it has trained a network.")


def _arrays(content: bytes) -> dict[str, np.ndarray]:
    """The arrays of a file whose names and sizes were looked at before anything was unpacked."""
    if len(content) > MOST_BYTES:
        raise PredictionError(f"The file has {len(content) >> 20} MB, at most {MOST_BYTES >> 20} MB are read.")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist()]
        if missing := [name for name in NEEDED if name not in names]:
            raise PredictionError(f"A prediction file holds {ALLOWED}; this one lacks {missing[0]!r}.")
        if other := [name for name in names if name not in NEEDED + OPTIONAL or names.count(name) > 1]:
            raise PredictionError(f"A prediction file holds {ALLOWED}, each once; remove {other[0][:40]!r}.")
        headers = read_headers(io.BytesIO(content), "The file")
        size = sum(header.dtype.itemsize * math.prod(header.shape) for header in headers.values())
        if size > MOST_BYTES:
            raise PredictionError(f"The file unpacks to {size >> 20} MB, at most {MOST_BYTES >> 20} MB are read.")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in names}
    except EdgeNESError:
        raise
    except Exception as error:  # on damaged bytes the parsers raise whatever they stumble on
        raise PredictionError(
            f"This is not a whole .npz of plain arrays ({error}); write one with numpy.savez."
        ) from None


def _training(run: Run, arrays: dict[str, np.ndarray]) -> Training:
    """Cell, seed and name of the file."""
    architecture = Architecture.from_json(_text(arrays["architecture"], "architecture"))
    run.space.encode(architecture)  # says what differs if the cell is of another space
    seed = arrays.get("seed", np.array(0))
    if seed.shape != () or seed.dtype.kind not in "iu":
        raise PredictionError(f"'seed' must be one whole number, got {seed.dtype} of shape {seed.shape}.")
    name = _text(arrays["name"], "name") if "name" in arrays else ""
    shared = shared_edges(architecture, run.base().architecture)
    try:
        return check_label(Training(architecture, int(seed), ("imported",), shared, name=name))
    except ValueError as error:
        raise PredictionError(f"The file cannot be named so: {error}.") from None


def _text(array: np.ndarray, name: str) -> str:
    if array.shape != () or array.dtype.kind != "U":
        raise PredictionError(f"{name!r} must be one text, got {array.dtype} of shape {array.shape}.")
    return str(array)


def _probabilities(run: Run, array: np.ndarray, split: str, images: int) -> np.ndarray:
    """(B, C) float32; MetricError if the rows are no probabilities."""
    wanted = (images, classes_of(run))
    if array.dtype.kind not in "fiu" or array.shape != wanted:
        raise PredictionError(
            f"{split!r} must be numbers of shape {wanted}, one row for each {split} image of run {run.id} and one column "
            f"for each class; got {array.dtype} of shape {array.shape}."
        )
    with np.errstate(all="ignore"):  # sums of huge numbers are refused, not warned about
        return distributions(array, "BC").astype(np.float32)


def _same_images(run: Run, believed: np.ndarray, y: np.ndarray) -> None:
    if believed.shape != y.shape or believed.dtype.kind not in "iu":
        raise PredictionError(
            f"'val_y' must be the {len(y)} true classes of the validation images of run {run.id} as whole numbers; "
            f"got {believed.dtype} of shape {believed.shape}."
        )
    if wrong := int((believed != y).sum()):
        raise PredictionError(
            f"'val_y' differs from the true classes of run {run.id} at {wrong} of {len(y)} images: the file is about other "
            "images or another order. Predict this run's validation images, in its order (targets.npz)."
        )
