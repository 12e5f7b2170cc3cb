"""Multi-headed NES: one head is DARTS, alike heads do not differ, and what is shared is shared."""

from math import log

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core.config import DartsConfig
from edgenes_core.data import load_dataset
from edgenes_core.search.darts import search_step, start_search
from edgenes_core.search.multi_head import Heads, divergence, head_step, mean_log, of_heads, start_heads, trunk_cells
from edgenes_core.space import SearchSpace
from edgenes_core.supernet import Supernet

SPACES = {
    "k1": (SearchSpace(), DartsConfig(steps=2, channels=2, batch=16, frozen=0.0)),
    "k2, two of a kind": (SearchSpace(inputs_per_node=2), DartsConfig(steps=2, channels=2, batch=16, layers=2)),
    "two kinds": (
        SearchSpace(inputs_per_node=2, cells=("normal", "reduce")),
        DartsConfig(steps=2, channels=2, batch=16, layers=2, frozen=0.0),
    ),
}


@pytest.fixture(scope="module")
def data():
    return load_dataset("digits")


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("kind", SPACES)
def test_one_head_without_divergence_is_darts(kind, data):
    space, config = SPACES[kind]
    plain, single = start_search(space, data, config, seeded()), start_heads(space, data, config, seeded(), 1)
    for step in range(2):
        expected, found = search_step(plain, step), head_step(single, 0.0, step)
        assert torch.allclose(found.values["train_loss"], expected.values["train_loss"], atol=1e-5)
    assert torch.allclose(of_heads(single)[0], plain.logits, atol=1e-5)
    ours = single.supernet.heads[0].state_dict()
    assert all(torch.allclose(weight, ours[name], atol=1e-4) for name, weight in plain.supernet.state_dict().items())


@given(st.integers(0, 10_000), st.integers(1, 5), st.floats(0.0, 20.0))
def test_the_divergence_lies_between_none_for_alike_heads_and_log_m(seed, heads, scale):
    logs = (scale * torch.randn(heads, 6, 4, generator=seeded(seed), dtype=torch.float64)).log_softmax(-1)
    assert -1e-12 < float(divergence(logs)) <= log(heads) + 1e-12
    assert abs(float(divergence(logs[:1].expand(heads, -1, -1)))) < 1e-12
    assert torch.allclose(mean_log(logs).exp(), logs.exp().mean(0))


def test_alike_heads_do_not_differ_and_others_do(data):
    space, config = SPACES["k1"]
    found = start_heads(space, data, config, seeded(), 3)
    first = found.supernet.heads[0].state_dict()
    x, _ = next(found.train_w)
    mixed = found.mix(of_heads(found), 1.0).detach()
    assert float(divergence(found.supernet(x, mixed).log_softmax(-1)).detach()) > 1e-3
    for head in found.supernet.heads:
        head.load_state_dict(first)
    alike = found.supernet(x, mixed[:1].expand(3, -1, -1)).log_softmax(-1)
    assert abs(float(divergence(alike).detach())) < 1e-6


def test_the_architecture_descends_on_the_ensemble_s_loss_minus_gamma_times_the_divergence(data):
    """One step each with the same noise; γ·∇JSD is what a γ takes off the gradient."""
    space, config = SPACES["k1"]
    gradients = []
    for gamma in (0.0, 2.0):
        found = start_heads(space, data, config, seeded(), 3)
        head_step(found, gamma, 0)
        gradients.append(found.logits.grad)
    found = start_heads(space, data, config, seeded(), 3)
    x, y = next(found.train_alpha)
    logs = found.supernet(x, found.mix(of_heads(found), config.temperature_start)).log_softmax(-1)
    probs = logs.exp()
    loss = -probs.mean(0)[torch.arange(len(y)), y].log().mean()
    (of_loss,) = torch.autograd.grad(loss, [found.logits], retain_graph=True)
    (of_divergence,) = torch.autograd.grad(divergence(logs), [found.logits])
    assert torch.allclose(gradients[0], of_loss, atol=1e-6)
    assert torch.allclose(gradients[0] - gradients[1], 2 * of_divergence, atol=1e-6)
    assert of_divergence.abs().max() > 1e-5


@pytest.mark.parametrize("kind", SPACES)
def test_heads_share_stem_and_trunk_and_nothing_else(kind, data):
    space, config = SPACES[kind]
    heads = start_heads(space, data, config, seeded(), 3).supernet
    assert isinstance(heads, Heads)
    trunk = trunk_cells(config.layers)
    single = Supernet(space, 1, 10, config.channels, config.layers, seeded())
    shared = sum(
        w.numel() for part in (single.stem, single.before[:trunk], single.cells[:trunk]) for w in part.parameters()
    )
    own = sum(w.numel() for w in single.parameters()) - shared
    assert sum(w.numel() for w in heads.parameters()) == shared + 3 * own


def test_a_kind_that_only_the_trunk_has_is_one_for_all_heads_and_the_others_differ(data):
    space, config = SPACES["two kinds"]
    found = start_heads(space, data, config, seeded(), 3)
    for step in range(2):
        head_step(found, 0.5, step)
    alpha = of_heads(found)[:, : len(space.edges) * len(space.operations)].unflatten(1, (len(space.edges), -1))
    for edge, rows in zip(space.edges, alpha.transpose(0, 1), strict=True):
        assert torch.equal(rows[0], rows[1]) == (edge.cell == "normal")


def test_each_head_has_noise_of_its_own(data):
    space, config = SPACES["k1"]
    found = start_heads(space, data, config, seeded(), 3)
    alike = found.logits.detach()[:1].expand(3, -1)
    rows = found.mix(alike, 1.0)
    assert not torch.allclose(rows[0], rows[1], atol=1e-3)
    assert not torch.allclose(rows[1], rows[2], atol=1e-3)
