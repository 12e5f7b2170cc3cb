"""Watch a job: state, progress, curves, what the search prefers now, the log; and stop or resume it."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Sequence

import streamlit as st

from edgenes_core import EdgeNESError, job_queue, jobs
from edgenes_core.access import Action
from edgenes_core.job_board import Progress, progress
from edgenes_core.jobs import JobState
from edgenes_core.progress import duration
from edgenes_core.records import Event
from edgenes_core.run_folder import STAGES, Run
from pages.widgets import access, session
from pages.widgets.charts import show
from pages.widgets.choices import answer
from pages.widgets.markdown import plain
from pages.widgets.run_messages import run_messages
from pages.widgets.stages import ABOUT

EVERY = 1.0  # seconds between two looks at a live job
CHIPS = {
    "created": ("not started", "gray", "radio_button_unchecked"),
    "queued": ("queued", "gray", "schedule"),
    "running": ("running", "blue", "play_circle"),
    "stalled": ("stalled", "orange", "hourglass_disabled"),
    "cancelling": ("stopping", "orange", "pending"),
    "finished": ("finished", "green", "check_circle"),
    "cancelled": ("cancelled", "orange", "cancel"),
    "failed": ("failed", "red", "error"),
    "interrupted": ("interrupted", "red", "power_off"),
}
CURVES = {"darts": "base search", "hypernet": "hypernetwork", "retrain": "retraining"}
CURRENT = "current"


class EventLog:
    """The events of a run, read on from where the last reader stopped; one for all sessions of the app."""

    def __init__(self) -> None:
        self.lock, self.offset = threading.Lock(), 0
        self.events: list[Event] = []

    def read(self, run: Run) -> list[Event]:
        """All events so far; only the last picture of α of each stage is kept in memory."""
        with self.lock:
            new, self.offset = run.events(self.offset)
            if any(event.alpha for event in new):
                pictured = {event.stage for event in new if event.alpha}
                self.events = [dataclasses.replace(e, alpha=()) if e.stage in pictured else e for e in self.events]
            self.events += new
            return list(self.events)


@st.cache_resource(max_entries=32, show_spinner=False)
def event_log(folder: str) -> EventLog:
    return EventLog()


def monitor(run: Run) -> None:
    """Draw the job, every second while a worker is alive or awaited; a job that starts or ends redraws the whole page once."""
    state = jobs.state(run)
    moving = state.alive or state.name == "queued"
    st.fragment(look, run_every=EVERY if moving else None)(run, (state.alive, moving))


def look(run: Run, before: tuple[bool, bool]) -> None:
    """One look at the job."""
    with session.guard():
        state = jobs.state(run)
        if (state.alive, state.alive or state.name == "queued") != before:
            st.rerun()
        events = event_log(str(run.path)).read(run)
        at = progress(events)
        top_line(run, state, at)
        stage_line(run, at, state)
        curves(run, events, at)
        with st.expander("Log", icon=":material/terminal:"):
            run_messages(run)


def top_line(run: Run, state: JobState, at: Progress) -> None:
    """Chip, sentence and buttons, then the bar."""
    word, color, icon = CHIPS.get(state.name, CHIPS["created"])
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(word, color=color, icon=f":material/{icon}:")  # type: ignore[arg-type]
        st.markdown(plain(sentence(run, state)), width="stretch")
        work_button(run, state)
        like_button()
        if run.has("hypernet"):
            st.page_link("explore.py", label="Open this run", icon=":material/open_in_new:", width="content")
    if state.name != "finished":
        left = f", about {duration(at.eta_seconds)} left" if state.alive and at.eta_seconds else ""
        beats = state.alive and state.name != "stalled"  # its sentence says for how long it was silent
        life = f" · last sign of life {duration(jobs.silence(run))} ago" if beats else ""
        st.progress(at.fraction, text=f"{at.fraction:.0%} of the whole{left}{life}")


def sentence(run: Run, state: JobState) -> str:
    """The state in words, with the place in the queue."""
    if state.name != "queued":
        return state.message
    return f"Place {job_queue.place(run)} in the queue; at most {job_queue.limit()} at once ({job_queue.LIMIT})."


def work_button(run: Run, state: JobState) -> None:
    """To stop what is at work or waits, to start or resume what does not."""
    if (state.alive or state.name == "queued") and access.allowed(Action.CANCEL):
        now = state.name in ("cancelling", "stalled")
        label, act = ("Stop now", jobs.terminate) if now else ("Cancel", jobs.request_cancel)
        st.button(label, key="train_cancel", icon=":material/stop:", on_click=attempt, args=(Action.CANCEL, act, run))
    elif state.resumable and session.origin(run) == "your run" and access.allowed(Action.TRAIN):
        label, act = "Start" if state.name == "created" else "Resume", job_queue.launch
        st.button(
            label, key="train_resume", icon=":material/play_arrow:", on_click=attempt, args=(Action.TRAIN, act, run)
        )


def like_button() -> None:
    """To the form with the settings of this run; a click in a part of the page that draws itself must draw the whole."""
    words = "Opens the form with the settings of this run. The link of that view restores them."
    if access.allowed(Action.TRAIN) and st.button(
        "Same settings again", key="train_like", icon=":material/content_copy:", help=words
    ):
        answer("train", "like")
        st.rerun()


def attempt(action: Action, act: Callable[[Run], None], run: Run) -> None:
    """A button's work; a refusal is shown above the page, where the button may be gone."""
    try:
        access.require(action)
        act(run)
    except EdgeNESError as error:
        session.notify(str(error))


