"""The 2023 variant: the divergences the release computes and the one it names, and whether d controls the distance."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core.architecture import shared_edges
from edgenes_core.config import HypernetConfig
from edgenes_core.lambda_path import stretches
from edgenes_core.schema import ConfigError
from edgenes_core.search.darts import SearchResult
from edgenes_core.search.jensen_shannon import (
    FORMULAS,
    distance_from,
    divergence_penalty,
    in_bits,
    jensen_shannon,
    mixed_bases,
    reversed_mean,
    start_divergence,
)
from edgenes_core.search.settings import JensenShannonSettings
from edgenes_core.space import SearchSpace
from edgenes_core.supernet import Supernet
from edgenes_core.train import descend

CPU = torch.device("cpu")


def smoothed(o, tau=0.95, count=7):
    p = torch.full((count,), (1 - tau) / count, dtype=torch.float64)
    p[o] += tau
    return p


@pytest.mark.parametrize(
    ("formula", "value"), [(jensen_shannon, 0.626), (reversed_mean, 0.243), (in_bits, 0.903), (mixed_bases, 0.924)]
)
def test_opposite_operations_have_the_distances_read_off_the_release(formula, value):
    assert float(formula(smoothed(0), smoothed(3))) == pytest.approx(value, abs=5e-4)
    assert float(formula(smoothed(2), smoothed(2))) == pytest.approx(0, abs=1e-12)


def test_the_release_calls_give_the_same_numbers():
    """torch's own kl_div with the arguments of the release: turned round, averaged over rows, and with mixed bases."""
    p, q = smoothed(0), smoothed(3)
    m = (p + q) / 2
    kl = torch.nn.functional.kl_div
    linear = (kl(p.log(), m, reduction="batchmean") + kl(q.log(), m, reduction="batchmean")) / 2
    logs = [kl(m.log2(), each.log2(), reduction="sum", log_target=True) for each in (p, q)]
    assert float(reversed_mean(p, q)) == pytest.approx(float(linear), rel=1e-12)
    assert float(mixed_bases(p, q)) == pytest.approx(float(sum(logs)) / 2, rel=1e-12)


@given(st.integers(0, 10_000), st.integers(2, 9))
def test_the_true_divergence_is_symmetric_and_bounded_and_the_reversed_one_is_not(seed, count):
    g = torch.Generator().manual_seed(seed)
    p, q = (4 * torch.randn(2, count, generator=g, dtype=torch.float64)).softmax(-1)
    assert float(jensen_shannon(p, q)) == pytest.approx(float(jensen_shannon(q, p)), abs=1e-12)
    assert 0 <= float(jensen_shannon(p, q)) <= math.log(2)
    near_one = [smoothed(o, 1 - 1e-12, count) for o in (0, 1)]
    assert float(jensen_shannon(*near_one)) == pytest.approx(math.log(2), abs=1e-9)
    assert float(reversed_mean(*near_one)) * count > 10


def sharp(space, cell, height=60.0):
    """Logits (S,) of a cell without softness."""
    encoded = torch.from_numpy(space.encode(cell))
    return height * torch.cat([encoded.flatten(), encoded.sum(-1)])


def result(space, cell):
    return SearchResult(cell, sharp(space, cell).numpy(), Supernet(space, 1, 2, 2, 1, torch.Generator()))


@given(st.integers(0, 10_000), st.sampled_from([1, 2]), st.integers(0, 4))
def test_between_cells_the_corrected_distance_is_the_share_of_other_edges(seed, k, shared):
    """In bits, for τ near 1: what soft cells have in common with the count of shared edges."""
    space, rng = SearchSpace(inputs_per_node=k), np.random.default_rng(seed)
    base = space.sample(rng)
    other = space.sample_sharing(base, shared, rng)
    distance = distance_from(space, result(space, base), JensenShannonSettings(tau=0.9999))
    expected = 1 - shared / space.lambda_max
    assert float(distance(sharp(space, other)[None])) == pytest.approx(expected, abs=5e-3)


def trained(space, base, settings, seed=0, steps=200):
    """A map that only the penalty has moved."""
    g = torch.Generator().manual_seed(seed)
    found = start_divergence(space, HypernetConfig(), g, CPU, settings)
    distance = distance_from(space, result(space, base), settings)
    optimizer = torch.optim.Adam([found.values], lr=0.1, betas=(0.5, 0.999))
    for _ in range(steps):
        descend(optimizer, found.values, divergence_penalty(found, distance, g, settings))
    return found, distance


def test_the_quadratic_penalty_alone_gives_the_distance_asked_for(rng):
    space = SearchSpace()
    base = space.sample(rng)
    found, distance = trained(space, base, JensenShannonSettings())
    wanted = torch.linspace(0.05, 0.9, 18)
    assert (distance(found.at(wanted)) - wanted).abs().max() < 0.05
    shared = [shared_edges(met.architecture, base) for met in stretches(space, found.knots(), 0.9)]
    assert shared[0] == space.lambda_max
    assert shared[-1] == 0


def test_the_linear_penalty_alone_goes_as_far_as_it_can(rng):
    """Whatever λ > 0 is: without a loss on images nothing holds it."""
    space = SearchSpace()
    settings = JensenShannonSettings(form="linear")
    found, distance = trained(space, space.sample(rng), settings)
    farthest = math.log(2)
    assert distance(found.at(torch.tensor([1.0, 20.0, 40.0]))).min() > 0.85 * farthest


def test_as_published_it_sees_edges_that_no_cell_keeps_and_no_input():
    """Moving β only is no distance to it; changing the operation of an edge that is not kept is."""
    space = SearchSpace()
    base = space.sample(np.random.default_rng(0))
    published = JensenShannonSettings(formulas="published", compared="all")
    for settings, sees_inputs in ((published, False), (JensenShannonSettings(), True)):
        distance = distance_from(space, result(space, base), settings)
        logits = sharp(space, base)
        moved, unkept = logits.clone(), logits.clone()
        moved[14 * 7 :] = moved[14 * 7 :].flip(0)
        free = int((logits[14 * 7 :] == 0).nonzero()[0])
        unkept[free * 7 : free * 7 + 7] = torch.eye(7, dtype=torch.float64)[6] * 60
        here, there, elsewhere = distance(torch.stack([logits, moved, unkept])).tolist()
        assert (abs(there - here) > 1e-3) == sees_inputs
        assert (abs(elsewhere - here) > 1e-3) != sees_inputs


def test_settings_that_do_not_fit_together_are_said():
    with pytest.raises(ConfigError, match="set compared to 'all'"):
        JensenShannonSettings(formulas="published")
    assert set(FORMULAS) == {(f, g) for f in ("corrected", "published") for g in ("linear", "quadratic")}
