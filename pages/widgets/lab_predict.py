"""What is not predicted yet, about how long it takes, and the process that does it: beside the app, which goes on."""

from __future__ import annotations

import os
from collections.abc import Sequence

import streamlit as st

from edgenes_core import shift_jobs
from edgenes_core.access import Action
from edgenes_core.catalogue import stored_file
from edgenes_core.progress import duration
from edgenes_core.run_folder import Run
from edgenes_core.shift_jobs import Plan
from edgenes_core.shifted import STAND_INS, known_as
from edgenes_core.snippets import BUNDLED, same_folder
from pages.widgets import access
from pages.widgets.markdown import plain
from pages.widgets.monitor import attempt

EVERY = 1.0  # seconds between two looks at a process
WEIGHTS = "weights.safetensors"


def predict_panel(run: Run, plan: Plan, images: int, *, key: str) -> None:
    """Nothing if all is there; else what is missing, and a button. While a process is at it, how far it is."""
    without = [t.id for t in run.trainings() if t.id in plan.members and not (run.folder(t) / WEIGHTS).exists()]
    if without:
        st.info(
            f"Nothing can be predicted anew for {', '.join(map(plain, without))}: imported networks come without weights. "
            "Leave them out of the team.",
            icon=":material/info:",
        )
    plan = plan._replace(members=tuple(member for member in plan.members if member not in without))
    alive = shift_jobs.is_alive(run)
    if alive:
        st.fragment(_look, run_every=EVERY)(run, plan, key)
        return
    left = shift_jobs.left(run, plan, name_of)
    if left:
        nothing = left == shift_jobs.total(plan)
        label = _missing(run, plan, left, images)
        with st.expander(label, expanded=nothing, icon=":material/pending:", key=f"{key}_missing"):
            _offer(run, plan, left, key)


def name_of(source: str) -> str:
    """What predictions of a source are stored under."""
    file = stored_file(source)
    return source if source in STAND_INS else _hashed(source, file.stat().st_mtime_ns if file.exists() else 0)


def _missing(run: Run, plan: Plan, left: int, images: int) -> str:
    seconds = shift_jobs.seconds(run, left, images)
    about = f", about {duration(seconds)}" if seconds else ""
    return f"{left} of {shift_jobs.total(plan)} predictions are not made yet{about}"


def _offer(run: Run, plan: Plan, left: int, key: str) -> None:
    """What is to be done, by button or on the command line."""
    of = "test" if plan.split == "test" else "validation"
    outside = f" and foreign images ({', '.join(plan.outside)})" if plan.outside else ""
    st.caption(
        f"{len(plan.members)} networks, {len(plan.corruptions)} corruptions of the {of} images at severities "
        f"{', '.join(map(str, plan.severities))}{outside}. One network at a time; what is stored stays, so it may be stopped. "
        "The time is that of retraining on the machine that made this run."
    )
    name = "assets/demo" if same_folder(run, BUNDLED) else run.id
    st.code(plan.command(name), language=None, wrap_lines=True)  # coloured words would be too pale
    if failed := shift_jobs.failure(run):
        st.error(plain(failed), icon=":material/error:")
    if access.refused(Action.PREDICT):
        return
    writable = os.access(run.path, os.W_OK)
    st.button(
        f"Make {left} predictions in the background",
        key=f"{key}_predict",
        icon=":material/play_arrow:",
        disabled=not writable,
        on_click=attempt,
        args=(Action.PREDICT, lambda of_run: shift_jobs.launch(of_run, plan), run),
    )
    if not writable:
        st.caption(":material/info: The run's folder cannot be written: copy the run to a folder you may write to.")


def _look(run: Run, plan: Plan, key: str) -> None:
    """One look at the process; the page is drawn anew when it has ended."""
    if not shift_jobs.is_alive(run):
        st.rerun()
    total = shift_jobs.total(plan)
    done = total - shift_jobs.left(run, plan, name_of)
    st.progress(done / max(1, total), text=f"Predicting: {done} of {total} for these teams")
    if access.allowed(Action.CANCEL):
        stop = (Action.CANCEL, shift_jobs.cancel, run)
        st.button("Stop", key=f"{key}_stop", icon=":material/stop:", on_click=attempt, args=stop)


@st.cache_data(max_entries=8, show_spinner="Reading another dataset…")
def _hashed(source: str, stamp: int) -> str:
    return known_as(source)


def stamp_of(run: Run, members: Sequence[str]) -> tuple[int, ...]:
    """Changes when a prediction of these networks is added."""
    folders = [run.path / "shift" / run.folder(t).name for t in run.trainings() if t.id in set(members)]
    return tuple(folder.stat().st_mtime_ns for folder in folders if folder.exists())