def stage_line(run: Run, progress: Progress, state: JobState) -> None:
    """The stages with what each took, and where the job stands."""
    manifest, parts = run.manifest, []
    for stage in STAGES:
        cost, about = manifest.cost(stage), ABOUT[stage].replace("*", "\\*")
        if cost is not None:
            parts.append(f":material/check_circle: {about} ({duration(cost.seconds)})")
        elif state.alive and stage == progress.stage:
            parts.append(f":material/play_circle: **{about}, {progress.step} of {progress.steps}**")
        else:
            parts.append(f":gray[:material/radio_button_unchecked: {about}]")
    st.markdown(":small[" + " → ".join(parts) + "]")
    if peak := max((cost.peak_memory for stage in STAGES if (cost := manifest.cost(stage))), default=0):
        st.caption(
            f"Memory of the run's own process: at most {peak / 1e9:.1f} GB. Each training process takes its own."
        )


def curves(run: Run, events: Sequence[Event], progress: Progress) -> None:
    """Losses, obedience to λ and the picture of α, of the current stage or of a chosen one."""
    from edgenes_core.figures import training

    chosen = st.segmented_control(
        "Curves of",
        (CURRENT, *CURVES),
        format_func=lambda name: CURVES.get(name, "the current stage"),
        default=CURRENT,
        required=True,
        key="train_stage",
    )
    stage = chosen if chosen != CURRENT else current_stage(events, progress)
    dark, waiting = session.dark(), "Nothing measured yet."
    losses = training.curves_info(events, stage, training.LOSSES)
    if stage == "retrain":
        show(training.plot_curves(losses, waiting, dark=dark, each=True), key="train_losses")
        st.caption("Each point is one retrained network: its training loss after the last epoch.")
        return
    left, right = st.columns([0.6, 0.4], gap="medium")
    with left:
        show(training.plot_curves(losses, waiting, dark=dark), key="train_losses")
        if control := training.curves_info(events, stage, training.CONTROL):
            show(training.plot_curves(control, waiting, dark=dark), key="train_control")
        if stage == "hypernet":
            st.caption("Shared edges should follow the λ asked for: |λ − shared| falls when the hypernetwork obeys.")
    with right:
        info = training.alpha_info(events, stage, run.space)
        at = f" at step {info.step}" if info else ""
        st.markdown(f"**What the search prefers on each edge**{at}", help="α: mixing weights of the operations.")
        show(training.plot_alpha(info, dark=dark), key="train_alpha")


def current_stage(events: Sequence[Event], progress: Progress) -> str:
    """The last stage that has curves."""
    if progress.stage in CURVES:
        return progress.stage
    return next((event.stage for event in reversed(events) if event.stage in CURVES), "darts")
