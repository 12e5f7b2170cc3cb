"""Soft cells: the weights of the search without torch, and a distance that agrees with shared edges where nothing is soft."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from edgenes_core.alpha import mixing
from edgenes_core.architecture import shared_edges
from edgenes_core.regularizers import soft_target
from edgenes_core.soft_cells import hellinger_rows, smoothed, soft_distances, soft_weights
from edgenes_core.space import SearchSpace

SPACES = [SearchSpace(4, k, c) for k in (1, 2) for c in (("reduce",), ("normal", "reduce"))]
spaces, seeds = st.sampled_from(SPACES), st.integers(0, 2**32 - 1)


def soft(space, seed, count, scale=3.0):
    """Mixing weights of `count` random logits."""
    return soft_weights(space, scale * np.random.default_rng(seed).normal(size=(count, space.logits)))


@given(spaces, seeds)
@settings(max_examples=20)
def test_weights_are_those_of_the_search_at_temperature_1(space, seed):
    logits = 3 * np.random.default_rng(seed).normal(size=(3, space.logits))
    found = soft_weights(space, logits)
    assert found == pytest.approx(mixing(space, torch.from_numpy(logits), 1.0).numpy(), abs=1e-12)
    assert np.array_equal(found[0], soft_weights(space, logits[0]))
    for where in space.slices:
        assert found[:, where].sum((1, 2)) == pytest.approx(np.full(3, space.inputs_per_node))


@given(spaces, seeds, st.floats(0.5, 1))
@settings(max_examples=20)
def test_a_smoothed_cell_is_the_regularisers_target(space, seed, tau):
    cell = space.sample(np.random.default_rng(seed))
    assert smoothed(space, cell, tau) == pytest.approx(soft_target(space, cell, tau).numpy(), abs=1e-6)


@given(spaces, seeds, st.integers(1, 12))
@settings(max_examples=20)
def test_it_is_a_bounded_distance_whose_root_is_a_metric(space, seed, count):
    weights = soft(space, seed, count)
    found = soft_distances(space, weights)
    assert np.array_equal(found, found.T)
    assert not found.diagonal().any()
    assert (found >= 0).all()
    assert (found <= np.log(2) + 1e-12).all()
    roots = np.sqrt(found)
    assert (roots[:, :, None] <= roots[:, None, :] + roots.T[None] + 1e-6).all()
    order = np.random.default_rng(seed).permutation(count)
    assert np.array_equal(soft_distances(space, weights[order]), found[np.ix_(order, order)])


@given(spaces, seeds, st.data())
@settings(max_examples=30)
def test_between_hard_cells_it_counts_edges_that_are_not_shared(space, seed, data):
    rng = np.random.default_rng(seed)
    a = space.sample(rng)
    b = space.sample_sharing(a, data.draw(st.integers(0, space.lambda_max)), rng)
    hard = np.stack([smoothed(space, cell, 1.0) for cell in (a, b)])
    share = 1 - shared_edges(a, b) / space.lambda_max
    assert soft_distances(space, hard)[0, 1] == pytest.approx(np.log(2) * share)
    rows = hellinger_rows(space, hard)
    assert ((rows[0] - rows[1]) ** 2).sum() == pytest.approx(2 * share)


def test_an_edge_that_is_surely_dropped_counts_for_nothing():
    """The 2023 variant's mean over all candidate edges would see a difference here."""
    space = SPACES[0]
    kept = np.zeros(len(space.edges))
    kept[[where.start for where in space.slices]] = 1
    rng = np.random.default_rng(0)
    operations = rng.dirichlet(np.ones(len(space.operations)), (2, len(space.edges)))
    operations[1][kept > 0] = operations[0][kept > 0]
    assert soft_distances(space, operations * kept[:, None])[0, 1] == pytest.approx(0, abs=1e-12)
