"""Explore: drag λ and see the cell change, exactly; compare, edit, and look inside."""

from __future__ import annotations

from typing import Any

import streamlit as st

from edgenes_core.lambda_path import Interval
from edgenes_core.run_folder import Run
from pages.widgets import address, data, explore_views, session, stages
from pages.widgets.cell_editor import editor
from pages.widgets.cell_files import cell_downloads
from pages.widgets.cell_scrubber import Reference, cell_scrubber, push, scrub_table
from pages.widgets.cell_why import cell_why, why_table
from pages.widgets.choices import choose
from pages.widgets.flow import flow_panel
from pages.widgets.picture import picture
from pages.widgets.results import results
from pages.widgets.tools import view_tools
from pages.widgets.turns import turn

PLOTLY = {"displaylogo": False, "modeBarButtonsToRemove": ["lasso2d", "select2d"]}
WEIGHTS = (explore_views.operations_view, explore_views.inputs_view)
EDGES = {"parent": "takes", "operation": "through", "versus_base": "beside the other cell"}
MOVED = "explore_moved"  # set where a choice was made that the sidebar shows too


@st.cache_resource(max_entries=16, show_spinner=False)
def table_of(_run: Run, folder: str, stamp: data.Stamp, _reference: Reference, reference_key: str) -> dict[str, Any]:
    """What the scrubber draws from; the same object as long as no file of the run and no pinned cell changes."""
    trained = [network.training.architecture.key for network in data.networks_of(_run).values()]
    counts = {key: trained.count(key) for key in trained}
    return scrub_table(_run.space, data.path_of(_run), _reference, data.knots_of(_run), data.soft_of(_run), counts)


@st.cache_resource(max_entries=16, show_spinner=False)
def traces_of(_run: Run, folder: str, stamp: data.Stamp) -> dict[str, Any]:
    """What the traces are drawn from."""
    return why_table(_run.space, data.knots_of(_run), data.base_of(_run).architecture)


def reference_of(run: Run) -> Reference:
    """The pinned cell B if it is of this run's space, else α*."""
    pinned = session.pin()
    if pinned is not None and run.space.contains(pinned):
        return Reference(pinned, "B")
    return Reference(data.base_of(run).architecture, "α*")


@st.fragment
@turn()
def panel(run: Run) -> None:
    """The scrubber and all that follows λ: a release of the handle reruns this part alone."""
    if st.session_state.pop(MOVED, False):
        st.rerun()  # the whole page: link and undo buttons follow
    with session.guard():
        lam = scrubber(run)
        interval, reference = data.path_of(run).at(lam), reference_of(run)
        left, right = st.columns([3, 2], gap="large")
        with left:
            st.subheader(f"The cell at this λ ({interval.shared} shared with α*)", anchor=False)
            view, svg = explore_views.cell_view(run, lam, interval.architecture, reference)
            hidden = {"cell": None} if len(run.space.cells) == 1 else {}
            st.dataframe(view.table, hide_index=True, column_config={**EDGES, **hidden}, height="content")
            view_tools(run, view, key="explore_cell", svg=svg)
            cell_downloads(run, interval.architecture, key="explore_files")
        with right, session.guard():
            results(run, interval.architecture)
        editor(run, interval.architecture)
        flow_panel(run, interval.architecture)
        why(run, lam)
        obedience(run, lam)
        stretches(run)


def scrubber(run: Run) -> float:
    """λ as the user left it."""
    path, reference, key = data.path_of(run), reference_of(run), widget_key(run)
    stamp = data.stamp(run, "path.json", "base.json", "hypernet.safetensors") + data.networks_stamp(run)
    table = table_of(run, str(run.path), stamp, reference, reference.name + reference.cell.key)
    start = session.lam_of(run)
    lam = cell_scrubber(
        table,
        key=key,
        start=path.lambda_max / 2 if start is None else start,
        on_pin=lambda at: repin(path.at(at)),
        on_unpin=lambda: repin(None),
    )
    if lam != session.lam_of(run):
        session.remember_lam(run, lam)
        address.publish()
    return lam


