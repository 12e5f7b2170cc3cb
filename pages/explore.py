"""Explore: drag λ and see the cell change, exactly."""

from __future__ import annotations

from typing import Any

import streamlit as st

from edgenes_core.lambda_path import Interval
from edgenes_core.run_folder import Run
from edgenes_core.run_records import Network
from pages.widgets import data, session, stages
from pages.widgets.cell_scrubber import cell_scrubber, push, scrub_table
from pages.widgets.picture import picture

PLOTLY = {"displaylogo": False, "modeBarButtonsToRemove": ["lasso2d", "select2d"]}


@st.cache_resource(max_entries=8, show_spinner=False)
def table_of(_run: Run, folder: str, stamp: data.Stamp) -> dict[str, Any]:
    """What the scrubber draws from; the same object as long as no file of the run changes."""
    trained = [network.training.architecture.key for network in data.networks_of(_run).values()]
    path, base = data.path_of(_run), data.base_of(_run).architecture
    counts = {key: trained.count(key) for key in trained}
    return scrub_table(_run.space, path, base, data.knots_of(_run), data.soft_of(_run), counts)


@st.fragment
def panel(run: Run, start: float) -> None:
    """The scrubber and all that follows λ: a release of the handle reruns this part alone."""
    with session.guard():
        path, stamp = data.path_of(run), data.stamp(run, "path.json", "base.json", "hypernet.safetensors")
        table = table_of(run, str(run.path), stamp + data.networks_stamp(run))
        lam = cell_scrubber(table, key=widget_key(run), start=start)
        session.remember_lam(run, lam)
        interval = path.at(lam)
        left, right = st.columns([3, 2], gap="large")
        with left:
            edges(run, interval)
        with right, session.guard():
            results(run, interval)
            downloads(run, interval)
        obedience(run, lam)
        reasons(run, lam)
        stretches(run)


def widget_key(run: Run) -> str:
    """The scrubber keeps one value per run."""
    return f"explore_cell_{run.id}"


def edges(run: Run, interval: Interval) -> None:
    """The drawing as a table."""
    from edgenes_core.figures.cells import table

    st.subheader(f"The cell at this λ, edge by edge ({interval.shared} shared with α*)", anchor=False)
    rows = table(run.space, interval.architecture, data.base_of(run).architecture)
    columns = {"cell": "cell", "node": "node", "parent": "takes", "operation": "through", "versus_base": "in α*"}
    shown = [{columns[name]: value for name, value in row._asdict().items()} for row in rows]
    hidden = ("cell",) if len(run.space.cells) == 1 else ()
    st.dataframe(
        shown, hide_index=True, column_order=[c for c in columns.values() if c not in hidden], height="content"
    )


def results(run: Run, interval: Interval) -> None:
    """Validation scores of this cell's retrained networks, and the way into the basket."""
    key = interval.architecture.key
    st.subheader(f"Cell `{key}`, retrained", anchor=False)
    found = [n for n in data.networks_of(run).values() if n.training.architecture.key == key]
    if not found:
        st.info(
            "No network of this cell was trained, so it has no accuracy. Cells marked ● in the strip have one.",
            icon=":material/info:",
        )
        return
    targets = data.val_targets(run)
    st.dataframe([score(network, targets) for network in found], hide_index=True, height="content")
    st.caption(f"Validation, n = {len(targets)} images each, {session.origin(run)}. {seeds_said(len(found))}")
    waiting = [n.training.id for n in found if n.training.id not in session.basket()]
    label = f"Add `{waiting[0]}` to the basket" if waiting else "All its networks are in the basket"
    if st.button(label, key="explore_add", icon=":material/add_shopping_cart:", disabled=not waiting):
        session.add_to_basket(waiting[0])
        st.rerun()  # the whole page: the sidebar counts the basket


def score(network: Network, targets: Any) -> dict[str, Any]:
    """One row: a trained network on the validation images."""
    from edgenes_core import metrics

    return {
        "network": network.training.id,
        "seed": network.training.seed,
        "accuracy": f"{100 * metrics.accuracy(network.val, targets):.2f} %",
        "NLL (nats)": f"{metrics.nll(network.val, targets):.4f}",
    }


