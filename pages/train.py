"""Train: configure a run, see what it will cost, launch it, watch it, stop it, resume it."""

from __future__ import annotations

import dataclasses

import streamlit as st

from edgenes_core import EdgeNESError, jobs
from edgenes_core.before_run import summary
from edgenes_core.config import PRESETS, PipelineConfig
from edgenes_core.published import CORRECTED, DISCREPANCIES, preset
from edgenes_core.run_folder import Run
from pages.widgets import session
from pages.widgets.config_form import config_form
from pages.widgets.dataset import dataset_choice
from pages.widgets.estimate import expected_time
from pages.widgets.monitor import CHIPS, monitor

TITLE, QUESTION = "Train", "how is a run made, and how far is it?"
VIEW = "train_view"
VIEWS = {"watch": "Watch the open run", "new": "New run"}


def launch(config: PipelineConfig) -> None:
    """Create the run, start its worker, and watch it; what goes wrong is said above the page."""
    try:
        run = session.store().create(config, command="Train page of the app")
        session.choose_run(run.id)
        st.session_state[VIEW] = "watch"
        jobs.launch(run)
    except EdgeNESError as error:
        session.notify(str(error))


def form() -> PipelineConfig | None:
    """The settings, starting from a preset; None while they are not usable."""
    start = preset_choice()
    dataset = dataset_choice(key="train_data")
    with session.guard():
        config = config_form(start, key=f"train_{start.preset}", skip=("dataset", "preset"))
        same = dataclasses.replace(config, seed=start.seed, umap=start.umap) == start
        if dataset is not None:
            return dataclasses.replace(config, dataset=dataset, preset=start.preset if same else "custom")
    return None


def preset_choice() -> PipelineConfig:
    """A preset, and for the thesis's whether the release's settings are wanted where they differ."""
    name = st.segmented_control("Preset", list(PRESETS), default="quick", required=True, key="train_preset")
    published = name == CORRECTED and st.toggle(
        "As published",
        key="train_published",
        help="The settings of the authors' release where they differ from the corrected recipe, as far as settings can.",
    )
    start = preset(name, published)
    st.caption(summary(start))
    if name == CORRECTED:
        with st.expander("Where this recipe and the published one differ"), st.container(height=320, border=False):
            st.caption("The switch takes the marked ones (✓) back to the release; no setting can repeat the others.")
            lines = [
                f"- {'✓ ' * d.reproduced}**{d.about}.** Release: {d.release}. Here: {d.preset}." for d in DISCREPANCIES
            ]
            st.caption("\n".join(lines))
    return start


def cost_panel(config: PipelineConfig | None) -> None:
    """What the run will take, and the button."""
    st.subheader("Cost", anchor=False)
    if config is None:
        st.caption("Complete the settings first.")
    else:
        expected_time(config, key="train")
    st.button(
        "Launch",
        key="train_launch",
        type="primary",
        icon=":material/rocket_launch:",
        width="stretch",
        disabled=config is None,
        on_click=launch,
        args=(config,),
    )
    st.caption("The worker is a process of its own: it goes on when you close the page or stop the app.")


def job_list() -> None:
    """The newest runs of the user with their states; choosing one watches it."""
    runs = [run for run in session.all_runs() if session.origin(run) == "your run"][:6]
    if not runs:
        return
    st.subheader("Your runs", anchor=False)
    for run in runs:
        with session.guard(), st.container(horizontal=True, vertical_alignment="center", gap="small"):
            word, color, icon = CHIPS.get(jobs.state(run).name, CHIPS["created"])
            st.badge(word, color=color, icon=f":material/{icon}:")  # type: ignore[arg-type]
            st.button(run.id, key=f"train_watch_{run.id}", type="tertiary", on_click=watch, args=(run.id,))


def watch(run_id: str) -> None:
    session.choose_run(run_id)
    st.session_state[VIEW] = "watch"


def new_run() -> None:
    settings, side = st.columns([0.68, 0.32], gap="large")
    with settings:
        config = form()
    with side:
        with st.container(border=True):
            cost_panel(config)
        job_list()


def header() -> Run | None:
    """The page's header; the page works without any run, since it is where the first one is made."""
    if session.all_runs():
        return session.page_header(TITLE, QUESTION)
    st.title(TITLE, anchor=False)
    st.caption(f"This page answers: {QUESTION}")
    return None


run = header()
if run is None:
    new_run()
else:
    if VIEW not in st.session_state:
        unfinished = session.origin(run) == "your run" and run.manifest.state != "finished"
        st.session_state[VIEW] = "watch" if unfinished else "new"
    view = st.segmented_control(
        "View", list(VIEWS), format_func=VIEWS.__getitem__, required=True, key=VIEW, label_visibility="collapsed"
    )
    if view == "watch":
        monitor(run)
    else:
        new_run()
