"""Second-order DARTS: the architecture's loss after one virtual step of the weights (Liu et al. 2019, eq. 6 to 8).

    w'(α) = w − ξ·(∇_w L_train(w, α) + drift)             drift = μ·buffer + decay·w, what the real step would add
    dL_val(w'(α), α)/dα = ∇_α L_val(w', α) − ξ·∇²_{α,w} L_train(w, α)·∇_{w'} L_val(w', α)

The second term comes from differentiating through the step, so it is exact. The paper's finite difference costs as much and,
across the kinks of ReLU and max pooling, is wrong by about the size of that term (docs/adr/0007). ξ = 0 is first order.
The virtual step is the plain gradient step of the paper, unclipped, also where AdamW takes the real one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

Loss = Callable[[Sequence[Tensor], Tensor], Tensor]


def unrolled_loss(
    train: Loss, val: Loss, weights: Sequence[Tensor], logits: Tensor, rate: float, drift: Sequence[Tensor] = ()
) -> Tensor:
    """L_val(w'(α), α) as a differentiable function of the logits α; the weights themselves are not touched.

    `train` and `val` are scalars of (weights, logits), the first twice differentiable; `rate` is ξ; `drift` one tensor per
    weight, or nothing.
    """
    start = [weight.detach().requires_grad_() for weight in weights]
    gradients = torch.autograd.grad(train(start, logits), start, create_graph=True)
    pulls = [g + d for g, d in zip(gradients, drift, strict=True)] if drift else gradients
    virtual = [w.detach() - rate * pull for w, pull in zip(start, pulls, strict=True)]
    return val(virtual, logits)


def supernet_loss(
    supernet: nn.Module, batch: tuple[Tensor, Tensor], mix: Callable[[Tensor], Tensor], twice: bool
) -> Loss:
    """Mean cross-entropy of a batch as a function of the supernet's weights, in the order of `parameters()`, and the logits.

    `mix` turns logits (S,) into mixing weights (E, O), with noise of its own; `twice` for a loss whose gradient is
    differentiated again.
    """
    names = [name for name, _ in supernet.named_parameters()]

    def loss(weights: Sequence[Tensor], logits: Tensor) -> Tensor:
        x, y = batch
        named = dict(zip(names, weights, strict=True))
        return F.cross_entropy(functional_call(supernet, named, (x, mix(logits), twice)), y)

    return loss


def drift(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    """What the optimiser's next step adds to each gradient: momentum·buffer (SGD) + decay·weight; one group of weights."""
    (group,) = optimizer.param_groups
    buffers = [optimizer.state[w].get("momentum_buffer") for w in group["params"]]
    return [
        group["weight_decay"] * w.detach() + (0 if buffer is None else group["momentum"] * buffer)
        for w, buffer in zip(group["params"], buffers, strict=True)
    ]
