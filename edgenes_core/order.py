"""The order in which a training sees its images, as a value that can be stored between two batches.

epoch:  rows ← a random permutation of 0..n−1, cut at fixed places into batches
"""

from __future__ import annotations

import torch
from torch import Tensor


class Order:
    """Endless batches of row numbers, epoch after epoch, each a new random order drawn when its first batch is asked for.

    With `whole` every batch has `size` rows and the rest of an epoch is left out; without, the last batch takes the rest, and
    a rest of one row joins the batch before it, because batch statistics need two.
    """

    def __init__(self, count: int, size: int, generator: torch.Generator, whole: bool = False) -> None:
        self.cuts = cuts(count, size, whole)
        self.count, self.generator = count, generator
        self.rows, self.taken = torch.empty(0, dtype=torch.long), 0

    @property
    def per_epoch(self) -> int:
        """Batches in one epoch."""
        return len(self.cuts) - 1

    def __next__(self) -> Tensor:
        """Row numbers (B,) int64 of the next batch, on the CPU."""
        if not len(self.rows) or self.taken == self.per_epoch:
            self.rows, self.taken = torch.randperm(self.count, generator=self.generator), 0
        self.taken += 1
        return self.rows[self.cuts[self.taken - 1] : self.cuts[self.taken]]

    def state_dict(self) -> dict[str, Tensor]:
        """The current epoch's order and how many of its batches were taken."""
        return {"rows": self.rows, "taken": torch.tensor(self.taken)}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on where the state was taken; ValueError if it belongs to another number of images."""
        rows, taken = state["rows"], int(state["taken"])
        if len(rows) not in (0, self.count) or not 0 <= taken <= self.per_epoch:
            raise ValueError(f"an order of {len(rows)} images at batch {taken}, not of {self.count}")
        self.rows, self.taken = rows, taken


def cuts(count: int, size: int, whole: bool) -> list[int]:
    """Where an epoch of `count` rows is cut: batch i has the rows from cuts[i] to cuts[i + 1]."""
    size = min(size, count)
    places = list(range(0, count + 1, size))
    rest = count - places[-1]
    if whole or not rest:
        return places
    if rest == 1 and len(places) > 1:
        return [*places[:-1], count]
    return [*places, count]
