"""What a cell is worth: validation scores of its retrained networks, and the way into the basket."""

from __future__ import annotations

from typing import Any

import streamlit as st

from edgenes_core.architecture import Architecture
from edgenes_core.run_folder import Run
from edgenes_core.run_records import Network
from pages.widgets import data, session
from pages.widgets.scores import text_of


def results(run: Run, cell: Architecture) -> None:
    """A row per network of the cell; without any, a sentence."""
    st.subheader(f"Cell `{cell.key}`, retrained", anchor=False)
    found = [n for n in data.networks_of(run).values() if n.training.architecture == cell]
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
        "accuracy": text_of("accuracy", metrics.accuracy(network.val, targets)),
        "NLL (nats)": text_of("nll", metrics.nll(network.val, targets)),
    }


def seeds_said(count: int) -> str:
    """How far one cell's numbers can be trusted."""
    return "One seed: its spread is unknown." if count == 1 else f"{count} seeds: rows differ by training noise alone."
