"""Class by class, two methods: where one is better, with intervals that hold for all classes together."""

from __future__ import annotations

import streamlit as st

from edgenes_core.study import snippets
from edgenes_core.study.classes import ClassRow, class_differences, class_rows
from pages.widgets import session
from pages.widgets.charts import show
from pages.widgets.compare_pick import Asked
from pages.widgets.markdown import plain
from pages.widgets.tools import View, frame, view_tools

FIRST, MOST = "edgenes", 20


def tab(asked: Asked) -> None:
    """One method against the reference."""
    from edgenes_core.figures.forest import Compared, plot_forest

    arms = [arm for arm in asked.seen.arms if arm != asked.reference]
    name = asked.title(asked.reference)
    if not arms or asked.reference not in asked.seen.arms:
        st.info("Two methods with a stored repeat are needed.", icon=":material/info:")
        return
    at = arms.index(FIRST) if FIRST in arms else 0
    mine = st.selectbox("Method", arms, at, format_func=asked.title, key="compare_class_arm", width=320)
    found = class_differences(asked.seen, mine, asked.reference)
    rows = class_rows(asked.study, asked.seen, mine, asked.reference)
    drawn = sorted(found, key=lambda label: (found[label].tie, -abs(found[label].mean)))[:MOST]
    listed = [Compared(asked.study.classes[label], (found[label],)) for label in sorted(drawn)]
    figure, words = plot_forest(listed, ("accuracy",), name, dark=session.dark()), in_words(asked, mine, rows)
    show(figure, key="compare_class_forest", alt=words)
    some = f" The {MOST} largest of {len(rows)} classes are drawn, all are in the table." if len(rows) > MOST else ""
    images = sorted(row.images for row in rows)
    st.caption(
        f"{asked.where}, {images[0]} to {images[-1]} a class. Accuracy in points, {plain(asked.title(mine))} minus {plain(name)}; seeds and "
        f"the images of the class resampled, 95 % for all {len(rows)} classes together (Bonferroni).{some}"
    )
    view = View(
        "classes",
        f"{asked.title(mine)} minus {name}, {asked.where}; {asked.mode.words}",
        words,
        frame(ClassRow, rows),
        snippets.classes(asked.study, asked.mode, asked.look, mine, asked.reference),
    )
    view_tools(asked.study, view, key="compare_class_tools", figure=figure)


def in_words(asked: Asked, mine: str, rows: list[ClassRow]) -> str:
    """Where a difference is more than chance."""
    said = [
        f"{word} on {', '.join(names)}"
        for word in ("better", "worse")
        if (names := [row.name for row in rows if row.verdict == word])
    ]
    verdict = "; ".join(said) or f"all {len(rows)} classes are ties"
    return f"{asked.title(mine)} against {asked.title(asked.reference)}, class by class: {verdict}."
