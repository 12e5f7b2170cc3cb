"""The compiled engine beside plain torch: convolutions and pooling of any shape, threads, fall-back."""

import sys

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from edgenes_core import compiled, wide
from edgenes_core.network import pool
from edgenes_core.space import SearchSpace
from edgenes_core.supernet import Supernet

pytestmark = pytest.mark.skipif(bool(compiled.unavailable()), reason=compiled.unavailable() or "compiled engine")


def images(maps):
    """(C, G, H, W, L) → (B, C, H, W)."""
    return maps.permute(1, 4, 0, 2, 3).flatten(0, 1)


shapes = st.fixed_dictionaries(
    {
        "channels": st.integers(1, 7),
        "outputs": st.integers(1, 7),
        "batch": st.sampled_from([(1, 2), (2, 3), (1, 5)]),
        "height": st.integers(4, 9),
        "width": st.integers(4, 9),
        "side": st.sampled_from([3, 5]),
        "dilation": st.sampled_from([1, 2]),
        "stride": st.sampled_from([1, 2]),
        "seed": st.integers(0, 99),
    }
)


@settings(max_examples=40, deadline=None)
@given(shapes)
def test_separable_convolution_of_any_shape(shape):
    """Output and all gradients equal torch's own convolutions."""
    generator = torch.Generator().manual_seed(shape["seed"])

    def random(*size):
        return torch.randn(*size, generator=generator, dtype=torch.float64).requires_grad_()

    c, (groups, lanes), k = shape["channels"], shape["batch"], shape["side"]
    x = random(c, groups, shape["height"], shape["width"], lanes)
    taps, points = random(c, 1, k, k), random(shape["outputs"], c)
    ours = images(wide.separable(x, taps, points, shape["stride"], shape["dilation"]))
    pad = shape["dilation"] * (k // 2)
    deep = F.conv2d(images(x).relu(), taps, None, shape["stride"], pad, shape["dilation"], c)
    theirs = F.conv2d(deep, points[:, :, None, None])
    assert_close(ours, theirs, rtol=1e-10, atol=1e-10)
    g = torch.randn(ours.shape, generator=generator, dtype=torch.float64)
    for a, b in zip(*(torch.autograd.grad(y, [x, taps, points], g) for y in (ours, theirs)), strict=True):
        assert_close(a, b, rtol=1e-10, atol=1e-10)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 2]), st.sampled_from(["maxpool", "avgpool"]))
def test_pooling_of_any_shape(height, width, stride, name):
    """Equal values too: the first of several largest pixels gets the gradient, as in torch."""
    x = torch.randint(3, (2, 2, height, width, 3)).double().requires_grad_()
    ours, theirs = images(pool(name, x, stride)), images(x)
    theirs = (
        F.max_pool2d(theirs, 3, stride, 1) if name == "maxpool" else F.avg_pool2d(theirs, 3, stride, 1, False, False)
    )
    assert_close(ours, theirs)
    g = torch.randn_like(ours)
    assert_close(*(torch.autograd.grad(y, [x], g)[0] for y in (ours, theirs)))


def test_threads_do_not_change_a_bit(monkeypatch):
    """Groups of images run side by side; what they add is summed in one order."""
    net = Supernet(SearchSpace(), 1, 3, 4, 1, torch.Generator().manual_seed(0))
    x, mixing, results = torch.randn(64, 1, 12, 12), torch.rand(14, 7), []
    for threads in ("1", "2"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        compiled.threads.cache_clear()
        assert compiled.threads() == int(threads)
        y = net(x, mixing)
        results.append([y, *torch.autograd.grad(y.square().sum(), list(net.parameters()))])
    compiled.threads.cache_clear()
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


@pytest.mark.parametrize("batch", [1, 2, 7, 31, 37, 61, 64, 96, 127, 500])
def test_lanes_divide_the_batch_and_fill_a_vector(batch):
    for side in (8, 32):
        lanes = compiled.lanes(torch.empty(batch, 1, side, side))
        assert batch % lanes == 0
        assert lanes >= min(batch, compiled.FEWEST)


def test_gradients_of_gradients_are_refused():
    """Once differentiated, never silently wrong: callers that need more pass `twice`."""
    net = Supernet(SearchSpace(), 1, 3, 4, 1, torch.Generator().manual_seed(0))
    mixing = torch.rand(14, 7, requires_grad=True)
    y = net(torch.randn(4, 1, 8, 8), mixing).square().sum()
    (g,) = torch.autograd.grad(y, [mixing], create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        g.sum().backward()
    y = net(torch.randn(4, 1, 8, 8), mixing, twice=True).square().sum()
    (g,) = torch.autograd.grad(y, [mixing], create_graph=True)
    g.sum().backward()


@pytest.mark.parametrize("how", ["switched off", "numba does not work"])
def test_falls_back_to_torch(how, monkeypatch):
    """The same call, the same logits, and the reason in words."""
    net = Supernet(SearchSpace(), 1, 3, 4, 1, torch.Generator().manual_seed(0)).double()
    x, mixing = torch.randn(6, 1, 8, 8, dtype=torch.float64), torch.rand(14, 7, dtype=torch.float64)
    fast = net(x, mixing)
    if how == "switched off":
        monkeypatch.setenv("EDGENES_ENGINE", "torch")
    else:
        monkeypatch.setitem(sys.modules, "llvmlite", None)
    compiled.unavailable.cache_clear()
    try:
        assert how in compiled.unavailable()
        assert_close(net(x, mixing), fast, rtol=1e-10, atol=1e-10)
    finally:
        compiled.unavailable.cache_clear()
