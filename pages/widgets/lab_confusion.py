"""Of the Images tab: what the team takes for what; a cell that is clicked filters the images."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from edgenes_core import member_snippets
from edgenes_core.instances import Confused, Votes, confusion, confusion_table, confusions
from edgenes_core.run_folder import Run
from edgenes_core.team import Team
from pages.widgets import session
from pages.widgets.charts import chosen_in, show
from pages.widgets.choices import choose
from pages.widgets.details import markdown_table
from pages.widgets.markdown import plain
from pages.widgets.tools import View, view_tools
from pages.widgets.votes import ask_for, asked

MOST_LISTED, FEW = 12, 20


def confusion_section(run: Run, shown: Team, found: Votes, classes: Sequence[str]) -> None:
    """The matrix, and its largest mistakes as a list."""
    from edgenes_core.figures.confused import cell_id, plot_confusion

    counts = confusion(found.y, found.team, len(classes))
    mistakes = confusions(counts)
    st.markdown("**What does the team take for what?**")
    by, now = choose("confusion"), asked()
    marked = "" if now.true is None or now.named is None else cell_id(now.true, now.named)
    figure = plot_confusion(counts, classes, by, dark=session.dark(), marked=marked)
    said = sentence(mistakes, classes, len(found.y))
    if len(classes) <= FEW:
        left, right = st.columns([0.64, 0.36], gap="medium")
    else:
        right, left = (
            st.container(),
            st.container(),
        )  # a large matrix needs the width; what it cannot name is listed first
    with left:
        show(figure, key="images_confusion", on_select=take, alt=said)
    with right:
        listing(mistakes, classes)
    caption = f"Confusion of {shown.name}, validation n = {len(found.y)} images"
    words = f"{said} The diagonal is not coloured; {session.origin(run)}."
    view = View(
        "confusion", caption, words, pd.DataFrame(confusion_table(counts)), member_snippets.team_confusion(run, shown)
    )
    view_tools(run, view, key="images_confusion_tools", figure=figure)


def listing(mistakes: Sequence[Confused], classes: Sequence[str]) -> None:
    """The most frequent mistakes by name."""
    if not mistakes:
        st.markdown("No mistakes.")
        return
    more = f" (the first {MOST_LISTED} of {len(mistakes)})" if len(mistakes) > MOST_LISTED else ""
    st.markdown(f"Most frequent mistakes{more}")
    first = mistakes[:MOST_LISTED]
    lines = [[plain(classes[c.true]), plain(classes[c.named]), str(c.count), f"{c.rate:.1%}"] for c in first]
    st.markdown(markdown_table(["true", "taken for", "images", "share"], lines))
    st.caption("Share: of the images of the true class. Click a cell, or choose classes above, to see its images.")


def take() -> None:
    """A click on a cell asks for its images; a click that takes it away, for all."""
    cell = chosen_in(st.session_state["images_confusion"])
    true, named = map(int, cell.split(",")) if cell else (None, None)
    ask_for(true=true, named=named)


def sentence(mistakes: Sequence[Confused], classes: Sequence[str], n: int) -> str:
    """How many mistakes, and the most frequent one."""
    wrong = sum(c.count for c in mistakes)
    if not mistakes:
        return f"The team is right on all n = {n} validation images."
    first = mistakes[0]
    equal = sum(c.count == first.count for c in mistakes) - 1
    also = f", as are {equal} other pairs" if equal > 1 else ", as is one other pair" if equal else ""
    return (
        f"The team is wrong on {wrong} of n = {n} validation images, in {len(mistakes)} of {len(classes) * (len(classes) - 1)} "
        f"ways; most often {classes[first.true]} is taken for {classes[first.named]}: {first.count} of {first.of} ({first.rate:.1%}){also}."
    )
