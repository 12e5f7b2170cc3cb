"""Links: what is written is read back, and whatever else a link says is put right with a sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core.cell_number import cell_of
from edgenes_core.permalink import Known, ViewState, from_query, to_query
from edgenes_core.space import SearchSpace

SPACE = SearchSpace()
CELLS = tuple(cell_of(SPACE, n).key for n in range(0, 40_000, 1000))
NETWORKS = (*CELLS[:10], f"{CELLS[0]}-1", f"{CELLS[0]}-2")
CHOICES = {"map_method": ("pca", "umap"), "plane_x": ("base", "shared")}
KNOWN = Known(SPACE, 3, CELLS, NETWORKS, CHOICES)

choices = st.fixed_dictionaries({}, optional={name: st.sampled_from(answers) for name, answers in CHOICES.items()})
states = st.builds(
    ViewState,
    run=st.sampled_from(["", "20260101-000000-digits-s0"]),
    seed=st.sampled_from([None, 3]),
    lam=st.none() | st.integers(0, 4000).map(lambda n: n / 1000),
    pin=st.none() | st.integers(0, SPACE.size - 1).map(lambda n: cell_of(SPACE, n)),
    selection=st.lists(st.sampled_from(CELLS), unique=True).map(tuple),
    basket=st.lists(st.sampled_from(NETWORKS), unique=True).map(tuple),
    choices=choices.map(lambda answers: tuple((n, answers[n]) for n in CHOICES if n in answers)),
    theme=st.sampled_from(["", "light", "dark"]),
)
weighed = st.builds(
    lambda view, parts: replace(view, weights=tuple(parts[: len(view.basket)])),
    states,
    st.lists(st.integers(1, 99), min_size=len(NETWORKS), max_size=len(NETWORKS)),
)


@given(states | weighed)
def test_a_view_survives_its_link(view):
    assert from_query(KNOWN, to_query(SPACE, view)) == (view, ())


@given(
    st.dictionaries(
        st.sampled_from(
            [*to_query(SPACE, ViewState()), "seed", "lam", "pin", "cells", "basket", "weights", "map_method", "x"]
        ),
        st.text(),
    )
)
def test_any_text_gives_a_usable_view(query):
    view, notices = from_query(KNOWN, query)
    assert view.lam is None or 0 <= view.lam <= 4
    assert view.pin is None or SPACE.contains(view.pin)
    assert set(view.selection) <= set(CELLS)
    assert set(view.basket) <= set(NETWORKS)
    assert all(answer in CHOICES[name] for name, answer in view.choices)
    assert all(sentence.endswith(".") and len(sentence) < 300 for sentence in notices)
    assert view.weights == () or len(view.weights) == len(view.basket)
    known = {"seed", "lam", "pin", "cells", "basket", "weights", *CHOICES}
    unsaid = to_query(SPACE, view)
    for name in known & query.keys():
        assert name in unsaid or notices or not query[name].strip("."), "nothing is dropped in silence"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"lam": "99"}, "the nearest is shown"),
        ({"lam": "nan"}, "Λ = 4"),
        ({"seed": "5"}, "seed '5', the open run has seed 3"),
        ({"pin": "288120"}, "from 0 to 288119"),
        ({"pin": "٣"}, "no cell is pinned"),
        ({"cells": f"{CELLS[0]}.ffffffffffff.zz"}, "2 selected cells of the link are not in this run"),
        ({"basket": "../../etc"}, "network in the basket"),
        ({"map_method": "tsne"}, "one of pca, umap"),
        ({"basket": NETWORKS[0], "weights": "1.2"}, "one for each of the 1 networks"),
        ({"basket": NETWORKS[0], "weights": "0"}, "not all 0"),
    ],
)
def test_what_cannot_be_used_is_said(query, said):
    _, notices = from_query(KNOWN, query)
    assert any(said in sentence for sentence in notices), notices


def test_a_repeated_cell_is_selected_once_and_an_endless_list_ends():
    assert from_query(KNOWN, {"cells": f"{CELLS[0]}.{CELLS[0]}"})[0].selection == (CELLS[0],)
    assert from_query(KNOWN, {"cells": ".".join(CELLS * 500)})[0].selection == CELLS
