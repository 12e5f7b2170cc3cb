"""A tree of the EdgeNES release as runs of ours: every network that fits its weights predicts, and can be a member of an ensemble.

    for each cell with weights:   network ← release_network(cell, weights);   probabilities on validation and test
    for each k among the cells:   one run, since all cells of a run keep the same number of inputs

Images are standardised as the release does: CIFAR's mean and standard deviation whatever the dataset (for CIFAR-100 its mean as
standard deviation), Fashion-MNIST not padded when tested. The networks were trained on all training images, so what is validation
here they have seen: only the test images say how good they are. Predicting them is a look, counted as any other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from edgenes_core import EdgeNESError
from edgenes_core.architecture import Architecture, shared_edges
from edgenes_core.catalogue import KNOWN
from edgenes_core.config import IMPORTED, PipelineConfig, RetrainConfig, SpaceConfig
from edgenes_core.data import Part
from edgenes_core.image_sources import Images, read_images
from edgenes_core.imported import Predictions, store_predictions
from edgenes_core.metrics import accuracy, nll
from edgenes_core.network import Network
from edgenes_core.release_network import ReleaseError, ReleaseShape, release_network
from edgenes_core.release_tree import Entry, entries, read_cell, read_weights
from edgenes_core.run_folder import Run
from edgenes_core.run_records import Base, Training, build_space
from edgenes_core.runs import RunStore
from edgenes_core.splits import split_rows
from edgenes_core.train import predict

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
STD_100 = (0.5071, 0.4867, 0.4408)  # CIFAR-100's mean, which the release divides by
BATCH = 256


@dataclass(frozen=True)
class Model:
    """A network of the tree that fits its weights, judged on the n test images; `run` holds it under the id `member`."""

    name: str
    run: str
    member: str
    key: str
    k: int
    accuracy: float
    nll: float
    n: int


@dataclass(frozen=True)
class Skipped:
    """A cell of the tree that was not imported, and why."""

    name: str
    why: str


@dataclass(frozen=True)
class _Loaded:
    entry: Entry
    cell: Architecture
    shape: ReleaseShape
    val: np.ndarray
    test: np.ndarray


def import_release(store: RunStore, root: Path, dataset: str, command: str = "") -> tuple[list[Model], list[Skipped]]:
    """Predict with every network of the tree that can, and store what they say; ReleaseError if the tree or images are unusable."""
    images = read_images(dataset)
    if images.x.dtype != np.uint8:
        raise ReleaseError(
            f"The release's networks take bytes as images, {dataset} has {images.x.dtype}; give an .npz of uint8."
        )
    val = split_rows(images.y).val
    loaded, skipped, bases = list[_Loaded](), list[Skipped](), list[Architecture]()
    for entry in entries(root):
        try:
            found = _load(entry, images, val)
        except EdgeNESError as error:
            skipped.append(Skipped(entry.name, str(error)))
        else:
            loaded.append(found)
        bases += _base(entry)
    by_k: dict[int, list[_Loaded]] = {}
    for each in loaded:
        by_k.setdefault(each.cell.inputs_per_node, []).append(each)
    models: list[Model] = []
    for k in sorted(by_k, key=lambda k: -len(by_k[k])):
        base = next((cell for cell in bases if cell.inputs_per_node == k), None)
        models += _store(store, by_k[k], base, images, val, dataset, command)
    return models, skipped


def pixels(x: np.ndarray, classes: int) -> np.ndarray:
    """Bytes (n, H, W, channels) as the release's networks take them, (n, channels, H, W) float32."""
    channels = x.shape[3]
    std = STD_100 if classes == 100 and channels == 3 else STD
    middle, spread = (np.array(value[:channels], np.float32) for value in (MEAN, std))
    return np.ascontiguousarray(np.moveaxis((x.astype(np.float32) / 255 - middle) / spread, -1, 1))


