"""What of a study is not done: which repeats are missing, the command that fills them, and a process that does it beside the app."""

from __future__ import annotations

import streamlit as st

from edgenes_core.access import Action
from edgenes_core.study import STUDIES, job
from edgenes_core.study.folder import Study
from pages.widgets import access, session, studies
from pages.widgets.compare_methods import fill_command
from pages.widgets.markdown import plain

EVERY = 3.0  # seconds between two looks while a process is at work


def panel(study: Study) -> None:
    """Nothing for a study that is whole; damage is named in any case."""
    for sentence in study.repeats()[1] if study.has_targets() else ():
        st.warning(plain(sentence), icon=":material/info:")
    if job.at_work(study):
        st.fragment(_watch, run_every=EVERY)(study, len(study.missing()))
    elif study.missing():
        _missing(study)


def _missing(study: Study) -> None:
    absent: dict[str, list[str]] = {}
    for arm, seed in study.missing():
        absent.setdefault(arm.name, []).append(str(seed))
    total = len(study.places())
    count = sum(map(len, absent.values()))
    with st.expander(f"{count} of {total} repeats are missing", icon=":material/pending:", key="compare_missing"):
        for name, seeds in absent.items():
            st.markdown(f"**{plain(study.config.arm(name).shown)}**: seed {', '.join(seeds)}. This command fills them:")
            st.code(fill_command(study, name), language="sh")
        last, error = job.last_words(study)
        if error:
            st.caption(f":material/error: The last process ended: {plain(error)}")
        elif last:
            st.caption(f"The last process said: {plain(last)}")
        if not access.refused(Action.TRAIN):
            st.button(
                "Fill all of them", key="compare_fill", icon=":material/rocket_launch:", on_click=_fill, args=(study,)
            )


def _fill(study: Study) -> None:
    with session.guard():
        access.require(Action.TRAIN)
        job.start(study)


def _watch(study: Study, before: int) -> None:
    """How far the process is; the page is drawn anew when a repeat is stored or the process has ended."""
    missing, total = len(study.missing()), len(study.places())
    if missing != before or not job.at_work(study):
        st.rerun()
    st.progress(
        (total - missing) / total,
        f"At work: {total - missing} of {total} repeats are stored. {plain(job.last_words(study)[0])}",
    )
    if not access.refused(Action.CANCEL):
        st.button("Stop", key="compare_stop", icon=":material/stop_circle:", on_click=_stop, args=(study,))


def _stop(study: Study) -> None:
    with session.guard():
        access.require(Action.CANCEL)
        job.stop(study)


def first_study() -> None:
    """There is none yet."""
    st.info(
        "Nothing to show yet: no study is stored. A study trains every method with several seeds.",
        icon=":material/info:",
    )
    _launch()


def new_study() -> None:
    """Another one, at the end of the page."""
    with st.expander("New study", icon=":material/add:", key="compare_new"):
        _launch()


def _launch() -> None:
    left, right = st.columns([0.7, 0.3], vertical_alignment="bottom")
    name = left.selectbox(
        "What is compared", list(STUDIES), format_func=lambda n: f"{n}: {STUDIES[n].about}", key="compare_new_name"
    )
    seeds = right.number_input("Seeds", 1, 100, STUDIES[name].seeds, key="compare_new_seeds")
    config = STUDIES[name]
    st.caption(
        f"{len(config.arms)} arms × {seeds} seeds on {config.base.dataset}; it goes on when this page is closed, and can be stopped. "
        "The same on the command line, where dataset, arms and settings can be changed:"
    )
    st.code(f"python -m edgenes_core study {name} --seeds {seeds}", language="sh")
    if not access.refused(Action.TRAIN):
        st.button(
            "Start", key="compare_start", icon=":material/rocket_launch:", on_click=_start, args=(name, int(seeds))
        )


def _start(name: str, seeds: int) -> None:
    from dataclasses import replace

    with session.guard():
        access.require(Action.TRAIN)
        command = f"python -m edgenes_core study {name} --seeds {seeds}"
        study = studies.store().create(name, replace(STUDIES[name], seeds=seeds), command)
        job.start(study)
        studies.ask(study.id, "")
