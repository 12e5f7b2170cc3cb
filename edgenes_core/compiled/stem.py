"""Compiled 3×3 convolution of images to the first maps, with the gradient of its weights (images themselves need none)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from edgenes_core.compiled.folded import per_group
from edgenes_core.compiled.kernels import compiled, dots, fill_padded, gather, tap_offsets


def convolve(images: Tensor, weight: Tensor) -> Tensor:
    """(X, G, H, W, L) by weight (E, X, 3, 3) → (E, G, H, W, L)."""
    result: Tensor = _Convolution.apply(images, weight)  # type: ignore[no-untyped-call]
    return result


@compiled
def _padded(x, group):  # type: ignore[no-untyped-def]
    """One group's padded images as one row of numbers, how many of them make a row of pixels, and where each weight's pixel
    lies: offsets (X·9,)."""
    plane = np.zeros((x.shape[0], x.shape[2] + 2, 1, x.shape[3] + 2, x.shape[4]), x.dtype)
    one, zero, lowest = x.dtype.type(1), x.dtype.type(0), x.dtype.type(-np.inf)
    taps = tap_offsets(3, 1, 1, plane.shape[3], plane.shape[4])
    offsets = np.empty(x.shape[0] * 9, np.int64)
    for c in range(x.shape[0]):
        fill_padded(plane[c], x[c, group], one, zero, lowest, 1)
        offsets[c * 9 : (c + 1) * 9] = taps + c * plane[c].size
    return plane.reshape(-1), plane.shape[3] * plane.shape[4], offsets


@compiled
def _forward(x, weight, group, y):  # type: ignore[no-untyped-def]
    source, length, offsets = _padded(x, group)
    for i in range(x.shape[2]):
        for e in range(len(weight)):
            row = y[e, group, i].reshape(-1)
            gather(row, source, i * length, offsets, weight[e].reshape(-1), False)


@compiled
def _backward(x, g, group, dweight):  # type: ignore[no-untyped-def]
    source, length, offsets = _padded(x, group)
    for i in range(x.shape[2]):
        for e in range(len(g)):
            dots(dweight[e].reshape(-1), g[e, group, i].reshape(-1), source, i * length, offsets)


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor) -> Tensor:
        y = torch.empty((len(weight), *images.shape[1:]), dtype=images.dtype)
        x, w, out = images.numpy(), weight.numpy(), y.numpy()
        per_group(lambda group: _forward(x, w, group, out), x.shape[1])
        ctx.save_for_backward(images, weight)
        return y

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, Tensor]:
        images, weight = ctx.saved_tensors
        x, g = images.numpy(), gradients[0].contiguous().numpy()
        dweight = np.zeros((x.shape[1], *weight.shape), x.dtype)
        per_group(lambda group: _backward(x, g, group, dweight[group]), x.shape[1])
        return None, torch.from_numpy(dweight.sum(0))
