"""The scored networks and stored ensembles of a run, kept until a file changes, and how their numbers are written."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from edgenes_core.records import METRICS
from edgenes_core.run_folder import Run
from edgenes_core.scored import Scored, score_networks, short_name, stored_ensembles
from edgenes_core.scored import StoredEnsemble as Stored
from pages.widgets import data
from pages.widgets.stages import ready

__all__ = [
    "MEASURES",
    "Scored",
    "Stored",
    "has_networks",
    "scored_of",
    "short_name",
    "stamp_of",
    "stored_of",
    "text_of",
]

MEASURES = ("accuracy", "nll", "brier", "ece", "disagreement", "oracle_accuracy")
HASH = {Scored: lambda scored: scored.digest}
"""For `st.cache_data(hash_funcs=HASH)`: equal networks with equal predictions are the same."""


def has_networks(run: Run, shows: str) -> bool:
    """Whether anything is trained yet; if not, draw what is missing and the way to it."""
    return any(run.is_trained(training) for training in data.trainings_of(run)) or ready(run, "retrain", shows)


def scored_of(run: Run) -> Scored:
    """Judge each trained network; StorageError while the run has no true classes or no α*."""
    return _scored(str(run.path), _stamp(run, "candidates/*/val.npy", "candidates/*/history.json"))


def stamp_of(run: Run) -> data.Stamp:
    """Changes whenever a network or an ensemble of the run does."""
    return _stamp(run, "candidates/*/val.npy", "candidates/*/history.json", "ensembles/*.json")


def _stamp(run: Run, *patterns: str) -> data.Stamp:
    files = [file for pattern in patterns for file in sorted(run.path.glob(pattern))]
    named = data.stamp(run, "plan.json", "imported.json", "targets.npz", "base.json")
    return named + tuple(file.stat().st_mtime_ns for file in files)


def stored_of(run: Run) -> tuple[list[Stored], list[str]]:
    """The run's ensembles, and a sentence for each file that is none."""
    files = [(file.name, file.stat()) for file in sorted(run.path.glob("ensembles/*.json"))]
    return _stored(str(run.path), tuple((name, stat.st_mtime_ns, stat.st_ino) for name, stat in files))


def text_of(name: str, value: float) -> str:
    """A metric's value as it is written everywhere: shares in per cent, the rest with the metric's digits."""
    metric = METRICS[name]
    return f"{value * 100:.{metric.digits}f} %" if metric.unit == "%" else f"{value:.{metric.digits}f}"


@st.cache_resource(max_entries=8, show_spinner=False)
def _scored(folder: str, stamp: data.Stamp) -> Scored:
    return score_networks(Run(Path(folder)))


@st.cache_data(max_entries=8, show_spinner=False)
def _stored(folder: str, files: tuple[tuple[str, int, int], ...]) -> tuple[list[Stored], list[str]]:
    return stored_ensembles(Run(Path(folder)))
