"""Searchers: one protocol; the list of them is specs.py. Importing this file does not import torch.

A searcher is `search(space, data, config, generator, keeper)`: a generator that yields `Event`s and `Candidate`s, never plots,
stops when its consumer stops iterating, and is deterministic by the state of the torch generator it is given. It never saves:
it offers its state to the keeper, and goes on from what the keeper recalls with the same bits as if never stopped. A method
with settings of its own takes one further keyword, `settings`, a value of its type in `settings.SETTINGS`.
"""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Protocol

import numpy as np

from edgenes_core import EdgeNESError
from edgenes_core.architecture import Architecture
from edgenes_core.config import PipelineConfig
from edgenes_core.records import Event
from edgenes_core.search.specs import MEMBERS, SEARCHERS, SearcherSpec
from edgenes_core.space import SearchSpace

if TYPE_CHECKING:
    import torch

    from edgenes_core.checkpoint import Keeper
    from edgenes_core.data import Dataset

__all__ = ["MEMBERS", "SEARCHERS", "Candidate", "Judge", "Samples", "Searcher", "SearcherSpec", "load_samples", "load_searcher", "numbered"]  # fmt: skip


@dataclass(frozen=True)
class Candidate:
    """A cell that a searcher proposes, the λ it stands for (None if the searcher has no λ), and the seed of its training,
    where one cell is proposed several times."""

    architecture: Architecture
    lam: float | None = None
    seed: int = 0


def numbered(cells: Iterable[Architecture]) -> Iterator[Candidate]:
    """A candidate for each cell in turn; one that came before is trained with a further seed."""
    met: Counter[Architecture] = Counter()
    for cell in cells:
        yield Candidate(cell, seed=met[cell])
        met[cell] += 1


Judge = Callable[[Architecture, int], np.ndarray]
"""(cell, seed of its training) → probabilities (B, C) of the validation images by the trained network.

A search that looks at trained candidates takes one further keyword, `judge: Judge | None = None`; with None it trains itself.
"""


class Searcher(Protocol):
    """What a search module's `search` looks like."""

    def __call__(
        self,
        space: SearchSpace,
        data: Dataset,
        config: PipelineConfig,
        generator: torch.Generator,
        keeper: Keeper = ...,
    ) -> Iterator[Event | Candidate]: ...


Samples = Callable[..., int]
"""samples(space, config[, settings=…]) → images, settings as for `search`."""


def load_searcher(name: str) -> Searcher:
    """The `search` function of a searcher; EdgeNESError for an unknown name."""
    searcher: Searcher = _module(name).search
    return searcher


def load_samples(name: str) -> Samples:
    """The `samples` function of a searcher: images passed through networks during its search, known before it starts.

    Forward and backward on one image count 1. Each half of the training images is taken to hold at least one batch.
    """
    samples: Samples = _module(name).samples
    return samples


def _module(name: str) -> ModuleType:
    if name not in SEARCHERS:
        raise EdgeNESError(f"Unknown searcher {name!r}; known are {', '.join(SEARCHERS)}.")
    return importlib.import_module(SEARCHERS[name].module)
