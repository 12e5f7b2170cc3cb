"""XNAS: exponentiated gradient in log space, a wipeout that is never early and never wrong, gradients of edges by their weights."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core.config import DartsConfig
from edgenes_core.data import load_dataset
from edgenes_core.search.darts import rounds, start_search
from edgenes_core.search.settings import XnasSettings
from edgenes_core.search.xnas import (
    cell_gradients,
    expert_step,
    learning_rate,
    rewards,
    shares,
    start_experts,
    surviving,
)
from edgenes_core.space import SearchSpace
from edgenes_core.supernet import Source, Supernet

EDGES, EXPERTS = 3, 5
games = st.tuples(
    st.integers(0, 10_000), st.integers(2, 40), st.sampled_from([0.05, 1.0, 1e3]), st.sampled_from([0.01, 1.0, 1e3])
)


def played(seed, total, scale, limit, visits=1, exact=False):
    """A game of random rewards, looked at after every batch of `visits` rounds: the gradients, η, log v, who advises at the
    end, and the round in which each of the others left.

    Half of the games have a favourite, so that gaps grow as fast as they can. `exact`: in whole numbers, with η = 1.
    """
    g = torch.Generator().manual_seed(seed)
    gradients = scale * torch.randn(total, EDGES, EXPERTS, generator=g, dtype=torch.float64)
    gradients[:, :, 0] -= scale * (seed % 2) * 3
    rate = learning_rate(EXPERTS, torch.tensor(float(total), dtype=torch.float64), limit)
    if exact:
        gradients, rate = gradients.round(), torch.ones((), dtype=torch.float64)
    log_weights = torch.zeros(EDGES, EXPERTS, dtype=torch.float64)
    advising = torch.ones(EDGES, EXPERTS, dtype=torch.bool)
    left_at = torch.zeros(EDGES, EXPERTS, dtype=torch.long)
    for first in range(0, total, visits):
        log_weights += rate * rewards(gradients[first : first + visits], limit)
        done = min(first + visits, total)
        still = surviving(log_weights, advising, rate, limit, torch.tensor(total - done))
        left_at[advising & ~still] = done
        advising = still
    return gradients, rate, log_weights, advising, left_at


@given(games)
def test_log_weights_are_the_sum_of_clipped_rewards_and_shares_their_softmax(game):
    limit = game[-1]
    gradients, rate, log_weights, advising, _ = played(*game)
    summed = np.clip(-gradients.numpy(), -limit, limit).sum(0)
    weights = np.exp(rate.numpy() * (summed - summed.max(-1, keepdims=True)))
    expected = weights / weights.sum(-1, keepdims=True)
    everyone = torch.ones_like(advising)
    assert np.allclose(shares(log_weights, everyone).numpy(), expected, atol=1e-9)
    few = np.where(advising, expected, 0)
    assert np.allclose(shares(log_weights, advising).numpy(), few / few.sum(-1, keepdims=True), atol=1e-9)


@given(games)
def test_nobody_leaves_before_half_time_and_whoever_leaves_would_not_have_won(game):
    *_, log_weights, advising, left_at = played(*game)
    total = game[1]
    assert (left_at[left_at > 0] * 2 >= total).all()
    assert advising.any(-1).all()
    best = log_weights.amax(-1, keepdim=True)
    assert (log_weights == best)[advising].all(), "after the last round only the best are left"
    gone = log_weights.masked_fill(advising, -torch.inf).amax(-1, keepdim=True)
    assert (gone <= best + 1e-9).all()


@given(st.integers(0, 10_000), st.integers(1, 15), st.integers(2, 4))
def test_looking_once_a_batch_drops_whom_every_round_drops(seed, batches, visits):
    each, batched = (played(seed, batches * visits, 4, 8, step, exact=True) for step in (1, visits))
    assert torch.equal(each[3], batched[3])
    assert torch.equal(-(-each[4] // visits), batched[4] // visits)


@given(games)
def test_rewards_of_any_size_leave_finite_shares(game):
    seed, total, _, limit = game
    *_, log_weights, advising, _ = played(seed, total, 1e3, limit)
    found = shares(log_weights.float(), advising)
    assert found.isfinite().all()
    assert torch.allclose(found.sum(-1), torch.ones(EDGES))
    assert shares(torch.tensor([[1e3, -1e3, 0.0]]), torch.ones(1, 3, dtype=torch.bool)).isfinite().all()


@given(st.integers(2, 8), st.integers(1, 10_000), st.floats(1e-3, 1e3), st.floats(0.1, 10))
def test_no_other_rate_has_a_smaller_regret_bound(experts, total, limit, factor):
    best = float(learning_rate(experts, torch.tensor(float(total), dtype=torch.float64), limit))

    def bound(rate):
        return rate * limit**2 * total / 2 + math.log(experts) / rate

    assert bound(best) <= bound(best * factor) * (1 + 1e-12)
    assert bound(best) == pytest.approx(limit * math.sqrt(2 * total * math.log(experts)))


def test_the_papers_rates():
    """N = 8, L = 1, 25 000 images, 50 epochs: 6 normal and 2 reduction cells (method: 7.45e-4 and 1.29e-3)."""
    total = torch.tensor([6, 2]) * 25_000 * 50
    assert learning_rate(8, total, 1.0).tolist() == pytest.approx([7.45e-4, 1.29e-3], rel=1e-2)


@pytest.mark.parametrize("layers", [1, 3])
def test_the_gradient_of_a_mixing_weight_is_that_of_the_edges_output_along_the_operations(layers):
    """G_e by autograd at the output of each edge of each cell, f_{e,o} by a forward pass with that operation alone."""
    space = SearchSpace(nodes=2, inputs_per_node=1, cells=("normal",))
    g = torch.Generator().manual_seed(0)
    net = Supernet(space, 1, 3, 4, layers, g).double()
    batch = torch.randn(8, 1, 8, 8, generator=g, dtype=torch.float64), torch.arange(8) % 3
    weights = torch.randn(5, 7, generator=g, dtype=torch.float64).softmax(-1)
    loss, found = cell_gradients(net, batch, weights)
    edges, hooks = [], []
    for cell in net.cells:
        for source in cell.sources:
            assert isinstance(source, Source)

            def keep(source, inputs, output):
                output.retain_grad()
                edges.append((source, inputs[0].detach(), output))

            hooks.append(source.register_forward_hook(keep))
    again = torch.nn.functional.cross_entropy(net(batch[0], weights), batch[1])
    again.backward()
    [hook.remove() for hook in hooks]
    expected, places = torch.zeros(layers, 5, 7, dtype=torch.float64), [ids for c in net.cells for ids in c.edge_ids]
    for at, ((source, x, output), ids) in enumerate(zip(edges, places, strict=True)):
        for o in range(7):
            alone = torch.eye(7, dtype=torch.float64)[o].view(-1, 1, 1).expand(-1, len(ids), 1)
            maps = source(x, alone).detach()
            expected[at // len(net.cells[0].sources), ids, o] = (output.grad * maps).flatten(1).sum(1)
    assert loss.item() == pytest.approx(again.item(), abs=1e-12)
    assert torch.allclose(found, expected, atol=1e-10)
    assert expected.abs().amax((1, 2)).min() > 1e-6, "each cell has its own"


def started(layers=1, kinds=("reduce",), **changes):
    data, space = load_dataset("digits"), SearchSpace(cells=kinds)
    config = DartsConfig(steps=10, channels=2, batch=16, layers=layers)
    return start_experts(
        start_search(space, data, config, torch.Generator().manual_seed(0)), replace(XnasSettings(), **changes)
    )


def test_rounds_are_counted_by_visits_of_each_kind_of_cell():
    found = started(6, ("normal", "reduce"))
    kinds = [edge.cell for edge in found.search.space.edges]
    assert found.total.ravel().tolist() == [8 * {"normal": 4, "reduce": 2}[kind] for kind in kinds]
    assert torch.allclose(found.rate, learning_rate(7, found.total, found.settings.limit))


@pytest.mark.parametrize("wipeout", ["on", "off"])
def test_a_search_ends_with_one_expert_an_edge_and_drops_none_in_the_first_half(wipeout):
    found = started(wipeout=wipeout)
    for step in range(10):
        expert_step(found, step)
        log_weights = found.search.logits[: 14 * 7]
        assert bool(log_weights.any()) == (step >= 2), "the experts rest while they are frozen"
        if step - 1 < rounds(found.search.config) / 2:
            assert not found.dropped.any()
    assert (found.dropped == 0).sum(-1).tolist() == [1 if wipeout == "on" else 7] * 14
    assert not found.search.logits[14 * 7 :].any(), "an input has no weight of its own"
