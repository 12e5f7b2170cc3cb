"""NESBS: a fair supernet, a posterior whose KL is exact, particles that δ pushes apart, and the check for a collapse."""

from collections import Counter
from dataclasses import replace
from itertools import combinations, permutations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core.alpha import mixing, split
from edgenes_core.architecture import OPERATIONS, edit_distance
from edgenes_core.checkpoint import NO_KEEPER
from edgenes_core.config import DartsConfig, EnsembleConfig, PipelineConfig
from edgenes_core.data import load_dataset
from edgenes_core.search import Candidate, nesbs_svgd
from edgenes_core.search.darts import start_search
from edgenes_core.search.nesbs import (
    draw_mixing,
    fair_cells,
    fair_step,
    input_choices,
    kl_to_uniform,
    posterior_step,
    score,
    search_ensembles,
)
from edgenes_core.search.nesbs_mc import draw_cells
from edgenes_core.search.nesbs_svgd import direction, kernel, log_density, particle_cells
from edgenes_core.search.settings import NesbsSettings
from edgenes_core.space import SearchSpace

TINY = DartsConfig(steps=1, channels=2, batch=16)
SPACES = [
    SearchSpace(),
    SearchSpace(inputs_per_node=2),
    SearchSpace(inputs_per_node=2, cells=("normal", "reduce")),
]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def random_logits(space, seed=0, scale=1.0):
    return scale * torch.randn(space.logits, generator=seeded(seed), dtype=torch.float64)


@pytest.fixture(scope="module")
def found():
    return start_search(SearchSpace(), load_dataset("digits"), TINY, seeded())


def peaked(space, cell, height=30.0):
    """Logits of a posterior that is all but certain of one cell."""
    code = torch.from_numpy(space.encode(cell))
    return height * torch.cat([code.flatten(), code.sum(-1)])


def chance(space, logits, cell):
    """P(cell) as the product of its draws, over all orders in which a node's inputs can be drawn."""
    alpha, beta = (part.numpy() for part in split(space, logits))
    total = 1.0
    for (kind, node), where in zip(space.slots, space.slices, strict=True):
        genes = [g for g in cell.genes if g[:2] == (kind, node)]
        p = np.exp(beta[where]) / np.exp(beta[where]).sum()
        orders = 0.0
        for order in permutations([g.parent for g in genes]):
            left, each = 1.0, 1.0
            for parent in order:
                each, left = each * p[parent] / left, left - p[parent]
            orders += each
        total *= orders
        for g in genes:
            row = np.exp(alpha[where.start + g.parent])
            total *= row[space.operations.index(g.operation)] / row.sum()
    return total


def drained(steps):
    """What a generator yields, and what it returns."""
    yielded = []
    while True:
        try:
            yielded.append(next(steps))
        except StopIteration as end:
            return yielded, end.value


def every_cell(space, rng):
    """All cells of a small space."""
    cells = set()
    while len(cells) < space.size:
        cells.add(space.sample(rng))
    return sorted(cells, key=lambda cell: cell.key)


@given(st.sampled_from(SPACES), st.integers(0, 10_000))
def test_a_batch_runs_no_operation_of_an_edge_twice_and_each_input_as_often(space, seed):
    cells = fair_cells(space, np.random.default_rng(seed))
    assert len(cells) == len(space.operations)
    assert all(space.contains(cell) for cell in cells)
    assert max(Counter(gene for cell in cells for gene in cell.genes).values()) == 1
    for slot in space.slots:
        kept = Counter(g.parent for cell in cells for g in cell.genes if g[:2] == slot)
        assert len(kept) == slot[1]
        assert max(kept.values()) - min(kept.values()) <= 1


@pytest.mark.parametrize("k", [1, 2])
def test_over_batches_every_cell_is_trained_as_often(k, rng):
    """1200 cells of a space of 6 or 9; a count has a standard error below the root of its mean, and 5 of them are allowed."""
    space = SearchSpace(nodes=1, inputs_per_node=k, operations=OPERATIONS[:3])
    drawn = Counter(cell for _ in range(400) for cell in fair_cells(space, rng))
    mean = 1200 / space.size
    assert len(drawn) == space.size
    assert all(abs(count - mean) < 5 * mean**0.5 for count in drawn.values())


