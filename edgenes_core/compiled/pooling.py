"""Compiled 3×3 pooling of maps (C, G, H, W, L), with its gradient."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from edgenes_core.compiled.folded import Array, per_group
from edgenes_core.compiled.mixing import max_pool, max_pool_gradient, mean_pool


def pool(name: str, x: Tensor, stride: int) -> Tensor:
    """3×3 `maxpool` or `avgpool` of (C, G, H, W, L)."""
    result: Tensor = (_MaxPool if name == "maxpool" else _MeanPool).apply(x, stride)  # type: ignore[no-untyped-call]
    return result


class _MaxPool(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, stride: int) -> Tensor:
        out = torch.empty(_pooled(x, stride), dtype=x.dtype)
        arrays = x.numpy(), out.numpy()
        per_group(lambda group: max_pool(*arrays, stride, group), x.shape[1])
        ctx.stride = stride
        ctx.save_for_backward(x, out)
        return out

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        x, out = ctx.saved_tensors
        dx = torch.zeros_like(x)
        arrays = x.numpy(), out.numpy(), gradients[0].contiguous().numpy(), dx.numpy()
        per_group(lambda group: max_pool_gradient(*arrays, ctx.stride, group), dx.shape[1])
        return dx, None


class _MeanPool(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, stride: int) -> Tensor:
        ctx.stride, ctx.shape = stride, x.shape
        out = torch.zeros(_pooled(x, stride), dtype=x.dtype)
        _mean_pool(x.numpy(), stride, out.numpy(), False)
        return out

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        dx = torch.zeros(ctx.shape, dtype=gradients[0].dtype)
        _mean_pool(dx.numpy(), ctx.stride, gradients[0].contiguous().numpy(), True)
        return dx, None


def _mean_pool(x: Array, stride: int, out: Array, transposed: bool) -> None:
    per_group(lambda group: mean_pool(x, stride, group, out, transposed), x.shape[1])


def _pooled(x: Tensor, stride: int) -> tuple[int, ...]:
    return (*x.shape[:2], -(-x.shape[2] // stride), -(-x.shape[3] // stride), x.shape[4])
