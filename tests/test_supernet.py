"""The wide supernet is the per-edge supernet, and with a one-hot mixing it is the discrete network: compiled and in torch."""

import numpy as np
import pytest
import torch
from reference_supernet import reference_forward
from torch.testing import assert_close

from edgenes_core import compiled, wide
from edgenes_core.inherited import inherit
from edgenes_core.network import cell_kinds
from edgenes_core.schema import ConfigError
from edgenes_core.space import SearchSpace
from edgenes_core.supernet import Supernet

SPACES = [
    pytest.param(SearchSpace(), 1, 8, id="k1"),
    pytest.param(SearchSpace(inputs_per_node=2), 1, 12, id="k2-12px"),
    pytest.param(SearchSpace(inputs_per_node=2, cells=("normal", "reduce")), 3, 16, id="two-cells"),
    pytest.param(SearchSpace(nodes=2, operations=("maxpool", "skipconnect")), 2, 8, id="no-convolution"),
]


@pytest.fixture(params=["compiled", "torch"], autouse=True)
def engine(request, monkeypatch):
    """Every law holds for both engines."""
    monkeypatch.setenv("EDGENES_ENGINE", "torch" if request.param == "torch" else "auto")
    compiled.unavailable.cache_clear()
    if request.param == "compiled" and compiled.unavailable():
        pytest.skip(compiled.unavailable())
    yield request.param
    compiled.unavailable.cache_clear()


def supernet(space, layers):
    return Supernet(space, 2, 3, 4, layers, torch.Generator().manual_seed(1)).double()


@pytest.mark.parametrize(("space", "layers", "side"), SPACES)
def test_equals_the_per_edge_form(space, layers, side):
    """Outputs, input gradients, mixing gradients and weight gradients agree to 1e-9 in float64."""
    net, results = supernet(space, layers), []
    mixing = torch.rand(len(space.edges), len(space.operations), dtype=torch.float64, requires_grad=True)
    x = torch.randn(6, 2, side, side, dtype=torch.float64, requires_grad=True)
    for forward in (net, lambda x, m: reference_forward(net, x, m)):
        y = forward(x, mixing)
        inputs = [x, mixing, *net.parameters()]
        grads = torch.autograd.grad(y.square().sum(), inputs, allow_unused=True)
        results.append([y, *(torch.zeros_like(i) if g is None else g for i, g in zip(inputs, grads, strict=True))])
    for ours, reference in zip(*results, strict=True):
        assert_close(ours, reference, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("space", "layers", "side"), SPACES)
def test_without_image_gradients_too(space, layers, side):
    """As a search calls it, where the first convolution is compiled as well; several mixings in one batch."""
    net, results = supernet(space, layers), []
    mixing = torch.rand(3, len(space.edges), len(space.operations), dtype=torch.float64, requires_grad=True)
    x, parts = torch.randn(6, 2, side, side, dtype=torch.float64), []
    for call in (lambda: net(x, mixing), lambda: net(x.clone().requires_grad_(), mixing)):
        y = call()
        grads = torch.autograd.grad(y.square().sum(), [mixing, *net.parameters()], allow_unused=True)
        results.append([y, *(g for g in grads if g is not None)])
        parts.append(sum(g is not None for g in grads))
    assert parts[0] == parts[1]
    for ours, reference in zip(*results, strict=True):
        assert_close(ours, reference, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("space", "layers", "side"), SPACES)
def test_fixed_weights_give_the_same_mixing_gradient(space, layers, side):
    net = supernet(space, layers)
    mixing = torch.rand(len(space.edges), len(space.operations), dtype=torch.float64, requires_grad=True)
    x = torch.randn(6, 2, side, side, dtype=torch.float64)
    free, fixed = (torch.autograd.grad(f(x, mixing).square().sum(), [mixing])[0] for f in (net, net.with_weights_fixed))
    assert_close(fixed, free, rtol=1e-12, atol=1e-12)
    assert all(p.requires_grad for p in net.parameters())


@pytest.mark.parametrize(("space", "layers", "side"), SPACES)
def test_one_hot_mixing_is_the_discrete_network(space, layers, side):
    net, x = supernet(space, layers), torch.randn(5, 2, side, side, dtype=torch.float64)
    for seed in range(4):
        architecture = space.sample(np.random.default_rng(seed))
        discrete = inherit(net, architecture)
        assert_close(net(x, torch.from_numpy(space.encode(architecture))), discrete(x), rtol=0, atol=1e-10)


def test_rows_of_mixing_belong_to_consecutive_groups_of_images():
    """Without batch statistics in the way (equal images), each group equals a call with its own row."""
    space = SearchSpace()
    net = supernet(space, 1)
    rows = torch.rand(2, len(space.edges), len(space.operations), dtype=torch.float64)
    x = torch.randn(4, 2, 8, 8, dtype=torch.float64)
    same = rows[:1].expand(2, -1, -1)
    assert_close(net(x, same), net(x, rows[0]), rtol=1e-12, atol=1e-12)
    both = net(x, rows)
    assert not torch.allclose(both[2:], net(x, rows[0])[2:])
    assert not torch.allclose(both[:2], net(x, rows[1])[:2])


def test_a_call_leaves_no_trace():
    net, space = supernet(SearchSpace(), 1), SearchSpace()
    x, mixing = torch.randn(3, 2, 8, 8, dtype=torch.float64), torch.rand(14, 7, dtype=torch.float64)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    first = net(x, mixing)
    net(x + 1, mixing * 2)
    assert torch.equal(first, net(x, mixing))
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())
    assert len(space.edges) == 14


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("side", [3, 5])
@pytest.mark.parametrize("pixels", [4, 7, 8, 9, 14])
def test_depthwise_is_torchs_convolution(pixels, side, dilation, stride):
    """Matrices over planes and over rows, parity classes and the plain path all equal conv2d, for even and odd maps; repeats R = 2."""
    x = torch.randn(3, 2, pixels, pixels, 1, dtype=torch.float64)
    weight = torch.randn(6, 1, side, side, dtype=torch.float64)
    padding = dilation * (side // 2)
    images = x[..., 0].repeat(2, 1, 1, 1).transpose(0, 1)
    expected = torch.nn.functional.conv2d(images, weight, None, stride, padding, dilation, 6).transpose(0, 1)
    assert_close(wide.depthwise(x, weight, stride, dilation)[..., 0], expected, rtol=1e-12, atol=1e-12)


def test_cell_kinds_follow_darts():
    assert cell_kinds(("reduce",), 2) == ("reduce", "reduce")
    assert cell_kinds(("normal", "reduce"), 8).count("reduce") == 2
    assert cell_kinds(("normal", "reduce"), 2) == ("normal", "reduce")
    with pytest.raises(ConfigError, match="at least 2 layers"):
        cell_kinds(("normal", "reduce"), 1)
