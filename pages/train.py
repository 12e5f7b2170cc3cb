"""Train: configure a run, see what it will cost, launch it, watch it, stop it, resume it."""

from __future__ import annotations

import dataclasses

import streamlit as st

from edgenes_core import EdgeNESError, job_queue, jobs, launch_options
from edgenes_core.access import Action
from edgenes_core.before_run import summary
from edgenes_core.config import IMPORTED, PRESETS, PipelineConfig
from edgenes_core.launch_options import LaunchOptions
from edgenes_core.published import CORRECTED, DISCREPANCIES, preset
from edgenes_core.run_digest import digest, same
from edgenes_core.run_folder import Run
from pages.widgets import access, session
from pages.widgets.answers import answers
from pages.widgets.choices import CHOICES, answer
from pages.widgets.config_form import config_form
from pages.widgets.dataset import dataset_choice
from pages.widgets.estimate import expected_time
from pages.widgets.monitor import CHIPS, monitor
from pages.widgets.where import room, where_it_runs

TITLE, QUESTION = "Train", "how is a run made, and how far is it?"
VIEW = "train_view"
VIEWS = ("watch", "new", "like")
KNOWN = "train_known"  # the run that was opened because it is what was to be launched


def launch(config: PipelineConfig, options: LaunchOptions, again: bool = False) -> None:
    """Create the run, start its worker or let it wait, and watch it; what goes wrong is said above the page.

    A run with the same settings, seed, images and code is opened instead, unless it is to be trained `again`.
    """
    try:
        access.require(Action.TRAIN)
        store, mark = session.store(), digest(config)
        run = None if again else same(store, mark)
        st.session_state[KNOWN] = run.id if run else ""
        if run is None:
            run = store.create(config, command="Train page of the app", digest=mark)
            watch(run.id)
            job_queue.launch(run, options)
        watch(run.id)
    except EdgeNESError as error:
        session.notify(str(error))


def form(like: Run | None) -> PipelineConfig | None:
    """The settings, starting from a preset or from those of a run; None while they are not usable."""
    start = like.config if like else preset_choice()
    key = f"train_like_{like.id}" if like else f"train_{start.preset}"
    if like:
        st.caption(f"Starts from the settings of {like.id}. {summary(start)}")
    dataset = dataset_choice(start.dataset, key=f"{key}_data" if like else "train_data")
    with session.guard():
        config = config_form(start, key=key, skip=("dataset", "preset"))
        unchanged = dataclasses.replace(config, seed=start.seed, umap=start.umap) == start
        if dataset is not None:
            return dataclasses.replace(
                config, dataset=dataset, preset=start.preset if unchanged and start.preset != IMPORTED else "custom"
            )
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


def cost_panel(config: PipelineConfig | None, like: Run | None) -> None:
    """What the run will take, where it is to run, and the button."""
    st.subheader("Cost", anchor=False)
    beside = st.container()
    key = f"train_like_{like.id}_at" if like else "train_at"
    with session.guard():
        options = where_it_runs(launch_options.kept(like.path) if like else LaunchOptions(), key=key)
        with beside:
            if config is None:
                st.caption("Complete the settings first.")
            else:
                expected_time(config, options and options.workers, key="train")
        st.button(
            "Launch",
            key="train_launch",
            type="primary",
            icon=":material/rocket_launch:",
            width="stretch",
            disabled=config is None or options is None,
            on_click=launch,
            args=(config, options),
        )
        st.caption(room() or "The worker is a process of its own: it goes on when you close the page or stop the app.")


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
    answer("train", "watch")


def new_run(like: Run | None = None) -> None:
    if access.refused(Action.TRAIN):
        job_list()
        return
    settings, side = st.columns([0.68, 0.32], gap="large")
    with settings:
        config = form(like)
    with side:
        with st.container(border=True):
            cost_panel(config, like)
        job_list()


def known(run: Run) -> None:
    """Why a run was opened instead of launched, and how to launch it all the same."""
    if st.session_state.get(KNOWN) != run.id:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="train_known_note"):
        st.info(
            "This run has the same settings, seed, images and code, so nothing was started.", icon=":material/info:"
        )
        with session.guard():
            st.button(
                "Train anyway",
                key="train_anyway",
                icon=":material/rocket_launch:",
                on_click=launch,
                args=(run.config, launch_options.kept(run.path), True),
            )


def view_of(run: Run) -> str:
    """The view asked for, else the one that fits the run."""
    asked = answers().get("train", "auto")
    if asked in VIEWS:
        return asked
    unfinished = session.origin(run) == "your run" and run.manifest.state != "finished"
    return "watch" if unfinished or not access.allowed(Action.TRAIN) else "new"


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
    st.session_state[VIEW] = view_of(run)
    view = st.segmented_control(
        "View",
        VIEWS,
        format_func=CHOICES["train"].options.__getitem__,
        required=True,
        key=VIEW,
        label_visibility="collapsed",
        on_change=lambda: answer("train", st.session_state[VIEW]),
    )
    if view == "watch":
        known(run)
        monitor(run)
    else:
        new_run(run if view == "like" else None)
