"""The bilevel loop that every differentiable searcher shares.

    repeat:  (i)  architecture step on ∇ [L(w, mixing; train-α) + penalty]     (ii)  weight step on ∇_w L(w, mixing; train-w)

First order (Liu et al. 2019): w is taken as it is in (i). What differs between searchers, namely which mixing a step uses
and what is added to its loss, comes in as arguments.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from edgenes_core.data import Dataset, Part, batches

CLIP = 5.0
SMALL_PIXELS = 64


def endless(part: Part, size: int, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of a part, epoch after epoch in new random orders; BatchNorm needs at least two images."""
    size = min(size, len(part))
    while True:
        for rows in batches(len(part), size, generator):
            if len(rows) == size:
                rows = rows.to(part.x.device)
                yield part.x[rows], part.y[rows]


def search_threads(data: Dataset) -> int:
    """CPU threads of a search: one for images up to 8×8, where a second costs more than it brings, else torch's default.

    The default follows OMP_NUM_THREADS, which a job started by the app sets to 1.
    """
    return 1 if data.val.x[0, 0].numel() <= SMALL_PIXELS else torch.get_num_threads()


def linear(start: float, end: float, step: int, steps: int) -> float:
    """Schedule that really reaches `end` at the last step."""
    return start + (end - start) * step / max(1, steps - 1)


def streams(
    data: Dataset, batch: int, generator: torch.Generator
) -> tuple[Iterator[tuple[Tensor, Tensor]], Iterator[tuple[Tensor, Tensor]]]:
    """Endless batches of train-w and of train-α."""
    return endless(data.train_w, batch, generator), endless(data.train_alpha, batch, generator)


def data_loss(supernet: torch.nn.Module, batch: tuple[Tensor, Tensor], mixing: Tensor) -> Tensor:
    """Mean cross-entropy of a batch under a mixing."""
    x, y = batch
    return F.cross_entropy(supernet(x, mixing), y)
