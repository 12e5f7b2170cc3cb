"""The Members tab: what averaging brings, what each member is worth, who would be best next, and who is wrong with whom."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from edgenes_core import marginal, member_snippets
from edgenes_core.ladder import Ladder, ladder
from edgenes_core.marginal import Change, Swap
from edgenes_core.records import METRICS
from edgenes_core.run_folder import Run
from edgenes_core.statistics import Difference
from edgenes_core.team import MEAN, Team
from pages.widgets import session, team
from pages.widgets.charts import show
from pages.widgets.choices import CHOICES, choose
from pages.widgets.lab_together import pairs_section, patterns_section
from pages.widgets.markdown import plain
from pages.widgets.scores import HASH, Scored
from pages.widgets.tools import View, frame, view_tools

MOST_ADDED = 20  # networks drawn; all of them are in the table
ASKED = "members_judged"  # what was started by hand in this session


def tab(run: Run, scored: Scored, shown: Team | None) -> None:
    """Everything of this tab speaks of one team."""
    if shown is None:
        st.info("There is no team yet: put a network into the basket.", icon=":material/info:")
        return
    if not session.basket():
        st.caption(f"Your basket is empty, so this is {plain(shown.name)}.")
    metric = choose("member_score")
    ladder_section(run, scored, shown, metric)
    swaps_section(run, scored, shown, metric)
    patterns_section(run, scored, shown)
    pairs_section(run, scored, shown)


def ladder_section(run: Run, scored: Scored, shown: Team, metric: str) -> None:
    """Mean member, best member, team, oracle."""
    from edgenes_core.figures.swaps import ladder_sentence, plot_ladder

    found = _ladder(scored, shown._replace(name=""), metric)
    st.markdown("**What does averaging bring?**" if shown.combiner == MEAN else "**What does the team bring?**")
    best = next(rung.id for rung in found.rungs if rung.id)
    figure = plot_ladder(found, dark=session.dark())
    show(figure, key="members_ladder", alt=ladder_sentence(found))
    said = (
        f"{ladder_sentence(found)} {_over(found.gain, metric, 'mean member')} {_over(found.over_best, metric, 'best member')} "
        f"Best member: {scored.name(best)}, best on these same images, so its number flatters it. "
        "Oracle: for each image the member that is best on it, which nobody can know beforehand."
    )
    caption = f"{METRICS[metric].name} of {shown.name} and its members, validation n = {len(scored.y)} images, percentile bootstrap 95 %"
    rows = frame(type(found.rungs[0]), list(found.rungs))
    view = View("ladder", caption, said, rows, member_snippets.team_ladder(run, shown, metric))
    view_tools(run, view, key="members_ladder_tools", figure=figure)


def _over(gap: Difference, metric: str, name: str) -> str:
    """How the team compares with one of the lower rungs, from (rung − team)."""
    sign = 1 if METRICS[metric].better == "lower" else -1
    word = "a tie with" if gap.tie else "better than" if gap.mean * sign > 0 else "worse than"
    mean, lo, hi = (signed(metric, -value) for value in (gap.mean, gap.hi, gap.lo))
    return f"The team is {word} its {name}: {mean} [{lo}, {hi}], paired."


def swaps_section(run: Run, scored: Scored, shown: Team, metric: str) -> None:
    """Leave one out, add one, and who is best next."""
    from edgenes_core.figures.swaps import SwapRow, plot_swaps

    st.markdown("**Who is worth it, and who would be next?**")
    judged = judged_team(scored, shown, metric)
    found = marginal.ranked(_changes(scored, judged._replace(name=""), metric))
    added = [change for change in found if change.added]
    drawn = [change for change in found if not change.added] + added[:MOST_ADDED]
    figure = plot_swaps([SwapRow(scored.name(c.id), c) for c in drawn], metric, dark=session.dark())
    said = summary(scored, shown, found)
    show(figure, key="members_swaps", alt=said)
    buttons(scored, shown, found, metric)
    left = f" Drawn: the best {MOST_ADDED} of {len(added)} that could be added." if len(added) > MOST_ADDED else ""
    how = (
        f"Thick bars: paired bootstrap 95 % of one change alone. Thin bars and verdicts: 95 % for all {len(found)} changes together, "
        "max-T (simultaneous), same 1000 resamples."
    )
    table = pd.DataFrame([marginal.change_record(change) for change in found])
    caption = (
        f"Change of {METRICS[metric].name} of {shown.name} by each swap, validation n = {len(scored.y)} images. {how}"
    )
    snippet = member_snippets.team_changes(run, judged, metric)
    view = View("swaps", caption, f"{said}{left} {how} {session.origin(run).capitalize()}.", table, snippet)
    view_tools(run, view, key="members_swaps_tools", figure=figure)


def summary(scored: Scored, shown: Team, found: list[Change]) -> str:
    """Verdicts counted, and the best next member with the warning that belongs to it."""
    if not found:
        return "There is nobody to add, and the only member cannot be left out."
    groups = []
    for added, title in ((False, f"Of {len(set(shown.members))} members left out"), (True, "Of {} networks added")):
        group = [change.verdict for change in found if change.added == added]
        counts = ", ".join(f"{group.count(word)} {word}" for word in ("better", "worse", "tie") if word in group)
        if group:
            groups.append(f"{title.format(len(group))}: {counts}.")
    best, others = marginal.best_next(found), sum(change.added for change in found)
    if best is None:
        return " ".join(groups)
    equal = sum(change.added and change.mean == best.mean for change in found) - 1
    also = f", with {equal} more that change as much" if equal else ""
    lucky = f" It is the best of {others}, so its number is partly luck." if others > 1 else ""
    return f"{' '.join(groups)} Best next member: {scored.name(best.id)}{also}, {interval_text(best)}.{lucky}"


def interval_text(change: Change) -> str:
    """A change with both of its intervals and its verdict."""
    mean, lo, hi, all_lo, all_hi = (signed(change.metric, value) for value in change[3:8])
    verdict = "a tie" if change.tie else f"{change.verdict} than the team now"
    return f"{mean} [{lo}, {hi}] alone, [{all_lo}, {all_hi}] of all {change.comparisons} together, n = {change.n}: {verdict}"


def signed(metric: str, value: float) -> str:
    """A change with its sign; accuracy in points."""
    factor = 100 if METRICS[metric].unit == "%" else 1
    return f"{factor * value:+.{METRICS[metric].digits}f}".replace("-", "−")


def buttons(scored: Scored, shown: Team, found: list[Change], metric: str) -> None:
    """The best next member with one click; any other swap by name."""
    if not found:
        return
    best = marginal.best_next(found)
    by_id = {change.id: change for change in found}
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        if best is not None:
            st.button(
                f"Add {plain(scored.name(best.id))}",
                key="members_add_best",
                icon=":material/person_add:",
                help=f"Best next member: {interval_text(best)}.",
                on_click=apply,
                args=(shown, Swap(best.id, True)),
            )
        chosen = st.selectbox(
            "Any swap",
            list(by_id),
            format_func=lambda name: (
                f"{'add' if by_id[name].added else 'leave out'} {scored.name(name)}: "
                f"{signed(metric, by_id[name].mean)}, {by_id[name].verdict}"
            ),
            key="members_swap",
            width="stretch",
        )
        added = by_id[chosen].added
        st.button(
            "Add" if added else "Leave out",
            key="members_apply",
            icon=":material/add:" if added else ":material/remove:",
            on_click=apply,
            args=(shown, Swap(chosen, added)),
        )


def apply(shown: Team, swap: Swap) -> None:
    """Make the swapped team the basket: one step that can be undone."""
    team.take(marginal.swapped(shown, swap))


def judged_team(scored: Scored, shown: Team, metric: str) -> Team:
    """The team whose swaps are shown: with a rule that takes long, its mean until the user starts the rule itself."""
    key = (scored.digest, shown._replace(name=""), metric)
    started: set[object] = st.session_state.setdefault(ASKED, set())
    swaps = marginal.swaps_of(scored, shown)
    if key in started or marginal.quick(scored, shown, len(swaps)):
        return shown
    rule = CHOICES["combine"].options[shown.combiner]
    st.caption(
        f":material/info: These numbers combine by the **mean**: {rule} has to be judged again for each of {len(swaps)} swaps."
    )
    st.button(
        f"Judge all swaps by {rule}",
        key="members_judge",
        icon=":material/play_arrow:",
        on_click=started.add,
        args=(key,),
    )
    return shown._replace(combiner=MEAN, weights=())


@st.cache_data(max_entries=128, show_spinner="Judging every swap…", hash_funcs=HASH)
def _changes(scored: Scored, shown: Team, metric: str) -> tuple[Change, ...]:
    return marginal.changes(scored, shown, metric, team.combined(scored, shown))


@st.cache_data(max_entries=128, show_spinner=False, hash_funcs=HASH)
def _ladder(scored: Scored, shown: Team, metric: str) -> Ladder:
    return ladder(scored, shown, metric, team.combined(scored, shown))
