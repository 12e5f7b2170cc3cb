"""Settings that only one method has, by searcher name; what methods share is in config.py. No torch here."""

from __future__ import annotations

from dataclasses import dataclass

from edgenes_core.schema import ConfigError, chosen, ranged, validate


@dataclass(frozen=True)
class SnasSettings:
    """SNAS: the temperature of its Concrete samples."""

    temperature_start: float = ranged(1.0, 0.01, 100.0, "temperature of the samples at the first step")
    temperature_end: float = ranged(0.1, 0.01, 100.0, "temperature of the samples at the last step")

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True)
class GdasSettings:
    """GDAS: τ, which decides how far the gradient of a hard sample is smoothed."""

    temperature_start: float = ranged(10.0, 0.01, 100.0, "τ at the first step")
    temperature_end: float = ranged(0.1, 0.01, 100.0, "τ at the last step")

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True)
class PcDartsSettings:
    """PC-DARTS: how many channels are mixed, and how long only weights move."""

    share: int = chosen(4, (1, 2, 4, 8), "K: 1/K of the channels go through the operations; 1 mixes all of them")
    frozen: float = ranged(0.3, 0.0, 0.9, "first part of the steps in which only weights move (15 of 50 epochs)")

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True)
class XnasSettings:
    """XNAS: the bound of a reward, from which the learning rate and the wipeout follow."""

    limit: float = ranged(0.1, 1e-6, 1e6, "L: rewards are clipped to [−L, L] (the paper: 1, for single images)")
    wipeout: str = chosen("on", ("on", "off"), "drop operations that can no longer become the best")

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True)
class JensenShannonSettings:
    """The 2023 variant: large λ asks for a cell far from α*, measured by the Jensen–Shannon divergence."""

    form: str = chosen(
        "quadratic", ("quadratic", "linear"), "penalty c·(d − JS)² for a wanted distance d, or the earlier −λ·JS"
    )
    formulas: str = chosen(
        "corrected", ("corrected", "published"), "'published' repeats the divergences that the release really computes"
    )
    compared: str = chosen(
        "kept",
        ("kept", "all"),
        "per node the weights of (input, operation), or as published the operations of all candidate edges, without β",
    )
    tau: float = ranged(0.95, 0.5, 0.9999, "τ: how much of α* its smoothed one-hots keep")
    strength: float = ranged(1000.0, 0.0, 1e6, "c of the quadratic form")
    farthest: float = ranged(0.9, 0.01, 1.0, "largest d asked for, in bits (quadratic form)")
    largest: float = ranged(40.0, 0.1, 1000.0, "largest λ (linear form)")
    knots: int = ranged(5, 2, 33, "K: knots of the map, equally spaced from 0 on")

    def __post_init__(self) -> None:
        validate(self)
        if self.formulas == "published" and self.compared != "all":
            raise ConfigError("The published formulas compare all candidate edges: set compared to 'all' with them.")


@dataclass(frozen=True)
class DartsCcSettings:
    """DARTS-CC: the range of λ, in nats for a cell of average size, and what is counted."""

    lowest: float = ranged(
        -4.0, -12.0, 6.0, "log10 of the smallest λ, in nats per average cell (the paper: about −4.6)"
    )
    highest: float = ranged(1.0, -12.0, 6.0, "log10 of the largest λ, in nats per average cell (the paper: about −0.6)")
    counted: str = chosen(
        "kept", ("kept", "all"), "parameters expected in the network, or as published those of all candidate edges"
    )
    knots: int = ranged(5, 2, 33, "K: knots of the map, equally spaced in log λ")

    def __post_init__(self) -> None:
        validate(self)
        if self.lowest >= self.highest:
            raise ConfigError(f"lowest = {self.lowest:g} must lie below highest = {self.highest:g}.")


@dataclass(frozen=True)
class NesReSettings:
    """NES-RE: how many networks live at once, and how many of them may be parents."""

    population: int = ranged(0, 0, 64, "P: the newest networks, which make up the population; 0 takes a quarter of all")
    parents: int = ranged(0, 0, 64, "m: networks that ForwardSelect picks as parents; 0 takes a fifth of P")

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True)
class NesbsSettings:
    """NESBS: how its posterior is fitted, and how many ensembles drawn from it are scored."""

    draws: int = ranged(8, 1, 256, "cells drawn from the posterior in a step of its training, sharing the batch")
    ensembles: int = ranged(8, 1, 64, "ensembles drawn and scored with the shared weights; the best is kept")
    score_batches: int = ranged(2, 1, 100, "batches of train-α that each ensemble is scored on")

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True)
class NesbsSvgdSettings(NesbsSettings):
    """NESBS with SVGD-RD: further the largest δ; the ensembles differ in it, from δ/R to δ in R equal steps."""

    delta: float = ranged(8.0, -10.0, 100.0, "δ: weight of the diversity of the particles; 0 is plain SVGD")
    particle_steps: int = ranged(200, 1, 10_000, "steps of the particles, without images")

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True)
class MultiHeadSettings:
    """Multi-headed NES: how much the heads' cells are asked to differ in what they predict."""

    gamma: float = ranged(0.5, 0.0, 10.0, "γ: weight of the Jensen–Shannon divergence of the heads' predictions")

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True)
class CensusSettings:
    """A census of cells by the edges they share with α*."""

    cells: int = ranged(5, 1, 100, "different cells for each number of shared edges below Λ")
    seeds: int = ranged(3, 1, 20, "trainings of each cell")

    def __post_init__(self) -> None:
        validate(self)


SETTINGS: dict[str, type] = {
    "snas": SnasSettings,
    "gdas": GdasSettings,
    "pc_darts": PcDartsSettings,
    "xnas": XnasSettings,
    "jensen_shannon": JensenShannonSettings,
    "darts_cc": DartsCcSettings,
    "nes_re": NesReSettings,
    "nesbs_mc": NesbsSettings,
    "nesbs_svgd": NesbsSvgdSettings,
    "multi_head": MultiHeadSettings,
    "census": CensusSettings,
}
