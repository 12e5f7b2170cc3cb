"""Laws of a cell: identity without order, exact text forms, and a sentence for every malformed one."""

import json
from pathlib import Path

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core import EdgeNESError
from edgenes_core.architecture import (
    CELL_INPUTS,
    OPERATIONS,
    Architecture,
    ArchitectureError,
    Gene,
    edit_distance,
    shared_edges,
)
from edgenes_core.space import SearchSpace

RELEASE = Path(__file__).parents[1].parent / "shared" / "reference" / "edgenes_original"
SPACES = [SearchSpace(n, k, cells) for n in (1, 4) for k in (1, 2) for cells in (("reduce",), ("normal", "reduce"))]


@st.composite
def cells(draw, count=1):
    """`count` cells of one space, drawn gene by gene."""
    space = draw(st.sampled_from(SPACES))
    drawn = []
    for _ in range(count):
        genes = []
        for cell, node in space.slots:
            parents = draw(st.permutations(range(node)))[: space.inputs_per_node]
            genes += [Gene(cell, node, parent, draw(st.sampled_from(OPERATIONS))) for parent in parents]
        drawn.append(Architecture(tuple(genes)))
    return drawn[0] if count == 1 else drawn


@given(cells(), st.randoms())
def test_key_ignores_gene_order(cell, random):
    genes = list(cell.genes)
    random.shuffle(genes)
    again = Architecture(tuple(tuple(gene) for gene in genes))
    assert (again, again.key, hash(again)) == (cell, cell.key, hash(cell))
    assert len(cell.key) == 12
    assert set(cell.key) <= set("0123456789abcdef")


@given(cells(2))
def test_key_tells_cells_apart(pair):
    a, b = pair
    assert (a.key == b.key) == (a == b)


@given(cells())
def test_both_text_forms_round_trip(cell):
    assert Architecture.from_json(cell.to_json()) == cell
    assert Architecture.from_json(cell.to_json().encode()) == cell
    authors = cell.to_authors()
    assert Architecture.from_json(json.dumps(authors)) == cell
    assert all(len(authors[name]) == cell.inputs_per_node for name in authors if name.endswith("switch"))


@given(cells())
def test_noise_on_edges_not_kept_changes_nothing(cell):
    kept = {f"{g.cell}_n{g.node}_p{g.parent}" for g in cell.genes}
    authors = {
        name: value if name in kept or name.endswith("switch") else "dilconv5x5"
        for name, value in cell.to_authors().items()
    }
    assert Architecture.from_json(json.dumps(authors)).key == cell.key


@given(cells(3))
def test_edit_distance_is_a_metric_and_counts_what_is_not_shared(three):
    a, b, c = three
    assert edit_distance(a, b) == edit_distance(b, a) == len(a.genes) - shared_edges(a, b)
    assert (edit_distance(a, b) == 0) == (a == b)
    assert edit_distance(a, c) <= edit_distance(a, b) + edit_distance(b, c)


@given(cells())
def test_graph_is_the_cell(cell):
    graph = cell.graph()
    assert nx.is_directed_acyclic_graph(graph)
    assert graph.graph["key"] == cell.key
    drawn = {Gene(c, n, p, op) for (c, p), (_, n), op in graph.edges.data("operation") if n != "out"}
    assert drawn == set(cell.genes)
    for kind in cell.cells:
        assert graph.in_degree((kind, "out")) == cell.nodes
        assert all(graph.in_degree((kind, index)) == 0 for index in range(CELL_INPUTS))


def ours(rows, **fields):
    return json.dumps({"format": "edgenes-architecture", "version": 1, "cells": {"reduce": rows}, **fields})


