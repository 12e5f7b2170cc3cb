"""python -m edgenes_core.compiled: compile every loop now, so that no run waits for it. Without numba, says so and ends well."""

from __future__ import annotations

import time

import torch

from edgenes_core import compiled
from edgenes_core.space import SearchSpace
from edgenes_core.supernet import Supernet


def prepare() -> None:
    """One step of a supernet, forward and backward, on random images; networks use the same loops on the same types."""
    space, generator = SearchSpace(), torch.Generator().manual_seed(0)
    supernet = Supernet(space, 1, 2, 4, 1, generator)
    mixing = torch.rand(len(space.edges), len(space.operations), generator=generator, requires_grad=True)
    supernet(torch.rand(16, 1, 12, 12, generator=generator), mixing).sum().backward()


if __name__ == "__main__":
    if reason := compiled.unavailable():
        print(f"Plain torch will be used: {reason}.")
    else:
        start = time.monotonic()
        prepare()
        print(f"The compiled engine is ready ({time.monotonic() - start:.0f} s).")
