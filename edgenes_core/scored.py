"""Every trained network of a run judged on its validation images, and the ensembles stored with the run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from edgenes_core import EdgeNESError, diversity, one_line, storage
from edgenes_core.architecture import Architecture
from edgenes_core.embeddings import shared_matrix
from edgenes_core.metrics import distributions, labels
from edgenes_core.records import Evaluation
from edgenes_core.run_folder import Run
from edgenes_core.run_records import Training
from edgenes_core.schema import from_dict
from edgenes_core.side_by_side import measures
from edgenes_core.space import SearchSpace

CELL_ROLES = ("pool", "deviation", "random", "imported")  # a cell that plays several parts is drawn as the first


@dataclass(frozen=True, eq=False)
class Scored:
    """N networks with usable predictions: probabilities (N, B, C), true classes (B,) and each one's evaluation.

    `left_out` holds a sentence for each network whose predictions cannot be used.
    """

    space: SearchSpace
    base: Architecture
    trainings: tuple[Training, ...]
    probs: np.ndarray
    y: np.ndarray
    single: tuple[Evaluation, ...]
    left_out: tuple[str, ...] = ()

    @cached_property
    def ids(self) -> tuple[str, ...]:
        return tuple(training.id for training in self.trainings)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Architecture key of each network."""
        return tuple(training.architecture.key for training in self.trainings)

    @cached_property
    def digest(self) -> str:
        """Changes with everything that numbers can be derived from: networks, their predictions, true classes, α*."""
        named = (self.base.key, repr(self.trainings), repr(self.probs.shape), *self.prints)
        return hashlib.sha256("\0".join(named).encode() + self.y.tobytes()).hexdigest()

    @cached_property
    def prints(self) -> tuple[str, ...]:
        """A hash of each network's predictions: those with the same one predict exactly the same."""
        return tuple(hashlib.sha256(np.ascontiguousarray(member).data).hexdigest() for member in self.probs)

    @cached_property
    def right(self) -> np.ndarray:
        """(N, B) whether each network names the true class."""
        return diversity.right(self.probs, self.y) if self.trainings else np.zeros((0, len(self.y)), bool)

    @cached_property
    def disagreement(self) -> np.ndarray:
        """(N, N) share of images on which two networks name different classes."""
        return diversity.pairwise_disagreement(self.probs) if self.trainings else np.zeros((0, 0))

    @cached_property
    def jsd(self) -> np.ndarray:
        """(N, N) Jensen–Shannon divergence of two networks' predictions, mean over images, in nats."""
        return diversity.pairwise_jsd(self.probs) if self.trainings else np.zeros((0, 0))

    @cached_property
    def shared(self) -> np.ndarray:
        """(N, N) shared edges of two networks' cells."""
        if not self.trainings:
            return np.zeros((0, 0), int)
        return shared_matrix(np.stack([self.space.encode(t.architecture) for t in self.trainings]))

    def name(self, training_id: str) -> str:
        """How a network is written beside a point or in a list: its part or λ first, then the start of its key."""
        row = self.rows([training_id])
        return short_name(self.trainings[row[0]], self.base) if row else training_id

    def rows(self, ids: Iterable[str]) -> list[int]:
        """Rows of these networks, unknown ids left out."""
        return [self._places[name] for name in ids if name in self._places]

    def cells(self) -> dict[str, list[int]]:
        """Rows of each cell's networks by architecture key, in plan order."""
        found: dict[str, list[int]] = {}
        for row, key in enumerate(self.keys):
            found.setdefault(key, []).append(row)
        return found

    def role(self, key: str) -> str:
        """How a cell is drawn: as α*, or by the part it plays."""
        if key == self.base.key:
            return "base"
        roles = {role for t, k in zip(self.trainings, self.keys, strict=True) if k == key for role in t.roles}
        return next((role for role in CELL_ROLES if role in roles), "pool")

    def pool(self) -> list[int]:
        """Rows of the networks that members are chosen from."""
        return [row for row, training in enumerate(self.trainings) if "pool" in training.roles]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.ids)}


