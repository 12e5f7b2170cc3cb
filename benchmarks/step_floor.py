"""The least a bilevel step can take: its arithmetic at the rate of large matrix products, its maps at the rate of copying.

forward   per edge and pixel of C channels: C·(102 taps) + 6·C² products    (four kinds of convolution, two of them twice)
a step    2 forwards + input gradients of the edges between inner nodes (architecture) + input and weight gradients (weights)
memory    each of an edge's 6 convolution maps written once and read once, in each of those five passes
"""

import time

import torch

TAPS = 2 * (9 + 25) + 9 + 25  # separable convolutions run twice
MAPS = 6


def floor_ms(space, side: int, image_channels: int, width: int, batch: int) -> dict[str, float]:
    """Milliseconds for one reduction cell on images of `side`, with torch's present number of threads."""
    channels, pixels = 2 * width, batch * ((side + 1) // 2) ** 2
    edges, inner = len(space.edges), sum(edge.parent >= 2 for edge in space.edges)
    per_edge = pixels * (channels * TAPS + MAPS * channels**2)
    stem = batch * side**2 * (9 * image_channels * 3 * width + 2 * 3 * width * channels)
    products = per_edge * (edges * (1 + 1 + 2) + inner) + stem * (1 + 1 + 2)
    maps = 4 * pixels * channels * MAPS * (edges * 4 + inner) * 2
    return {
        "arithmetic_ms": round(1e3 * 2 * products / _product_rate(), 1),
        "memory_ms": round(1e3 * maps / _copy_rate(), 1),
        "gflop": round(2 * products / 1e9, 2),
    }


def _product_rate() -> float:
    """Floating-point operations per second of a 1024² matrix product."""
    a = torch.randn(1024, 1024)
    return 2 * 1024**3 / _fastest(lambda: a @ a)


def _copy_rate() -> float:
    """Bytes moved per second, read and write, copying 32 MB."""
    a, b = torch.randn(2**23), torch.empty(2**23)
    return 2 * 2**25 / _fastest(lambda: b.copy_(a))


def _fastest(work) -> float:
    times = []
    for _ in range(6):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)
