"""Of the Test tab: corrupted test images, by corruptions that nothing was chosen by, behind a look of their own."""

from __future__ import annotations

import streamlit as st

from edgenes_core import looks, revealed, shift_jobs, shift_teams, trust_snippets
from edgenes_core.corruptions import TEST_CORRUPTIONS
from edgenes_core.looks import Look
from edgenes_core.run_folder import Run
from edgenes_core.severity import SeverityPoint
from edgenes_core.team import Team
from pages.widgets import session
from pages.widgets.charts import show
from pages.widgets.choices import choose
from pages.widgets.lab_beside import beside, named, styles
from pages.widgets.lab_outside import RUN
from pages.widgets.lab_predict import predict_panel
from pages.widgets.lab_shift import severity_words
from pages.widgets.reveal import reveal_button
from pages.widgets.scores import Scored
from pages.widgets.tools import View, frame, view_tools

LEVELS = (1, 3, 5)


def shifted_test_panel(run: Run, scored: Scored, shown: Team) -> None:
    """Predict, then look, then the curves of that look."""
    teams = beside(run, scored, shown)
    n = len(run.targets("test"))
    st.markdown("**On corrupted test images**", help="Nine corruptions that selection may not look at.")
    look = looks.latest(run, teams, corrupted=True)
    if look is not None:
        curves(run, scored, look, teams)
        return
    members = tuple(shift_teams.members_of(teams))
    predict_panel(run, shift_jobs.Plan(members, tuple(TEST_CORRUPTIONS), LEVELS, split="test"), n, key="test_shift")
    conditions = [c for c in shift_teams.common(run, teams, "test") if c[0] in TEST_CORRUPTIONS]
    if not conditions:
        st.caption("To predict is no look: numbers are shown after a further click.")
        return
    st.markdown(f"One more look would show, under {len(conditions)} conditions: {', '.join(map(named, teams))}.")
    reveal_button(
        "Reveal corrupted test images", lambda: looks.look_corrupted(run, teams, conditions), key="test_shift_reveal"
    )


def curves(run: Run, scored: Scored, look: Look, teams: tuple[Team, ...]) -> None:
    """A panel for each corruption and their mean, of one metric."""
    from edgenes_core.figures.severities import plot_severities

    every = _points(run, scored, look, teams)
    metric = choose("test_metric")
    points = [point for point in every if point.metric == metric]
    figure = plot_severities(points, styles(run, scored, teams), [metric], dark=session.dark())
    said = severity_words(every, teams[0].name)
    show(figure, key="test_severities", alt=said)
    view = View(
        "severity-test",
        f"Metrics against severity, test n = {points[0].n} images, look {look.number}, bars: bootstrap 95 % over images",
        f"Test, n = {points[0].n} images, {session.origin(run)}, look {look.number}. {said}",
        frame(SeverityPoint, every),
        trust_snippets.corrupted(run, look, teams),
    )
    view_tools(run, view, key="test_severities_tools", figure=figure)


@st.cache_data(max_entries=16, show_spinner="Judging on corrupted test images…", hash_funcs=RUN)
def _points(run: Run, scored: Scored, look: Look, teams: tuple[Team, ...]) -> list[SeverityPoint]:
    return revealed.corrupted_points(run, scored, look, teams)
