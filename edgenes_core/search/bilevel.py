"""The bilevel loop that every differentiable searcher shares.

    repeat:  (i)  architecture step on ∇ [L(w, mixing; train-α) + penalty]     (ii)  weight step on ∇_w L(w, mixing; train-w)

First order (Liu et al. 2019): w is taken as it is in (i). What differs between searchers, namely which mixing a step uses
and what is added to its loss, comes in as arguments.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from edgenes_core.compiled import engine
from edgenes_core.config import AugmentConfig
from edgenes_core.data import Dataset, Part
from edgenes_core.order import Order
from edgenes_core.supernet import Supernet

CLIP = 5.0
SMALL_PIXELS = 64


@dataclass(frozen=True)
class Stream:
    """Endless batches (x, y) of a part, all of one size, epoch after epoch in new random orders."""

    part: Part
    order: Order

    def __next__(self) -> tuple[Tensor, Tensor]:
        return self.part.draw(next(self.order), self.order.generator)


def search_threads(data: Dataset) -> int:
    """Threads of torch's own operations in a search: one beside the compiled engine, which brings its own, and for images up
    to 8×8, where a second costs more than it brings; else torch's default, which follows OMP_NUM_THREADS (a job started by
    the app sets it to 1).
    """
    small = data.val.images[0, 0].numel() <= SMALL_PIXELS
    return 1 if small or engine(data.device) == "compiled" else torch.get_num_threads()


def streams(data: Dataset, batch: int, augment: AugmentConfig, generator: torch.Generator) -> tuple[Stream, Stream]:
    """Endless batches of train-w, augmented, and of train-α, never augmented: α is judged on images as they are."""
    halves = (data.train_w.augmented(augment), data.train_alpha)
    train_w, train_alpha = (Stream(half, Order(len(half), batch, generator, whole=True)) for half in halves)
    return train_w, train_alpha


def data_loss(supernet: Supernet, batch: tuple[Tensor, Tensor], mixing: Tensor) -> Tensor:
    """Mean cross-entropy of a batch under a mixing."""
    x, y = batch
    return F.cross_entropy(supernet(x, mixing), y)


def architecture_loss(supernet: Supernet, batch: tuple[Tensor, Tensor], mixing: Tensor) -> Tensor:
    """The same, differentiable in the mixing alone: what an architecture step needs costs about half."""
    x, y = batch
    return F.cross_entropy(supernet.with_weights_fixed(x, mixing), y)
