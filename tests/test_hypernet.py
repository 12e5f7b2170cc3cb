"""The hypernetwork: continuity, gradients, λ control, and the release's formula as negative control."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from edgenes_core.alpha import beta_rule, mixing, product_rule, relax
from edgenes_core.architecture import shared_edges
from edgenes_core.config import HypernetConfig, RegularizerConfig
from edgenes_core.hypernet import interpolate, knot_positions, polish_loss, start_hypernet, to_knots, warmed_penalty
from edgenes_core.lambda_path import choose_pool, lambda_error, lambda_path
from edgenes_core.regularizers import nesting_penalty, shared_margins, soft_count, soft_target, stratified
from edgenes_core.space import SearchSpace
from edgenes_core.train import descend, linear

SPACE = SearchSpace()
CONFIG = HypernetConfig()
POSITIONS = torch.from_numpy(knot_positions(4, CONFIG))


def values(seed=0):
    return torch.randn(len(POSITIONS), SPACE.logits, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def jumps(swapped):
    a, step = values(), 1e-9
    inner = POSITIONS[1:-1]
    left, right = (interpolate(POSITIONS, a, inner + s * step, swapped) for s in (-1, 1))
    return (left - right).abs().max()


def test_continuous_at_every_knot_and_exact_there():
    a = values()
    assert jumps(swapped=False) < 1e-6
    assert_close(interpolate(POSITIONS, a, POSITIONS), a)


def test_the_swapped_formula_jumps():
    assert jumps(swapped=True) > 1.0


def test_gradient_reaches_both_neighbouring_knots_and_no_other():
    a = values().requires_grad_()
    interpolate(POSITIONS, a, torch.tensor([1.3], dtype=torch.float64)).sum().backward()
    moved = a.grad.abs().sum(1).nonzero().ravel()
    assert POSITIONS[moved].tolist() == [1.0, 2.0]


@given(st.floats(-0.2, 4.2), st.integers(0, 5))
def test_numpy_and_torch_interpolation_agree(lam, seed):
    a = values(seed)
    ours = to_knots(POSITIONS.numpy(), a).at(lam)
    assert np.allclose(ours, interpolate(POSITIONS, a, torch.tensor([lam], dtype=torch.float64))[0].numpy(), atol=1e-12)


@given(st.floats(0.01, 3.99), st.integers(0, 5))
def test_swapped_knots_keep_the_jumping_map_exactly(lam, seed):
    a = values(seed)
    ours = to_knots(POSITIONS.numpy(), a, swapped=True).at(lam)
    assert np.allclose(
        ours, interpolate(POSITIONS, a, torch.tensor([lam], dtype=torch.float64), True)[0].numpy(), atol=1e-6
    )


@pytest.mark.parametrize("k", [1, 2])
def test_soft_count_of_certain_cells(k):
    """α* itself gives Λ·(τ + (1 − τ)/O); same parents with other operations Λ·(1 − τ)/O; other parents 0."""
    space, rng = SearchSpace(inputs_per_node=k), np.random.default_rng(0)
    base = space.sample(rng)
    target = soft_target(space, base, 0.99).double()

    def count(cell):
        encoding = torch.from_numpy(space.encode(cell))
        logits = 50 * torch.cat([encoding.flatten(), encoding.sum(-1)])
        return float(soft_count(space, logits[None], target, 1.0)[0])

    assert count(base) == pytest.approx(4 * k * (0.99 + 0.01 / 7), abs=1e-4)
    other = type(base)(
        tuple(g._replace(operation="maxpool" if g.operation != "maxpool" else "avgpool") for g in base.genes)
    )
    assert count(other) == pytest.approx(4 * k * 0.01 / 7, abs=1e-4)
    if k == 1:
        moved = type(base)(tuple(g._replace(parent=(g.parent + 1) % g.node) for g in base.genes))
        assert count(moved) == pytest.approx(0, abs=1e-6)


@given(st.integers(0, 10**6), st.floats(0.05, 5.0), st.sampled_from([1, 2]), st.booleans())
def test_relaxed_weights_are_weights(seed, temperature, k, noisy):
    """Operations sum to 1 on each edge, inclusion to k at each node, for any temperature and noise."""
    space, generator = SearchSpace(inputs_per_node=k), torch.Generator().manual_seed(seed)
    logits = torch.randn(3, space.logits, generator=generator, dtype=torch.float64)
    operations, edges = relax(space, logits, temperature, generator if noisy else None)
    assert_close(operations.sum(-1), torch.ones_like(edges))
    for where in space.slices:
        assert_close(edges[:, where].sum(-1), torch.full((3,), float(k), dtype=torch.float64))
    assert (mixing(space, logits, temperature) >= 0).all()


def test_product_rule_prefers_a_certain_operation():
    """Two parents with equal β: the one whose operation is certain is kept; the β rule could not tell them apart."""
    logits = np.zeros(SPACE.logits)
    logits[7 * 1 + 3] = 5.0  # edge 1 (node 2, parent 1), operation 3
    assert product_rule(SPACE, logits).genes[0][1:] == (2, 1, "sepconv3x3")


@given(st.integers(1, 300), st.integers(0, 10**6))
def test_stratified_has_one_value_in_each_part(count, seed):
    draw = stratified(count, -0.2, 4.2, torch.Generator().manual_seed(seed)).double()
    parts = ((draw + 0.2) / 4.4 * count).clamp(0, count - 1e-3).floor().long()
    assert len(set(parts.tolist())) >= count - 2  # float32 may round a value across a border
    assert draw.min() >= -0.2 - 1e-5
    assert draw.max() <= 4.2 + 1e-5


def test_schedules_reach_their_ends():
    assert [linear(0.3, 3.0, step, 10) for step in (0, 9)] == [0.3, 3.0]
    assert linear(1.0, 0.05, 0, 1) == 1.0


def controlled(seed, k=1, interpolation="continuous"):
    """The λ path after training with the regulariser alone (no images)."""
    space, rng = SearchSpace(inputs_per_node=k), np.random.default_rng(seed)
    base, generator = space.sample(rng), torch.Generator().manual_seed(seed)
    config = replace(CONFIG, interpolation=interpolation, regularizer=RegularizerConfig())
    hypernet = start_hypernet(space, base, config, generator, torch.device("cpu"))
    optimizer = torch.optim.Adam([hypernet.values], lr=config.lr, betas=(0.5, 0.999))
    for step in range(150):
        descend(optimizer, hypernet.values, warmed_penalty(hypernet, step, 150, generator))
    optimizer = torch.optim.Adam([hypernet.values], lr=config.polish_lr)
    for step in range(config.polish_steps):
        descend(optimizer, hypernet.values, polish_loss(hypernet, step, config.polish_steps, generator)[0])
    return space, base, hypernet.knots()


def control(space, base, knots):
    path = lambda_path(space, knots, base)
    shared = [i.shared for i in path.intervals]
    whole = [path.at(float(m)).shared for m in range(space.lambda_max + 1)]
    drops = sum(b < a for a, b in pairwise(shared))
    return whole == list(range(space.lambda_max + 1)), lambda_error(path), drops


@pytest.mark.parametrize("seed", range(5))
def test_every_whole_lambda_is_exact(seed):
    exact, error, drops = control(*controlled(seed))
    assert exact
    assert error <= 0.30
    assert drops == 0


@pytest.mark.parametrize("seed", range(2))
def test_every_whole_lambda_is_exact_for_two_inputs(seed):
    exact, error, _ = control(*controlled(seed, k=2))
    assert exact
    assert error <= 0.30


@pytest.mark.parametrize("seed", range(3))
def test_the_swapped_interpolation_fails_the_same_check(seed):
    exact, error, drops = control(*controlled(seed, interpolation="swapped"))
    assert not (exact and error <= 0.30 and drops == 0)


@given(st.integers(0, 10**6), st.sampled_from([1, 2]))
def test_an_edge_is_shared_exactly_if_its_margin_is_positive(seed, k):
    space = SearchSpace(inputs_per_node=k)
    base = space.sample(np.random.default_rng(seed))
    logits = torch.randn(9, space.logits, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    logits += 2 * torch.cat(
        [torch.from_numpy(space.encode(base)).flatten(), torch.from_numpy(space.encode(base)).sum(-1)]
    )
    counted = (shared_margins(space, logits, base) > 0).sum(-1)
    assert counted.tolist() == [shared_edges(base, beta_rule(space, row.numpy())) for row in logits]


def test_nesting_penalty_is_the_total_fall():
    rising = torch.tensor([[0.0, 1.0], [1.0, 1.0], [3.0, 2.0]])
    assert nesting_penalty(rising) == 0
    assert nesting_penalty(rising.flip(0)) == pytest.approx((3 + 1) / 2)


@given(st.integers(0, 1000), st.floats(0.2, 3.0))
def test_lambda_error_is_the_integral(seed, scale):
    space = SearchSpace(nodes=2)
    base = space.sample(np.random.default_rng(seed))
    positions = knot_positions(space.lambda_max, CONFIG)
    knots = to_knots(
        positions, scale * torch.randn(len(positions), space.logits, generator=torch.Generator().manual_seed(seed))
    )
    path = lambda_path(space, knots, base)
    grid = (np.arange(4000) + 0.5) / 4000 * space.lambda_max
    assert lambda_error(path) == pytest.approx(np.mean([abs(x - path.at(x).shared) for x in grid]), abs=2e-3)


@pytest.mark.parametrize("size", [1, 3, 7, 20])
def test_the_pool_holds_the_base_and_every_shared_count_it_has_room_for(size):
    space, base, knots = controlled(0)
    pool = choose_pool(space, knots, base, size)
    cells = [i.architecture for i in pool]
    assert base in cells
    assert len(cells) == len(set(cells)) <= size
    if size >= 7:
        assert {i.shared for i in pool} == set(range(5))
