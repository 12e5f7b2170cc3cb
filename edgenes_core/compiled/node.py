"""The compiled form of a `Source` (supernet.py) for the CPU: the same function and gradients behind the same call.

    node[r] = Σ_o mixing[o, r]·ŷ_o,   ŷ_o = istd·y_o + shift     for a convolution, whose norm is folded (folded.py)
    node[r] = Σ_o a_o·y_o + bias,     a = mixing·istd,  bias = Σ_o mixing·shift
    ∂L/∂mixing[o, r] = Σ_c (istd·Σ g·y_o + shift·Σ g)            from the same sums that the norms' gradients need

Only gradients that are asked for are computed.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from edgenes_core.compiled.folded import (
    Array,
    Folded,
    Stage,
    Upstream,
    Weights,
    convolve,
    convolve_backward,
    empty,
    node_input,
    per_group,
)
from edgenes_core.compiled.mixing import combine, correlate, reduce_gradient, share_out


class Plan(NamedTuple):
    """A Source in numbers: its stages, and per operation the stage whose result it takes (−1: a map from outside)."""

    stages: tuple[Stage, ...]
    operations: tuple[int, ...]


def plan(operations: tuple[str, ...], stride: int) -> Plan:
    """Stages in the order of the Source's weights: each convolution's first, a separable one's second right after it."""

    stages: list[Stage] = []
    taken = []
    for name in operations:
        if "conv" in name:
            stages.append(Stage(stride, 2 if name.startswith("dil") else 1, -1))
        if name.startswith("sep"):
            stages.append(Stage(1, 1, len(stages) - 1))
        taken.append(len(stages) - 1 if "conv" in name else -1)
    return Plan(tuple(stages), tuple(taken))


def mix(
    plan: Plan, x: Tensor, mixing: Tensor, outside: list[Tensor], taps: list[Tensor], points: list[Tensor]
) -> Tensor:
    """x (C, G, H, W, L), mixing (O, R, B or 1), maps from outside (R or 1, C, G, H', W', L), and per stage taps (R·C, 1, k, k)
    and pointwise weights (R·C, C) → (R, C, G, H', W', L)."""
    result: Tensor = _Mix.apply(plan, len(outside), x, mixing, *outside, *taps, *points)  # type: ignore[no-untyped-call]
    return result


class _Mix(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, plan: Plan, count: int, x: Tensor, mixing: Tensor, *tensors: Tensor) -> Tensor:
        weights = [
            Weights(t.numpy().reshape(-1, len(x), *t.shape[-2:]), p.numpy().reshape(-1, len(x), len(x)))
            for t, p in _pairs(tensors[count:])
        ]
        results: list[Folded] = []
        for stage, w in zip(plan.stages, weights, strict=True):
            results.append(convolve(stage, results[stage.source] if stage.source >= 0 else node_input(x.numpy()), w))
        maps = _maps(plan, results, tensors[:count])
        edges, (groups, *size) = mixing.shape[1], maps[0].shape[2:]
        m = _per_image(mixing, groups, size[-1])
        istd, shift = _norms(plan, results, (edges, len(x)), m.dtype)
        out = torch.empty((edges, len(x), groups, *size), dtype=x.dtype)
        per_group(lambda group: combine(maps, m, istd, shift, group, out.numpy()), groups)
        ctx.plan, ctx.count, ctx.results, ctx.weights = plan, count, results, weights
        ctx.save_for_backward(x, mixing, *tensors)
        return out

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        plan, results, count = ctx.plan, ctx.results, ctx.count
        x, mixing, *tensors = ctx.saved_tensors
        g = gradients[0].contiguous().numpy()
        groups, size = g.shape[2], g.shape[-1]
        maps, m = _maps(plan, results, tensors[:count]), _per_image(mixing, groups, size)
        total = np.zeros((*g.shape[:2], groups, size), g.dtype)
        products = np.zeros((len(maps), *total.shape), g.dtype)
        per_group(lambda group: correlate(g, maps, group, total, products), groups)
        istd, shift = _norms(plan, results, g.shape[:2], g.dtype)
        dmixing, sums = np.zeros_like(m), np.empty((*istd.shape, 2))
        reduce_gradient(m, total, products, istd, shift, dmixing, sums)
        upstream = {s: Upstream(g, m[o], sums[o]) for o, s in enumerate(plan.operations) if s >= 0}
        dx, dweights = _stages_backward(ctx, x, upstream)
        douter = _outside_backward(ctx, g, m, tensors[:count])
        dmixing = dmixing.reshape(*mixing.shape[:2], -1)
        dmixing = dmixing.sum(2, keepdims=True) if mixing.shape[2] == 1 else dmixing
        dtaps, dpoints = ([None if w is None else torch.from_numpy(w[i]) for w in dweights] for i in (0, 1))
        shaped = [d if d is None else d.reshape(t.shape) for d, t in zip(dtaps + dpoints, tensors[count:], strict=True)]
        return None, None, dx, torch.from_numpy(dmixing), *douter, *shaped


