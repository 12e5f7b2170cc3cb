"""What the user has chosen in a run, and how it came about: undo and redo as values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from edgenes_core.architecture import Architecture

LONGEST = 100  # steps that can be undone


@dataclass(frozen=True)
class Chosen:
    """Selected cells (architecture keys), the pinned cell B, and the basket (training ids), in order of choice.

    `weights` are whole parts, one for each network of the basket; empty where all have one part. `rule` is how the networks
    of the basket become one, by its name in combining.COMBINERS.
    """

    selection: tuple[str, ...] = ()
    pin: Architecture | None = None
    basket: tuple[str, ...] = ()
    weights: tuple[int, ...] = ()
    rule: str = "mean"

    def with_basket(self, ids: Iterable[str]) -> Chosen:
        """Another basket, each id once; networks that stay keep their weight, new ones get one part."""
        basket = tuple(dict.fromkeys(ids))
        known = dict(zip(self.basket, self.weights, strict=False))
        return replace(self, basket=basket).with_weights(known.get(name, 1) for name in basket)

    def with_weights(self, weights: Iterable[int]) -> Chosen:
        """Other weights, one for each network of the basket."""
        weights = tuple(weights)
        return replace(self, weights=() if set(weights) <= {1} else weights)


@dataclass(frozen=True)
class History:
    """The present choice between those before it (the last one latest) and those undone (the last one next)."""

    now: Chosen = Chosen()
    past: tuple[Chosen, ...] = ()
    future: tuple[Chosen, ...] = ()

    def step(self, chosen: Chosen) -> History:
        """Choose something else; what was undone is forgotten. Nothing happens if nothing changes."""
        if chosen == self.now:
            return self
        return History(chosen, (*self.past, self.now)[-LONGEST:])

    def undo(self) -> History:
        """One step back, if there is one."""
        if not self.past:
            return self
        return History(self.past[-1], self.past[:-1], (*self.future, self.now))

    def redo(self) -> History:
        """One step forward again, if there is one."""
        if not self.future:
            return self
        return replace(self, now=self.future[-1], past=(*self.past, self.now), future=self.future[:-1])
