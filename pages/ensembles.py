"""Ensembles: build a team, judge it beside the selected one and the controls, and see why it is good or not."""

from __future__ import annotations

import streamlit as st

from edgenes_core.run_folder import Run
from pages.widgets import lab_compare, lab_images, lab_members, lab_shift, lab_test, lab_trust, session, team
from pages.widgets.lab_build import build_panel
from pages.widgets.lab_choose import choose_panel
from pages.widgets.lab_headline import headline
from pages.widgets.lab_keep import keep_panel
from pages.widgets.markdown import plain
from pages.widgets.scores import has_networks, scored_of

TABS = {
    "Compare": lab_compare.tab,
    "Members": lab_members.tab,
    "Trust": lab_trust.tab,
    "Images": lab_images.tab,
    "Shift": lab_shift.tab,
    "Test": lab_test.tab,
}


def page(run: Run) -> None:
    """What the team is made of beside what it is worth; a tab that is closed costs nothing."""
    scored = scored_of(run)
    side, results = st.columns([0.31, 0.69], gap="large")
    shown = team.shown(run, scored)
    with results, session.guard():  # before the panels beside it: what has changed is on its way while they are drawn
        headline(run, scored, shown)
    with side:
        for panel in (build_panel, choose_panel, keep_panel):
            with st.container(border=True), session.guard():
                panel(run, scored)
    with results:
        for tab, draw in zip(st.tabs(list(TABS), key="ensembles_tab", on_change="rerun"), TABS.values(), strict=True):
            if tab.open:
                with tab, session.guard():
                    draw(run, scored, shown)
    for sentence in (*scored.left_out, *team.stored_teams(run, scored)[1]):
        st.warning(plain(sentence), icon=":material/info:")


run = session.page_header("Ensembles", "are these members together better than what was selected, or is it a tie?")
with session.guard():
    if has_networks(run, "the comparison of ensembles"):
        page(run)
