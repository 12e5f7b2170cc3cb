"""Images flowing: what each node of the current cell makes of a validation image, with real weights."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from edgenes_core import snippets
from edgenes_core.architecture import Architecture
from edgenes_core.run_folder import Run
from pages.widgets import probing, session
from pages.widgets.choices import choose
from pages.widgets.picture import picture
from pages.widgets.tools import View, view_tools

IMAGE = "explore_image"


def flow_panel(run: Run, cell: Architecture) -> None:
    """A closed section costs nothing: torch is loaded when it is first opened."""
    with st.expander(
        "Images flowing: feature maps at every node", icon=":material/image:", key="explore_flow", on_change="rerun"
    ) as section:
        if section.open:
            with session.guard():
                body(run, cell)


def body(run: Run, cell: Architecture) -> None:
    """Which image, whose weights, and the maps."""
    from edgenes_core.feature_maps import with_weights
    from edgenes_core.figures.flow import flow_svg, sentence, table

    images, trained = len(probing.probe_of(run).val), [training.id for training in with_weights(run, cell)]
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        kept = min(st.session_state.get(f"{IMAGE}_kept", 0), images - 1)
        image = st.number_input(f"Validation image (0 to {images - 1})", 0, images - 1, kept, key=IMAGE, width=220)
        st.session_state[f"{IMAGE}_kept"] = image
        weights = choose("maps_of", only=None if trained else ["supernet"])
        network = ""
        if weights == "trained":
            network = st.selectbox("Network", trained, key="explore_flow_network", width=220)
    maps = probing.maps_of(run, cell, network, image)
    svg = flow_svg(maps, dark=session.dark())
    picture(svg, key="explore_flow_picture")
    said = f"{sentence(maps)} {session.origin(run).capitalize()}; n = 1 of {images} validation images."
    numbers = pd.DataFrame([row._asdict() for row in table(maps)])
    caption = f"Feature maps of cell {cell.key}, {maps.source}, validation image {image} of {images}."
    view = View(f"maps-{cell.key}-{image}", caption, said, numbers, snippets.feature_maps(run, cell, network, image))
    view_tools(run, view, key="explore_flow_tools", svg=svg)
