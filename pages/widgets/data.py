"""Cached readers of a run folder, keyed by folder and the modification times of the files read: never stale, never slow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import streamlit as st

from edgenes_core.lambda_path import Knots, LambdaPath
from edgenes_core.run_folder import Run
from edgenes_core.run_records import Base, Network, SoftCount, Training
from edgenes_core.storage import StorageError

T = TypeVar("T")
Stamp = tuple[int, ...]
_cached = st.cache_resource(max_entries=32, show_spinner=False)


def path_of(run: Run) -> LambdaPath:
    """All intervals of λ; StorageError while the hypernetwork is not trained or if path.json is damaged."""
    return _path(str(run.path), stamp(run, "run.json", "path.json"))


def soft_of(run: Run) -> SoftCount:
    """The soft count s̃ on its grid of λ."""
    return _soft(str(run.path), stamp(run, "run.json", "path.json"))


def knots_of(run: Run) -> Knots:
    """The hypernetwork's positions and values."""
    return _knots(str(run.path), stamp(run, "hypernet.safetensors"))


def base_of(run: Run) -> Base:
    """α* and its logits."""
    return _base(str(run.path), stamp(run, "run.json", "base.json"))


def trainings_of(run: Run) -> tuple[Training, ...]:
    """Every network that the run can show, trained or not."""
    return _trainings(str(run.path), stamp(run, "run.json", "plan.json", "imported.json"))


def networks_of(run: Run) -> dict[str, Network]:
    """Finished networks by training id, in plan order."""
    return _networks(str(run.path), networks_stamp(run))


def val_targets(run: Run) -> np.ndarray:
    """True classes (B,) of the validation images."""
    return _targets(str(run.path), stamp(run, "targets.npz"))


def ensembles_of(run: Run) -> dict[str, dict[str, Any]]:
    """Stored ensembles by name."""
    return _ensembles(str(run.path), _stamp_all(run, "ensembles/*.json"))


def networks_stamp(run: Run) -> Stamp:
    """Changes whenever a network is finished."""
    return stamp(run, "plan.json") + _stamp_all(run, "candidates/*/history.json")


def _stamp_all(run: Run, pattern: str) -> Stamp:
    return tuple(file.stat().st_mtime_ns for file in sorted(run.path.glob(pattern)))


def stamp(run: Run, *names: str) -> Stamp:
    """Modification times in nanoseconds, 0 for a missing file."""
    files = [run.path / name for name in names]
    return tuple(f.stat().st_mtime_ns if f.exists() else 0 for f in files)


def _read(folder: str, what: str, reader: Callable[[Run], T]) -> T:
    """Run a reader; a file that is whole but has the wrong contents becomes one sentence too."""
    run = Run(Path(folder))
    try:
        return reader(run)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise StorageError(
            f"Run {run.id}: {what} does not hold what this version expects ({type(error).__name__}: {error}). "
            "Restore it from a copy or remove the run."
        ) from None


@_cached
def _path(folder: str, stamp: Stamp) -> LambdaPath:
    return _read(folder, "path.json", lambda run: _not_empty(run.lambda_path()))


def _not_empty(path: LambdaPath) -> LambdaPath:
    if not path.intervals:
        raise ValueError("it lists no interval of λ")
    return path


@_cached
def _soft(folder: str, stamp: Stamp) -> SoftCount:
    return _read(folder, "path.json", lambda run: run.soft_count())


@_cached
def _knots(folder: str, stamp: Stamp) -> Knots:
    return _read(folder, "hypernet.safetensors", lambda run: run.knots())


@_cached
def _base(folder: str, stamp: Stamp) -> Base:
    return _read(folder, "base.json", lambda run: run.base())


@_cached
def _trainings(folder: str, stamp: Stamp) -> tuple[Training, ...]:
    return _read(folder, "plan.json", lambda run: run.trainings())


@_cached
def _networks(folder: str, stamp: Stamp) -> dict[str, Network]:
    return _read(folder, "a candidate's folder", lambda run: run.networks())


@_cached
def _ensembles(folder: str, stamp: Stamp) -> dict[str, dict[str, Any]]:
    return _read(folder, "ensembles", lambda run: run.ensembles())


@_cached
def _targets(folder: str, stamp: Stamp) -> np.ndarray:
    return _read(folder, "targets.npz", lambda run: run.targets("val"))