@dataclass(frozen=True)
class StoredEnsemble:
    """An ensemble kept with the run; `role` is selected, control or user, `val` its evaluation when it was stored.

    `combiner` names a rule of combining.COMBINERS, `weights` are parts for the rule that takes them.
    """

    name: str
    title: str
    role: str
    rule: str
    members: tuple[str, ...]
    val: Evaluation
    combiner: str = "mean"
    weights: tuple[int, ...] = ()

    @property
    def drawn_as(self) -> str:
        """selected, user, or for a control the role of the cells it is made of."""
        if self.role in ("selected", "user"):
            return self.role
        return next((role for role in ("deepens", "random", "deviation") if self.name.startswith(role)), "base")


def score_networks(run: Run) -> Scored:
    """Judge each trained network; StorageError while the run has no true classes or no α*."""
    y, base = run.targets("val"), run.base().architecture
    trainings, single, left_out = [], [], []
    probs: list[np.ndarray] = []
    for training in run.trainings():
        if not run.is_trained(training):
            continue
        try:
            predicted = _predictions(run, training, (len(y), probs[0].shape[1] if probs else None))
            single.append(_alone(predicted, y))
        except EdgeNESError as error:
            left_out.append(f"Network {training.id} is left out: {error}")
        else:
            trainings.append(training)
            probs.append(predicted)
    stacked = np.stack(probs) if probs else np.zeros((0, len(y), 0))
    return Scored(run.space, base, tuple(trainings), stacked, y, tuple(single), tuple(left_out))


def stored_ensembles(run: Run) -> tuple[list[StoredEnsemble], list[str]]:
    """The run's ensembles, the selected one first, and a sentence for each file that is none."""
    found, broken = [], []
    for file in sorted((run.path / "ensembles").glob("*.json")):
        try:
            found.append(_stored(file.stem, storage.read_json(file)))
        except EdgeNESError as error:
            broken.append(f"The stored ensemble {file.stem!r} is left out: {error}")
    order = {"selected": 0, "control": 1}
    return sorted(found, key=lambda e: (order.get(e.role, 2), e.name)), broken


def short_name(training: Training, base: Architecture) -> str:
    """`α*`, `λ ≈ 1.25 · 3f2a9c`, `random · 3f2a9c` or the name a user gave, with the seed where it is not 0."""
    seed = f", seed {training.seed}" if training.seed else ""
    if training.architecture == base:
        return f"α*{seed}"
    kind = next((role for role in ("random", "deviation", "imported") if role in training.roles), "pool")
    start = f"λ ≈ {training.lam:.2f}" if training.lam is not None else training.name or kind
    return f"{start} · {training.architecture.key[:6]}{seed}"


def _alone(probs: np.ndarray, y: np.ndarray) -> Evaluation:
    """One network's checked probabilities (B, C), judged as `ensembles.evaluate` does; MetricError for impossible classes."""
    accuracy, nll, brier, ece = measures(probs, labels(y, *probs.shape)).tolist()
    return Evaluation("val", len(y), accuracy, nll, brier, ece, 0.0, accuracy)


def _predictions(run: Run, training: Training, expected: tuple[int, int | None]) -> np.ndarray:
    """(B, C); the first usable network decides how many classes there are."""
    probs = distributions(storage.read_array(run.folder(training) / "val.npy"), "BC")
    images, classes = expected
    if len(probs) != images:
        raise storage.StorageError(f"it predicts {len(probs)} images, but the run has {images} for validation.")
    if classes is not None and probs.shape[1] != classes:
        raise storage.StorageError(f"it names {probs.shape[1]} classes, but the networks before it {classes}.")
    return probs


def _stored(name: str, fields: dict[str, Any]) -> StoredEnsemble:
    try:
        return StoredEnsemble(
            name,
            one_line(str(fields["title"])),
            str(fields["role"]),
            str(fields.get("rule", "")),
            tuple(map(str, fields["members"])),
            from_dict(Evaluation, fields["val"]),
            str(fields.get("combiner", "mean")),
            tuple(map(int, fields.get("weights", ()))),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise storage.StorageError(f"it has no usable {error}.") from None
