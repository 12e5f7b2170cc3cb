"""The compiled engine: what the supernet and the networks compute, once more for the CPU, behind the same calls.

    kernels    the loops            separable  convolutions         mixing   sums of maps, pooling
    folded     one convolution with its norm            node, pooling   autograd functions

numba compiles at first use and keeps the result on disk; nothing needs a compiler. Where it cannot run, plain torch does.
"""

from __future__ import annotations

import os
from functools import lru_cache

import torch
from torch import Tensor

from edgenes_core.processes import usable_cores

SMALL_PIXELS = 64  # up to 8×8 a row is short, and 64 images together keep the loops long; …
LANES = 32  # … of larger maps, 32 fit the caches
FEWEST = 8  # one vector


@lru_cache(maxsize=1)
def unavailable() -> str:
    """Why the compiled form cannot run here, empty if it can. EDGENES_ENGINE=torch switches it off."""
    if os.environ.get("EDGENES_ENGINE", "auto") == "torch":
        return "switched off by EDGENES_ENGINE=torch"
    try:
        from llvmlite import binding

        from edgenes_core.compiled import node, pooling, stem  # noqa: F401
    except Exception as error:  # numba is missing, does not know this Python, or finds no place for its cache
        return f"numba does not work here ({error})"
    features = binding.get_host_cpu_features()
    return "" if features.get("avx2") or features.get("neon") else "this processor has no AVX2; torch is faster on it"


@lru_cache(maxsize=1)
def threads() -> int:
    """Threads of the compiled loops: OMP_NUM_THREADS if it is set, as in workers, else one per usable core."""
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    if wanted.isdigit() and int(wanted):
        return int(wanted)
    return usable_cores()


def engine(device: torch.device) -> str:
    """For a run's record: what computes on this device."""
    return "compiled" if device.type == "cpu" and not unavailable() else "plain torch"


def lanes(images: Tensor) -> int:
    """L for a batch (B, X, H, W): how many images lie together in its maps; 1 means plain torch.

    A divisor of B: the largest up to 32 (64 for small images), or where that is tiny the smallest above it.
    """
    batch = len(images)
    if images.device.type != "cpu" or unavailable():
        return 1
    most = SMALL_PIXELS if images[0, 0].numel() <= SMALL_PIXELS else LANES
    divisors = [n for n in range(1, batch + 1) if batch % n == 0]
    best = max(n for n in divisors if n <= most)
    return best if best >= min(FEWEST, batch) else min(n for n in divisors if n > most)
