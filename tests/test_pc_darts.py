"""PC-DARTS: the wrapped Source is the published edge, and the architecture rests while it is frozen."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from reference_supernet import apply_operation

from edgenes_core import wide
from edgenes_core.config import DartsConfig, PipelineConfig
from edgenes_core.data import load_dataset
from edgenes_core.network import init_weights
from edgenes_core.partial_channels import PartialSource, with_partial_channels
from edgenes_core.schema import ConfigError
from edgenes_core.search.darts import search_step
from edgenes_core.search.pc_darts import plain, search, start_partial
from edgenes_core.search.settings import PcDartsSettings
from edgenes_core.space import SearchSpace
from edgenes_core.supernet import Source, Supernet

SPACE, BATCH, CHANNELS, EDGES = SearchSpace(), 16, 8, 3


def published_edge(source: PartialSource, edge: int, x, weights, beta):
    """(B, C, H, W): the edge as PC-DARTS writes it; weights (B, O) of the operations, beta (B,) of the edge."""
    first, rest = x[:, : source.kept], x[:, source.kept :]
    names = source.mixed.operations
    mixed = sum(
        weights[:, o, None, None, None] * apply_operation(name, first, source.mixed, edge)
        for o, name in enumerate(names)
    )
    if source.mixed.stride == 2:
        rest = F.max_pool2d(rest, 2, 2)
    both = torch.cat([mixed, rest], 1)
    b, c, h, w = both.shape
    shuffled = both.view(b, source.share, c // source.share, h, w).transpose(1, 2).reshape(b, c, h, w)
    return beta[:, None, None, None] * shuffled


@pytest.mark.parametrize("rows", [1, BATCH], ids=["one-cell", "a-cell-per-image"])
@pytest.mark.parametrize("lanes", [1, 8])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("share", [2, 4])
def test_an_edge_is_the_published_one(share, stride, lanes, rows):
    g = torch.Generator().manual_seed(0)
    source = PartialSource(Source(SPACE.operations, EDGES, CHANNELS, stride), share).double()
    init_weights(source, g)
    x = torch.randn(BATCH, CHANNELS, 8, 8, generator=g, dtype=torch.float64)
    weights = torch.randn(rows, EDGES, len(SPACE.operations), generator=g, dtype=torch.float64).softmax(-1)
    beta = torch.rand(rows, EDGES, generator=g, dtype=torch.float64)
    found = source(wide.to_maps(x, lanes), (weights * beta[..., None]).permute(2, 1, 0))
    assert found.shape[:2] == (EDGES, CHANNELS)
    for edge in range(EDGES):
        one, b = weights[:, edge].expand(BATCH, -1), beta[:, edge].expand(BATCH)
        assert torch.allclose(found[edge], wide.to_maps(published_edge(source, edge, x, one, b), lanes), atol=1e-10)


def test_odd_sides_are_halved_as_the_operations_halve_them():
    source = PartialSource(Source(SPACE.operations, EDGES, CHANNELS, 2), 4)
    init_weights(source, torch.Generator().manual_seed(0))
    found = source(torch.randn(CHANNELS, 2, 7, 7, 1), torch.rand(len(SPACE.operations), EDGES, 1))
    assert found.shape[3:5] == (4, 4)


def test_a_partial_supernet_has_a_quarter_of_the_channels_in_its_operations():
    whole = Supernet(SPACE, 1, 10, 8, 1, torch.Generator().manual_seed(0))
    taps = {name: value.shape for name, value in whole.named_parameters() if "depthwise" in name}
    partial = with_partial_channels(whole, 4, torch.Generator().manual_seed(0))
    found = {name.replace("mixed.", ""): value.shape for name, value in partial.named_parameters() if "depth" in name}
    assert found == {name: (shape[0] // 4, *shape[1:]) for name, shape in taps.items()}
    assert partial(torch.randn(4, 1, 8, 8), torch.rand(14, 7)).shape == (4, 10)


def test_the_architecture_rests_while_it_is_frozen_and_its_forward_pass_has_no_noise():
    data = load_dataset("digits")
    config = plain(DartsConfig(steps=10, channels=4, batch=16), PcDartsSettings())
    found = start_partial(SPACE, data, config, torch.Generator().manual_seed(0), 4)
    start, weight = found.logits.detach().clone(), next(found.supernet.parameters())
    for step in range(4):
        before = weight.detach().clone()
        search_step(found, step)
        assert torch.equal(found.logits, start) == (step < 3)
        assert not torch.equal(weight, before)
    assert torch.equal(found.mix(found.logits, 1.0), found.mix(found.logits, 1.0))


def test_channels_that_cannot_be_parted_are_said_and_one_part_is_the_whole():
    data, config = load_dataset("digits"), PipelineConfig(darts=DartsConfig(steps=2, channels=6, batch=16))
    with pytest.raises(ConfigError, match="K = 4 must divide channels = 6"):
        next(search(SPACE, data, config, torch.Generator()))
    found = start_partial(SPACE, data, replace(config.darts, channels=6), torch.Generator().manual_seed(0), 1)
    assert not [module for module in found.supernet.modules() if isinstance(module, PartialSource)]
