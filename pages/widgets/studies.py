"""Studies for the pages: which are there, which is open, and their numbers, read once for all sessions."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from edgenes_core.study.budget import Curve, curves
from edgenes_core.study.chosen import Mode
from edgenes_core.study.folder import Look, Study
from edgenes_core.study.store import BUNDLED, StudyStore, is_bundled
from edgenes_core.study.table import Row, Seen, judge, rows
from edgenes_core.study.worth import WorthRow, worths
from pages.widgets import session

OPEN, AGAINST = "study", "study_against"
Stamp = tuple[int, ...]


def store() -> StudyStore:
    """Those under the runs folder, and the bundled ones."""
    return StudyStore(session.store().root)


def all_studies() -> list[Study]:
    """The bundled ones first, then the newest; damaged ones are left out (see `damaged`)."""
    return list(_listed(str(session.store().root), _folders())[0])


def damaged() -> tuple[str, ...]:
    """A sentence for each study that cannot be read."""
    return _listed(str(session.store().root), _folders())[1]


def arms_by_study() -> dict[str, tuple[str, ...]]:
    """What a link may name."""
    return {study.id: tuple(arm.name for arm in study.config.arms) for study in all_studies()}


def asked() -> tuple[str, str]:
    """The study and the arm to compare with that the user or a link has chosen, empty where none was."""
    return st.session_state.get(OPEN, ""), st.session_state.get(AGAINST, "")


def ask(study: str, against: str) -> None:
    """Choose them."""
    st.session_state[OPEN], st.session_state[AGAINST] = study, against


def origin(study: Study) -> str:
    """Where a study's numbers come from, said beside them."""
    return "bundled study" if is_bundled(study) else "your study"


def source(study: Study) -> str:
    """The same with all that one needs to find them again."""
    commit = str(study.about.get("commit", ""))[:7]
    return f"Study {study.id} ({origin(study)}), {study.config.base.dataset}{f', commit {commit}' if commit else ''}."


def devices(study: Study) -> tuple[str, ...]:
    """What its repeats were trained on, by which its seconds are to be read."""
    found = study.repeats()[0] if study.has_targets() else []
    return tuple(sorted({repeat.device for repeat in found}))


def stamp(study: Study) -> Stamp:
    """Changes whenever a repeat is stored or replaced."""
    files = [study.path / "study.json", study.path / "targets.npz", *sorted(study.path.glob("repeats/*/*"))]
    return tuple(file.stat().st_mtime_ns for file in files if file.exists())


def seen_of(study: Study, mode: Mode, look: Look | None) -> Seen:
    """Every ensemble; nothing of the test set is read or kept without a look."""
    return _seen(str(study.path), stamp(study), mode, look)


def rows_of(study: Study, mode: Mode, look: Look | None, reference: str) -> list[Row]:
    """Methods × metrics."""
    return _rows(str(study.path), stamp(study), mode, look, reference)


def worths_of(study: Study, mode: Mode, look: Look | None) -> list[WorthRow]:
    """DEE of each method."""
    return _worths(str(study.path), stamp(study), mode, look)


def curves_of(study: Study, metric: str, look: Look | None) -> list[Curve]:
    """Quality after each trained candidate."""
    return _curves(str(study.path), stamp(study), metric, look)


def _folders() -> Stamp:
    roots = (BUNDLED, StudyStore(session.store().root).root)
    files = [file for root in roots for file in sorted(root.glob("*/study.json"))]
    return tuple(n for file in files for state in [file.stat()] for n in (state.st_mtime_ns, state.st_ino))


@st.cache_resource(max_entries=8, show_spinner=False)
def _listed(root: str, stamp: Stamp) -> tuple[tuple[Study, ...], tuple[str, ...]]:
    from edgenes_core import EdgeNESError

    found, sentences = list[Study](), list[str]()
    for study in StudyStore(Path(root)).list():
        try:
            study.config  # noqa: B018 - a damaged study.json must be said here, not later
            found.append(study)
        except EdgeNESError as error:
            sentences.append(str(error))
    return tuple(found), tuple(sentences)


@st.cache_resource(max_entries=16, show_spinner="Choosing members on validation…")
def _seen(folder: str, stamp: Stamp, mode: Mode, look: Look | None) -> Seen:
    return judge(Study(Path(folder)), mode, look)


@st.cache_resource(max_entries=32, show_spinner="Comparing over seeds and images…")
def _rows(folder: str, stamp: Stamp, mode: Mode, look: Look | None, reference: str) -> list[Row]:
    return rows(Study(Path(folder)), _seen(folder, stamp, mode, look), reference)


@st.cache_resource(max_entries=16, show_spinner="Calibrating…")
def _worths(folder: str, stamp: Stamp, mode: Mode, look: Look | None) -> list[WorthRow]:
    return worths(Study(Path(folder)), _seen(folder, stamp, mode, look), look)


@st.cache_resource(max_entries=16, show_spinner="Choosing members after each training…")
def _curves(folder: str, stamp: Stamp, metric: str, look: Look | None) -> list[Curve]:
    return curves(Study(Path(folder)), metric, look)
