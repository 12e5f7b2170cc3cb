"""GDAS: a sample is one operation on each edge, drawn with probability softmax(α), with the gradient of the soft sample."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core.alpha import mixing, relax, split
from edgenes_core.config import DartsConfig
from edgenes_core.data import load_dataset
from edgenes_core.search.darts import search_step, start_search
from edgenes_core.search.gdas import hard, hard_mixing
from edgenes_core.search.settings import GdasSettings
from edgenes_core.space import SearchSpace

E, O = 14, 7  # noqa: E741 - edges and operations


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def random_logits(space, seed, scale=1.0):
    return scale * torch.randn(space.logits, generator=seeded(seed), dtype=torch.float64)


@given(st.integers(0, 10_000), st.sampled_from([1, 2]), st.floats(0.1, 10.0))
def test_a_sample_is_one_operation_on_each_edge(seed, k, temperature):
    space = SearchSpace(inputs_per_node=k)
    logits = random_logits(space, seed)
    drawn = hard_mixing(space, logits, temperature, seeded(seed))
    soft, edges = relax(space, logits, temperature, seeded(seed))
    assert torch.allclose(drawn, torch.eye(O, dtype=torch.float64)[soft.argmax(-1)] * edges[:, None], atol=1e-12)


@given(st.integers(0, 10_000), st.sampled_from([1, 2]))
def test_its_gradient_is_that_of_the_soft_sample_and_reaches_every_logit(seed, k):
    """Of any linear function: the straight-through estimator. Inputs weigh as in the soft sample, so no α is left out."""
    space, temperature = SearchSpace(inputs_per_node=k), 2.0
    logits = random_logits(space, seed).requires_grad_()
    loads = torch.randn(E, O, generator=seeded(seed + 1), dtype=torch.float64)
    found, soft = (
        torch.autograd.grad((loads * form(space, logits, temperature, seeded(seed))).sum(), [logits])[0]
        for form in (hard_mixing, mixing)
    )
    alpha, expected = split(space, found)[0], split(space, soft)[0]
    assert torch.allclose(alpha, expected, atol=1e-12)
    assert (alpha != 0).all()


@pytest.mark.parametrize("temperature", [10.0, 0.1])
def test_operations_are_drawn_with_their_probability_at_every_temperature(temperature):
    """20 000 samples; a share's standard error is at most 0.0036, and 5 of them are allowed."""
    space = SearchSpace(nodes=1)
    logits, count = random_logits(space, 0), 20_000
    drawn = hard_mixing(space, logits.expand(count, -1), temperature, seeded(1)) > 0
    expected = split(space, logits)[0].softmax(-1).numpy()
    shares = drawn.double().mean(0).numpy()
    assert np.abs(shares - expected).max() < 5 * np.sqrt(0.25 / count)


@given(st.integers(0, 10_000), st.floats(0.0, 1e4))
def test_no_sample_is_ever_drawn_again_for_it_is_finite(seed, scale):
    space = SearchSpace(inputs_per_node=2)
    logits = random_logits(space, seed, scale).float().requires_grad_()
    drawn = hard_mixing(space, logits, GdasSettings().temperature_end, seeded(seed))
    (gradient,) = torch.autograd.grad(drawn.square().sum(), [logits])
    assert drawn.isfinite().all()
    assert gradient.isfinite().all()


def test_weights_and_architecture_see_different_samples():
    data, space = load_dataset("digits"), SearchSpace()
    found = start_search(space, data, hard(DartsConfig(steps=2, channels=2, batch=16), GdasSettings()), seeded(0))
    seen = []

    def noted(*arguments):
        seen.append(hard_mixing(*arguments))
        return seen[-1]

    search_step(replace(found, forward=noted), 1)
    first, second = seen
    assert (first.argmax(-1) != second.argmax(-1)).any()
    assert first.requires_grad
    assert not second.requires_grad