@pytest.mark.parametrize("space", SPACES)
def test_a_draw_is_one_cell_and_every_logit_of_it_has_a_gradient(space):
    logits = random_logits(space).requires_grad_()
    rows = draw_mixing(space, logits.expand(50, -1), seeded())
    values = rows.detach().round()
    assert torch.allclose(rows, values, atol=1e-12)
    assert all(space.contains(space.decode(np.asarray(row.any(-1)), row.argmax(-1))) for row in values.numpy())
    loads = torch.randn(rows.shape, generator=seeded(1), dtype=torch.float64)
    (gradient,) = torch.autograd.grad((rows * loads).sum(), [logits])
    assert (gradient != 0).all()


@pytest.mark.parametrize("k", [1, 2])
def test_draws_follow_the_posterior_and_the_kl_is_its_divergence_from_uniform(k, rng):
    """All cells of a small space; a share of 20 000 draws has a standard error of at most 0.0036, and 5 of them are allowed."""
    space = SearchSpace(nodes=2, inputs_per_node=k, operations=OPERATIONS[:2])
    logits, cells = random_logits(space, k), every_cell(space, rng)
    chances = np.array([chance(space, logits, cell) for cell in cells])
    assert chances.sum() == pytest.approx(1, abs=1e-12)
    assert float(kl_to_uniform(space, logits)) == pytest.approx(float((chances * np.log(chances * len(cells))).sum()))
    rows = draw_mixing(space, logits.expand(20_000, -1), seeded())
    codes = torch.from_numpy(np.stack([space.encode(cell) for cell in cells]))
    is_cell = ((rows[:, None] - codes).abs().sum((-2, -1)) < 1e-9).double()
    assert (is_cell.sum(1) == 1).all()
    assert np.abs(is_cell.mean(0).numpy() - chances).max() < 5 * 0.0036
    plain = Counter(draw_cells(space, logits, 4000, seeded(1)))
    shares = np.array([plain[cell] for cell in cells]) / 4000
    assert np.abs(shares - chances).max() < 5 * (0.25 / 4000) ** 0.5


@pytest.mark.parametrize("space", SPACES)
def test_the_kl_is_nothing_at_uniform_and_all_of_the_space_at_one_cell(space, rng):
    assert abs(float(kl_to_uniform(space, torch.zeros(space.logits, dtype=torch.float64)))) < 1e-12
    certain = kl_to_uniform(space, peaked(space, space.sample(rng), 60.0))
    assert float(certain) == pytest.approx(float(np.log(float(space.size))), rel=1e-6)


def test_probabilities_of_inputs_survive_a_certain_one():
    logs, _ = input_choices(torch.tensor([200.0, 0.0, 0.0], dtype=torch.float64), 2)
    assert torch.allclose(logs.exp(), torch.tensor([0.5, 0.5, 0.0], dtype=torch.float64))


def test_weights_move_without_the_posterior_and_the_posterior_without_weights(found):
    weights, logits = [w.detach().clone() for w in found.supernet.parameters()], found.logits.detach().clone()
    posterior_step(found, 3, 0)
    assert all(torch.equal(w, before) for w, before in zip(found.supernet.parameters(), weights, strict=True))
    assert not torch.equal(found.logits, logits)
    logits = found.logits.detach().clone()
    fair_step(found, 0)
    assert torch.equal(found.logits, logits)
    assert any(not torch.equal(w, before) for w, before in zip(found.supernet.parameters(), weights, strict=True))


