"""The exact walk along λ agrees with a dense grid, and the exact decoder with all 288 120 cells."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax

from edgenes_core.architecture import OPERATIONS, ArchitectureError, shared_edges
from edgenes_core.lambda_path import Knots, discretise, exact_decode, lambda_path, published_jumps, split_logits
from edgenes_core.space import SearchSpace

ONE, TWO = ("reduce",), ("normal", "reduce")
SPACES = [SearchSpace(4, k, cells) for k in (1, 2) for cells in (ONE, TWO)]
names = [f"k{space.inputs_per_node}-{len(space.cells)}c" for space in SPACES]
seeds = st.integers(0, 2**32 - 1)


def random_knots(space, rng, count=None):
    """Knots at uneven places, the outer two beyond [0, Λ]."""
    count = count or int(rng.integers(2, 9))
    inner = np.sort(rng.uniform(0, space.lambda_max, count - 2))
    return Knots(np.array([-0.2, *inner, space.lambda_max + 0.2]), rng.normal(size=(count, space.logits)))


def codes(space, knots, lam):
    """(λ, E): −1 for an edge not kept, else its operation. Written apart from the package: np.interp and full sorts."""
    logits = np.stack([np.interp(lam, knots.positions, column) for column in knots.values.T], axis=1)
    alpha, beta = split_logits(space, logits)
    code = alpha.argmax(-1)
    for where in space.slices:
        least_kept = np.sort(beta[:, where], axis=1)[:, -space.inputs_per_node, None]
        code[:, where] = np.where(beta[:, where] >= least_kept, code[:, where], -1)
    return code


def path_codes(space, path):
    """(intervals, E): the same code for the cells of a path."""
    encoded = np.stack([space.encode(interval.architecture) for interval in path.intervals])
    return np.where(encoded.any(-1), encoded.argmax(-1), -1)


def assert_path_is(space, knots, path, grid):
    """Intervals tile [0, Λ], neighbours differ, and each grid point off a border has its interval's cell."""
    lo = np.array([interval.lo for interval in path.intervals])
    assert lo[0] == 0
    assert path.intervals[-1].hi == space.lambda_max
    assert all(a.hi == b.lo and a.architecture != b.architecture for a, b in pairwise(path.intervals))
    borders = np.append(lo, space.lambda_max)
    off = np.abs(grid[:, None] - borders).min(1) > 2e-9
    where = np.searchsorted(lo, grid[off], side="right") - 1
    assert np.array_equal(codes(space, knots, grid[off]), path_codes(space, path)[where])


@pytest.mark.parametrize("space", SPACES, ids=names)
def test_path_agrees_with_a_grid_of_100_000_points(space, rng):
    knots, base = random_knots(space, rng, 7), space.sample(rng)
    path = lambda_path(space, knots, base)
    for part in np.array_split(np.linspace(0, space.lambda_max, 100_000), 10):
        assert_path_is(space, knots, path, part)
    for lam in rng.uniform(0, space.lambda_max, 20):
        interval = path.at(lam)
        assert interval.lo <= lam < interval.hi
        assert interval.shared == shared_edges(interval.architecture, base)


@given(st.sampled_from(SPACES), seeds, st.booleans())
def test_path_agrees_with_a_grid_for_random_knots(space, seed, ties):
    rng = np.random.default_rng(seed)
    knots = random_knots(space, rng)
    if ties:  # logits on a coarse lattice cross exactly at knots and many at once
        values = np.round(2 * knots.values) + 1e-3 * np.linspace(0, 1, space.logits)
        knots = Knots(knots.positions, values)
    assert_path_is(space, knots, lambda_path(space, knots, space.sample(rng)), rng.uniform(0, space.lambda_max, 100))


@given(st.sampled_from(SPACES), seeds)
def test_discretise_keeps_k_edges_per_node(space, seed):
    rng = np.random.default_rng(seed)
    knots = random_knots(space, rng)
    lam = rng.uniform(0, space.lambda_max, 5)
    kept, operations = discretise(space, knots.at(lam))
    assert np.array_equal(np.where(kept, operations, -1), codes(space, knots, lam))
    assert all((kept[:, where].sum(1) == space.inputs_per_node).all() for where in space.slices)


def test_constant_logits_give_one_interval(rng):
    space = SPACES[0]
    values = np.repeat(rng.normal(size=(1, space.logits)), 3, axis=0)
    path = lambda_path(space, Knots(np.array([0.0, 1.0, 4.0]), values), space.sample(rng))
    assert [(interval.lo, interval.hi) for interval in path.intervals] == [(0.0, 4.0)]


def test_at_accepts_only_the_range(rng):
    space = SPACES[0]
    path = lambda_path(space, random_knots(space, rng), space.sample(rng))
    assert path.at(0) == path.intervals[0]
    assert path.at(4) == path.intervals[-1]
    assert all(path.at(interval.lo) == interval for interval in path.intervals)
    for lam in (-0.01, 4.01, float("nan")):
        with pytest.raises(ArchitectureError, match="between 0 and Λ = 4"):
            path.at(lam)


