"""Every retrained network of a run judged on the validation images, once: what Trade-off and Ensembles draw from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from edgenes_core import EdgeNESError, diversity, ensembles, storage
from edgenes_core.architecture import Architecture
from edgenes_core.metrics import distributions
from edgenes_core.records import METRICS, Evaluation
from edgenes_core.run_folder import Run
from edgenes_core.run_records import Training
from edgenes_core.schema import from_dict
from pages.widgets import data
from pages.widgets.stages import ready

MEASURES = ("accuracy", "nll", "brier", "ece", "disagreement", "oracle_accuracy")


class Scored(NamedTuple):
    """N networks with usable predictions: probabilities (N, B, C), true classes (B,), pairwise disagreement (N, N).

    `left_out` holds a sentence for each network whose predictions cannot be used; folder and stamp key what is derived.
    """

    folder: str
    stamp: data.Stamp
    base: Architecture
    trainings: tuple[Training, ...]
    probs: np.ndarray
    y: np.ndarray
    single: tuple[Evaluation, ...]
    disagreement: np.ndarray
    left_out: tuple[str, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(training.id for training in self.trainings)

    def name(self, training_id: str) -> str:
        """How a network is written beside a point or in a list: its part or λ first, then the start of its key."""
        row = self.rows([training_id])
        return short_name(self.trainings[row[0]], self.base) if row else training_id

    def rows(self, ids: Sequence[str]) -> list[int]:
        """Rows of these networks, unknown ids left out."""
        place = {name: row for row, name in enumerate(self.ids)}
        return [place[name] for name in ids if name in place]


class Stored(NamedTuple):
    """An ensemble kept with the run; `role` is selected, control or user, `val` its evaluation when it was stored."""

    name: str
    title: str
    role: str
    rule: str
    members: tuple[str, ...]
    val: Evaluation


def has_networks(run: Run, shows: str) -> bool:
    """Whether anything is retrained yet; if not, draw what is missing and the way to it."""
    return any(run.is_trained(training) for training in run.plan()) or ready(run, "retrain", shows)


def scored_of(run: Run) -> Scored:
    """Judge each retrained network; StorageError while the run has no true classes or no α*."""
    return _scored(str(run.path), stamp_of(run))


def stamp_of(run: Run) -> data.Stamp:
    """Changes whenever a network or an ensemble of the run does."""
    files = sorted((*run.path.glob("candidates/*/val.npy"), *run.path.glob("ensembles/*.json")))
    return data.stamp(run, "plan.json", "targets.npz", "base.json") + tuple(file.stat().st_mtime_ns for file in files)


def stored_of(run: Run) -> tuple[list[Stored], list[str]]:
    """The run's ensembles, and a sentence for each file that is none."""
    found, broken = [], []
    for file in sorted((run.path / "ensembles").glob("*.json")):
        try:
            found.append(_stored(file.stem, storage.read_json(file)))
        except EdgeNESError as error:
            broken.append(f"The stored ensemble {file.stem!r} is left out: {error}")
    order = {"selected": 0, "control": 1}
    return sorted(found, key=lambda e: (order.get(e.role, 2), e.name)), broken


def short_name(training: Training, base: Architecture) -> str:
    """`α*`, `λ ≈ 1.25 · 3f2a9c` or `random · 3f2a9c`, with the seed where it is not 0."""
    seed = f", seed {training.seed}" if training.seed else ""
    if training.architecture == base:
        return f"α*{seed}"
    kind = next((role for role in ("random", "deviation") if role in training.roles), "pool")
    start = f"λ ≈ {training.lam:.2f}" if training.lam is not None else kind
    return f"{start} · {training.architecture.key[:6]}{seed}"


def text_of(name: str, value: float) -> str:
    """A metric's value as it is written everywhere: shares in per cent, the rest with the metric's digits."""
    metric = METRICS[name]
    return f"{value * 100:.{metric.digits}f} %" if metric.unit == "%" else f"{value:.{metric.digits}f}"


@st.cache_resource(max_entries=8, show_spinner=False)
def _scored(folder: str, stamp: data.Stamp) -> Scored:
    run = Run(Path(folder))
    y, usable, left_out = run.targets("val"), [], []
    for training in run.plan():
        if not run.is_trained(training):
            continue
        try:
            usable.append((training, _predictions(run, training, len(y))))
        except EdgeNESError as error:
            left_out.append(f"Network {training.id} is left out: {error}")
    trainings = tuple(training for training, _ in usable)
    probs = np.stack([p for _, p in usable]) if usable else np.zeros((0, len(y), 0))
    single = tuple(ensembles.evaluate(p[None], y, "val") for p in probs)
    pairs = diversity.pairwise_disagreement(probs) if usable else np.zeros((0, 0))
    return Scored(folder, stamp, run.base().architecture, trainings, probs, y, single, pairs, tuple(left_out))


def _predictions(run: Run, training: Training, images: int) -> np.ndarray:
    probs = distributions(storage.read_array(run.folder(training) / "val.npy"), "BC")
    if len(probs) != images:
        raise storage.StorageError(f"it predicts {len(probs)} images, but the run has {images} for validation.")
    return probs


def _stored(name: str, fields: dict[str, Any]) -> Stored:
    try:
        return Stored(
            name,
            str(fields["title"]),
            str(fields["role"]),
            str(fields.get("rule", "")),
            tuple(map(str, fields["members"])),
            from_dict(Evaluation, fields["val"]),
        )
    except (KeyError, TypeError) as error:
        raise storage.StorageError(f"it has no usable {error}.") from None
