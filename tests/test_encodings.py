"""Paths of a cell: by hand, against networkx, and what they do and do not tell apart."""

from collections import Counter
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core.architecture import OPERATIONS, Architecture, ArchitectureError, Gene
from edgenes_core.encodings import OperationPath, operation_paths, path_distance
from edgenes_core.space import SearchSpace

SPACES = [SearchSpace(inputs_per_node=k, cells=cells) for k in (1, 2) for cells in (("reduce",), ("normal", "reduce"))]
cells = st.builds(
    lambda space, seed: space.sample(np.random.default_rng(seed)), st.sampled_from(SPACES), st.integers(0, 2**32)
)


def cell(*genes):
    return Architecture(tuple(Gene("reduce", *gene) for gene in genes))


def test_a_cell_read_by_hand():
    """k = 2, two nodes: node 3 reads node 2, so each of node 2's two ways goes on through it."""
    by_hand = cell((2, 0, "maxpool"), (2, 1, "skipconnect"), (3, 2, "sepconv3x3"), (3, 1, "skipconnect"))
    assert operation_paths(by_hand) == (
        OperationPath("reduce", 0, ("maxpool",), 1),
        OperationPath("reduce", 0, ("maxpool", "sepconv3x3"), 1),
        OperationPath("reduce", 1, ("skipconnect",), 2),
        OperationPath("reduce", 1, ("skipconnect", "sepconv3x3"), 1),
    )


def test_the_distance_counts_paths_that_only_one_has():
    left = cell((2, 0, "maxpool"), (3, 0, "maxpool"))
    right = cell((2, 0, "maxpool"), (3, 2, "maxpool"))
    assert path_distance(left, right) == 1  # the second `maxpool` of the left one is the same path: a set, not a bag
    assert path_distance(left, cell((2, 1, "maxpool"), (3, 1, "maxpool"))) == 2  # the two inputs are told apart


@given(cells)
def test_against_networkx(architecture):
    """Every simple way from an input to `out` in the cell's graph, and no other: the last edge included."""
    graph, expected = architecture.graph(), Counter()
    for kind in architecture.cells:
        for source in (0, 1):
            for nodes in nx.all_simple_paths(graph, (kind, source), (kind, "out")):
                expected[kind, source, tuple(graph.edges[edge]["operation"] for edge in pairwise(nodes[:-1]))] += 1
    assert {path[:3]: path.times for path in operation_paths(architecture)} == expected


@given(cells)
def test_one_way_per_node_for_k_1_and_every_kind_is_there(architecture):
    ways = Counter()
    for path in operation_paths(architecture):
        ways[path.cell] += path.times
        assert 1 <= len(path.operations) <= architecture.nodes
    assert set(ways) == set(architecture.cells)
    if architecture.inputs_per_node == 1:
        assert set(ways.values()) == {architecture.nodes}
    else:  # node 2 has two ways, and every further node at least two
        assert min(ways.values()) >= 2 * architecture.nodes


@given(cells, st.randoms())
def test_the_order_of_genes_does_not_matter_but_every_edge_does(architecture, random):
    genes = list(architecture.genes)
    random.shuffle(genes)
    assert operation_paths(Architecture(tuple(genes))) == operation_paths(architecture)
    last = architecture.genes[-1]  # the edge that a well-known implementation drops
    other = next(o for o in OPERATIONS if o != last.operation)
    changed = Architecture((*architecture.genes[:-1], last._replace(operation=other)))
    assert operation_paths(changed) != operation_paths(architecture)


@given(st.sampled_from(SPACES), st.integers(0, 2**32))
def test_the_distance_is_a_distance_of_paths(space, seed):
    rng = np.random.default_rng(seed)
    a, b, c = (space.sample(rng) for _ in range(3))
    assert path_distance(a, a) == 0
    assert path_distance(a, b) == path_distance(b, a)
    assert path_distance(a, c) <= path_distance(a, b) + path_distance(b, c)
    assert path_distance(a, b) <= len(operation_paths(a)) + len(operation_paths(b))


def test_equal_paths_do_not_make_equal_cells():
    """Nodes 2 and 3 exchanged: the same function, another key, no shared edge."""
    a = cell((2, 0, "maxpool"), (3, 1, "sepconv3x3"))
    b = cell((2, 1, "sepconv3x3"), (3, 0, "maxpool"))
    assert a.key != b.key
    assert operation_paths(a) == operation_paths(b)
    assert path_distance(a, b) == 0


def test_a_cell_that_would_have_too_many_paths_is_refused():
    genes = [(node, parent, "skipconnect") for node in range(2, 40) for parent in (node - 1, node - 2)]
    with pytest.raises(ArchitectureError, match="at most 8 nodes, got 38"):
        operation_paths(cell(*genes))