def repin(interval: Interval | None) -> None:
    """Pin the cell of a stretch as B, or none."""
    session.set_pin(interval.architecture if interval else None)
    st.session_state[MOVED] = True


def widget_key(run: Run) -> str:
    """The scrubber keeps one value per run."""
    return f"explore_cell_{run.id}"


def why(run: Run, lam: float) -> None:
    """α(λ) of every edge and β(λ) of every node: the highest line wins."""
    st.subheader("Why it changes where it changes", anchor=False)
    st.caption(
        "Each node (a row) keeps the inputs with the highest β, and each edge (a small chart over λ) takes the operation with "
        "the highest α: the cell changes where lines cross. Outlined: kept at this λ."
    )
    swapped = run.config.hypernet.interpolation == "swapped"
    form = choose("interpolation", only=["published"] if swapped else None)
    stored = "continuous" if swapped else form  # the knots of a swapped run hold its jumps already
    stamp = data.stamp(run, "hypernet.safetensors", "base.json")
    edge = cell_why(traces_of(run, str(run.path), stamp), form=stored, key=f"explore_why_{run.id}")
    if form != "continuous":
        st.caption(explore_views.jump_sentence(run, swapped))
    for column, view_of in zip(st.columns(2, gap="large"), WEIGHTS, strict=True):
        with column:
            view, figure = view_of(run, lam, edge)
            view_tools(run, view, key=f"explore_{view.name}", figure=figure)


def obedience(run: Run, lam: float) -> None:
    """Requested λ against achieved shared edges."""
    from edgenes_core.figures.curves import plot_calibration

    st.subheader("Does the cell obey λ?", anchor=False)
    info, view = explore_views.calibration_view(run)
    figure = plot_calibration(info, lam, dark=session.dark())
    st.plotly_chart(figure, theme=None, key="explore_calibration", config=PLOTLY, height=330, alt=view.summary)
    view_tools(run, view, key="explore_calibration_tools", figure=figure)


def stretches(run: Run) -> None:
    """The strip as a table; choosing a row moves λ there."""
    intervals = data.path_of(run).intervals
    trained = [network.training.architecture.key for network in data.networks_of(run).values()]
    rows = [
        {
            "λ from": i.lo,
            "to": i.hi,
            f"shared, of {run.space.lambda_max}": i.shared,
            "cell": i.architecture.key,
            "networks": trained.count(i.architecture.key),
        }
        for i in intervals
    ]
    exact = st.column_config.NumberColumn(format="%.4f")
    with st.expander(f"All {len(rows)} stretches of λ as a table (choose a row to go there)"):
        st.dataframe(
            rows,
            hide_index=True,
            key="explore_stretches",
            selection_mode="single-row",
            on_select=lambda: go_to_row(run),
            column_config={"λ from": exact, "to": exact},
        )


def go_to_row(run: Run) -> None:
    """Move λ to the middle of the chosen stretch."""
    chosen = st.session_state["explore_stretches"]["selection"]["rows"]
    intervals = data.path_of(run).intervals
    if chosen and chosen[0] < len(intervals):
        push(widget_key(run), (intervals[chosen[0]].lo + intervals[chosen[0]].hi) / 2)


def follow_link(run: Run) -> None:
    """λ was given by a link or the back button: the handle goes there."""
    lam = session.lam_asked(run)
    if lam is not None and widget_key(run) in st.session_state:
        push(widget_key(run), lam)


def base_alone(run: Run) -> None:
    """α* is all there is to see before the hypernetwork is trained."""
    from edgenes_core.figures.drawing import cell_svg

    base = data.base_of(run).architecture
    st.subheader("What is known so far: the base cell α*", anchor=False)
    picture(cell_svg(run.space, base, base, dark=session.dark()), key="explore_base")


run = session.page_header("Explore λ", "which cell does each λ give, and how does it differ from the base cell α*?")
with session.guard():
    if stages.ready(run, "hypernet", "the path of cells along λ"):
        follow_link(run)
        panel(run)
    elif run.has("darts"):
        base_alone(run)
