"""Searchers: one protocol, one readable list. Importing this file does not import torch.

A searcher is `search(space, data, config, generator, keeper)`: a generator that yields `Event`s and `Candidate`s, never plots,
stops when its consumer stops iterating, and is deterministic by the state of the torch generator it is given. It never saves:
it offers its state to the keeper, and goes on from what the keeper recalls with the same bits as if never stopped.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from edgenes_core import EdgeNESError
from edgenes_core.architecture import Architecture
from edgenes_core.config import PipelineConfig
from edgenes_core.records import Event
from edgenes_core.space import SearchSpace

if TYPE_CHECKING:
    import torch

    from edgenes_core.checkpoint import Keeper
    from edgenes_core.data import Dataset


@dataclass(frozen=True)
class Candidate:
    """A cell that a searcher proposes, and the λ it stands for (None if the searcher has no λ)."""

    architecture: Architecture
    lam: float | None = None


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


@dataclass(frozen=True)
class SearcherSpec:
    """Name, module, what it does, and what to cite."""

    name: str
    module: str
    about: str
    cite: str


SEARCHERS: dict[str, SearcherSpec] = {
    spec.name: spec
    for spec in (
        SearcherSpec(
            "darts",
            "edgenes_core.search.darts",
            "one cell by differentiable search, first order, Gumbel noise in the forward pass",
            "Liu, Simonyan, Yang: DARTS: Differentiable Architecture Search. ICLR 2019. Edge weights: Xu et al., PC-DARTS, ICLR 2020.",
        ),
        SearcherSpec(
            "edgenes",
            "edgenes_core.search.edgenes",
            "a family of cells α(λ) from one hypernetwork, λ edges shared with α*",
            "Babkin, Bakhteev: Differentiable neural ensemble search with diversity control. MIPT 2024.",
        ),
        SearcherSpec(
            "fixed_lambda",
            "edgenes_core.search.fixed_lambda",
            "one search per whole λ, pulled to λ edges shared with α*",
            "Babkin, Bakhteev: Differentiable neural ensemble search with diversity control. MIPT 2024 (fixed-λ regime).",
        ),
        SearcherSpec(
            "random",
            "edgenes_core.search.baselines",
            "cells drawn uniformly from the space",
            "Li, Talwalkar: Random search and reproducibility for neural architecture search. UAI 2019.",
        ),
        SearcherSpec(
            "deviation",
            "edgenes_core.search.deviation",
            "α* with exactly d edges replaced at random",
            "Babkin, Bakhteev: Differentiable neural ensemble search with diversity control. MIPT 2024 (RandomD baseline).",
        ),
    )
}


def load_searcher(name: str) -> Searcher:
    """The `search` function of a searcher; EdgeNESError for an unknown name."""
    if name not in SEARCHERS:
        raise EdgeNESError(f"Unknown searcher {name!r}; known are {', '.join(SEARCHERS)}.")
    searcher: Searcher = importlib.import_module(SEARCHERS[name].module).search
    return searcher
