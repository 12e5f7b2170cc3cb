"""Map of cells: what the λ path visits, among cells drawn at random from the whole space."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from edgenes_core import EdgeNESError
from edgenes_core.architecture import Architecture
from edgenes_core.run_folder import Run
from pages.widgets import data, session
from pages.widgets.charts import chosen_in, show
from pages.widgets.details import basket_button, cell_image
from pages.widgets.stages import ready

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from edgenes_core.figures.maps import MapInfo, Neighbour

CHART, PICK = "space_map", "space_pick"
WARNING = "Distances on a map are distorted: trust the list of true neighbours."
ABOUT = {
    "pca": "PCA: the two directions in which the cells vary most; exact and instant.",
    "mds": "MDS: distances on the map follow the numbers of edits as well as two dimensions allow.",
    "umap": "UMAP: keeps neighbourhoods together; sizes of gaps and groups mean nothing.",
}
WORDS = {"base": "α*", "pool": "λ path, retrained", "path": "λ path", "random": "random"}


@st.cache_resource(max_entries=16, show_spinner=False)
def view(folder: str, stamp: data.Stamp, method: str) -> MapInfo:
    from edgenes_core.figures.maps import map_info

    run = Run(Path(folder))
    try:
        path = [interval.architecture.key for interval in data.path_of(run).intervals]
    except EdgeNESError:
        path = []  # the stored λ of the cells gives the order then
    return map_info(data.embedding_of(run), method, path, run.space.lambda_max)


@st.cache_data(max_entries=16, show_spinner=False)
def figure(folder: str, stamp: data.Stamp, method: str, dark: bool) -> go.Figure:
    from edgenes_core.figures.maps import plot_map

    return plot_map(view(folder, stamp, method), dark=dark)


@st.cache_resource(max_entries=4, show_spinner=False)
def architectures(folder: str, stamp: data.Stamp) -> list[Architecture]:
    """The cells of the map, row by row."""
    return [Architecture.from_json(str(text)) for text in data.embedding_of(Run(Path(folder)))["architectures"]]


def take_click() -> None:
    """A clicked cell becomes the choice of the list beside the map."""
    st.session_state[PICK] = chosen_in(st.session_state[CHART])


def name(info: MapInfo, row: int) -> str:
    """How a cell is written in lists."""
    if info.roles[row] == "base":
        return f"α* · {info.keys[row][:6]}"
    return f"{f'λ ≈ {info.lam[row]:.2f}' if info.lam[row] == info.lam[row] else 'random'} · {info.keys[row][:6]}"


def neighbour_table(info: MapInfo, found: list[Neighbour]) -> pd.DataFrame:
    """True neighbours, nearest first, with the place the map gives them."""
    return pd.DataFrame(
        {
            "cell": [name(info, n.row) for n in found],
            "edits": [n.edits for n in found],
            "rank on the map": [n.map_rank for n in found],
            "shared with α*": [info.shared[n.row] for n in found],
        }
    )


def map_table(info: MapInfo) -> pd.DataFrame:
    """The map in words and numbers, the path first."""
    table = pd.DataFrame(
        {
            "cell": info.keys,
            "where from": [WORDS[role] for role in info.roles],
            "λ": info.lam,
            "shared with α*": info.shared,
            "met": info.copies,
            "x": info.x.round(3),
            "y": info.y.round(3),
        }
    )
    return table.sort_values(["λ", "shared with α*"], ignore_index=True)


def provenance(run: Run, info: MapInfo) -> str:
    """n of everything on the map, and how far to believe it."""
    visited = len(set(info.path.tolist()))
    trust = "not measured" if info.trust is None else f"{info.trust:.2f}"
    return (
        f"{len(info.keys)} distinct cells, {visited} of them on the λ path, {session.origin(run)}. {ABOUT[info.method]} "
        f"Trustworthiness {trust} (1: neighbours on the map are true ones, about 0.5: a random map)."
    )


@st.fragment
def page(run: Run) -> None:
    with session.guard():  # inside: what a fragment raises does not reach its caller
        if ready(run, "embed", "the map"):
            panel(run)


def panel(run: Run) -> None:
    """The map, and what stands behind the chosen cell."""
    from edgenes_core.figures.maps import METHODS, methods_of

    stamp, folder = data.stamp(run, "run.json", "embedding.npz", "path.json"), str(run.path)
    stored = methods_of(data.embedding_of(run))
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        method = st.segmented_control(
            "Map", stored, format_func=METHODS.__getitem__, default=stored[0], required=True, key="space_method"
        )
        st.caption(f":material/warning: {WARNING}", width="content")
    info = view(folder, stamp, method if method in stored else stored[0])
    chart, side = st.columns([0.68, 0.32], gap="medium")
    with chart:
        show(figure(folder, stamp, info.method, session.dark()), key=CHART, on_select=take_click)
        st.caption(provenance(run, info))
        with st.expander("The same as a table"):
            st.dataframe(map_table(info), hide_index=True)
    with side:
        cell_panel(run, info, architectures(folder, stamp))


def cell_panel(run: Run, info: MapInfo, cells: list[Architecture]) -> None:
    """The chosen cell, its true neighbours, and the basket."""
    from edgenes_core.figures.maps import neighbours

    rows = {key: row for row, key in enumerate(info.keys)}
    if st.session_state.get(PICK, "") not in rows:
        st.session_state[PICK] = next((k for k, r in zip(info.keys, info.roles, strict=True) if r == "base"), None)
    chosen = st.selectbox(
        "Cell",
        list(rows),
        format_func=lambda key: name(info, rows[key]),
        key=PICK,
        placeholder="Click a cell, or choose one here",
    )
    if chosen is None:
        return
    row = rows[chosen]
    cell_image(run, cells[row], data.base_of(run).architecture, key="space")
    if any(training.id == chosen and run.is_trained(training) for training in run.plan()):
        basket_button(chosen, key="space")
    else:
        st.caption("Not retrained in this run, so it cannot join an ensemble.")
    st.markdown(
        "**True nearest neighbours**",
        help="By edits: operations or inputs to change. Of equals, cells on the λ path come first.",
    )
    st.dataframe(neighbour_table(info, neighbours(info, cells, row)), hide_index=True, height="content")


run = session.page_header("Map of cells", "which cells does λ visit, and where do they lie in the whole space?")
page(run)
