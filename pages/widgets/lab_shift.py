"""The Shift tab: how a team gets worse on worse images, and whether it knows images of another kind. Validation images only."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from edgenes_core import shift_jobs, shift_teams, shifted, trust_snippets
from edgenes_core.corruptions import SEVERITIES, VALIDATION_CORRUPTIONS
from edgenes_core.measures import QUALITY
from edgenes_core.run_folder import Run
from edgenes_core.severity import DRAWN, MEAN, SeverityPoint
from edgenes_core.shifted import STAND_INS, Condition
from edgenes_core.side_by_side import verdict
from edgenes_core.statistics import Difference
from edgenes_core.team import Team
from pages.widgets import session
from pages.widgets.charts import show
from pages.widgets.lab_beside import NO_TEAM, beside, change, intervals_wanted, named, source, styles, with_interval
from pages.widgets.lab_outside import outside_section
from pages.widgets.lab_predict import predict_panel, stamp_of
from pages.widgets.scores import HASH, Scored
from pages.widgets.tools import View, frame, view_tools


def tab(run: Run, scored: Scored, shown: Team | None) -> None:
    """What is stored is drawn; what is missing is offered."""
    if shown is None:
        st.info(NO_TEAM, icon=":material/info:")
        return
    teams = beside(run, scored, shown)
    plan = shift_jobs.Plan(
        tuple(shift_teams.members_of(teams)),
        tuple(VALIDATION_CORRUPTIONS),
        SEVERITIES,
        (*STAND_INS, *shifted.datasets_like(run)),
    )
    with session.guard():
        predict_panel(run, plan, len(scored.y), key="shift")
    conditions = [c for c in shift_teams.common(run, teams[:1]) if c[0] in VALIDATION_CORRUPTIONS]
    drawn = [each for each in teams if set(conditions) <= set(shift_teams.common(run, [each]))] if conditions else []
    if not conditions:
        st.info(
            f"Nothing is predicted yet for every member of {named(shown)} on corrupted images.", icon=":material/info:"
        )
    if missing := [named(each) for each in teams if conditions and each not in drawn]:
        st.caption(f":material/info: Not drawn, as some of their predictions are missing: {', '.join(missing)}.")
    if not intervals_wanted(scored, teams, key="shift"):
        return
    if drawn:
        with session.guard():
            severity_section(run, scored, drawn, conditions)
    with session.guard():
        outside_section(run, scored, teams)


def severity_section(run: Run, scored: Scored, teams: Sequence[Team], conditions: Sequence[Condition]) -> None:
    """Accuracy, NLL and ECE against severity, by corruption and on average."""
    from edgenes_core.figures.severities import plot_severities

    points = [point for each in teams for point in _points(run, scored, each, conditions)]
    st.markdown(
        "**How fast does it get worse?**",
        help="Corruptions that selection may look at. Those that results are reported on are in the tab Test.",
    )
    figure = plot_severities(points, styles(run, scored, teams), DRAWN, dark=session.dark())
    said = severity_words(points, teams[0].name)
    show(figure, key="shift_severities", alt=said)
    if gaps := _gap_words(run, scored, teams, conditions):
        st.caption(gaps)
    view = View(
        "severity",
        f"Metrics against severity, validation n = {len(scored.y)} images, bars: bootstrap 95 % over images",
        f"{source(run, scored)} {said}",
        frame(SeverityPoint, points),
        trust_snippets.severities(run, teams, conditions),
    )
    view_tools(run, view, key="shift_severities_tools", figure=figure)


def severity_words(points: Sequence[SeverityPoint], name: str) -> str:
    """From clean to worst, in each metric."""
    means = [p for p in points if p.ensemble == name and p.corruption == MEAN]
    if not means:
        return f"{name}: no severity is predicted for every corruption yet."
    worst = max(p.severity for p in means)
    parts = []
    for metric in DRAWN:
        mine = [p for p in points if (p.ensemble, p.metric) == (name, metric)]
        clean = next(p for p in mine if p.severity == 0)
        last = next(p for p in mine if p.corruption == MEAN and p.severity == worst)
        ends = (with_interval(metric, p.value, p.lo, p.hi) for p in (clean, last))
        parts.append(f"{QUALITY[metric].name} from {' to '.join(ends)}")
    return (
        f"{name}, from clean images to severity {worst} (mean of {last.corruptions} corruptions): {'; '.join(parts)}."
    )


def _gap_words(run: Run, scored: Scored, teams: Sequence[Team], conditions: Sequence[Condition]) -> str:
    """The team against the others at the highest severity."""
    worst = max(severity for _, severity in conditions)
    at = [c for c in conditions if c[1] == worst]
    lines = []
    for other in teams[1:]:
        parts = [
            f"{QUALITY[metric].name} {change(metric, d.mean, d.lo, d.hi)} **{verdict(metric, d)}**"
            for metric, d in _gaps(run, scored, teams[0], other, at)
        ]
        lines.append(f"minus {named(other)}: {', '.join(parts)}")
    if not lines:
        return ""
    return f"At severity {worst}, {'; '.join(lines)}. Paired, bootstrap 95 % over images, each by itself, accuracy in points."


def _points(run: Run, scored: Scored, each: Team, conditions: Sequence[Condition]) -> list[SeverityPoint]:
    members = shift_teams.members_of([each])
    found = _judged(run, scored, each._replace(name=""), tuple(conditions), stamp_of(run, members))
    return [point._replace(ensemble=each.name) for point in found]


def _gaps(
    run: Run, scored: Scored, one: Team, other: Team, conditions: Sequence[Condition]
) -> tuple[tuple[str, Difference], ...]:
    stamp = stamp_of(run, shift_teams.members_of([one, other]))
    return _compared(run, scored, one._replace(name=""), other._replace(name=""), tuple(conditions), stamp)


@st.cache_data(
    max_entries=64, show_spinner="Judging on corrupted images…", hash_funcs=HASH | {Run: lambda r: str(r.path)}
)
def _judged(
    run: Run, scored: Scored, each: Team, conditions: tuple[Condition, ...], stamp: tuple[int, ...]
) -> list[SeverityPoint]:
    return shift_teams.points_of(run, scored, each, conditions)


@st.cache_data(
    max_entries=64, show_spinner="Comparing on corrupted images…", hash_funcs=HASH | {Run: lambda r: str(r.path)}
)
def _compared(
    run: Run, scored: Scored, one: Team, other: Team, conditions: tuple[Condition, ...], stamp: tuple[int, ...]
) -> tuple[tuple[str, Difference], ...]:
    return shift_teams.gaps_of(run, scored, one, other, conditions)
