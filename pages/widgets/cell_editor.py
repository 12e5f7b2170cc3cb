"""Change a cell by hand, and see at once what that does: shared edges, weights, paths, and what the supernet makes of it."""

from __future__ import annotations

from itertools import combinations

import streamlit as st

from edgenes_core.architecture import Architecture, Gene, edit_distance, shared_edges
from edgenes_core.cell_number import number_of
from edgenes_core.encodings import OperationPath, operation_paths, path_distance
from edgenes_core.figures.cells import CELL_WORD, place, word
from edgenes_core.run_folder import Run
from edgenes_core.space import SearchSpace
from pages.widgets import data, probing, session
from pages.widgets.details import cell_image
from pages.widgets.scores import text_of

EDITED = "explore_edited"  # the cell in the editor, one per run
STARTS = {"A": "the cell at this λ", "base": "α*", "B": "the pinned cell B"}


def editor(run: Run, cell: Architecture) -> None:
    """A closed section costs nothing: what it shows is computed while it is open."""
    with st.expander("Edit a cell by hand", icon=":material/edit:", key="explore_editor", on_change="rerun") as section:
        if section.open:
            with session.guard():
                body(run, cell)


def body(run: Run, cell: Architecture) -> None:
    """The controls of every node beside the cell they make."""
    edited = st.session_state.setdefault(EDITED, {}).get(run.id, cell)
    left, right = st.columns([0.62, 0.38], gap="large")
    with left:
        starts(run, cell)
        edited = controls(run.space, edited)
        st.session_state[EDITED][run.id] = edited
        facts(run, edited)
    with right:
        cell_image(run, edited, data.base_of(run).architecture, key="explore_editor")
        st.button(
            "Pin this cell as B",
            key="explore_editor_pin",
            icon=":material/keep:",
            on_click=pin,
            args=(edited,),
            disabled=edited == session.pin(),
        )


def pin(edited: Architecture) -> None:
    """The scrubber then compares every cell with it, and the link carries it."""
    session.set_pin(edited)
    st.session_state["explore_moved"] = True


def starts(run: Run, cell: Architecture) -> None:
    """Where to begin."""
    pinned = session.pin()
    known = {"A": cell, "base": data.base_of(run).architecture}
    if pinned is not None and run.space.contains(pinned):
        known["B"] = pinned
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.caption("Begin with", width="content")
        for name, start in known.items():
            st.button(STARTS[name], key=f"explore_editor_{name}", on_click=begin, args=(run, start))


def begin(run: Run, start: Architecture) -> None:
    """Put a cell into the editor; its controls forget what they said before."""
    st.session_state[EDITED][run.id] = start
    for key in [key for key in st.session_state if str(key).startswith("explore_edit_")]:
        del st.session_state[key]


def controls(space: SearchSpace, edited: Architecture) -> Architecture:
    """For each node which inputs it takes, and for each of those through which operation."""
    genes: list[Gene] = []
    for cell, node in space.slots:
        now = [gene for gene in edited.genes if gene[:2] == (cell, node)]
        columns = st.columns([0.9, 1.2, *[1.2] * space.inputs_per_node], vertical_alignment="center", gap="small")
        name = place(node) if len(space.cells) == 1 else f"{CELL_WORD[cell]}, {place(node)}"
        columns[0].markdown(f"**{name}** takes")
        subsets = list(combinations(range(node), space.inputs_per_node))
        parents = columns[1].selectbox(
            f"Inputs of {name}",
            subsets,
            index=subsets.index(tuple(gene.parent for gene in now)),
            format_func=lambda chosen: " + ".join(place(parent) for parent in chosen),
            key=f"explore_edit_{cell}_{node}",
            label_visibility="collapsed",
        )
        for slot, (parent, gene) in enumerate(zip(parents, now, strict=True)):
            operation = columns[2 + slot].selectbox(
                f"Operation from {place(parent)} to {name}",
                space.operations,
                index=space.operations.index(gene.operation),
                format_func=lambda name: word(name),
                key=f"explore_edit_{cell}_{node}_{slot}",
                label_visibility="collapsed",
            )
            genes.append(Gene(cell, node, parent, operation))
    return Architecture(tuple(genes))


def facts(run: Run, edited: Architecture) -> None:
    """What follows from the cell alone, then what its supernet score is."""
    base, space = data.base_of(run).architecture, run.space
    shared = shared_edges(edited, base)
    columns = st.columns(3)
    columns[0].metric("shared with α*", f"{shared} of {space.lambda_max}")
    columns[1].metric("edits from α*", edit_distance(edited, base))
    columns[2].metric(
        "paths not in both", path_distance(edited, base), help="Paths that only one of this cell and α* has."
    )
    st.caption(f"Cell {edited.key}, number {number_of(space, edited):,} of the {space.size:,} cells of this space.")
    with session.guard():
        judged(run, edited)
    st.markdown("**Paths from an input to the output**  \n" + "  \n".join(map(path_said, operation_paths(edited))))


def judged(run: Run, edited: Architecture) -> None:
    """Weights, and the one-shot score beside that of α*."""
    base = data.base_of(run).architecture
    mine, theirs = probing.one_shot_of(run, edited), probing.one_shot_of(run, base)
    columns = st.columns(3)
    weights = probing.parameters_of(run, edited)
    columns[0].metric(
        "weights to train",
        f"{weights:,}",
        f"α*: {probing.parameters_of(run, base):,}",
        delta_color="off",
        delta_arrow="off",
        help=f"Parameters of the network that is retrained: {run.config.retrain.layers} cells, {run.config.retrain.channels} channels.",
    )
    for column, metric in zip(columns[1:], ("accuracy", "nll"), strict=True):
        column.metric(
            f"one-shot {metric if metric == 'accuracy' else 'NLL'}",
            text_of(metric, getattr(mine, metric)),
            f"α*: {text_of(metric, getattr(theirs, metric))}",
            delta_color="off",
            delta_arrow="off",
        )
    st.caption(
        f"One-shot: the cell with the supernet's weights, not retrained, on n = {mine.n} validation images, one supernet, "
        f"{session.origin(run)}. It ranks cells roughly and is no forecast of the retrained accuracy."
    )


def path_said(path: OperationPath) -> str:
    """`input 0 → sep 5×5 → skip → out`, with the cell where there are two, and how often."""
    steps = " → ".join([place(path.source), *(word(operation) for operation in path.operations), "out"])
    times = f" (×{path.times})" if path.times > 1 else ""
    return f"{CELL_WORD[path.cell]}: {steps}{times}"
