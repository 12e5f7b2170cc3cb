"""Runs that every page must bear: too little, too much, all alike, or with a damaged file. Really stored, never trained."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import page_runs
import sample_runs

from edgenes_core import storage
from edgenes_core.config import SpaceConfig
from edgenes_core.run_folder import Run
from edgenes_core.run_records import Training

MANY = 100  # classes
DAMAGED = ("path.json", "embedding.npz", "plan.json", "base.json")


def one_candidate(root: Path) -> Run:
    """A finished run with a single network, α*: it is the pool, the selected ensemble and the control."""
    run = page_runs.whole(root)
    base, top = run.base(), run.space.lambda_max
    for training in run.plan():
        if training.id != base.architecture.key:
            shutil.rmtree(run.folder(training))
    run.save_plan([Training(base.architecture, 0, ("pool",), top, float(top))])
    sample_runs.choose(run, base)
    return run


def some_nan(root: Path) -> Run:
    """Every second network predicts NaN."""
    run = page_runs.whole(root)
    for training in run.plan()[::2]:
        _not_a_number(run, training)
    return run


def all_nan(root: Path) -> Run:
    """No network predicts anything that is a number."""
    run = page_runs.whole(root)
    for training in run.plan():
        _not_a_number(run, training)
    return run


def no_predictions(root: Path) -> Run:
    """Finished, but the networks' folders are gone."""
    run = page_runs.whole(root)
    shutil.rmtree(run.path / "candidates")
    return run


def many_classes(root: Path) -> Run:
    """Images of 100 classes, fewer than there are classes."""
    run, rng = page_runs.whole(root), np.random.default_rng(0)
    targets = [rng.integers(MANY, size=sample_runs.IMAGES) for _ in range(2)]
    run.save_targets(*targets)
    for training in run.plan():
        for split, truth in zip(("val", "test"), targets, strict=True):
            scores = rng.normal(size=(len(truth), MANY))
            scores[np.arange(len(truth)), truth] += 4
            probabilities = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
            storage.write_array(run.folder(training) / f"{split}.npy", probabilities.astype(np.float32))
    sample_runs.choose(run, run.base())
    return run


def damaged(file: str) -> Callable[[Path], Run]:
    """A whole run of whose file only the first half is left."""

    def make(root: Path) -> Run:
        run = page_runs.whole(root)
        content = (run.path / file).read_bytes()
        (run.path / file).write_bytes(content[: len(content) // 2])
        return run

    return make


AWKWARD: dict[str, Callable[[Path], Run]] = {
    "empty": sample_runs.created,
    "one-candidate": one_candidate,
    "some-nan": some_nan,
    "all-nan": all_nan,
    "all-duplicates": lambda root: page_runs.whole(root, flat=True),
    "no-predictions": no_predictions,
    "two-inputs": lambda root: page_runs.whole(root, SpaceConfig(2, "normal+reduce")),
    "many-classes": many_classes,
    **{f"damaged-{Path(file).stem}": damaged(file) for file in DAMAGED},
}


def _not_a_number(run: Run, training: Training) -> None:
    file = run.folder(training) / "val.npy"
    storage.write_array(file, np.full_like(storage.read_array(file), np.nan))
