"""DARTS-CC: real parameter counts, λ in units that mean the same everywhere, and cells that shrink along λ."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from edgenes_core.config import HypernetConfig, PipelineConfig, RetrainConfig
from edgenes_core.parameters import operation_counts, parameter_count
from edgenes_core.schema import ConfigError
from edgenes_core.search.darts_cc import falling, measure, size_penalty, sizes_along, start_complexity
from edgenes_core.search.settings import DartsCcSettings
from edgenes_core.space import SearchSpace
from edgenes_core.train import descend

CONFIG = PipelineConfig(retrain=RetrainConfig(channels=8, layers=2))
spaces = st.builds(
    SearchSpace, inputs_per_node=st.sampled_from([1, 2]), cells=st.sampled_from([("reduce",), ("normal", "reduce")])
)


@settings(max_examples=15)
@given(spaces, st.sampled_from([4, 6]), st.sampled_from([2, 3]), st.integers(0, 10_000))
def test_the_counts_of_edges_add_up_to_the_networks(space, channels, layers, seed):
    counts, rng = operation_counts(space, channels, layers), np.random.default_rng(seed)
    rests = set()
    for cell in (space.sample(rng) for _ in range(3)):
        rests.add(parameter_count(cell, 1, 10, channels, layers) - int((space.encode(cell) * counts).sum()))
    assert len(rests) == 1, "what the edges do not add is the same for all cells"


@given(spaces, st.integers(0, 10_000), st.sampled_from(["kept", "all"]))
def test_the_expected_size_of_a_cell_without_softness_is_its_size(space, seed, counted):
    complexity = measure(space, CONFIG, DartsCcSettings(counted=counted))
    cell = space.sample(np.random.default_rng(seed))
    encoded = torch.from_numpy(space.encode(cell))
    operations = torch.zeros(len(space.edges), 7, dtype=torch.float64) + encoded * 80
    found = complexity.size(80 * torch.cat([encoded.flatten(), encoded.sum(-1)])[None])
    if counted == "kept":
        expected = complexity.parameters(cell)
    else:
        expected = float((operations.softmax(-1) * torch.from_numpy(complexity.counts)).sum())
    assert float(found) * complexity.average == pytest.approx(expected, rel=1e-6)


@given(spaces, st.floats(-8, 0), st.floats(0.5, 6))
def test_lambda_is_even_in_its_logarithm_and_the_even_mixture_costs_lambda(space, lowest, decades):
    complexity = measure(space, CONFIG, DartsCcSettings(lowest=lowest, highest=lowest + decades))
    low, middle, high = complexity.weight(torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64)).tolist()
    assert low == pytest.approx(10**lowest)
    assert high / low == pytest.approx(10**decades)
    assert middle == pytest.approx((low * high) ** 0.5)
    assert float(complexity.size(torch.zeros(1, space.logits))) == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize("k", [1, 2])
def test_against_a_constant_pull_to_size_the_optimum_shrinks_along_lambda(k):
    """Without images: λ·size − pull·size is least at the largest cell where λ < pull, at the smallest where λ > pull."""
    space, own, pull = SearchSpace(inputs_per_node=k), DartsCcSettings(), 10**-1.5
    complexity, g = measure(space, CONFIG, own), torch.Generator().manual_seed(0)
    found = start_complexity(space, HypernetConfig(), g, torch.device("cpu"), own)
    optimizer = torch.optim.Adam([found.values], lr=0.1, betas=(0.5, 0.999))
    for _ in range(150):
        u = found.draw(64, g)
        loss = size_penalty(found, complexity, g) - pull * complexity.size(found.at(u)).mean()
        descend(optimizer, found.values, loss)
    sizes = sizes_along(complexity, found)
    assert falling(sizes) == 1.0
    assert sizes[0] > sizes[-1]
    per_edge = [
        (np.sort(complexity.counts[where].min(1)), np.sort(complexity.counts[where].max(1))) for where in space.slices
    ]
    assert sizes[0] == sum(int(largest[-k:].sum()) for _, largest in per_edge)
    assert sizes[-1] == sum(int(smallest[:k].sum()) for smallest, _ in per_edge)


def test_the_penalty_alone_ends_at_the_smallest_cell_for_every_lambda():
    space, own = SearchSpace(), DartsCcSettings()
    complexity, g = measure(space, CONFIG, own), torch.Generator().manual_seed(0)
    found = start_complexity(space, HypernetConfig(), g, torch.device("cpu"), own)
    start = sizes_along(complexity, found)
    optimizer = torch.optim.Adam([found.values], lr=0.1, betas=(0.5, 0.999))
    for _ in range(150):
        descend(optimizer, found.values, size_penalty(found, complexity, g))
    sizes = sizes_along(complexity, found)
    assert max(sizes) < min(start)
    assert falling(sizes) == 1.0


def test_how_monotone_is_a_share_of_all_changes():
    assert falling([9, 5, 5, 2]) == 1.0
    assert falling([2, 9]) == 0.0
    assert falling([9, 3, 5, 1]) == pytest.approx(10 / 12)
    assert falling([4]) == falling([4, 4]) == 1.0


def test_a_range_that_is_none_is_said():
    with pytest.raises(ConfigError, match="must lie below highest"):
        replace(DartsCcSettings(), lowest=1.0, highest=1.0)
