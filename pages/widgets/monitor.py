"""Watch a job: state, progress, curves, what the search prefers now, the log; and stop or resume it."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Sequence

import streamlit as st

from edgenes_core import EdgeNESError, jobs
from edgenes_core.jobs import JobState, Progress
from edgenes_core.progress import duration
from edgenes_core.records import Event
from edgenes_core.run_folder import STAGES, Run
from pages.widgets import session
from pages.widgets.charts import show
from pages.widgets.stages import ABOUT

EVERY = 1.0  # seconds between two looks at a live job
CHIPS = {
    "created": ("not started", "gray", "radio_button_unchecked"),
    "running": ("running", "blue", "play_circle"),
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
    """Draw the job, every second while a worker is alive; a job that starts or ends redraws the whole page once."""
    alive = jobs.is_alive(run)
    st.fragment(look, run_every=EVERY if alive else None)(run, alive)


def look(run: Run, was_alive: bool) -> None:
    """One look at the job."""
    with session.guard():
        state = jobs.state(run)
        if state.alive != was_alive:
            st.rerun()
        events = event_log(str(run.path)).read(run)
        progress = jobs.progress(events)
        top_line(run, state, progress)
        stage_line(run, progress, state)
        curves(run, events, progress)
        with st.expander("Log", icon=":material/terminal:"):
            st.code(jobs.log_tail(run) or "The worker has not written anything.", language=None, height=260)


def top_line(run: Run, state: JobState, progress: Progress) -> None:
    """Chip, sentence and buttons, then the bar."""
    word, color, icon = CHIPS.get(state.name, CHIPS["created"])
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(word, color=color, icon=f":material/{icon}:")  # type: ignore[arg-type]
        st.markdown(state.message, width="stretch")
        if state.alive:
            cancel = state.name == "cancelling"
            label, act = ("Stop now", jobs.terminate) if cancel else ("Cancel", jobs.request_cancel)
            st.button(label, key="train_cancel", icon=":material/stop:", on_click=attempt, args=(act, run))
        elif state.resumable and session.origin(run) == "your run":
            label = "Start" if state.name == "created" else "Resume"
            st.button(
                label, key="train_resume", icon=":material/play_arrow:", on_click=attempt, args=(jobs.launch, run)
            )
        if run.has("hypernet"):
            st.page_link("explore.py", label="Open this run", icon=":material/open_in_new:", width="content")
    if state.name != "finished":
        left = f", about {duration(progress.eta_seconds)} left" if state.alive and progress.eta_seconds else ""
        st.progress(progress.fraction, text=f"{progress.fraction:.0%} of the whole{left}")


def attempt(act: Callable[[Run], None], run: Run) -> None:
    """A button's work; a refusal is shown above the page, where the button may be gone."""
    try:
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
