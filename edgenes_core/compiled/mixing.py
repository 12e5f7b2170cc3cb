"""Compiled pooling and weighted sums of maps, forward and backward, one group of images at a time (maps: see kernels.py)."""

from __future__ import annotations

import numpy as np

from edgenes_core.compiled.kernels import compiled


@compiled
def fold_norm(moments, count, epsilon, istd, shift):  # type: ignore[no-untyped-def]
    """istd, shift (R, C) of a norm over `count` numbers from moments (G, R, C, 2) = (Σ y, Σ y²)."""
    for r in range(istd.shape[0]):
        for c in range(istd.shape[1]):
            mean, square = moments[:, r, c, 0].sum() / count, moments[:, r, c, 1].sum() / count
            scale = 1 / np.sqrt(max(square - mean * mean, 0.0) + epsilon)
            istd[r, c], shift[r, c] = scale, -mean * scale


@compiled
def combine(maps, mixing, istd, shift, group, out):  # type: ignore[no-untyped-def]
    """out[r, c] = Σ_o mixing[o, r, image]·(istd[o, r, c]·maps[o][r, c] + shift[o, r, c]).

    maps: a tuple of O arrays (R or 1, C, G, H, W, L); mixing (O, R, G, L); istd, shift (O, R, C); out (R, C, G, H, W, L).
    """
    lanes = out.shape[5]
    start, weight = np.empty(lanes, out.dtype), np.empty(lanes, out.dtype)
    for r in range(out.shape[0]):
        for c in range(out.shape[1]):
            target = out[r, c, group]
            start[:] = 0
            for o in range(len(maps)):
                start += shift[o, r, c] * mixing[o, r, group]
            for i in range(target.shape[0]):
                for q in range(target.shape[1]):
                    pixel = target[i, q]
                    for n in range(lanes):
                        pixel[n] = start[n]
            for o in range(len(maps)):
                plane = maps[o][r if len(maps[o]) > 1 else 0, c, group]
                weight[:] = istd[o, r, c] * mixing[o, r, group]
                for i in range(target.shape[0]):
                    for q in range(target.shape[1]):
                        pixel, term = target[i, q], plane[i, q]
                        for n in range(lanes):
                            pixel[n] += weight[n] * term[n]


@compiled
def reduce_gradient(mixing, total, products, istd, shift, dmixing, sums):  # type: ignore[no-untyped-def]
    """dmixing (O, R, G, L) = Σ_c Σ_pixels g·ŷ and sums (O, R, C, 2) = (Σ dŷ, Σ dŷ·ŷ), from what `correlate` found."""
    for o in range(products.shape[0]):
        for r in range(products.shape[1]):
            for c in range(products.shape[2]):
                scale, add, first, second = istd[o, r, c], shift[o, r, c], 0.0, 0.0
                for k in range(products.shape[3]):
                    row, g, weight, target = products[o, r, c, k], total[r, c, k], mixing[o, r, k], dmixing[o, r, k]
                    for n in range(row.size):
                        along = scale * row[n] + add * g[n]
                        target[n] += along
                        first += weight[n] * g[n]
                        second += weight[n] * along
                sums[o, r, c, 0], sums[o, r, c, 1] = first, second


@compiled
def correlate(g, maps, group, total, products):  # type: ignore[no-untyped-def]
    """total (R, C, G, L) = Σ_pixels g and products (O, R, C, G, L) = Σ_pixels g·maps[o], for g (R, C, G, H, W, L)."""
    for r in range(g.shape[0]):
        for c in range(g.shape[1]):
            plane, sum_g = g[r, c, group], total[r, c, group]
            for i in range(plane.shape[0]):
                for q in range(plane.shape[1]):
                    pixel = plane[i, q]
                    for n in range(pixel.size):
                        sum_g[n] += pixel[n]
            for o in range(len(maps)):
                other, sum_o = maps[o][r if len(maps[o]) > 1 else 0, c, group], products[o, r, c, group]
                for i in range(plane.shape[0]):
                    for q in range(plane.shape[1]):
                        pixel, term = plane[i, q], other[i, q]
                        for n in range(pixel.size):
                            sum_o[n] += pixel[n] * term[n]


