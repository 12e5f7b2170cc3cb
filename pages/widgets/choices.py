"""The choices that decide what a page shows: each kept over page switches and carried by the link."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from edgenes_core.cell_distances import DISTANCES
from edgenes_core.cell_map import METHODS
from pages.widgets import address, session


class Choice(NamedTuple):
    """A question with few answers: `options` maps what the link says to words; the first one is the default."""

    label: str
    options: dict[str, str]
    help: str = ""

    @property
    def default(self) -> str:
        return next(iter(self.options))


CHOICES: dict[str, Choice] = {
    "interpolation": Choice(
        "Interpolation between knots",
        {"continuous": "continuous (ours)", "published": "as published", "both": "both"},
        "The published formula swaps the weights of the two knots: each stretch runs backwards, and α jumps at every knot.",
    ),
    "weights": Choice(
        "Feature maps of",
        {"trained": "the retrained network", "supernet": "the supernet"},
        "A retrained network has weights of its own; the supernet shares its weights between all cells.",
    ),
    "combine": Choice(
        "Combine by",
        {
            "mean": "mean",
            "geometric": "geometric mean",
            "vote": "vote",
            "weights": "weights",
            "stacking": "stacking",
            "bma": "BMA",
            "tempered_bma": "tempered BMA",
            "gate": "gate",
        },
        "How the members' probabilities become one. Fitted rules (stacking, BMA, gate) predict each image by a fit on others.",
    ),
    "map_distance": Choice(
        "Distance",
        {name: distance.title for name, distance in DISTANCES.items()},
        "\n\n".join(distance.about for distance in DISTANCES.values()),
    ),
    "map_method": Choice(
        "Map",
        {name: method.title for name, method in METHODS.items()},
        "\n\n".join(method.about for method in METHODS.values()),
    ),
    "plane_x": Choice(
        "Diversity",
        {"disagreement": "disagreement", "jsd": "JSD", "shared": "shared edges"},
        "**Disagreement**: share of images named differently. **JSD**: Jensen–Shannon divergence of the predicted probabilities, "
        "mean over images. **Shared edges**: same place, same operation; the edit distance is Λ minus these, the same picture mirrored.",
    ),
    "plane_against": Choice(
        "Compared with",
        {"base": "α*", "team": "each other"},
        "**α\\***: each network with α\\*; of an ensemble, the mean over its members. "
        "**Each other**: a cell with the pool's other cells; an ensemble's members among themselves, mean over pairs.",
    ),
    "plane_y": Choice("Quality", {"nll": "NLL", "accuracy": "accuracy", "brier": "Brier score"}),
    "plane_facets": Choice("Panels", {"off": "one", "on": "one per shared count"}),
    "plane_cloud": Choice(
        "Ensembles", {"off": "stored", "on": "all of the pool"}, "Every ensemble that the selection could have chosen."
    ),
    "slope_cells": Choice(
        "Cells",
        {"all": "all", "pool": "along λ", "drawn": "random + deviations"},
        "Cells along λ were chosen by the hypernetwork; random cells and random deviations of α\\* by nobody.",
    ),
}


def choose(name: str, *, only: Sequence[str] | None = None) -> str:
    """Draw a choice and return its answer; `only` leaves out answers that this run cannot give, and says so if one was asked for."""
    choice, key = CHOICES[name], f"choice_{name}"
    options = [option for option in choice.options if only is None or option in only]
    wanted = session.choices().get(name, choice.default)
    shown = wanted if wanted in options else options[0]
    st.session_state[key] = shown
    st.segmented_control(
        choice.label,
        options,
        format_func=choice.options.__getitem__,
        required=True,
        key=key,
        help=choice.help or None,
        on_change=_answer,
        args=(name, key),
    )
    if wanted != shown and name in session.choices():
        st.caption(f":material/info: {choice.options[wanted]} is not to be had here: {choice.options[shown]} is shown.")
    return shown


def _answer(name: str, key: str) -> None:
    """Keep an answer over page switches, and in the link, where only what differs from the default is written."""
    session.choices()[name] = st.session_state[key]
    if st.session_state[key] == CHOICES[name].default:
        del session.choices()[name]
    address.publish()
