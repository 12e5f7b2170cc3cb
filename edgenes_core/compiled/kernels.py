"""Compiled loops of the supernet (numba), on maps (X, G, H, W, L): X channels, G groups of L images.

The images of a group lie innermost, so every loop below runs over contiguous memory whatever the stride or the dilation.
Two loops do nearly all the arithmetic:

    gather:  out[j] = Σ_t  weights[t]·source[base + offsets[t] + j]      convolutions, pointwise products, their gradients
    dots:    out[t] += Σ_j y[j]·source[base + offsets[t] + j]           gradients of taps and of pointwise weights

A convolution reads a padded plane (H + 2h, s, (W + 2h)/s, L) with h = dilation·⌊k/2⌋ and, for stride s, its columns sorted by
their remainder, so that the columns an output row needs for one tap follow each other. A kernel treats one group; groups
run in threads (compiled.py), and sums over groups are made in a fixed order, so results do not depend on threads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

U = np.uint64

# Sums may be reordered and fused, which vector units need; NaN and infinity keep their meaning.
_FAST = {"contract", "reassoc", "nsz", "arcp"}


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compiled at first use, kept on disk; it lets other Python threads run."""
    return numba.njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy")(function)


@compiled
def gather(out, source, base, offsets, weights, add):  # type: ignore[no-untyped-def]
    """out[j] = Σ_t weights[t]·source[base + offsets[t] + j], or added to out; several terms a pass, so that `out` stays in
    registers.

    Unsigned indices, here and below: a signed one might count from the end, and the loop would not be vectorised.
    """
    n, terms, t, zero = U(out.size), offsets.size, 0, out.dtype.type(0)
    if terms == 0 and not add:
        out[:] = zero
    while t < terms:
        left = terms - t
        a, i = weights[t], U(base + offsets[t])
        if left >= 4:
            b, c, d = weights[t + 1], weights[t + 2], weights[t + 3]
            k, m, o = U(base + offsets[t + 1]), U(base + offsets[t + 2]), U(base + offsets[t + 3])
            if left >= 8:
                e, f, g, h = weights[t + 4], weights[t + 5], weights[t + 6], weights[t + 7]
                p, q, r = U(base + offsets[t + 4]), U(base + offsets[t + 5]), U(base + offsets[t + 6])
                s = U(base + offsets[t + 7])
                if left % 8 == 1:  # 9 and 25 taps leave one over: it goes along
                    x, u = weights[t + 8], U(base + offsets[t + 8])
                    for j in range(n):
                        near = a * source[i + j] + b * source[k + j] + c * source[m + j] + d * source[o + j]
                        far = e * source[p + j] + f * source[q + j] + g * source[r + j] + h * source[s + j]
                        out[j] = (out[j] if add else zero) + near + far + x * source[u + j]
                    t += 9
                else:
                    for j in range(n):
                        near = a * source[i + j] + b * source[k + j] + c * source[m + j] + d * source[o + j]
                        far = e * source[p + j] + f * source[q + j] + g * source[r + j] + h * source[s + j]
                        out[j] = (out[j] if add else zero) + near + far
                    t += 8
            else:
                for j in range(n):
                    near = a * source[i + j] + b * source[k + j] + c * source[m + j] + d * source[o + j]
                    out[j] = (out[j] if add else zero) + near
                t += 4
        elif left >= 2:
            b, k = weights[t + 1], U(base + offsets[t + 1])
            for j in range(n):
                out[j] = (out[j] if add else zero) + a * source[i + j] + b * source[k + j]
            t += 2
        else:
            for j in range(n):
                out[j] = (out[j] if add else zero) + a * source[i + j]
            t += 1
        add = True


@compiled
def dots(out, y, source, base, offsets):  # type: ignore[no-untyped-def]
    """out[t] += Σ_j y[j]·source[base + offsets[t] + j], nine sums at a time."""
    n, terms, t = U(y.size), offsets.size, 0
    zero = y.dtype.type(0)
    while t + 8 <= terms:
        nine = (terms - t) % 8 == 1
        i, k, m = U(base + offsets[t]), U(base + offsets[t + 1]), U(base + offsets[t + 2])
        o, p, q = U(base + offsets[t + 3]), U(base + offsets[t + 4]), U(base + offsets[t + 5])
        r, s, u = U(base + offsets[t + 6]), U(base + offsets[t + 7]), U(base + offsets[t + 8 if nine else t])
        a, b, c, d, e, f, g, h, x = zero, zero, zero, zero, zero, zero, zero, zero, zero
        for j in range(n):
            a += y[j] * source[i + j]
            b += y[j] * source[k + j]
            c += y[j] * source[m + j]
            d += y[j] * source[o + j]
            e += y[j] * source[p + j]
            f += y[j] * source[q + j]
            g += y[j] * source[r + j]
            h += y[j] * source[s + j]
            x += y[j] * source[u + j]
        out[t] += a
        out[t + 1] += b
        out[t + 2] += c
        out[t + 3] += d
        out[t + 4] += e
        out[t + 5] += f
        out[t + 6] += g
        out[t + 7] += h
        if nine:
            out[t + 8] += x
        t += 9 if nine else 8
    while t < terms:
        i = U(base + offsets[t])
        a = zero
        for j in range(n):
            a += y[j] * source[i + j]
        out[t] += a
        t += 1