@compiled
def share_out(g, weight, group, out):  # type: ignore[no-untyped-def]
    """out[r] ← weight[r, image]·g[r], or out[0] ← the sum over r: the gradient of a map that entered `combine`.

    weight (R, G, L).
    """
    for r in range(g.shape[0]):
        factor = weight[r, group]
        for c in range(g.shape[1]):
            target, plane = out[r if len(out) > 1 else 0, c, group], g[r, c, group]
            add = r > 0 and len(out) == 1
            for i in range(plane.shape[0]):
                for q in range(plane.shape[1]):
                    pixel, term = target[i, q], plane[i, q]
                    for n in range(pixel.size):
                        pixel[n] = (pixel[n] if add else 0) + factor[n] * term[n]


@compiled
def max_pool(x, out, stride, group):  # type: ignore[no-untyped-def]
    """Largest of the 3×3 pixels inside the image."""
    height, width = x.shape[2:4]
    for c in range(x.shape[0]):
        plane = x[c, group]
        for i in range(out.shape[2]):
            above, here, below = max(0, i * stride - 1), i * stride, min(height - 1, i * stride + 1)
            for q in range(out.shape[3]):
                left, centre, right = max(0, q * stride - 1), q * stride, min(width - 1, q * stride + 1)
                pixel = out[c, group, i, q]
                a, b, d = plane[above, left], plane[above, centre], plane[above, right]
                e, f, g = plane[here, left], plane[here, centre], plane[here, right]
                h, j, k = plane[below, left], plane[below, centre], plane[below, right]
                for n in range(pixel.size):
                    top, middle = max(max(a[n], b[n]), d[n]), max(max(e[n], f[n]), g[n])
                    pixel[n] = max(max(top, middle), max(max(h[n], j[n]), k[n]))


@compiled
def max_pool_gradient(x, out, g, dx, stride, group):  # type: ignore[no-untyped-def]
    """Adds g to the first pixel of x, row by row, that equals the largest."""
    height, width, lanes = dx.shape[2], dx.shape[3], dx.shape[4]
    rest, zero = np.empty(lanes, g.dtype), g.dtype.type(0)
    for c in range(g.shape[0]):
        plane = x[c, group]
        for i in range(g.shape[2]):
            for q in range(g.shape[3]):
                largest = out[c, group, i, q]
                rest[:] = g[c, group, i, q]
                for u in range(max(0, i * stride - 1), min(height, i * stride + 2)):
                    for v in range(max(0, q * stride - 1), min(width, q * stride + 2)):
                        pixel, target = plane[u, v], dx[c, group, u, v]
                        for n in range(lanes):
                            share = rest[n] if pixel[n] == largest[n] else zero
                            target[n] += share
                            rest[n] -= share


@compiled
def mean_pool(x, stride, group, out, transposed):  # type: ignore[no-untyped-def]
    """Mean of the 3×3 pixels inside the image; `transposed` runs backwards: x += spread of out, the gradient."""
    height, width = x.shape[2:4]
    for c in range(x.shape[0]):
        plane = x[c, group]
        for i in range(out.shape[2]):
            for q in range(out.shape[3]):
                mean = out[c, group, i, q]
                top, bottom = max(0, i * stride - 1), min(height, i * stride + 2)
                left, right = max(0, q * stride - 1), min(width, q * stride + 2)
                share = x.dtype.type(1 / ((bottom - top) * (right - left)))
                for u in range(top, bottom):
                    for v in range(left, right):
                        pixel = plane[u, v]
                        if transposed:
                            for n in range(pixel.size):
                                pixel[n] += share * mean[n]
                        else:
                            for n in range(pixel.size):
                                mean[n] += share * pixel[n]
