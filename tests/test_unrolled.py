"""Second-order DARTS: fixed points of the paper's toy problem, the true derivative of the unrolled loss, weights untouched."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core.alpha import mixing
from edgenes_core.search.unrolled import drift, supernet_loss, unrolled_loss
from edgenes_core.space import SearchSpace
from edgenes_core.supernet import Supernet
from edgenes_core.train import weight_optimizer

SMALL = SearchSpace(nodes=2, operations=("maxpool", "skipconnect", "sepconv3x3"))


def toy_val(weights, logits):
    """L_val = αw − 2α + 1 of Liu et al. 2019, figure 2."""
    (w,) = weights
    return w * logits - 2 * logits + 1


def toy_train(weights, logits):
    """L_train = w² − 2αw + α² of the same problem."""
    (w,) = weights
    return w**2 - 2 * logits * w + logits**2


@pytest.mark.parametrize(("rate", "point"), [(0.0, (2.0, 2.0)), (0.5, (1.0, 1.0))])
@pytest.mark.parametrize("start", [(2.0, -2.0), (-1.0, 3.0)])
def test_the_papers_toy_problem_ends_at_its_known_points(rate, point, start):
    w, alpha = (torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in start)
    for _ in range(600):
        (up,) = torch.autograd.grad(unrolled_loss(toy_train, toy_val, [w], alpha, rate), [alpha])
        (down,) = torch.autograd.grad(toy_train([w], alpha), [w])
        with torch.no_grad():
            alpha -= 0.05 * up
            w -= 0.05 * down
    assert (alpha.item(), w.item()) == pytest.approx(point, abs=1e-6)


def smooth(batch):
    """A loss without kinks in which weights and logits meet."""
    x, y = batch
    return lambda weights, logits: F.cross_entropy(torch.tanh(x @ weights[0] * logits.softmax(0)) @ weights[1], y)


def central(value, logits, step=1e-5):
    """Gradient by central differences, one logit at a time."""
    unit = torch.eye(len(logits), dtype=logits.dtype) * step
    return torch.stack([(value(logits + e) - value(logits - e)) / (2 * step) for e in unit])


@given(st.integers(0, 10_000), st.floats(0.0, 2.0), st.booleans())
def test_the_gradient_is_that_of_the_unrolled_loss(seed, rate, with_drift):
    """Central differences of L_val(w − ξ(∇L_train(w, α) + drift), α), written out by hand, in float64."""
    g = torch.Generator().manual_seed(seed)
    random = [torch.randn(shape, generator=g, dtype=torch.float64) for shape in ((3, 4), (4, 3), (6, 3), (6, 3))]
    weights, losses = random[:2], [smooth((x, torch.randint(3, (6,), generator=g))) for x in random[2:]]
    extra = [torch.randn(w.shape, generator=g, dtype=torch.float64) for w in weights] if with_drift else []
    logits = torch.randn(4, generator=g, dtype=torch.float64)

    def value(alpha):
        w = [weight.clone().requires_grad_() for weight in weights]
        pulls = torch.autograd.grad(losses[0](w, alpha), w)
        moved = [a - rate * (p + (extra[i] if extra else 0)) for i, (a, p) in enumerate(zip(w, pulls, strict=True))]
        return losses[1](moved, alpha).detach()

    at = logits.clone().requires_grad_()
    loss = unrolled_loss(*losses, weights, at, rate, extra)
    (found,) = torch.autograd.grad(loss, [at])
    assert loss.item() == pytest.approx(value(logits).item(), abs=1e-12)
    assert torch.allclose(found, central(value, logits), rtol=1e-6, atol=1e-8)


@pytest.fixture
def supernet():
    """A supernet in float64, its loss on a training batch and on a validation batch, and logits."""
    g = torch.Generator().manual_seed(0)
    net = Supernet(SMALL, 1, 3, 2, 1, g).double()
    x, y = torch.randn(2, 4, 1, 8, 8, generator=g, dtype=torch.float64), torch.tensor([0, 1, 2, 0])
    losses = [
        supernet_loss(net, (images, y), lambda at: mixing(SMALL, at, 1.0), twice)
        for images, twice in zip(x, (True, False), strict=True)
    ]
    return net, losses, torch.randn(SMALL.logits, generator=g, dtype=torch.float64).requires_grad_()


def test_on_a_supernet_it_is_the_true_derivative_and_touches_no_weight(supernet):
    """Almost everywhere: a kink within the difference's step would show, and with this seed there is none."""
    net, losses, logits = supernet
    before, weights = {name: value.clone() for name, value in net.state_dict().items()}, list(net.parameters())
    (found,) = torch.autograd.grad(unrolled_loss(*losses, weights, logits, 0.5), [logits])
    expected = central(lambda at: unrolled_loss(*losses, weights, at, 0.5).detach(), logits.detach(), 1e-6)
    assert torch.allclose(found, expected, rtol=1e-5, atol=1e-8)
    (first,) = torch.autograd.grad(losses[1](weights, logits), [logits])
    assert (found - first).norm() > 1e-3 * first.norm()  # it is not first order under another name
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert all(weight.grad is None for weight in weights)


def test_rate_zero_is_first_order(supernet):
    net, losses, logits = supernet
    weights = list(net.parameters())
    (second,) = torch.autograd.grad(unrolled_loss(*losses, weights, logits, 0.0), [logits])
    (first,) = torch.autograd.grad(losses[1](weights, logits), [logits])
    assert torch.allclose(first, second, rtol=0, atol=1e-12)


def test_with_drift_the_virtual_step_is_the_real_step_of_sgd(supernet):
    """Momentum and weight decay included: L_val(w', α) is the loss after the optimiser's own next step."""
    net, losses, logits = supernet
    optimizer, weights = weight_optimizer(net, 0.1, "sgd"), list(net.parameters())
    for turn in range(3):
        expected = unrolled_loss(*losses, weights, logits.detach(), 0.1, drift(optimizer))
        optimizer.zero_grad()
        losses[0](weights, logits.detach()).backward()
        optimizer.step()
        assert losses[1](weights, logits.detach()).item() == pytest.approx(expected.item(), abs=1e-12), turn
