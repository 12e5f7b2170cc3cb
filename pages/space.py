"""Map of cells: what the λ path visits, among cells drawn at random from the whole space."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from edgenes_core import EdgeNESError
from edgenes_core.cell_distances import DISTANCES, Cells, MappedCell, cells_of, predicting_cells
from edgenes_core.cell_map import METHODS, CellMap, map_of, nearest, ranks_on, rows_of, unavailable
from edgenes_core.run_folder import Run
from edgenes_core.snippets import literal, snippet
from pages.widgets import data, session
from pages.widgets.charts import choose_beside, selectable
from pages.widgets.choices import choose
from pages.widgets.chosen import selection_panel
from pages.widgets.details import cell_image
from pages.widgets.markdown import plain
from pages.widgets.scores import scored_of
from pages.widgets.scores import stamp_of as scores_stamp
from pages.widgets.stages import ready
from pages.widgets.tools import View, view_tools
from pages.widgets.turns import turn

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from edgenes_core.figures.map_parts import Marks

CHART, PICK = "space_map", "space_pick"
LISTED = 5  # true neighbours beside the map
WARNING = "Maps distort distances: trust the list of true neighbours."


@st.cache_resource(max_entries=12, show_spinner=False)
def cells(folder: str, stamp: data.Stamp, distance: str) -> tuple[Cells, dict[str, str]]:
    """The cells by one distance, and why a method has no map of them."""
    run = Run(Path(folder))
    predicted = distance == "disagreement"
    found = predicting_cells(scored_of(run), run.space.lambda_max) if predicted else cells_of(run, distance)
    return found, unavailable(run, found)


@st.cache_resource(max_entries=24, show_spinner=False)
def view(folder: str, stamp: data.Stamp, distance: str, method: str) -> CellMap:
    return map_of(Run(Path(folder)), cells(folder, stamp, distance)[0], method)


@st.cache_resource(max_entries=48, show_spinner=False)
def figure(
    folder: str,
    stamp: data.Stamp,
    shown: tuple[str, str],
    marks: Marks,
    selected: tuple[str, ...],
    dark: bool,
) -> go.Figure:
    from edgenes_core.figures.maps import plot_map

    return plot_map(view(folder, stamp, *shown), marks, selected, dark=dark)


def stamp_of(run: Run, distance: str) -> data.Stamp:
    """Changes with whatever a map by this distance shows."""
    names = ("run.json", "base.json", "path.json", "embedding.npz", "hypernet.safetensors", "ensembles/selected.json")
    stamp = data.stamp(run, *names)
    return stamp + scores_stamp(run) if distance == "disagreement" else stamp


def marks_of(run: Run) -> Marks:
    """What the session has chosen; a network's id begins with its cell's key."""
    from edgenes_core.figures.map_parts import Marks

    basket = frozenset(member.partition("-")[0] for member in session.basket())
    pin, lam, at = session.pin(), session.lam_of(run), ""
    if lam is not None:
        with suppress(EdgeNESError):  # a path that cannot be read leaves the map as it is
            at = data.path_of(run).at(min(max(lam, 0.0), float(run.space.lambda_max))).architecture.key
    return Marks(basket, pin.key if pin else "", at, lam or 0.0)


def name(cell: MappedCell) -> str:
    """How a cell is written in lists."""
    if cell.role == "base":
        return f"α* · {cell.key[:6]}"
    return f"{cell.role if cell.lam is None else f'λ ≈ {cell.lam:.2f}'} · {cell.key[:6]}"


def said(distance: str, value: float) -> str:
    """A distance with its unit."""
    about = DISTANCES[distance]
    return f"{value * about.factor:.{about.digits}f} {about.unit}"


@st.fragment
@turn()
def page(run: Run) -> None:
    with session.guard():  # inside: what a fragment raises does not reach its caller
        if ready(run, "embed", "the map"):
            panel(run)


def panel(run: Run) -> None:
    """The map, and what stands behind the chosen cell."""
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        distance = choose("map_distance")
        stamp = stamp_of(run, distance)
        found, missing = cells(str(run.path), stamp, distance)
        offered = [method for method in METHODS if method not in missing]
        method = choose("map_method", only=offered) if offered else ""
        st.caption(f":material/warning: {WARNING}", width="content")
    for sentence in found.left_out:
        st.warning(plain(sentence))
    if not method:
        st.info(plain(next(iter(missing.values()))))
        return
    shown = view(str(run.path), stamp, distance, method)
    marks = marks_of(run)

    def draw(selected: tuple[str, ...]) -> go.Figure:
        return figure(str(run.path), stamp, (distance, method), marks, selected, session.dark())

    words = described(run, found, shown)
    chart, side = st.columns([0.68, 0.32], gap="medium")
    with chart:
        selectable(draw, key=CHART, alt=words.summary)
        st.caption(provenance(run, found, shown, missing))
        selection_panel(run, key="space")
    with side:
        cell_panel(run, found, shown)
    with chart:
        view_tools(run, words, key="space", figure=draw(session.selection()))


def provenance(run: Run, found: Cells, shown: CellMap, missing: dict[str, str]) -> str:
    """What is drawn, how far to believe it, and what cannot be drawn."""
    trust = "Too few cells to measure trustworthiness."
    if shown.trust is not None and shown.best is not None:
        trust = (
            f"**Trustworthiness {shown.trust:.2f}** of at most {shown.best:.2f} over {shown.near} neighbours "
            "(about 0.5: a random map)."
        )
    parts = [trust, f"{len(shown.cells)} distinct cell{'s' * (len(shown.cells) > 1)}, {session.origin(run)}."]
    if shown.distance == "disagreement":
        parts.append(floor_of(run, found))
    lost = [key for key in session.selection() if key not in shown.keys]
    if lost:
        parts.append(f"{len(lost)} of the {len(session.selection())} selected cells are not on this map.")
    if (pin := session.pin()) and pin.key not in shown.keys:
        parts.append("The pinned cell B is not on this map.")
    return " ".join([*parts, *missing.values()])


def floor_of(run: Run, found: Cells) -> str:
    """What differences of seeds alone make of it."""
    images, floor = len(data.val_targets(run)), found.floor
    if floor is None:
        return (
            f"{images} validation images. Every cell has one seed here, so what a new seed alone changes is not known."
        )
    return (
        f"{images} validation images. **Noise floor {said(found.distance, floor.mean)}**: so much do two seeds of the same "
        f"cell disagree ({floor.cells} cells, {floor.pairs} pairs; from {said(found.distance, floor.lo)} to "
        f"{said(found.distance, floor.hi)}). Cells nearer than that cannot be told apart by their predictions."
    )


def cell_panel(run: Run, found: Cells, shown: CellMap) -> None:
    """One cell, and the cells truly nearest to it."""
    by_key = {cell.key: cell for cell in shown.cells}
    st.session_state[PICK] = focus = focus_of(shown)
    st.selectbox(
        "Cell: the last one selected, or choose one here",
        list(by_key),
        format_func=lambda key: name(by_key[key]),
        key=PICK,
        on_change=pick,
    )
    if len(shown.cells) > 1:
        neighbour_list(found, shown, focus, by_key)
    with st.container(width=320):  # as large as it is drawn
        cell_image(run, by_key[focus].architecture, data.base_of(run).architecture, key="space")


def focus_of(shown: CellMap) -> str:
    """Key of the cell selected last that is on the map, else of α*."""
    base = next((cell.key for cell in shown.cells if cell.role == "base"), shown.keys[0])
    return next((key for key in reversed(session.selection()) if key in shown.keys), base)


def pick() -> None:
    """A cell chosen from the list is selected, as by a click."""
    choose_beside(CHART, (st.session_state[PICK],))


def neighbour_list(found: Cells, shown: CellMap, focus: str, by_key: dict[str, MappedCell]) -> None:
    """True neighbours, nearest first, with the place the map gives them, and how many more are as near as the last."""
    about, ranks = DISTANCES[found.distance], ranks_on(shown, focus)
    near = nearest(found, focus, LISTED)
    st.markdown(
        "**True nearest neighbours**",
        help=f"{about.about} Of equally near cells, those on the λ path and with networks come first, then by key.",
    )
    table = pd.DataFrame(
        {
            "cell": [name(by_key[n.key]) for n in near],
            about.unit: [f"{n.apart * about.factor:.{about.digits}f}" for n in near],
            "map rank": [ranks[n.key] for n in near],
        }
    )
    st.dataframe(table, hide_index=True, height="content", row_height=29, key="space_near")
    apart = found.apart[found.keys.index(focus)]
    more = int((apart <= near[-1].apart).sum()) - 1 - len(near)
    if more > 0:
        st.caption(f"{more} more {'is' if more == 1 else 'are'} as near as the last one listed: ties.")


def described(run: Run, found: Cells, shown: CellMap) -> View:
    """The map in words, as a table and as Python."""
    distance, method = DISTANCES[shown.distance].title, METHODS[shown.method].title
    parts = [role for role in ("control", "imported", "random") if any(cell.role == role for cell in shown.cells)]
    counted = ", ".join(f"{sum(cell.role == role for cell in shown.cells)} {role}" for role in parts)
    visited = sorted({shown.cells[row].shared for row in shown.path})
    walk = (
        f"The λ path visits {len(set(shown.path))} of them, sharing from {visited[0]} to {visited[-1]} edges with α*."
        if visited
        else "None of them is on the λ path."
    )
    trust = "" if shown.trust is None else f" Trustworthiness {shown.trust:.2f}."
    summary = (
        f"{len(shown.cells)} cells by {distance} on a {method} map{f' ({counted})' if counted else ''}. {walk} "
        f"{len(shown.members & set(shown.keys))} are in the selected ensemble.{trust}"
    )
    caption = f"{len(shown.cells)} cells by {distance}, {method}.{trust}"
    if shown.distance == "disagreement":
        caption += f" {len(data.val_targets(run))} validation images."
    body = (
        f"table = map_table(run, {literal(shown.distance)}, {literal(shown.method)})\n"
        f"near = neighbours(run, {literal(shown.distance)}, {literal(focus_of(shown))}, {LISTED})"
    )
    script = snippet(run, ["from edgenes_core.cell_map import map_table, neighbours"], body)
    return View(f"map-{shown.distance}-{shown.method}", caption, summary, pd.DataFrame(rows_of(shown)), script)


run = session.page_header("Map of cells", "which cells does λ visit, and where do they lie in the whole space?")
page(run)
