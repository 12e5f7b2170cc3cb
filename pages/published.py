"""Published beside ours: every table and figure of the thesis and its slides next to our measurement of the same."""

from __future__ import annotations

import streamlit as st

from pages.widgets import published_lambda, published_methods, published_strata, session, studies
from pages.widgets.markdown import plain

QUESTION = "do the authors' numbers and ours agree, and what can either show?"
TABS = {
    "Farther from α*": published_strata.farther_tab,
    "λ and shared edges": published_lambda.shared_tab,
    "Accuracy and λ": published_lambda.accuracy_tab,
    "Hypernetwork or random": published_strata.random_tab,
    "Warming": published_strata.warming_tab,
    "Methods and cost": published_methods.methods_tab,
    "Speed": published_methods.speed_tab,
    "Theorem": published_methods.theorem_tab,
}


def page() -> None:
    """A tab for each table or figure; one that is closed costs nothing."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="published_header"):
        st.title("Published and ours", anchor=False, width="content")
        st.caption(f"This page answers: {QUESTION}", width="stretch")
    for sentence in (*session.waiting(), *studies.damaged()):
        st.warning(plain(sentence), icon=":material/info:")
    st.caption(
        "Published numbers are copied with their source and were not run here. Ours are computed from stored studies, on validation "
        "images; smaller images and shorter trainings, so levels differ and only directions can be compared."
    )
    for tab, draw in zip(st.tabs(list(TABS), key="published_tab", on_change="rerun"), TABS.values(), strict=True):
        if tab.open:
            with tab, session.guard():
                draw()


page()
