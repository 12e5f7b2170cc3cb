"""Of the Members tab: who is wrong on the same images, and each pair of members in numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from edgenes_core import member_snippets, overlaps
from edgenes_core.instances import Pattern, pattern_table, patterns
from edgenes_core.records import METRICS
from edgenes_core.run_folder import Run
from edgenes_core.team import Team
from pages.widgets import session
from pages.widgets.charts import chosen_in, show
from pages.widgets.choices import choose
from pages.widgets.scores import HASH, Scored
from pages.widgets.tools import View, frame, view_tools
from pages.widgets.votes import ask_for, asked, members_of, open_images, votes_of

MOST_PATTERNS = 12
ALL = ""


def patterns_section(run: Run, scored: Scored, shown: Team) -> None:
    """Error patterns; the one that is chosen filters the Images tab."""
    from edgenes_core.figures.together import PatternBar, plot_patterns

    members, n = members_of(shown), len(scored.y)
    names = [scored.name(name) for name in members]
    found = patterns(votes_of(scored, shown).wrong)
    some = [pattern for pattern in found if pattern.wrong]
    drawn = some[:MOST_PATTERNS]
    st.markdown("**Who is wrong together?**")
    marked = ",".join(asked().wrong) if asked().of == members else ALL
    bars = [
        PatternBar(pattern_id(p, members), tuple(m in p.wrong for m in range(len(members))), p.count) for p in drawn
    ]
    figure = plot_patterns(bars, names, n, dark=session.dark(), marked=marked)
    said = sentence(found, names, n)
    show(figure, key="members_patterns", on_select=lambda: take(members), alt=said)
    if drawn:
        chooser(drawn, names, members, marked)
    more = f" Drawn: the {MOST_PATTERNS} most frequent of {len(some)} patterns." if len(some) > MOST_PATTERNS else ""
    caption = f"Error patterns of {shown.name}, validation n = {n} images"
    table = pd.DataFrame(pattern_table(found, names, n))
    view = View("error-patterns", caption, f"{said}{more}", table, member_snippets.team_patterns(run, shown))
    view_tools(run, view, key="members_patterns_tools", figure=figure)


def chooser(drawn: list[Pattern], names: list[str], members: tuple[str, ...], marked: str) -> None:
    """The same choice by keyboard, and the way to the images."""
    by_id = {pattern_id(pattern, members): pattern for pattern in drawn}
    options = [ALL, *by_id]
    st.session_state["members_pattern"] = marked if marked in options else ALL

    def words(option: str) -> str:
        if option == ALL:
            return "all images"
        wrong = by_id[option].wrong
        return f"{by_id[option].count} images: wrong {'is' if len(wrong) == 1 else 'are'} {', '.join(names[m] for m in wrong)}"

    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        st.selectbox(
            "Pattern to look at",
            options,
            format_func=words,
            key="members_pattern",
            on_change=lambda: choose_pattern(st.session_state["members_pattern"], members),
            help="The Images tab keeps to the images of this pattern until you choose all images again, here or there.",
            width="stretch",
        )
        st.button("See these images", key="members_open_images", icon=":material/image_search:", on_click=open_images)


def pattern_id(pattern: Pattern, members: tuple[str, ...]) -> str:
    """The ids of the members that are wrong."""
    return ",".join(members[m] for m in pattern.wrong)


def take(members: tuple[str, ...]) -> None:
    """A click on a row, or one that takes the choice away."""
    choose_pattern(chosen_in(st.session_state["members_patterns"]) or ALL, members)


def choose_pattern(option: str, members: tuple[str, ...]) -> None:
    """Keep the Images tab to a pattern."""
    wrong = tuple(option.split(",")) if option else ()
    ask_for(wrong=wrong, of=members if wrong else ())


def sentence(found: tuple[Pattern, ...], names: list[str], n: int) -> str:
    """The pattern of nobody, that of all, and the most frequent one between them."""
    right = sum(p.count for p in found if not p.wrong)
    everyone = sum(p.count for p in found if len(p.wrong) == len(names))
    some = [p for p in found if 0 < len(p.wrong) < len(names)]
    most = ""
    if some:
        most = f" The most frequent of these: {', '.join(names[m] for m in some[0].wrong)} and no other, {some[0].count} images."
    return (
        f"Of n = {n} validation images nobody is wrong on {right}, all {len(names)} members are wrong on {everyone}, "
        f"where no averaging can help; in between lie {n - right - everyone}.{most}"
    )


def pairs_section(run: Run, scored: Scored, shown: Team) -> None:
    """A matrix of all pairs of members by one measure."""
    from edgenes_core.figures.together import UNDEFINED, plot_pairs

    st.markdown("**How alike are two members?**")
    measure, members = choose("overlap"), members_of(shown)
    names = [scored.name(name) for name in members]
    matrix = _matrix(scored, members, measure)
    figure = plot_pairs(names, matrix, measure, dark=session.dark())
    rows = overlaps.pair_rows(measure, names, matrix)
    said, metric = pairs_sentence(measure, rows), METRICS[measure]
    show(figure, key="members_pairs", alt=said)
    missing = f" {UNDEFINED}: not defined, as when a member makes no mistake." if not np.isfinite(matrix).all() else ""
    source = f" ({metric.source})" if metric.source else ""
    about = (
        f" {metric.name}: {metric.about.removesuffix(', mean over pairs').split(', mean over the pairs')[0]}{source}."
    )
    caption = f"{metric.name} of pairs in {shown.name}, validation n = {len(scored.y)} images"
    words = f"{said}{missing}{about} n = {len(scored.y)} validation images, {session.origin(run)}."
    view = View("pairs", caption, words, frame(overlaps.PairRow, rows), member_snippets.team_pairs(run, shown, measure))
    view_tools(run, view, key="members_pairs_tools", figure=figure)


def pairs_sentence(measure: str, rows: list[overlaps.PairRow]) -> str:
    """From the least to the most alike pair."""
    defined = sorted((row for row in rows if np.isfinite(row.value)), key=lambda row: row.value)
    if not defined:
        return "There is no pair that defines this measure." if rows else "One member alone makes no pair."
    metric = METRICS[measure]
    factor, unit = (100, " %") if metric.unit == "%" else (1, "")
    low, high = (
        f"{row.value * factor:.{metric.digits}f}{unit} ({row.a} and {row.b})" for row in (defined[0], defined[-1])
    )
    count = f"{len(rows)} pair{'s' if len(rows) > 1 else ''}"
    if defined[0].value == defined[-1].value:
        return f"{count}: {metric.name} is {low.split(' (')[0]} for each that defines it."
    return f"{count}: {metric.name} goes from {low} to {high}."


@st.cache_data(max_entries=128, show_spinner="Comparing members…", hash_funcs=HASH)
def _matrix(scored: Scored, members: tuple[str, ...], measure: str) -> np.ndarray:
    return overlaps.pair_matrix(measure, overlaps.members_of(scored, members))
