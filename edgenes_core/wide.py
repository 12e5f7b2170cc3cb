"""Convolutions of many edges at once, on maps (X, G, H, W, L): X channels, G groups of L images.

In plain torch every image is a group of its own, L = 1; the compiled form (kernels.py) wants L images side by side. With the
channel in front, a pointwise convolution of every edge is one batched matrix product without a copy, batch statistics are
contiguous rows, and pooling works on planes as it is. A depthwise convolution that several edges make of the same maps is a
matrix product with constant 0/1 matrices P inside, which replaces torch's slow gradient of grouped convolutions:

    small maps:   y = x·T,          T[pixel, pixel'] = Σ_taps w[tap]·P[tap, pixel, pixel']
    larger maps:  y_i = Σ_a x_{row(i, a)}·T_a,   T_a[q, q'] = Σ_b w[a, b]·P[b, q, q']      row by row

A convolution of one map is torch's own, dilation replaced by the parity classes of pixels.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

PLANE_PIXELS = 64  # up to 8×8 a matrix over whole planes pays, …
ROW_PIXELS = 48  # … up to this width one over rows


def to_maps(images: Tensor, lanes: int) -> Tensor:
    """(B, X, H, W) → (X, B/L, H, W, L)."""
    return images.unflatten(0, (-1, lanes)).permute(2, 0, 3, 4, 1).contiguous()


def norm(x: Tensor) -> Tensor:
    """(X, …) normalised per channel by the batch's own mean and variance; no parameters, no memory.

    With a row per channel that is a layer norm, whose backward is cheaper.
    """
    return F.layer_norm(x.reshape(len(x), -1), (x[0].numel(),)).view(x.shape)


def pointwise(x: Tensor, weight: Tensor) -> Tensor:
    """(R·C, …) by weights (R·C', C) → (R·C', …): R independent 1×1 convolutions."""
    channels = weight.shape[1]
    edges = len(x) // channels
    y = weight.view(edges, -1, channels) @ x.reshape(edges, channels, -1)
    return y.view(len(weight), *x.shape[1:])


def depthwise(x: Tensor, weight: Tensor, stride: int, dilation: int) -> Tensor:
    """(C, B, H, W, 1) by weights (R·C, 1, k, k) → (R·C, B, H', W', 1): R depthwise convolutions of the same maps, 'same'
    padding."""
    c, b, h, w, _ = x.shape
    out = (-(-h // stride), -(-w // stride))
    taps = weight.view(-1, c, *weight.shape[2:]).transpose(0, 1)  # (C, R, k, k)
    if h * w <= PLANE_PIXELS:
        matrix = taps.flatten(2) @ _planes(weight.shape[-1], h, w, stride, dilation, x.device, x.dtype)
        matrix = matrix.view(c, -1, h * w, out[0] * out[1]).transpose(1, 2).reshape(c, h * w, -1)
        y = x.reshape(c, b, h * w) @ matrix  # (C, B, R·H'W')
        return y.view(c, b, -1, *out).permute(2, 0, 1, 3, 4).reshape(-1, b, *out, 1)
    if x.device.type == "cpu" and w <= ROW_PIXELS and (stride > 1 or len(weight) > c):
        matrix = taps @ _rows(weight.shape[-1], w, stride, dilation, x.device, x.dtype)  # (C, R, k, W·W')
        matrix = matrix.view(c, -1, weight.shape[-2] * w, out[1]).transpose(1, 2).reshape(c, weight.shape[-2] * w, -1)
        y = _windows(x.squeeze(-1), weight.shape[-2], stride, dilation) @ matrix  # (C, B·H', R·W')
        return y.view(c, b, out[0], -1, out[1]).permute(3, 0, 1, 2, 4).reshape(-1, b, *out, 1)
    images = x.squeeze(-1).repeat(len(weight) // c, 1, 1, 1).transpose(0, 1)  # (B, R·C, H, W)
    return _convolve(images, weight, stride, dilation).transpose(0, 1).unsqueeze(-1)


def separable(x: Tensor, taps: Tensor, points: Tensor, stride: int, dilation: int) -> Tensor:
    """relu, depthwise, pointwise; in the compiled form where several images lie together."""
    if x.shape[-1] > 1:
        from edgenes_core.compiled import convolution

        return convolution.separable(x, taps, points, stride, dilation)
    return pointwise(depthwise(torch.relu(x), taps, stride, dilation), points)


def _windows(x: Tensor, side: int, stride: int, dilation: int) -> Tensor:
    """(C, B, H, W) → (C, B·H', k·W): the k rows that each output row reads, zero outside."""
    rows: Tensor = _Windows.apply(x, side, stride, dilation)  # type: ignore[no-untyped-call]
    return rows.view(len(x), -1, side * x.shape[3])


class _Windows(torch.autograd.Function):
    """(C, B, H, W) → (C, B, H', k, W), with a gradient that adds k slices: half the time of torch's for an unfolded view."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, side: int, stride: int, dilation: int) -> Tensor:
        ctx.shape, ctx.settings = x.shape, (side, stride, dilation)
        halo = dilation * (side // 2)
        padded = F.pad(x, (0, 0, halo, halo))
        return torch.stack([padded[:, :, rows] for rows in _slices(x.shape[2], *ctx.settings)], 3)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        (c, b, h, w), (side, _, dilation) = ctx.shape, ctx.settings
        halo = dilation * (side // 2)
        padded = gradients[0].new_zeros(c, b, h + 2 * halo, w)
        for a, rows in enumerate(_slices(h, *ctx.settings)):
            padded[:, :, rows] += gradients[0][:, :, :, a]
        return padded[:, :, halo : halo + h], None, None, None


def _slices(height: int, side: int, stride: int, dilation: int) -> list[slice]:
    """Rows of the padded map that each tap row reads."""
    last = (-(-height // stride) - 1) * stride + 1
    return [slice(a * dilation, a * dilation + last, stride) for a in range(side)]


def _convolve(x: Tensor, weight: Tensor, stride: int, dilation: int) -> Tensor:
    """Depthwise on (B, X, H, W); with dilation 2 only one parity class of pixels meets in an output."""
    side = weight.shape[-1]
    b, c, h, w = x.shape
    if dilation == 1 or stride == 2 or h % 2 or w % 2:
        return F.conv2d(x, weight, None, stride, dilation * (side // 2), dilation, len(weight))
    phases = x.reshape(b, c, h // 2, 2, w // 2, 2).permute(0, 3, 5, 1, 2, 4).reshape(4 * b, c, h // 2, w // 2)
    y = F.conv2d(phases, weight, padding=side // 2, groups=len(weight))
    return y.view(b, 2, 2, c, h // 2, w // 2).permute(0, 3, 4, 1, 5, 2).reshape(b, c, h, w)


@lru_cache(maxsize=64)
def _planes(side: int, h: int, w: int, stride: int, dilation: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """P (k·k, HW·H'W'): which input pixel reaches which output pixel through each tap."""
    eye = torch.eye(side * side, dtype=torch.float64).view(side * side, 1, side, side)
    pixels = torch.eye(h * w, dtype=torch.float64).view(h * w, 1, h, w)
    padding = dilation * (side // 2)
    y = F.conv2d(pixels, eye, stride=stride, padding=padding, dilation=dilation)  # (HW, k·k, H', W')
    return y.transpose(0, 1).reshape(side * side, -1).to(device, dtype)


@lru_cache(maxsize=64)
def _rows(side: int, w: int, stride: int, dilation: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """P (k, W·W'): which input column reaches which output column through each tap."""
    eye, pixels = (
        torch.eye(side, dtype=torch.float64).view(side, 1, side),
        torch.eye(w, dtype=torch.float64).view(w, 1, w),
    )
    y = F.conv1d(pixels, eye, stride=stride, padding=dilation * (side // 2), dilation=dilation)  # (W, k, W')
    return y.transpose(0, 1).reshape(side, -1).to(device, dtype)
