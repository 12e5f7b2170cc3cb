"""The run folder: the only truth about a run, portable, readable without torch.

    run.json  events.jsonl  targets.npz  base.json  {base_supernet, supernet, hypernet}.safetensors  path.json  plan.json
    candidates/<key>-<seed>/{architecture.json, weights.safetensors, val.npy, test.npy, history.json}
    ensembles/<name>.json  embedding.npz  reveals.jsonl  tried.jsonl  imported.json  shift/<key>-<seed>/*.npy (see `shifted`)
    checkpoints/<stage or network>/<stage>.safetensors, while that stage or training is not finished

A stage is done when run.json lists its cost; anything else can be missing. Test predictions are read by `reveal` alone,
and by `looks.again` what a stored look has shown.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from edgenes_core import durable, run_files, storage
from edgenes_core.config import PipelineConfig
from edgenes_core.lambda_path import Knots, LambdaPath
from edgenes_core.records import Event, without_redone
from edgenes_core.run_records import Base, Cost, Manifest, Network, SoftCount, Training, build_space
from edgenes_core.schema import from_dict, to_dict
from edgenes_core.space import SearchSpace
from edgenes_core.storage import StorageError

STAGES = ("darts", "hypernet", "retrain", "select", "embed")
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


@dataclass(frozen=True)
class Run:
    """A folder opened for reading and writing; nothing is cached but the manifest."""

    path: Path

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def manifest(self) -> Manifest:
        """run.json as it is now; StorageError if it is damaged or has settings that this version does not know."""
        return run_files.read_manifest(self.path / "run.json")

    @cached_property
    def config(self) -> PipelineConfig:
        return self.manifest.config

    @cached_property
    def space(self) -> SearchSpace:
        return build_space(self.config.space)

    def update(self, **changes: Any) -> Manifest:
        """Rewrite run.json with changed fields."""
        data = {**to_dict(self.manifest), **changes}
        storage.write_json(self.path / "run.json", data)
        return self.manifest

    def finish_stage(self, stage: str, cost: Cost) -> None:
        """Mark a stage done; everything it stores must be on disk by now."""
        self.update(stages={**self.manifest.stages, stage: to_dict(cost)})

    def has(self, stage: str) -> bool:
        """Whether a stage is done."""
        return stage in self.manifest.stages

    def append(self, event: Event) -> None:
        """Add one event to events.jsonl; a power cut may lose the last ones, whose steps are then done again."""
        storage.append_line(self.path / "events.jsonl", to_dict(event), kept=False)

    def events(self, offset: int = 0) -> tuple[list[Event], int]:
        """Events from a byte offset, and the offset to go on from; lines that are no events are skipped.

        Steps that were done again after a resume count once.
        """
        lines, offset = storage.read_lines(self.path / "events.jsonl", offset)
        known = []
        for line in lines:
            try:
                event = from_dict(Event, line)
            except Exception:  # noqa: S112 - a line of another version must not hide the others
                continue
            known.append(event)
        return without_redone(known), offset

    def checkpoints(self, part: str) -> Path:
        """Where an unfinished stage or training keeps its state."""
        return self.path / "checkpoints" / part

    def save_base(self, base: Base) -> None:
        run_files.write_base(self.path / "base.json", base)

    def base(self) -> Base:
        """α*; StorageError while the search has not finished."""
        return run_files.read_base(self._stage_file("base.json", "darts"))

    def save_knots(self, knots: Knots) -> None:
        storage.write_tensors(self.path / "hypernet.safetensors", positions=knots.positions, values=knots.values)

    def knots(self) -> Knots:
        """The hypernetwork's positions (K,) and values (K, S)."""
        return run_files.read_knots(self._stage_file("hypernet.safetensors", "hypernet"))

    def save_path(self, path: LambdaPath, soft: SoftCount) -> None:
        run_files.write_path(self.path / "path.json", path, soft)

    def lambda_path(self) -> LambdaPath:
        """The exact intervals of λ; StorageError while the hypernetwork is not trained."""
        return run_files.read_path(self._stage_file("path.json", "hypernet"))

    def soft_count(self) -> SoftCount:
        """s̃ on a grid of λ, as the regulariser saw it after the last step."""
        return run_files.read_soft_count(self._stage_file("path.json", "hypernet"))

    def save_plan(self, plan: Sequence[Training]) -> None:
        run_files.write_trainings(self.path / "plan.json", plan)

    def plan(self) -> tuple[Training, ...]:
        """All networks to retrain, pool first in order of λ; empty before the hypernetwork is trained."""
        if not (self.path / "plan.json").exists() and not self.has("hypernet"):
            return ()
        return run_files.read_trainings(self._stage_file("plan.json", "hypernet"))

    def save_imported(self, imported: Sequence[Training]) -> None:
        run_files.write_trainings(self.path / "imported.json", imported)

    def imported(self) -> tuple[Training, ...]:
        """Networks whose predictions a user brought (see `imported.py`); the pipeline neither trains nor selects them."""
        return run_files.read_trainings(self.path / "imported.json")

    def trainings(self) -> tuple[Training, ...]:
        """The plan, then what was imported: every network that this run can show."""
        return self.plan() + self.imported()

    def folder(self, training: Training) -> Path:
        return self.path / "candidates" / f"{training.architecture.key}-{training.seed}"

    def save_network(
        self,
        training: Training,
        weights: dict[str, np.ndarray],
        val: np.ndarray,
        test: np.ndarray,
        history: dict[str, list[float]],
    ) -> None:
        """Store a retrained network; history.json is written last and marks it complete."""
        folder = self.folder(training)
        storage.write_bytes(folder / "architecture.json", training.architecture.to_json().encode())
        storage.write_tensors(folder / "weights.safetensors", **weights)
        storage.write_array(folder / "val.npy", val.astype(np.float32))
        storage.write_array(folder / "test.npy", test.astype(np.float32))
        storage.write_json(folder / "history.json", {"history": history})

    def is_trained(self, training: Training) -> bool:
        return (self.folder(training) / "history.json").exists()

    def networks(self) -> dict[str, Network]:
        """Every finished network by id, in plan order, imported ones last."""
        found = {}
        for training in self.trainings():
            if self.is_trained(training):
                folder = self.folder(training)
                found[training.id] = Network(
                    training, storage.read_array(folder / "val.npy"), run_files.read_history(folder / "history.json")
                )
        return found

    def save_targets(self, val: np.ndarray, test: np.ndarray) -> None:
        storage.write_arrays(self.path / "targets.npz", val=val, test=test)

    def targets(self, split: str) -> np.ndarray:
        """True classes (B,) of 'val' or 'test'."""
        data = storage.read_arrays(self.path / "targets.npz")
        with storage.fields(self.path / "targets.npz"):
            return data[split]

    def val_probabilities(self, members: Sequence[str]) -> np.ndarray:
        """Validation probabilities (M, B, C) of retrained networks by id."""
        return storage.read_stack([folder / "val.npy" for folder in self.folders(members)])

    def reveal(self, members: Sequence[str], **about: Any) -> np.ndarray:
        """Test probabilities (M, B, C) of the members; each look is counted and stored with `about` (see `looks`),
        before anything of it is returned."""
        folders = self.folders(members)
        for member, folder in zip(members, folders, strict=True):
            if not (folder / "test.npy").exists():
                raise StorageError(
                    f"Network {member!r} has no test.npy: it was imported without test predictions, or the file was "
                    "removed. Leave it out."
                )
        found = storage.read_stack([folder / "test.npy" for folder in folders])
        storage.append_line(self.path / "reveals.jsonl", {"time": time.time(), "members": list(members), **about})
        return found

    def reveals(self) -> int:
        """How many times test results of this run were looked at."""
        return len(storage.read_lines(self.path / "reveals.jsonl")[0])

    def save_ensemble(self, name: str, data: dict[str, Any]) -> None:
        if not ID.fullmatch(name):
            raise StorageError(f"An ensemble's name has letters, digits, '.', '_' and '-' only, got {name[:60]!r}.")
        storage.write_json(self.path / "ensembles" / f"{name}.json", data)

    def remove_ensemble(self, name: str) -> None:
        """Forget a stored ensemble; StorageError if there is none or the folder refuses."""
        if not ID.fullmatch(name):
            raise StorageError(f"An ensemble's name has letters, digits, '.', '_' and '-' only, got {name[:60]!r}.")
        with storage.writing(f"remove the ensemble {name!r}"):
            durable.remove(self.path / "ensembles" / f"{name}.json")

    def ensembles(self) -> dict[str, dict[str, Any]]:
        """Stored ensembles by name: 'selected' and the controls, then the user's."""
        return {p.stem: storage.read_json(p) for p in sorted((self.path / "ensembles").glob("*.json"))}

    def save_embedding(self, **arrays: np.ndarray) -> None:
        storage.write_arrays(self.path / "embedding.npz", **arrays)

    def embedding(self) -> dict[str, np.ndarray]:
        """Stored map of cells: see `mapping`; StorageError if the stage has not run."""
        return storage.read_arrays(self._stage_file("embedding.npz", "embed"))

    def folders(self, members: Sequence[str]) -> list[Path]:
        """Folders of retrained networks by id; StorageError if one is none."""
        trained = {t.id: t for t in self.trainings() if self.is_trained(t)}
        if missing := [m for m in members if m not in trained]:
            known = f"known are {', '.join(trained)}" if trained else "none has been retrained yet"
            raise StorageError(f"Run {self.id} has no retrained network {missing[0]!r}; {known}.")
        return [self.folder(trained[m]) for m in members]

    def _stage_file(self, name: str, stage: str) -> Path:
        file = self.path / name
        if file.exists():
            return file
        if self.has(stage):
            raise StorageError(f"{file} is missing, though stage '{stage}' has finished. Restore it from a copy.")
        raise StorageError(
            f"Run {self.id} has no {name} yet: its stage '{stage}' has not finished. "
            f"Finish it with: python -m edgenes_core resume {self.id}"
        )
