"""The space counted by enumeration: sizes, census, samplers and neighbours agree with every cell there is."""

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from edgenes_core.architecture import (
    OPERATIONS,
    Architecture,
    ArchitectureError,
    Gene,
    edit_distance,
    shared_edges,
)
from edgenes_core.space import SearchSpace

SMALL = [SearchSpace(2, 1), SearchSpace(2, 2, operations=OPERATIONS[:3]), SearchSpace(1, 1, ("normal", "reduce"))]
ALL_SHAPES = [SearchSpace(n, k, c) for n in (1, 4, 8) for k in (1, 2) for c in (("reduce",), ("normal", "reduce"))]
names = lambda space: f"{space.nodes}n-k{space.inputs_per_node}-{len(space.cells)}c"  # noqa: E731


def every_cell(space):
    """All cells of a small space, by brute force."""
    slots = [
        [tuple(Gene(cell, node, *pair) for pair in zip(parents, operations, strict=True))
         for parents in combinations(range(node), space.inputs_per_node)
         for operations in product(space.operations, repeat=space.inputs_per_node)]
        for cell, node in space.slots
    ]  # fmt: skip
    return [Architecture(sum(choice, ())) for choice in product(*slots)]


def uniform(keys, expected):
    """p-value that the drawn keys are uniform over the expected ones."""
    assert set(keys) <= set(expected)
    return chisquare([keys.count(key) for key in expected]).pvalue


def test_the_thesis_space_by_enumeration(rng):
    """All 288 120 cells, each as one choice (parent, operation) per node: a grid of 14 × 21 × 28 × 35."""
    space = SearchSpace()
    assert (space.size, space.lambda_max, len(space.edges), space.logits) == (288_120, 4, 14, 112)
    base = space.sample(rng)
    grid = np.indices([7 * node for _, node in space.slots])
    shared = sum(
        axis == 7 * gene.parent + OPERATIONS.index(gene.operation) for axis, gene in zip(grid, base.genes, strict=True)
    )
    assert shared.size == space.size
    assert tuple(np.bincount(shared.ravel())) == space.census(base) == (238_680, 46_154, 3_191, 94, 1)


@pytest.mark.parametrize("space", SMALL, ids=names)
def test_size_census_and_contains_by_enumeration(space, rng):
    everything = every_cell(space)
    assert len(everything) == len(set(everything)) == space.size
    assert all(space.contains(cell) for cell in everything)
    base = space.sample(rng)
    counted = np.bincount([shared_edges(cell, base) for cell in everything], minlength=space.lambda_max + 1)
    assert tuple(counted) == space.census(base)


@pytest.mark.parametrize("space", ALL_SHAPES, ids=names)
def test_census_sums_to_size_and_ends_with_the_base(space, rng):
    census = space.census(space.sample(rng))
    assert len(census) == space.lambda_max + 1
    assert sum(census) == space.size
    assert census[-1] == 1


def test_darts_size_is_the_known_one():
    assert SearchSpace(inputs_per_node=2).size == 1_037_664_180


@pytest.mark.parametrize("space", SMALL, ids=names)
def test_sampler_is_uniform(space, rng):
    expected = [cell.key for cell in every_cell(space)]
    drawn = [space.sample(rng).key for _ in range(8 * len(expected))]
    assert uniform(drawn, expected) > 1e-3


def test_sampler_follows_the_census(rng):
    space = SearchSpace()
    base = space.sample(rng)
    shared = [shared_edges(space.sample(rng), base) for _ in range(4000)]
    observed = np.bincount(np.minimum(shared, 2), minlength=3)
    zero, one, *more = np.array(space.census(base), float) * 4000 / space.size
    assert chisquare(observed, [zero, one, sum(more)]).pvalue > 1e-3


@pytest.mark.parametrize("space", SMALL, ids=names)
def test_sample_sharing_is_uniform_within_its_stratum(space, rng):
    base = space.sample(rng)
    for m in range(space.lambda_max + 1):
        stratum = [cell.key for cell in every_cell(space) if shared_edges(cell, base) == m]
        drawn = [space.sample_sharing(base, m, rng).key for _ in range(8 * len(stratum))]
        assert len(stratum) == 1 or uniform(drawn, stratum) > 1e-3


@given(st.sampled_from(ALL_SHAPES), st.integers(0, 2**32), st.data())
def test_sample_sharing_shares_exactly_that_many(space, seed, data):
    rng = np.random.default_rng(seed)
    base, m = space.sample(rng), data.draw(st.integers(0, space.lambda_max))
    cell = space.sample_sharing(base, m, rng)
    assert space.contains(cell)
    assert shared_edges(cell, base) == m


@pytest.mark.parametrize("space", SMALL, ids=names)
def test_neighbours_are_all_cells_at_one_edit(space, rng):
    cell = space.sample(rng)
    near = list(space.neighbours(cell))
    assert len(near) == len(set(near))
    assert set(near) == {other for other in every_cell(space) if edit_distance(cell, other) == 1}


@given(st.sampled_from(ALL_SHAPES), st.integers(0, 2**32))
def test_neighbours_lie_inside_without_repeats(space, seed):
    cell = space.sample(np.random.default_rng(seed))
    near = list(space.neighbours(cell))
    k, operations = space.inputs_per_node, len(space.operations)
    assert len(set(near)) == len(near) == sum(k * ((node - k + 1) * operations - 1) for _, node in space.slots)
    assert all(space.contains(other) and edit_distance(cell, other) == 1 for other in near)


@given(st.sampled_from(ALL_SHAPES), st.integers(0, 2**32))
def test_encoding_counts_shared_edges_and_decodes(space, seed):
    rng = np.random.default_rng(seed)
    a, b = space.sample(rng), space.sample(rng)
    left, right = space.encode(a), space.encode(b)
    assert (left * right).sum() == shared_edges(a, b)
    assert space.decode(left.any(1), left.argmax(1)) == a
    assert [len(space.edges[where]) for where in space.slices] == [node for _, node in space.slots]


@pytest.mark.parametrize(
    "wrong",
    [
        {"nodes": 0}, {"nodes": 9}, {"inputs_per_node": 3}, {"cells": ("reduce", "normal")}, {"cells": ()},
        {"operations": ("maxpool",)}, {"operations": ("maxpool", "conv7x7")},
        {"operations": ("maxpool", "avgpool", "avgpool")},
    ],
)  # fmt: skip
def test_impossible_spaces_are_refused(wrong):
    with pytest.raises(ArchitectureError):
        SearchSpace(**wrong)


def test_cells_of_another_space_are_refused(rng):
    space, other = SearchSpace(), SearchSpace(inputs_per_node=2)
    foreign = other.sample(rng)
    for use in (space.encode, space.census, lambda c: list(space.neighbours(c))):
        with pytest.raises(ArchitectureError, match="not in the space of this run"):
            use(foreign)
    with pytest.raises(ArchitectureError, match="not in the space of this run"):
        space.sample_sharing(foreign, 0, rng)
    for shared in (-1, 5):
        with pytest.raises(ArchitectureError, match="Λ = 4"):
            space.sample_sharing(space.sample(rng), shared, rng)