GOOD = [[2, 0, "maxpool"], [3, 1, "avgpool"]]
MALFORMED = {
    "nothing": ("", "JSON text"),
    "not text": (b"\xff\xfe\x00", "JSON text"),
    "deep nesting": ("[" * 100_000, "JSON text"),
    "a list": ("[]", "JSON object"),
    "an empty object": ("{}", "at least one edge"),
    "no edges": (ours([]), "at least one edge"),
    "another format": (ours(GOOD, format="onnx"), "format"),
    "a newer version": (ours(GOOD, version=2), "update EdgeNES Explorer"),
    "cells as list": (ours(GOOD, cells=[]), "'cells'"),
    "rows as text": (ours("abc"), "'cells'"),
    "row of two": (ours([[2, 0]]), "Each edge"),
    "unknown cell": (ours(GOOD, cells={"other": GOOD}), "normal, reduce"),
    "unknown operation": (ours([[2, 0, "conv7x7"]]), "Unknown operation 'conv7x7'"),
    "a loop": (ours([[2, 2, "maxpool"]]), "cycle"),
    "an edge back": (ours([[2, 0, "maxpool"], [3, 4, "maxpool"], [4, 0, "maxpool"]]), "cycle"),
    "too few inputs": (ours([[2, 0, "maxpool"], [2, 1, "maxpool"], [3, 0, "maxpool"]]), "same number of inputs"),
    "a node left out": (ours([[2, 0, "maxpool"], [4, 0, "maxpool"]]), "node 3 of the reduce cell has 0"),
    "an edge twice": (ours([[2, 0, "maxpool"], [2, 0, "avgpool"]]), "twice"),
    "float node": (ours([[2.0, 0, "maxpool"]]), "whole numbers"),
    "bool parent": (ours([[2, True, "maxpool"]]), "whole numbers"),
    "nodes that cannot be compared": (ours([[2, 0, "maxpool"], ["3", 0, "maxpool"]]), "whole numbers"),
    "parents that cannot be compared": (ours([[2, None, "maxpool"], [2, 0, "maxpool"]]), "whole numbers"),
    "negative parent": (ours([[2, -1, "maxpool"]]), "whole numbers"),
    "huge node": (ours([[10**9, 0, "maxpool"]]), "whole numbers"),
    "a foreign key": ('{"weights": 1}', "reduce_n2_p0"),
    "switch as text": ('{"reduce_n2_switch": "0"}', "list the kept parents"),
    "switch without operation": ('{"reduce_n2_switch": [0]}', "no operation"),
    "parent as text": ('{"reduce_n2_switch": ["0", 1], "reduce_n2_p0": "maxpool", "reduce_n2_p1": "maxpool"}', "whole"),
}


@pytest.mark.parametrize(("text", "rule"), MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_text_is_refused_with_its_rule(text, rule):
    with pytest.raises(ArchitectureError, match=rule) as refused:
        Architecture.from_json(text)
    assert "\n" not in str(refused.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(OPERATIONS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NUMBERS = st.integers(-1, 5) | JSON
ROWS = st.lists(st.tuples(NUMBERS, NUMBERS, st.sampled_from(OPERATIONS) | JSON) | JSON, max_size=4)
OURS = st.fixed_dictionaries(
    {"format": st.just("edgenes-architecture"), "version": st.just(1)},
    optional={"cells": st.dictionaries(st.sampled_from(("normal", "reduce", "x")), ROWS, max_size=2) | JSON},
)
NAMES = st.builds("{}_n{}_{}".format, st.sampled_from(("normal", "reduce")), st.integers(0, 12), st.just("switch"))
EDGES = st.builds("reduce_n{}_p{}".format, st.integers(0, 12), st.integers(0, 12))
AUTHORS = st.dictionaries(NAMES | EDGES | st.text(max_size=8), st.lists(NUMBERS, max_size=3) | JSON, max_size=8)


@given(st.text() | st.binary() | (JSON | OURS | AUTHORS).map(json.dumps))
def test_any_text_loads_or_is_refused(text):
    try:
        cell = Architecture.from_json(text)
    except EdgeNESError:
        return
    assert Architecture.from_json(cell.to_json()) == cell


def release_cells():
    if not RELEASE.is_dir():
        pytest.skip("the EdgeNES release's cells are not beside this repository")
    return {path.parent.name: Architecture.from_json(path.read_bytes()) for path in RELEASE.glob("*/arc.json")}


def test_the_authors_real_cells_load():
    found = release_cells()
    assert {name: cell.inputs_per_node for name, cell in found.items()} == {"optimal": 1, "lambd=1": 1, "lambd=0.5": 2}
    for cell in found.values():
        assert SearchSpace(inputs_per_node=cell.inputs_per_node).contains(cell)
        assert Architecture.from_json(json.dumps(cell.to_authors())) == cell
    # the release asked for λ = 1 and its cell shares one edge with the optimal one
    assert shared_edges(found["optimal"], found["lambd=1"]) == 1


def test_the_authors_weights_are_no_cell():
    release_cells()
    for path in RELEASE.glob("*/mod.json"):
        with pytest.raises(ArchitectureError, match="JSON text"):
            Architecture.from_json(path.read_bytes())
