"""Every method minus the reference: who is better, who is worse, and what these seeds do not tell apart."""

from __future__ import annotations

import streamlit as st

from edgenes_core.side_by_side import verdict
from edgenes_core.study import snippets
from edgenes_core.study.table import METRICS, Seen, differences
from pages.widgets import session, studies
from pages.widgets.charts import show
from pages.widgets.compare_pick import Asked
from pages.widgets.compare_table import summary
from pages.widgets.markdown import plain
from pages.widgets.tools import View, frame, view_tools


def tab(asked: Asked) -> None:
    """The forest, from the best NLL to the worst."""
    from edgenes_core.figures.forest import Compared, plot_forest
    from edgenes_core.figures.tables import Paired, difference_rows

    gaps = differences_of(asked)
    listed = [Compared(asked.title(arm), found) for arm, found in gaps.items()]
    rows = sorted(listed, key=lambda row: row.differences[METRICS.index("nll")].mean)
    name = asked.title(asked.reference)
    if asked.reference not in asked.seen.arms:
        st.info(f"No repeat of {plain(name)} is to be had here; compare with another method.", icon=":material/info:")
        return
    figure, words = plot_forest(rows, METRICS, name, dark=session.dark()), summary(asked, asked.rows)
    show(figure, key="compare_forest", alt=words)
    ties = sum(
        verdict(metric, gap) == "tie" for row in rows for metric, gap in zip(METRICS, row.differences, strict=True)
    )
    st.caption(
        f"{asked.where}. Minus {plain(name)}, by rising NLL. t intervals from resampled seeds and images, both sides' seeds "
        f"independently; 95 % for the {len(rows)} methods of a panel together (Bonferroni). {ties} of {len(rows) * len(METRICS)} are "
        "ties: not shown to be equal, only not told apart. Accuracy in points."
    )
    view = View(
        "method-differences",
        f"Minus {name}, 95 % simultaneous t intervals, {asked.where}; {asked.mode.words}",
        words,
        frame(Paired, difference_rows(listed, METRICS)),
        snippets.differences(asked.study, asked.mode, asked.look, asked.reference),
    )
    view_tools(asked.study, view, key="compare_forest_tools", figure=figure)


def differences_of(asked: Asked) -> dict[str, tuple]:  # type: ignore[type-arg]
    """Each method − the reference."""
    return _differences(
        str(asked.study.path), studies.stamp(asked.study), asked.mode, asked.look, asked.reference, asked.seen
    )


@st.cache_resource(max_entries=16, show_spinner="Comparing over seeds and images…")
def _differences(
    folder: str, stamp: studies.Stamp, mode: object, look: object, reference: str, _seen: Seen
) -> dict[str, tuple]:  # type: ignore[type-arg]
    return differences(_seen, reference)