@compiled
def product(out, other, source, length, weights, others):  # type: ignore[no-untyped-def]
    """out[j] = Σ_c weights[c]·source[c·length + j], and the same for `other`: two rows of a matrix product at once.

    Half as many rows are read for the same arithmetic as with one `gather` each.
    """
    n, terms, t = U(out.size), weights.size, 0
    step, zero, add = U(length), out.dtype.type(0), False
    while t < terms:
        a, e, i = weights[t], others[t], U(t) * step
        if t + 4 <= terms:
            b, c, d = weights[t + 1], weights[t + 2], weights[t + 3]
            f, g, h = others[t + 1], others[t + 2], others[t + 3]
            k, m, o = i + step, i + step + step, i + step + step + step
            for j in range(n):
                p, q, r, s = source[i + j], source[k + j], source[m + j], source[o + j]
                out[j] = (out[j] if add else zero) + a * p + b * q + c * r + d * s
                other[j] = (other[j] if add else zero) + e * p + f * q + g * r + h * s
            t += 4
        else:
            for j in range(n):
                out[j] = (out[j] if add else zero) + a * source[i + j]
                other[j] = (other[j] if add else zero) + e * source[i + j]
            t += 1
        add = True


@compiled
def products(out, other, y, z, source, length):  # type: ignore[no-untyped-def]
    """out[c] += Σ_j y[j]·source[c·length + j], and `other` with z: two rows of the transposed product at once."""
    n, terms, t = U(y.size), out.size, 0
    step, zero = U(length), y.dtype.type(0)
    while t + 4 <= terms:
        a, b, c, d, e, f, g, h = zero, zero, zero, zero, zero, zero, zero, zero
        i = U(t) * step
        k, m, o = i + step, i + step + step, i + step + step + step
        for j in range(n):
            a += y[j] * source[i + j]
            b += y[j] * source[k + j]
            c += y[j] * source[m + j]
            d += y[j] * source[o + j]
            e += z[j] * source[i + j]
            f += z[j] * source[k + j]
            g += z[j] * source[m + j]
            h += z[j] * source[o + j]
        out[t] += a
        out[t + 1] += b
        out[t + 2] += c
        out[t + 3] += d
        other[t] += e
        other[t + 1] += f
        other[t + 2] += g
        other[t + 3] += h
        t += 4
    while t < terms:
        a, e, i = zero, zero, U(t) * step
        for j in range(n):
            a += y[j] * source[i + j]
            e += z[j] * source[i + j]
        out[t] += a
        other[t] += e
        t += 1


@compiled
def tap_offsets(side, stride, dilation, width, lanes):  # type: ignore[no-untyped-def]
    """Where each tap (row-major) of the output pixel 0 lies in a padded plane whose rows hold `width` pixels."""
    offsets = np.empty(side * side, np.int64)
    for a in range(side):
        for b in range(side):
            column = (b * dilation) % stride * (width // stride) + (b * dilation) // stride
            offsets[a * side + b] = (a * dilation * width + column) * lanes
    return offsets


@compiled
def fill_padded(plane, x, scale, shift, floor, halo):  # type: ignore[no-untyped-def]
    """plane (Hp, s, Wp/s, L), zero outside, ← max(scale·x + shift, floor) for x (H, W, L)."""
    stride = plane.shape[1]
    for i in range(x.shape[0]):
        for q in range(x.shape[1]):
            source, target = x[i, q], plane[i + halo, (q + halo) % stride, (q + halo) // stride]
            for n in range(source.size):
                target[n] = max(scale * source[n] + shift, floor)


@compiled
def sums(x, y):  # type: ignore[no-untyped-def]
    """(Σ x, Σ x·y) over two rows."""
    a, b = x.dtype.type(0), x.dtype.type(0)
    for j in range(x.size):
        a += x[j]
        b += x[j] * y[j]
    return a, b
