"""Compiled depthwise + pointwise convolution of one map, as a network that keeps its norms needs it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from edgenes_core.compiled.folded import Folded, Stage, Upstream, Weights, convolve, convolve_backward, node_input


def separable(x: Tensor, taps: Tensor, points: Tensor, stride: int, dilation: int) -> Tensor:
    """relu, depthwise with taps (C, 1, k, k), pointwise with (C', C): (C, G, H, W, L) → (C', G, H', W', L)."""
    result: Tensor = _Separable.apply(x, taps, points, Stage(stride, dilation, -1))  # type: ignore[no-untyped-call]
    return result


def _weights(taps: Tensor, points: Tensor) -> Weights:
    return Weights(taps.numpy().swapaxes(0, 1).copy(), points.numpy()[None])


class _Separable(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, taps: Tensor, points: Tensor, stage: Stage) -> Tensor:
        ctx.save_for_backward(x, taps, points)
        ctx.stage = stage
        return torch.from_numpy(convolve(stage, node_input(x.numpy()), _weights(taps, points)).y[0])

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None]:
        x, taps, points = ctx.saved_tensors
        g = gradients[0].contiguous().numpy()[None]
        ones, zeros = np.ones(g.shape[:2], g.dtype), np.zeros(g.shape[:2], g.dtype)  # no norm: the gradient as it comes
        above = Upstream(g, np.ones((1, g.shape[2], g.shape[-1]), g.dtype), np.zeros((*ones.shape, 2)))
        dx = torch.empty_like(x) if ctx.needs_input_grad[0] else None
        _, found = convolve_backward(
            ctx.stage,
            node_input(x.numpy()),
            _weights(taps, points),
            Folded(g, ones, zeros),
            above,
            None if dx is None else dx.numpy()[None],
            add=False,
            with_weights=ctx.needs_input_grad[1],
        )
        if found is None:
            return dx, None, None, None
        return dx, torch.from_numpy(found.taps).view_as(taps), torch.from_numpy(found.points).view_as(points), None
