"""Trade-off: what diversity costs in quality, for every retrained cell and every stored ensemble."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from edgenes_core.run_folder import Run
from pages.widgets import data, session
from pages.widgets.charts import chosen_in, show
from pages.widgets.details import ensemble_details, network_details
from pages.widgets.plane import ENSEMBLE, X_CHOICES, Y_CHOICES, axes, points_of, table_of
from pages.widgets.scores import Scored, has_networks, scored_of, stamp_of, stored_of

if TYPE_CHECKING:
    import plotly.graph_objects as go

CHART, PICK = "tradeoff_plane", "tradeoff_pick"
FIRST = f"{ENSEMBLE}selected"  # shown beside the plane until something else is clicked


@st.cache_data(max_entries=32, show_spinner=False)
def figure(folder: str, stamp: data.Stamp, x: str, y: str, dark: bool) -> tuple[go.Figure, pd.DataFrame]:
    """The plane and its table twin; equal arguments give an equal figure, so a selection on it survives."""
    from edgenes_core.figures.planes import plane_info, plot_plane

    run = Run(Path(folder))
    info = plane_info(points_of(scored_of(run), stored_of(run)[0], x, y), *axes(x, y))
    return plot_plane(info, dark=dark), table_of(info)


def take_click() -> None:
    """A clicked point becomes the choice of the list beside the plane."""
    st.session_state[PICK] = chosen_in(st.session_state[CHART])


def axis_choices() -> tuple[str, str]:
    """Which diversity and which quality to draw."""
    with st.container(horizontal=True, gap="large"):
        x = st.segmented_control(
            "Diversity",
            list(X_CHOICES),
            format_func=X_CHOICES.__getitem__,
            default="base",
            required=True,
            key="tradeoff_x",
        )
        y = st.segmented_control(
            "Quality",
            list(Y_CHOICES),
            format_func=Y_CHOICES.__getitem__,
            default="nll",
            required=True,
            key="tradeoff_y",
        )
    return x, y


def provenance(run: Run, scored: Scored) -> str:
    """n of everything, and what the bars are."""
    cells = {t.architecture.key for t in scored.trainings}
    single = sum(len([t for t in scored.trainings if t.architecture.key == key]) == 1 for key in cells)
    bars = "Bars: ± 1 sd over training seeds." if single < len(cells) else "One seed each, so no bars."
    if 0 < single < len(cells):
        bars += f" {single} of {len(cells)} cells have one seed and therefore no bar."
    return (
        f"{len(cells)} cells, {len(scored.trainings)} networks, {len(scored.y)} validation images, {session.origin(run)}. "
        f"{bars} Large outlined shapes are ensembles, at the mean diversity of their members and at their own quality."
    )


@st.fragment
def page(run: Run) -> None:
    with session.guard():  # inside: what a fragment raises does not reach its caller
        if has_networks(run, "the trade-off plane"):
            plane(run)


def plane(run: Run) -> None:
    """The plane, and what stands behind the chosen point."""
    scored = scored_of(run)
    stored, broken = stored_of(run)
    x, y = axis_choices()
    fig, table = figure(str(run.path), stamp_of(run), x, y, session.dark())
    chart, side = st.columns([0.7, 0.3], gap="medium")
    with chart:
        show(fig, key=CHART, on_select=take_click)
        st.caption(provenance(run, scored))
        with st.expander("The same as a table"):
            st.dataframe(table, hide_index=True)
    with side:
        names = {**{i: scored.name(i) for i in _one_per_cell(scored)}, **{ENSEMBLE + e.name: e.title for e in stored}}
        if st.session_state.get(PICK, FIRST) not in names:
            st.session_state[PICK] = None
        st.session_state.setdefault(PICK, FIRST)
        chosen = st.selectbox(
            "Point",
            list(names),
            format_func=names.__getitem__,
            key=PICK,
            placeholder="Click a point, or choose one here",
        )
        if chosen and chosen.startswith(ENSEMBLE):
            ensemble_details(run, scored, next(e for e in stored if ENSEMBLE + e.name == chosen), key="tradeoff")
        elif chosen:
            network_details(run, scored, chosen, key="tradeoff")
    for sentence in (*scored.left_out, *broken):
        st.warning(sentence, icon=":material/info:")


def _one_per_cell(scored: Scored) -> list[str]:
    first: dict[str, str] = {}
    for training in scored.trainings:
        first.setdefault(training.architecture.key, training.id)
    return list(first.values())


run = session.page_header("Trade-off", "what does diversity cost in quality, and which cells give most of both?")
page(run)
