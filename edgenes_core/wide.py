"""Convolutions of many edges at once, on channel-first maps (X, B, H, W): X channels, B images.

With the channel in front, a pointwise convolution of every edge is one batched matrix product without a copy, batch
statistics are contiguous rows, and pooling works on planes as it is. A depthwise convolution of a small map is a matrix
product with its Toeplitz matrix, T[x] = Σ_taps w[x, tap]·P[tap] with constant 0/1 matrices P; on larger maps it is torch's
grouped convolution, dilation replaced by the parity classes of pixels.
"""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

TOEPLITZ_PIXELS = 64  # up to 8×8: beyond, the matrix costs more than the convolution


def norm(x: Tensor) -> Tensor:
    """(X, B, H, W) normalised per channel by the batch's own mean and variance; no parameters, no memory.

    With a row per channel that is a layer norm, whose backward is cheaper.
    """
    return F.layer_norm(x.reshape(len(x), -1), (x[0].numel(),)).view(x.shape)


def pointwise(x: Tensor, weight: Tensor) -> Tensor:
    """(G·C, B, H, W) by weights (G·C', C) → (G·C', B, H, W): G independent 1×1 convolutions."""
    channels = weight.shape[1]
    groups = len(x) // channels
    y = weight.view(groups, -1, channels) @ x.reshape(groups, channels, -1)
    return y.view(len(weight), *x.shape[1:])


def depthwise(x: Tensor, weight: Tensor, stride: int, dilation: int) -> Tensor:
    """(C, B, H, W) by weights (R·C, 1, k, k) → (R·C, B, H', W'): R depthwise convolutions of the same maps, 'same' padding."""
    c, b, h, w = x.shape
    out = (-(-h // stride), -(-w // stride))
    if h * w <= TOEPLITZ_PIXELS:
        taps = weight.view(-1, c, weight[0].numel()).transpose(0, 1)  # (C, R, k·k)
        matrix = taps @ _taps(weight.shape[-1], h, w, stride, dilation, x.device, x.dtype)  # (C, R, HW·H'W')
        matrix = matrix.view(c, -1, h * w, out[0] * out[1]).transpose(1, 2).reshape(c, h * w, -1)
        y = x.reshape(c, b, h * w) @ matrix  # (C, B, R·H'W')
        return y.view(c, b, -1, *out).permute(2, 0, 1, 3, 4).reshape(-1, b, *out)
    images = x.repeat(len(weight) // c, 1, 1, 1).transpose(0, 1)  # (B, R·C, H, W)
    return _convolve(images, weight, stride, dilation).transpose(0, 1)


def _convolve(x: Tensor, weight: Tensor, stride: int, dilation: int) -> Tensor:
    """Depthwise on (B, X, H, W); with dilation 2 only one parity class of pixels meets in an output."""
    side = weight.shape[-1]
    b, c, h, w = x.shape
    if dilation == 1 or (stride == 1 and (h % 2 or w % 2)):
        return F.conv2d(x, weight, None, stride, dilation * (side // 2), dilation, len(weight))
    if stride == 2:
        return F.conv2d(x[..., ::2, ::2], weight, padding=side // 2, groups=len(weight))
    phases = x.reshape(b, c, h // 2, 2, w // 2, 2).permute(0, 3, 5, 1, 2, 4).reshape(4 * b, c, h // 2, w // 2)
    y = F.conv2d(phases, weight, padding=side // 2, groups=len(weight))
    return y.view(b, 2, 2, c, h // 2, w // 2).permute(0, 3, 4, 1, 5, 2).reshape(b, c, h, w)


@lru_cache(maxsize=64)
def _taps(side: int, h: int, w: int, stride: int, dilation: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """P (k·k, HW·H'W'): which input pixel reaches which output pixel through each tap."""
    eye = torch.eye(side * side, dtype=torch.float64).view(side * side, 1, side, side)
    pixels = torch.eye(h * w, dtype=torch.float64).view(h * w, 1, h, w)
    padding = dilation * (side // 2)
    y = F.conv2d(pixels, eye, stride=stride, padding=padding, dilation=dilation)  # (HW, k·k, H', W')
    return y.transpose(0, 1).reshape(side * side, -1).to(device, dtype)