def _pairs(tensors: tuple[Tensor, ...]) -> zip[tuple[Tensor, Tensor]]:
    half = len(tensors) // 2
    return zip(tensors[:half], tensors[half:], strict=True)


def _maps(plan: Plan, results: list[Folded], outside: tuple[Tensor, ...]) -> tuple[Array, ...]:
    given = iter(outside)
    return tuple(results[s].y if s >= 0 else next(given).numpy() for s in plan.operations)


def _per_image(mixing: Tensor, groups: int, lanes: int) -> Array:
    """(O, R, B or 1) → (O, R, G, L)."""
    m = mixing.numpy()
    return np.ascontiguousarray(np.broadcast_to(m, (*m.shape[:2], groups * lanes))).reshape(*m.shape[:2], groups, lanes)


def _norms(plan: Plan, results: list[Folded], shape: tuple[int, ...], dtype: Any) -> tuple[Array, Array]:
    """istd and shift (O, R, C); 1 and 0 for maps from outside, which are normalised already."""
    ones, zeros = np.ones(shape, dtype), np.zeros(shape, dtype)
    istd = np.stack([results[s].istd if s >= 0 else ones for s in plan.operations])
    return istd, np.stack([results[s].shift if s >= 0 else zeros for s in plan.operations])


def _stages_backward(ctx: Any, x: Tensor, upstream: dict[int, Upstream]) -> tuple[Tensor | None, list[Weights | None]]:
    """Through the convolutions, last stage first: gradients of the node and of each stage's weights."""
    wants_x, wants_weights = ctx.needs_input_grad[2], any(ctx.needs_input_grad[4 + ctx.count :])
    dx, started = torch.empty_like(x) if wants_x and ctx.plan.stages else None, False
    dweights: list[Weights | None] = [None] * len(ctx.plan.stages)
    if not (wants_x or wants_weights):
        return dx, dweights
    for s in reversed(range(len(ctx.plan.stages))):
        stage = ctx.plan.stages[s]
        inner = stage.source >= 0
        below = ctx.results[stage.source] if inner else node_input(x.numpy())
        target = empty(below.y) if inner else None if dx is None else dx.numpy()[None]
        passed, dweights[s] = convolve_backward(
            stage, below, ctx.weights[s], ctx.results[s], upstream[s], target, not inner and started, wants_weights
        )
        started = started or not inner
        if inner and passed is not None:
            upstream[stage.source] = passed
    return dx, dweights


def _outside_backward(ctx: Any, g: Array, m: Array, outside: tuple[Tensor, ...]) -> list[Tensor | None]:
    wanted = ctx.needs_input_grad[4 : 4 + ctx.count]
    places = [o for o, s in enumerate(ctx.plan.operations) if s < 0]
    found = [torch.empty_like(t) if want else None for t, want in zip(outside, wanted, strict=True)]
    for o, d in zip(places, found, strict=True):
        if d is not None:
            array, weight = d.numpy(), m[o]
            per_group(lambda group, array=array, weight=weight: share_out(g, weight, group, array), g.shape[2])  # type: ignore[misc]
    return found
