"""The Test tab: hidden until asked for, every look counted, stored and shown, and the price of choosing on validation drawn."""

from __future__ import annotations

import time
from collections.abc import Sequence

import streamlit as st

from edgenes_core import looks, revealed, trust_snippets
from edgenes_core.comparisons import METHOD, Adjusted
from edgenes_core.looks import Look
from edgenes_core.measures import QUALITY
from edgenes_core.revealed import Outcome, Seen
from edgenes_core.run_folder import Run
from edgenes_core.side_by_side import PAIRED, verdict
from edgenes_core.team import Team, identity
from pages.widgets import session, team
from pages.widgets.charts import show
from pages.widgets.details import markdown_table
from pages.widgets.lab_beside import NO_TEAM, change, distinct, named, with_interval
from pages.widgets.lab_headline import reference
from pages.widgets.lab_outside import RUN
from pages.widgets.lab_test_shift import shifted_test_panel
from pages.widgets.markdown import plain
from pages.widgets.reveal import reveal_button
from pages.widgets.scores import Scored
from pages.widgets.tools import View, frame, view_tools

DRAWN = ("accuracy", "nll", "ece")


def tab(run: Run, scored: Scored, shown: Team | None) -> None:
    """Count and list of looks; then a button, or what the look at exactly these teams has shown."""
    if shown is None:
        st.info(NO_TEAM, icon=":material/info:")
        return
    seen = looks.looks(run)
    st.caption(
        "Members are chosen on validation only, so validation numbers are optimistic. A look at the test set is counted "
        f"and stored with the run: **{len(seen)} {'look' if len(seen) == 1 else 'looks'}** so far. "
        "The more looks decide what is chosen, the less the test set says."
    )
    history(seen)
    teams, without = compared(run, scored, shown)
    for each in without:
        st.info(
            f"{named(each)} has no test result: a member was imported without test predictions.", icon=":material/info:"
        )
    if not teams:
        return
    look = looks.latest(run, teams)
    if look is None:
        offer(run, teams, len(seen))
        return
    outcome_panel(run, scored, look, teams, shown)
    if any(identity(each) == identity(shown) for each in teams):
        with st.container(border=True), session.guard():
            shifted_test_panel(run, scored, shown)


def history(seen: Sequence[Look]) -> None:
    """When what was looked at."""
    if not seen:
        return
    with st.expander("What was looked at, and when", icon=":material/history:", key="test_history"):
        st.markdown(markdown_table(["look", "time (UTC)", "what"], [_line(look) for look in reversed(seen)]))


def _line(look: Look) -> list[str]:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(look.time)) if look.time else "not known"
    what = ", ".join(map(named, look.teams)) or f"on the command line: {', '.join(look.members)}"
    worse = f", corrupted ({len(look.conditions)} conditions)" if look.conditions else ""
    return [str(look.number), when, f"{what}{worse}"]


def compared(run: Run, scored: Scored, shown: Team) -> tuple[tuple[Team, ...], tuple[Team, ...]]:
    """The team and all that is stored with the run, none twice; and those without test predictions. No file is read."""
    teams = distinct((shown, *team.stored_teams(run, scored)[0]))
    missing = {t.id for t in scored.trainings if not (run.folder(t) / "test.npy").exists()}
    return (
        tuple(each for each in teams if not missing & set(each.members)),
        tuple(each for each in teams if missing & set(each.members)),
    )


def offer(run: Run, teams: Sequence[Team], before: int) -> None:
    """What a click would show, and the click."""
    st.markdown(f"One look would show: {', '.join(map(named, teams))}.")
    reveal_button(f"Reveal test (look {before + 1})", lambda: looks.look(run, teams), key="ensembles_reveal")