@given(seeds)
def test_knots_are_met_exactly_and_continuously(seed):
    rng = np.random.default_rng(seed)
    knots = random_knots(SPACES[0], rng)
    r, a = knots.positions, knots.values
    assert np.array_equal(knots.at(r), a)  # α(r_k) = a_k
    step = 1e-9
    assert np.allclose(knots.at(r - step), a, atol=1e-5)
    assert np.allclose(knots.at(r + step), a, atol=1e-5)
    u = rng.uniform(size=(len(r) - 1, 1))
    inside = knots.at(r[:-1] + u[:, 0] * np.diff(r))
    assert np.allclose(inside, (1 - u) * a[:-1] + u * a[1:])
    assert np.array_equal(knots.at([-9.0, 99.0]), a[[0, -1]])
    assert knots.at(1.0).shape == a.shape[1:]


@pytest.mark.parametrize(
    ("positions", "values"),
    [
        ([0.0], np.zeros((1, 3))),
        ([0.0, 1.0], np.zeros(2)),
        ([0.0, 1.0], np.zeros((3, 3))),
        ([0.0, 0.0], np.zeros((2, 3))),
        ([1.0, 0.0], np.zeros((2, 3))),
        ([0.0, np.nan], np.zeros((2, 3))),
        ([0.0, 1.0], np.array([[0.0], [np.inf]])),
    ],
)
def test_broken_knots_are_refused(positions, values):
    with pytest.raises(ArchitectureError):
        Knots(np.array(positions), values)


def slot_scores(space, knots, lam):
    """For each node of a k = 1 space, log p of each of its (parent, operation) choices, flat."""
    alpha, beta = split_logits(space, knots.at(float(lam)))
    return [(log_softmax(beta[w])[:, None] + log_softmax(alpha[w], axis=-1)).ravel() for w in space.slices]


def score(space, knots, lam, cell):
    """Σ over kept edges of log softmax(β) + log softmax(α), as the decoder's docstring says."""
    alpha, beta = split_logits(space, knots.at(float(lam)))
    edge = np.concatenate([log_softmax(beta[where]) for where in space.slices])
    return (space.encode(cell) * (edge[:, None] + log_softmax(alpha, axis=-1))).sum()


def test_exact_decode_is_the_best_of_all_cells(rng):
    space = SearchSpace()
    base, knots = space.sample(rng), random_knots(space, rng, 5)
    choice = [7 * g.parent + OPERATIONS.index(g.operation) for g in base.genes]
    grid = np.indices([7 * node for _, node in space.slots])
    shared = sum(axis == index for axis, index in zip(grid, choice, strict=True))
    assert shared.size == space.size
    for m in range(space.lambda_max + 1):
        total = sum(np.ix_(*slot_scores(space, knots, m)))
        best = np.unravel_index(np.where(shared == m, total, -np.inf).argmax(), total.shape)
        decoded = exact_decode(space, knots, base, m)
        assert [7 * g.parent + OPERATIONS.index(g.operation) for g in decoded.genes] == list(best)


@given(st.integers(1, 2), seeds)
@settings(max_examples=10)
def test_exact_decode_is_the_best_of_a_small_space(k, seed):
    """k = 2 as well: all pairs of parents, all operations."""
    rng = np.random.default_rng(seed)
    space = SearchSpace(2, k, ONE, OPERATIONS[:3])
    base, knots = space.sample(rng), random_knots(space, rng)
    everything = {base} | {cell for near in space.neighbours(base) for cell in space.neighbours(near)}
    while len(everything) < space.size:
        everything |= {near for cell in everything for near in space.neighbours(cell)}
    for m in range(space.lambda_max + 1):
        best = max((c for c in everything if shared_edges(c, base) == m), key=lambda c: score(space, knots, m, c))
        assert exact_decode(space, knots, base, m) == best


@given(st.sampled_from(SPACES), seeds)
@settings(max_examples=8)
def test_exact_decode_shares_exactly_m_and_beats_samples(space, seed):
    rng = np.random.default_rng(seed)
    base, knots = space.sample(rng), random_knots(space, rng)
    for m in range(space.lambda_max + 1):
        decoded = exact_decode(space, knots, base, m)
        assert space.contains(decoded)
        assert shared_edges(decoded, base) == m
        best = score(space, knots, m, decoded)
        rivals = [space.sample_sharing(base, m, rng) for _ in range(2)]
        rivals += [n for n in space.neighbours(decoded) if shared_edges(n, base) == m] if m == 1 else []
        assert all(score(space, knots, m, rival) <= best + 1e-9 for rival in rivals)
    assert decoded == base


def test_exact_decode_refuses_what_cannot_be(rng):
    space = SearchSpace()
    base, knots = space.sample(rng), random_knots(space, rng)
    for m in (-1, 5):
        with pytest.raises(ArchitectureError, match="Λ = 4"):
            exact_decode(space, knots, base, m)
    with pytest.raises(ArchitectureError, match="not in the space of this run"):
        exact_decode(SearchSpace(inputs_per_node=2), random_knots(SPACES[2], rng), base, 1)


def test_the_published_jump_is_the_gap_between_the_limits_at_a_knot():
    """Against the swapped form itself, which `to_knots` writes out with its jumps."""
    import torch

    from edgenes_core.hypernet import to_knots

    rng = np.random.default_rng(0)
    positions, values = np.array([-0.2, 0.0, 1.5, 4.0, 4.2]), rng.normal(size=(5, SearchSpace().logits))
    swapped = to_knots(positions, torch.from_numpy(values), swapped=True)
    gaps = [np.abs(swapped.at(r) - swapped.at(np.nextafter(r, -1))).max() for r in positions[2:3]]
    assert published_jumps(Knots(positions, values), 4) == pytest.approx(gaps)