@pytest.mark.parametrize("k", [1, 2])
def test_the_direction_is_the_formula(k):
    space, delta = SearchSpace(nodes=2, inputs_per_node=k, operations=OPERATIONS[:3]), 1.7
    logits, particles = random_logits(space, 1), torch.stack([random_logits(space, seed) for seed in (2, 3, 4)])

    def k_of(z, other):
        return kernel(space, mixing(space, z, 1.0), mixing(space, other, 1.0))

    expected = torch.zeros_like(particles)
    for i in range(3):
        for j in range(3):
            z = particles[j].clone().requires_grad_()
            near = k_of(z, particles[i])
            (push,) = torch.autograd.grad(near, [z])
            score = log_density(space, logits, mixing(space, z, 1.0))
            score = score - delta * sum(k_of(z, particles[other]) for other in range(3) if other != j)
            (drive,) = torch.autograd.grad(score, [z])
            expected[i] += (near.detach() * drive + push) / 3
    twice = particles.expand(2, -1, -1)
    found = direction(space, logits, twice, torch.tensor([delta, 0.0], dtype=torch.float64))
    assert torch.allclose(found[0], expected, atol=1e-12)
    assert not torch.allclose(found[1], expected, atol=1e-3)


@pytest.mark.parametrize("k", [1, 2])
def test_a_larger_delta_puts_the_cells_farther_apart(k):
    """Mean edits between 5 particles' cells, over two posteriors."""
    space, deltas = SearchSpace(inputs_per_node=k), torch.tensor([0.0, 1.0, 4.0, 16.0])
    apart, different = np.zeros(4), np.zeros(4)
    for seed in range(2):
        drawn = particle_cells(space, random_logits(space, seed), 5, deltas, 150, seeded(seed))
        apart += [np.mean([edit_distance(a, b) for a, b in combinations(cells, 2)]) for cells in drawn]
        different += [len(set(cells)) for cells in drawn]
    assert (np.diff(apart) > 0).all()
    assert apart[-1] > 3 * apart[0]
    assert different[0] < different[-1] == 10


def test_a_collapse_is_reported_and_then_the_only_cell_is_trained_with_several_seeds(rng):
    """A posterior that is certain of one cell, which no moderate δ can leave."""
    space, size = SearchSpace(), 3
    cell = space.sample(rng)
    config = PipelineConfig(darts=TINY, ensemble=EnsembleConfig(size=size))

    def draw(logits, generator):
        return particle_cells(space, peaked(space, cell), size, torch.tensor([0.0, 0.5]), 150, generator)

    settings = NesbsSettings(ensembles=2, score_batches=1)
    items = list(search_ensembles(space, load_dataset("digits"), config, seeded(), NO_KEEPER, settings, draw))
    assert [item for item in items if isinstance(item, Candidate)] == [Candidate(cell, seed=s) for s in range(size)]
    reported = [item.values for item in items if not isinstance(item, Candidate) and item.stage == "nesbs ensembles"]
    assert [(values["unique"], values["collapsed"]) for values in reported] == [(1, 1.0)] * 2


def test_an_ensemble_of_different_cells_is_kept_before_any_collapsed_one(found, rng):
    cells = [found.space.sample(rng) for _ in range(3)]
    drawn = [[cell] * 3 for cell in cells] + [cells]
    events, kept = drained(score(found, drawn, 1))
    assert kept.cells == tuple(cells)
    assert [event.values["collapsed"] for event in events] == [1.0, 1.0, 1.0, 0.0]


def test_the_largest_delta_is_the_last_and_the_steps_are_equal(monkeypatch):
    seen = []
    monkeypatch.setattr(nesbs_svgd, "particle_cells", lambda space, logits, n, deltas, *rest: seen.append(deltas) or [
        [space.sample(np.random.default_rng(i)) for i in range(n)] for _ in deltas
    ])  # fmt: skip
    config = PipelineConfig(darts=TINY, ensemble=EnsembleConfig(size=2))
    settings = replace(nesbs_svgd.NesbsSvgdSettings(), delta=6.0, ensembles=3, score_batches=1)
    list(nesbs_svgd.search(SearchSpace(), load_dataset("digits"), config, seeded(), settings=settings))
    assert seen[0].tolist() == [2.0, 4.0, 6.0]
