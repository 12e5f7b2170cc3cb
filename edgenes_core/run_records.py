"""What a run folder holds, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from edgenes_core.architecture import Architecture
from edgenes_core.config import PipelineConfig, SpaceConfig
from edgenes_core.schema import from_dict
from edgenes_core.space import SearchSpace


@dataclass(frozen=True)
class Cost:
    """What a stage took: wall seconds, images passed forward and backward, and the most bytes that the run's own process
    had held by its end (0 where it was not recorded); worker processes come on top."""

    seconds: float
    samples: int
    peak_memory: int = 0


@dataclass(frozen=True)
class Manifest:
    """run.json: the config and everything needed to know where its numbers come from."""

    id: str
    created: str
    config: PipelineConfig = field(metadata={"record": PipelineConfig})
    versions: dict[str, str] = field(default_factory=dict)
    device: str = "cpu"
    commit: str = ""
    command: str = ""
    dataset: dict[str, Any] = field(default_factory=dict)
    state: str = "created"  # created, running, finished, cancelled, failed
    message: str = ""
    digest: str = ""  # of all that decides the results (see `run_digest`); empty in runs of earlier versions
    stages: dict[str, Any] = field(default_factory=dict)

    def cost(self, stage: str) -> Cost | None:
        """Cost of a finished stage, None while it is not finished."""
        return from_dict(Cost, self.stages[stage]) if stage in self.stages else None


@dataclass(frozen=True)
class Base:
    """α*: the discrete base cell and the logits (S,) it was read from."""

    architecture: Architecture
    logits: np.ndarray


@dataclass(frozen=True)
class Training:
    """One network to retrain: a cell, a seed, and the parts it plays (pool, deepens, spread, random, deviation).

    `lam` is the λ (middle of its interval) a pool cell came from, None for the others; `shared` counts edges shared with α*.
    One that a user brought plays the part `imported` alone; `name` is what the user calls it.
    """

    architecture: Architecture
    seed: int
    roles: tuple[str, ...]
    shared: int
    lam: float | None = None
    name: str = ""

    @property
    def id(self) -> str:
        """`<key>` for seed 0, `<key>-<seed>` for a further seed: how members are named everywhere."""
        return self.architecture.key if self.seed == 0 else f"{self.architecture.key}-{self.seed}"


@dataclass(frozen=True)
class Network:
    """A retrained network's stored results: validation probabilities (B, C) and its training history (per epoch)."""

    training: Training
    val: np.ndarray
    history: dict[str, list[float]]


@dataclass(frozen=True)
class SoftCount:
    """What the regulariser sees: mean soft shared-edge count s̃ on a grid of λ."""

    lam: np.ndarray
    count: np.ndarray


def build_space(config: SpaceConfig) -> SearchSpace:
    """The search space a run's config names."""
    return SearchSpace(inputs_per_node=config.inputs_per_node, cells=tuple(config.cells.split("+")))
