"""Compare methods: a study's arms over seeds, what they cost and how good they are, and what so many seeds can show."""

from __future__ import annotations

import streamlit as st

from edgenes_core.study.folder import Study
from pages.widgets import (
    compare_classes,
    compare_cost,
    compare_curves,
    compare_differences,
    compare_methods,
    compare_pick,
    compare_table,
    compare_work,
    session,
    studies,
)
from pages.widgets.markdown import plain

QUESTION = "which method is better at the same cost, and is the difference more than chance?"
TABS = {
    "Table": compare_table.tab,
    "Differences": compare_differences.tab,
    "Cost": compare_cost.tab,
    "Budget": compare_curves.tab,
    "Classes": compare_classes.tab,
    "Methods": compare_methods.tab,
}


def header(study: Study | None) -> None:
    """As on the pages of a run, but with the study's chip."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="compare_header"):
        st.title("Compare methods", anchor=False, width="content")
        st.caption(f"This page answers: {QUESTION}", width="stretch")
        if study is not None:
            color = "green" if studies.origin(study) == "bundled study" else "blue"
            about = f"{studies.origin(study)} · {plain(compare_pick.dataset_of(study))} · {study.config.seeds} seeds"
            about += f" · {plain(', '.join(studies.devices(study)))}"
            st.badge(about, color=color, help=f"Every number on this page comes from study {study.id}.")
    for sentence in session.waiting():
        st.warning(plain(sentence), icon=":material/info:")


def body(study: Study) -> None:
    """Controls, what is not done yet, and the tabs; a tab that is closed costs nothing."""
    asked = compare_pick.controls(study)
    with session.guard():
        compare_work.panel(study)
    if asked is None:
        return
    for tab, draw in zip(st.tabs(list(TABS), key="compare_tab", on_change="rerun"), TABS.values(), strict=True):
        if tab.open:
            with tab, session.guard():
                draw(asked)


def page() -> None:
    known = studies.all_studies()
    study = compare_pick.open_study(known)
    header(study)
    for sentence in studies.damaged():
        st.warning(plain(sentence), icon=":material/info:")
    if study is None:
        compare_work.first_study()
        return
    compare_pick.pick(known, study)
    with session.guard():
        body(study)
    compare_work.new_study()


page()