def seeds_said(count: int) -> str:
    """How far one cell's numbers can be trusted."""
    return "One seed: its spread is unknown." if count == 1 else f"{count} seeds: rows differ by training noise alone."


def downloads(run: Run, interval: Interval) -> None:
    """The cell as files."""
    from edgenes_core.figures.cells import to_dot, to_graphml
    from edgenes_core.figures.drawing import cell_svg

    cell, base = interval.architecture, data.base_of(run).architecture
    files = {
        "JSON": (cell.to_json(), "json", "application/json"),
        "DOT": (to_dot(cell), "dot", "text/vnd.graphviz"),
        "GraphML": (to_graphml(cell), "graphml", "application/xml"),
        "SVG": (cell_svg(run.space, cell, base, dark=session.dark()), "svg", "image/svg+xml"),
    }
    st.caption("Download this cell:")
    with st.container(horizontal=True, gap="small"):
        for label, (text, suffix, mime) in files.items():
            st.download_button(
                label,
                text,
                f"cell-{cell.key}.{suffix}",
                mime,
                key=f"explore_{suffix}",
                on_click="ignore",
            )


def obedience(run: Run, lam: float) -> None:
    """Requested λ against achieved shared edges."""
    from edgenes_core.figures.curves import calibration_info, plot_calibration

    soft = data.soft_of(run)
    info = calibration_info(data.path_of(run), soft.lam, soft.count)
    st.subheader("Does the cell obey λ?", anchor=False)
    st.caption(
        f"Mean distance between requested λ and achieved shared edges: {info.error:.3f} edges (whole numbers allow no "
        f"less than 0.25). On {100 * info.off:.1f} % of all λ the cell is off target by more than half an edge. "
        f"Exact, over all λ from 0 to {info.lambda_max}, {session.origin(run)}."
    )
    figure = plot_calibration(info, lam, dark=session.dark())
    st.plotly_chart(figure, theme=None, key="explore_calibration", config=PLOTLY, height=330)


def reasons(run: Run, lam: float) -> None:
    """α(λ) of one edge and β(λ) of one node: the highest line wins."""
    from edgenes_core.figures import curves

    space, knots = run.space, data.knots_of(run)
    st.subheader("Why it changes where it changes", anchor=False)
    st.caption(
        "Each edge takes the operation, and each node the inputs, with the highest weight; the cell changes where lines cross."
    )
    left, right = st.columns(2, gap="large")
    with left:
        edge = st.selectbox(
            "Operation weights softmax α(λ) of the edge", range(len(space.edges)), len(space.edges) - 1,
            format_func=lambda e: curves.edge_name(space, e), key="explore_edge",
        )  # fmt: skip
        figure = curves.plot_traces(curves.operations_info(space, knots, edge), lam, dark=session.dark())
        st.plotly_chart(figure, theme=None, key="explore_alpha", config=PLOTLY, height=360)
    with right:
        slot = st.selectbox(
            f"Input weights softmax β(λ) of the node (it keeps the highest {space.inputs_per_node})", range(len(space.slots)),
            len(space.slots) - 1, format_func=lambda s: curves.slot_name(space, s), key="explore_node",
        )  # fmt: skip
        figure = curves.plot_traces(curves.parents_info(space, knots, slot), lam, dark=session.dark())
        st.plotly_chart(figure, theme=None, key="explore_beta", config=PLOTLY, height=360)


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


def base_alone(run: Run) -> None:
    """α* is all there is to see before the hypernetwork is trained."""
    from edgenes_core.figures.drawing import cell_svg

    base = data.base_of(run).architecture
    st.subheader("What is known so far: the base cell α*", anchor=False)
    picture(cell_svg(run.space, base, base, dark=session.dark()), key="explore_base")


run = session.page_header("Explore λ", "which cell does each λ give, and how does it differ from the base cell α*?")
with session.guard():
    if stages.ready(run, "hypernet", "the path of cells along λ"):
        panel(run, session.lam_of(run, data.path_of(run).lambda_max))
    elif run.has("darts"):
        base_alone(run)
