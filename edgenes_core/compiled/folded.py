"""One compiled convolution with its norm folded into what is read next, forward and backward.

    ŷ = istd·y + shift,   istd = 1/√(⟨y²⟩ − ⟨y⟩² + ε),   shift = −⟨y⟩·istd          ⟨·⟩ over images and pixels of a channel
    ∂L/∂y = istd·(dŷ − ⟨dŷ⟩ − ŷ·⟨dŷ·ŷ⟩),   dŷ = weight·g with one weight per image

so a map is written once by its convolution and read once by the next step, and no norm runs over it.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch

from edgenes_core.compiled import separable, threads
from edgenes_core.compiled.mixing import fold_norm

EPS = 1e-5  # as in torch's norms

Array = np.ndarray[Any, Any]


class Stage(NamedTuple):
    """One depthwise + pointwise convolution of all R edges; `source` is the stage it reads, −1 for the node itself."""

    stride: int
    dilation: int
    source: int


class Folded(NamedTuple):
    """A convolution's result y (R, C, G, H, W, L) and its norm istd·y + shift, both (R, C)."""

    y: Array
    istd: Array
    shift: Array


class Weights(NamedTuple):
    """Taps (R, C, k, k) and pointwise weights (R, C', C), or their gradients."""

    taps: Array
    points: Array


class Upstream(NamedTuple):
    """dŷ = weight·g per image: g (R, C, G, H, W, L), weight (R, G, L), and sums (R, C, 2) = (Σ dŷ, Σ dŷ·ŷ)."""

    g: Array
    weight: Array
    sums: Array


def per_group(work: Callable[[int], None], groups: int) -> None:
    """work(0), work(1), … in `compiled.threads()` threads, this one among them.

    They are not torch's: its idle threads spin for a while after each operation, on the cores that are wanted here.
    """
    others = threads() - 1
    waiting = [_pool(others).submit(work, group) for group in range(1, groups)] if others else []
    for group in range(1 if waiting else groups):
        work(group)
    for future in waiting:
        future.result()


@lru_cache(maxsize=1)
def _pool(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count)


def empty(like: Array) -> Array:
    """An unfilled array in torch's memory, which lies where vectors want it and is used again."""
    return torch.empty_like(torch.from_numpy(like)).numpy()


def node_input(x: Array) -> Folded:
    """A node's map (C, G, H, W, L), read by all edges as it is."""
    return Folded(x[None], np.ones((1, len(x)), x.dtype), np.zeros((1, len(x)), x.dtype))


def convolve(stage: Stage, x: Folded, weights: Weights) -> Folded:
    """The stage's result on relu(istd·x + shift)."""
    edges, channels = weights.points.shape[:2]
    groups, height, width, lanes = x.y.shape[2:]
    shape = (edges, channels, groups, -(-height // stage.stride), -(-width // stage.stride), lanes)
    y = torch.empty(shape, dtype=torch.from_numpy(x.y).dtype).numpy()
    moments = np.zeros((groups, edges, channels, 2))

    def work(group: int) -> None:
        separable.forward(*x, *weights, stage.stride, stage.dilation, group, y, moments[group])

    per_group(work, groups)
    istd, shift = np.empty((edges, channels), y.dtype), np.empty((edges, channels), y.dtype)
    fold_norm(moments, y[0, 0].size, EPS, istd, shift)
    return Folded(y, istd, shift)


def convolve_backward(
    stage: Stage,
    x: Folded,
    weights: Weights,
    result: Folded,
    above: Upstream,
    dx: Array | None,
    add: bool,
    with_weights: bool,
) -> tuple[Upstream | None, Weights | None]:
    """Writes the gradient of istd·x + shift to dx (None: not wanted), or adds it; returns it as the upstream of x, and the
    gradient of the weights."""
    y, groups, count = result.y, result.y.shape[2], result.y[0, 0].size
    norm = np.empty((*result.istd.shape, 4), y.dtype)
    norm[..., 0], norm[..., 1], norm[..., 2:] = result.istd, result.shift, above.sums / count
    moments = np.zeros((groups, *x.istd.shape, 2))
    dtaps, dpoints = (np.zeros((groups, *w.shape), w.dtype) for w in weights)

    def work(group: int) -> None:
        separable.backward(
            *(*x, *weights, stage.stride, stage.dilation, group, above.g, above.weight, y, norm),
            *(
                x.y if dx is None else dx,
                add,
                moments[group],
                dtaps[group],
                dpoints[group],
                dx is not None,
                with_weights,
            ),
        )

    per_group(work, groups)
    below = None if dx is None else Upstream(dx, _ones(dx), moments.sum(0))
    return below, Weights(dtaps.sum(0), dpoints.sum(0)) if with_weights else None


def _ones(g: Array) -> Array:
    return np.ones((len(g), g.shape[2], g.shape[-1]), g.dtype)
