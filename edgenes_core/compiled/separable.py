"""Compiled depthwise + pointwise convolution of many edges, forward and backward, one group of images at a time.

    y[r, e] = Σ_c mix[r, e, c]·(taps[r, c] ∗ relu(scale[s, c]·x[s, c] + shift[s, c])),   s = r, or 0 where edges share a source

`scale` and `shift` carry the norm before it (1 and 0 for a plain input); the norm after it is left to whoever reads y, who
needs its sums: nothing is read or written twice for a norm. The result of the depthwise half lives one piece of a row at a
time, short enough for the first cache.
"""

from __future__ import annotations

import numpy as np

from edgenes_core.compiled.kernels import compiled, dots, fill_padded, gather, product, products, sums, tap_offsets

CACHED = 8192  # numbers of the depthwise result that are worked on together


@compiled
def forward(x, scale, shift, taps, mix, stride, dilation, group, y, moments):  # type: ignore[no-untyped-def]
    """x (S, C, G, H, W, L), scale, shift (S, C), taps (R, C, k, k), mix (R, C', C) → y (R, C', G, H', W', L) of one group and
    moments (R, C', 2) += (Σ y, Σ y²)."""
    shared, (edges, channels, side) = len(x) == 1, taps.shape[:3]
    height, width, lanes = x.shape[3:]
    rows, columns = y.shape[3], y.shape[4]
    outer = mix.shape[1]
    halo = dilation * (side // 2)
    wide = (width + 2 * halo + stride - 1) // stride * stride
    plane = np.zeros((channels, height + 2 * halo, stride, wide // stride, lanes), x.dtype)
    offsets = tap_offsets(side, stride, dilation, wide, lanes)
    step = max(1, CACHED // (channels * lanes))
    deep, spare = np.empty(channels * step * lanes, x.dtype), np.empty(step * lanes, x.dtype)
    zero = x.dtype.type(0)
    for s in range(len(x)):
        for c in range(channels):
            fill_padded(plane[c], x[s, c, group], scale[s, c], shift[s, c], zero, halo)
        for i in range(rows):  # rows outside, edges inside: the rows being read stay in the cache
            for r in range(0 if shared else s, edges if shared else s + 1):
                for q in range(0, columns, step):
                    n = (min(q + step, columns) - q) * lanes
                    for c in range(channels):
                        base = (i * stride * wide + q) * lanes
                        gather(
                            deep[c * n : (c + 1) * n],
                            plane[c].reshape(-1),
                            base,
                            offsets,
                            taps[r, c].reshape(-1),
                            False,
                        )
                    for e in range(0, outer, 2):  # two rows at once; the last of an odd number with a spare one
                        first = y[r, e, group, i, q : q + step].reshape(-1)
                        second = y[r, e + 1, group, i, q : q + step].reshape(-1) if e + 1 < outer else spare[:n]
                        product(first, second, deep, n, mix[r, e], mix[r, min(e + 1, outer - 1)])
                        for f in range(e, min(e + 2, outer)):
                            row = first if f == e else second
                            total, square = sums(row, row)
                            moments[r, f, 0] += total
                            moments[r, f, 1] += square


@compiled
def backward(  # type: ignore[no-untyped-def]
    x,
    scale,
    shift,
    taps,
    mix,
    stride,
    dilation,
    group,
    g,
    weight,
    y,
    norm,
    dx,
    add,
    moments,
    dtaps,
    dmix,
    inputs,
    weights,
):
    """Gradients for dŷ = weight[r, image]·g[r] behind a norm ŷ = istd·y + shift; see folded.py for the formula.

    `norm` (R, C', 4) holds istd, shift, ⟨dŷ⟩ and ⟨dŷ·ŷ⟩; (1, 0, 0, 0) is no norm.

    With `inputs`, ∂L/∂(scale·x + shift) is written to dx (S, C, G, H, W, L), or added with `add`, and its
    (Σ, Σ·relu(scale·x + shift)) to moments (S, C, 2). With `weights`, adds to dtaps (R, C, k, k) and dmix (R, C', C).
    """
    shared, (edges, channels, side) = len(x) == 1, taps.shape[:3]
    height, width, lanes = x.shape[3:]
    rows, columns = y.shape[3], y.shape[4]
    halo = dilation * (side // 2)
    wide = (width + 2 * halo + stride - 1) // stride * stride
    plane = np.zeros((channels, height + 2 * halo, stride, wide // stride, lanes), x.dtype)
    dplane = np.empty_like(plane)
    offsets = tap_offsets(side, stride, dilation, wide, lanes)
    outer = mix.shape[1]
    step = max(1, CACHED // (max(channels, outer) * lanes))
    deep, dy = np.empty(channels * step * lanes, x.dtype), np.empty(outer * step * lanes, x.dtype)
    spare, waste = np.empty(step * lanes, x.dtype), np.empty(channels, x.dtype)
    ddeep = np.zeros((channels, rows + 2 * halo, columns + 2 * halo, lanes), x.dtype)
    zero = x.dtype.type(0)
    for r in range(edges):
        s = 0 if shared else r
        if r == 0 or not shared:
            for c in range(channels):
                fill_padded(plane[c], x[s, c, group], scale[s, c], shift[s, c], zero, halo)
        transposed = mix[r].T.copy()
        for i in range(rows):
            for q in range(0, columns, step):
                end = min(q + step, columns)
                n, base = (end - q) * lanes, (i * stride * wide + q) * lanes
                for e in range(outer):
                    part = dy[e * n : (e + 1) * n]
                    pass_norm(part, g[r, e, group, i, q:end], weight[r, group], y[r, e, group, i, q:end], norm[r, e])
                for c in range(0, channels, 2):
                    first = ddeep[c, i + halo, halo + q : halo + end].reshape(-1)
                    second = (
                        ddeep[c + 1, i + halo, halo + q : halo + end].reshape(-1) if c + 1 < channels else spare[:n]
                    )
                    product(first, second, dy, n, transposed[c], transposed[min(c + 1, channels - 1)])
                if weights:
                    for c in range(channels):
                        row, source = ddeep[c, i + halo, halo + q : halo + end].reshape(-1), plane[c].reshape(-1)
                        dots(dtaps[r, c].reshape(-1), row, source, base, offsets)
                        gather(deep[c * n : (c + 1) * n], source, base, offsets, taps[r, c].reshape(-1), False)
                    for e in range(0, outer, 2):
                        f = min(e + 1, outer - 1)
                        other = dmix[r, f] if f > e else waste
                        products(dmix[r, e], other, dy[e * n : (e + 1) * n], dy[f * n : (f + 1) * n], deep, n)
        if inputs:
            for c in range(channels):
                spread(dplane[c], ddeep[c], taps[r, c], dilation, halo, height, width, shared and r > 0)
                if r == edges - 1 or not shared:
                    total, along = unpad(dx[s, c, group], dplane[c], plane[c], halo, add)
                    moments[s, c, 0] += total
                    moments[s, c, 1] += along


@compiled
def pass_norm(out, g, weight, y, norm):  # type: ignore[no-untyped-def]
    """out ← istd·(dŷ − ⟨dŷ⟩ − ŷ·⟨dŷ·ŷ⟩) for a piece of a row (w, L)."""
    istd, shift, mean, along = norm[0], norm[1], norm[2], norm[3]
    b, d, lanes = -istd * istd * along, -istd * (mean + shift * along), weight.size
    for q in range(g.shape[0]):
        target, left, right = out[q * lanes : (q + 1) * lanes], g[q], y[q]
        for n in range(lanes):
            target[n] = istd * weight[n] * left[n] + b * right[n] + d


@compiled
def spread(dplane, ddeep, taps, dilation, halo, height, width, add):  # type: ignore[no-untyped-def]
    """dplane (Hp, s, Wp/s, L) ← the transposed depthwise convolution of ddeep (padded by the halo), or added to it.

    Written as a gather: the input pixels of one row and column remainder see the same taps.
    """
    side, stride, lanes, length = taps.shape[0], dplane.shape[1], dplane.shape[3], ddeep.shape[1]
    offsets, weights = np.empty(side * side, np.int64), np.empty(side * side, dplane.dtype)
    source = ddeep.reshape(-1)
    for p in range(halo, halo + height):
        for phase in range(stride):
            start = (halo - phase + stride - 1) // stride
            count = (halo + width - phase + stride - 1) // stride - start
            terms = 0
            for u in range(side):
                for v in range(side):
                    if (p - u * dilation) % stride == 0 and (v * dilation) % stride == phase:
                        up, left = (p - u * dilation) // stride + halo, start - (v * dilation) // stride + halo
                        offsets[terms], weights[terms] = (up * length + left) * lanes, taps[u, v]
                        terms += 1
            out = dplane[p, phase, start : start + count].reshape(-1)
            gather(out, source, 0, offsets[:terms], weights[:terms], add)


@compiled
def unpad(dx, dplane, plane, halo, add):  # type: ignore[no-untyped-def]
    """dx (H, W, L) ← dplane where plane > 0, or added to it; returns (Σ, Σ·plane) of that."""
    stride, zero = plane.shape[1], dx.dtype.type(0)
    total, product = zero, zero
    for i in range(dx.shape[0]):
        for q in range(dx.shape[1]):
            where = (i + halo, (q + halo) % stride, (q + halo) // stride)
            target, addend, gate = dx[i, q], dplane[where], plane[where]
            for n in range(target.size):
                value = addend[n] if gate[n] > 0 else zero
                target[n] = target[n] + value if add else value
                total += value
                product += value * gate[n]
    return total, product