def _load(entry: Entry, images: Images, val: np.ndarray) -> _Loaded:
    """One cell with its weights, and what they say about the images."""
    cell, flat = read_cell(entry.cell)
    if entry.weights is None:
        raise ReleaseError("It has no weights beside it (mod.json), only the cell; a cell alone predicts nothing.")
    space = build_space(SpaceConfig(inputs_per_node=cell.inputs_per_node)) if cell.inputs_per_node in (1, 2) else None
    if space is None or not space.contains(cell):
        raise ReleaseError(
            f"Its cell has {cell.nodes} nodes with {cell.inputs_per_node} inputs; runs have 4 nodes with 1 or 2."
        )
    network, shape = release_network(flat, cell, read_weights(entry.weights))
    if (shape.classes, shape.image_channels) != (len(images.classes), images.x.shape[3]):
        raise ReleaseError(
            f"It names {shape.classes} classes of images with {shape.image_channels} channels, the dataset has "
            f"{len(images.classes)} and {images.x.shape[3]}; give the dataset that it was trained on."
        )
    parts = (images.x[val], images.x_test)
    return _Loaded(entry, cell, shape, *(_predict(network, pixels(x, shape.classes)) for x in parts))


def _predict(network: Network, x: np.ndarray) -> np.ndarray:
    """(n, C) float32."""
    return predict(network, Part(torch.from_numpy(x), torch.zeros(len(x), dtype=torch.long)), BATCH).numpy()


def _base(entry: Entry) -> list[Architecture]:
    """α* of the tree, if this is it."""
    if "optimal" not in entry.name.split("/")[0] and entry.cell.parent.name != "optimal":
        return []
    try:
        return [read_cell(entry.cell)[0]]
    except EdgeNESError:
        return []


def _store(
    store: RunStore,
    loaded: Sequence[_Loaded],
    base: Architecture | None,
    images: Images,
    val: np.ndarray,
    dataset: str,
    command: str,
) -> list[Model]:
    """One run with these networks, all of one k."""
    shape, first = loaded[0].shape, base or loaded[0].cell
    config = PipelineConfig(
        dataset=dataset if dataset in KNOWN else str(Path(dataset).resolve()),
        preset=IMPORTED,
        umap=False,
        space=SpaceConfig(inputs_per_node=first.inputs_per_node),
        retrain=RetrainConfig(channels=shape.channels, layers=shape.layers),
    )
    message = "Imported from the EdgeNES release: its networks have seen the validation images, so only test says how good they are."
    if base is None:
        message += f" The tree has no α* with k = {first.inputs_per_node}; {loaded[0].entry.name} stands in its place."
    run = store.create(
        config, command=command, state="finished", message=message, dataset=_summary(images, val, dataset)
    )
    run.save_targets(images.y[val], images.y_test)
    run.save_base(Base(first, np.zeros(run.space.logits)))
    seeds, models = Counter[str](), list[Model]()
    for each in loaded:
        seed = seeds[each.cell.key]
        seeds[each.cell.key] += 1
        training = Training(each.cell, seed, (IMPORTED,), shared_edges(each.cell, first), name=_label(each.entry.name))
        store_predictions(run, Predictions(training, each.val, each.test))
        models.append(_model(run, training, each, images.y_test))
    run.reveal([model.member for model in models], how="import of the EdgeNES release")
    return models


def _summary(images: Images, val: np.ndarray, dataset: str) -> dict[str, object]:
    height, width, channels = images.x.shape[1:]
    counts = {"val": len(val), "test": len(images.y_test)}
    return {"name": dataset, "classes": list(images.classes), "image": [channels, height, width], "images": counts}


def _model(run: Run, training: Training, each: _Loaded, y: np.ndarray) -> Model:
    right, loss = accuracy(each.test, y), nll(each.test, y)
    cell = each.cell
    return Model(each.entry.name, run.id, training.id, cell.key, cell.inputs_per_node, right, loss, len(y))


def _label(name: str) -> str:
    """A name that a run can store: letters that a page could take for markup become spaces."""
    return "".join(c if c.isalnum() or c in "_ .,+=()-" else " " for c in name)[:60]