def outcome_panel(run: Run, scored: Scored, look: Look, teams: Sequence[Team], shown: Team) -> None:
    """Every team on test, beside the reference and beside its own validation numbers."""
    from edgenes_core.figures.gaps import Gap, plot_gaps

    place = place_of(teams, reference(run, scored, shown))
    seen, gaps = _outcome(run, scored, look, _nameless(teams), place)
    seen = tuple(one._replace(team=each) for one, each in zip(seen, teams, strict=True))
    rows = revealed.outcomes(seen, gaps)
    n_val, n_test, beside = rows[0].n_val, rows[0].n_test, teams[place]
    st.markdown(f"**Look {look.number}: {n_test} test images**")
    st.markdown(markdown_table(*_table(rows, teams)))
    st.caption(
        f"n = {n_test} test images, {session.origin(run)}, each with its own bootstrap 95 % interval. Rules that are fitted were "
        "fitted on validation."
    )
    if gaps:
        differences_chart(teams, gaps, beside, n_test)
    drawn = [Gap(one.team.name, tuple(one.optimism[PAIRED.index(m)] for m in DRAWN)) for one in seen]
    figure = plot_gaps(drawn, DRAWN, dark=session.dark())
    said = _gap_words(rows)
    st.markdown("**What choosing on validation promised too much**")
    show(figure, key="ensembles_gaps", alt=said)
    view = View(
        "test",
        f"Validation n = {n_val} and test n = {n_test} images, look {look.number}, bootstrap 95 %",
        f"{said} Bars: bootstrap 95 %; the two sets hold different images and are resampled independently ({n_val} and {n_test}).",
        frame(Outcome, rows),
        trust_snippets.outcomes(run, look, teams, place),
    )
    view_tools(run, view, key="ensembles_gaps_tools", figure=figure)


def differences_chart(teams: Sequence[Team], gaps: dict[int, tuple[Adjusted, ...]], beside: Team, n_test: int) -> None:
    """Who is better or worse than the reference on test, or tied with it."""
    from edgenes_core.figures.forest import Compared, plot_forest

    listed = [Compared(teams[k].name, found) for k, found in gaps.items()]
    clear = [
        f"{each.name} {word} in {QUALITY[metric].name}"
        for each in listed
        for metric, gap in zip(PAIRED, each.differences, strict=True)
        if (word := verdict(metric, gap)) != "tie"
    ]
    said = f"On test against {beside.name}: {'; '.join(clear) if clear else 'ties only'}."
    show(plot_forest(listed, PAIRED, beside.name, dark=session.dark()), key="test_forest", alt=said)
    st.caption(
        f"{plain(said)} Paired on the same {n_test} test images, 95 %, {METHOD}, {len(gaps) * len(PAIRED)} comparisons, "
        "accuracy in points. A tie: the interval includes 0."
    )


def place_of(teams: Sequence[Team], beside: Team | None) -> int:
    """Which of the teams the others are compared with: the page's reference, else the last one."""
    wanted = identity(beside) if beside else None
    return next((k for k, each in enumerate(teams) if identity(each) == wanted), len(teams) - 1)


def _table(rows: Sequence[Outcome], teams: Sequence[Team]) -> tuple[list[str], list[list[str]]]:
    lines = []
    for k, each in enumerate(teams):
        mine = rows[k * len(PAIRED) : (k + 1) * len(PAIRED)]
        numbers = [with_interval(row.metric, row.test, row.test_lo, row.test_hi) for row in mine]
        lines.append([f"**{named(each)}**" if each is teams[0] else named(each), *numbers])
    return ["", *(QUALITY[metric].name for metric in PAIRED)], lines


def _gap_words(rows: Sequence[Outcome]) -> str:
    """Validation − test of each team, in accuracy and NLL."""
    parts = []
    for name in dict.fromkeys(row.ensemble for row in rows):
        found = [row for row in rows if row.ensemble == name and row.metric in DRAWN[:2]]
        told = (
            f"{QUALITY[r.metric].name} {change(r.metric, r.gap, r.gap_lo, r.gap_hi)}"
            f"{' (a tie)' if r.gap_lo <= 0 <= r.gap_hi else ''}"
            for r in found
        )
        parts.append(f"{name}: {', '.join(told)}")
    return f"Validation − test: {'; '.join(parts)}."


def _nameless(teams: Sequence[Team]) -> tuple[Team, ...]:
    return tuple(each._replace(name="") for each in teams)


@st.cache_resource(max_entries=16, show_spinner="Judging on the test images…", hash_funcs=RUN)
def _outcome(
    run: Run, scored: Scored, look: Look, teams: tuple[Team, ...], place: int
) -> tuple[tuple[Seen, ...], dict[int, tuple[Adjusted, ...]]]:
    """Of a look that is stored: nothing of the test set is read or kept before it."""
    seen = revealed.judge(run, scored, look, teams)
    return seen, revealed.differences(seen, run.targets("test"), place)
