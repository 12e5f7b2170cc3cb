"""Frozen, self-validating values that cross file borders: configs, events, evaluations, metric descriptions.

A config field declares its range once, in `ranged(...)`; the range validates the value, documents it, and draws
the form of the Train page. Every record has one JSON form (`to_dict` / `from_dict`).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from edgenes_core import EdgeNESError

T = TypeVar("T")


class ConfigError(EdgeNESError):
    """A setting outside its range, or a record that does not fit its schema."""


@dataclass(frozen=True)
class Range:
    """Limits and meaning of a config field; `choices` for a field that is one of a few values."""

    lo: float
    hi: float
    about: str
    choices: tuple[Any, ...] = ()


def ranged(default: Any, lo: float, hi: float, about: str) -> Any:
    """A number field with inclusive limits."""
    return field(default=default, metadata={"range": Range(lo, hi, about)})


def chosen(default: Any, choices: tuple[Any, ...], about: str) -> Any:
    """A field that takes one of `choices`."""
    return field(default=default, metadata={"range": Range(0, 0, about, choices)})


def validate(config: Any) -> None:
    """Check each ranged field of a dataclass; ConfigError names field, limits and value."""
    for f in dataclasses.fields(config):
        limits: Range | None = f.metadata.get("range")
        value = getattr(config, f.name)
        if limits is None:
            continue
        if limits.choices:
            if not any(value == choice and type(value) is type(choice) for choice in limits.choices):
                raise ConfigError(f"{f.name} must be one of {', '.join(map(str, limits.choices))}, got {value!r}.")
            continue
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or (f.type == "int" and not isinstance(value, int)) or not limits.lo <= value <= limits.hi:
            raise ConfigError(
                f"{f.name} must lie between {limits.lo:g} and {limits.hi:g} ({limits.about}), got {value!r}."
            )


def to_dict(record: Any) -> dict[str, Any]:
    """Plain JSON values of a record, nested records included."""
    return dataclasses.asdict(record)


def from_dict(cls: type[T], data: Any) -> T:
    """Rebuild a record; unknown or missing fields and wrong types give one ConfigError sentence."""
    if not isinstance(data, dict):
        raise ConfigError(f"{cls.__name__} must be a JSON object, got {type(data).__name__}.")
    known = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    if unknown := sorted(set(data) - set(known)):
        raise ConfigError(f"{cls.__name__} has no field {unknown[0]!r}; known are {', '.join(known)}.")
    values = {}
    for name, value in data.items():
        nested = known[name].metadata.get("record")
        values[name] = from_dict(nested, value) if nested else _frozen(value)
    try:
        return cls(**values)
    except TypeError as error:
        raise ConfigError(f"{cls.__name__} does not fit its schema: {error}.") from None


def _frozen(value: Any) -> Any:
    """JSON lists back as tuples, at any depth."""
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _nested(cls: type[T]) -> T:
    return field(default_factory=cls, metadata={"record": cls})  # type: ignore[return-value]


@dataclass(frozen=True)
class SpaceConfig:
    """The searched space; Λ = 4·k per searched cell."""

    inputs_per_node: int = chosen(1, (1, 2), "k: inputs kept per node (1 as in the EdgeNES thesis, 2 as in DARTS)")
    cells: str = chosen("reduce", ("reduce", "normal+reduce"), "cell kinds searched")

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True)
class DartsConfig:
    """First-order DARTS with Gumbel noise in the forward pass (Liu et al. 2019; design measurements)."""

    steps: int = ranged(150, 1, 100_000, "bilevel steps of the base search")
    batch: int = ranged(64, 2, 4096, "images per step, of each half")
    channels: int = ranged(8, 2, 128, "C: channels of the supernet")
    layers: int = ranged(1, 1, 20, "cells stacked in the supernet (at least 2 for normal + reduction cells)")
    weight_lr: float = ranged(0.01, 1e-5, 1.0, "peak learning rate of the weights (AdamW, cosine)")
    alpha_lr: float = ranged(0.05, 1e-5, 1.0, "learning rate of the architecture (Adam)")
    alpha_decay: float = ranged(1e-3, 0.0, 1.0, "weight decay of the architecture")
    frozen: float = ranged(0.2, 0.0, 0.9, "first part of the steps in which only weights move")
    temperature_start: float = ranged(1.0, 0.01, 100.0, "Gumbel temperature at the first step")
    temperature_end: float = ranged(0.2, 0.01, 100.0, "Gumbel temperature at the last step")

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True)
class RegularizerConfig:
    """R_λ = c·(λ − s̃)²: the pull towards λ shared edges, warmed up in weight and cooled in temperature."""

    c_start: float = ranged(0.3, 0.0, 100.0, "weight c at the first step")
    c_end: float = ranged(3.0, 0.0, 100.0, "weight c at the last step")
    temperature_start: float = ranged(1.0, 0.01, 100.0, "temperature of s̃ at the first step")
    temperature_end: float = ranged(0.05, 0.01, 100.0, "temperature of s̃ at the last step")
    tau: float = ranged(0.99, 0.5, 1.0, "τ: how much of α* a smoothed one-hot keeps")

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True)
class HypernetConfig:
    """The piecewise linear map λ ↦ α(λ) and its training."""

    steps: int = ranged(150, 1, 100_000, "bilevel steps of the hypernetwork")
    batch: int = ranged(64, 2, 4096, "images per step, of each half")
    knots: int = chosen(
        0, (0, 3, 5, 7, 9, 13, 17), "K equally spaced knots; 0 puts one on each whole λ and one at each end"
    )
    epsilon: float = ranged(0.2, 0.0, 1.0, "ε: how far λ is drawn beyond 0 and Λ")
    lr: float = ranged(0.1, 1e-4, 1.0, "learning rate of the knots (Adam)")
    weight_lr: float = ranged(0.01, 1e-5, 1.0, "peak learning rate of the inherited weights (AdamW, cosine)")
    data_lambdas: int = ranged(16, 1, 256, "λ per batch, stratified; one architecture per group of images")
    regularizer_lambdas: int = ranged(64, 1, 4096, "λ per step in the regulariser, stratified")
    polish_steps: int = ranged(60, 0, 10_000, "last steps with the regulariser alone")
    polish_lr: float = ranged(0.03, 1e-4, 1.0, "learning rate of the polish")
    interpolation: str = chosen(
        "continuous", ("continuous", "swapped"), "'swapped' repeats the release's formula, which jumps at each knot"
    )
    regularizer: RegularizerConfig = _nested(RegularizerConfig)

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True)
class RetrainConfig:
    """Training one discrete network from scratch."""

    epochs: int = ranged(20, 1, 1000, "passes over the training part")
    batch: int = ranged(64, 2, 4096, "images per step")
    channels: int = ranged(8, 2, 128, "C: channels of each network")
    layers: int = ranged(1, 1, 20, "cells stacked; cells at 1/3 and 2/3 of the depth reduce the resolution")
    lr: float = ranged(0.01, 1e-5, 1.0, "peak learning rate (AdamW, cosine)")
    clip: float = ranged(5.0, 0.1, 100.0, "largest gradient norm")

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True)
class EnsembleConfig:
    """Which cells are retrained and how many of them make the ensemble."""

    pool: int = ranged(7, 1, 64, "N: candidates taken along λ, α* included")
    size: int = ranged(3, 1, 10, "n: members of the ensemble")
    seeds: int = ranged(1, 1, 20, "trainings of each candidate, for the spread; selection uses the first")
    controls: int = ranged(3, 1, 20, "random and deviating cells for the controls, and seeds of α* (at least n)")

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True)
class PipelineConfig:
    """Everything that decides a run, but for machine and code version."""

    dataset: str = "digits"
    seed: int = ranged(0, 0, 2**31 - 1, "seed of everything random in the run")
    preset: str = "custom"
    umap: bool = True
    space: SpaceConfig = _nested(SpaceConfig)
    darts: DartsConfig = _nested(DartsConfig)
    hypernet: HypernetConfig = _nested(HypernetConfig)
    retrain: RetrainConfig = _nested(RetrainConfig)
    ensemble: EnsembleConfig = _nested(EnsembleConfig)

    def __post_init__(self) -> None:
        validate(self)
        if not isinstance(self.dataset, str) or not self.dataset:
            raise ConfigError("dataset must be 'digits' or the path of an .npz file.")
        if self.ensemble.size > self.ensemble.pool:
            raise ConfigError(f"size n = {self.ensemble.size} must not exceed the pool N = {self.ensemble.pool}.")
        if self.ensemble.controls < self.ensemble.size:
            raise ConfigError(
                f"controls = {self.ensemble.controls} must be at least n = {self.ensemble.size}: a control has as many members."
            )
        if "+" in self.space.cells and min(self.darts.layers, self.retrain.layers) < 2:
            raise ConfigError("Normal and reduction cells need at least 2 layers in darts and in retrain.")


PRESETS: dict[str, PipelineConfig] = {
    "quick": PipelineConfig(
        preset="quick",
        darts=DartsConfig(steps=100),
        hypernet=HypernetConfig(steps=80),
        retrain=RetrainConfig(epochs=10),
    ),
    "standard": PipelineConfig(
        preset="standard",
        darts=DartsConfig(steps=300),
        hypernet=HypernetConfig(steps=300),
        retrain=RetrainConfig(epochs=30),
        ensemble=EnsembleConfig(pool=12, size=3, seeds=3, controls=6),
    ),
    "thesis": PipelineConfig(
        preset="thesis",
        darts=DartsConfig(steps=2000, channels=16),
        hypernet=HypernetConfig(steps=6000),
        retrain=RetrainConfig(epochs=50, channels=16, layers=2),
        ensemble=EnsembleConfig(pool=9, size=3, seeds=3, controls=6),
    ),
}


@dataclass(frozen=True)
class Event:
    """One progress report: stage, step of steps, seconds since the stage began, measured values by metric name.

    `alpha` is an occasional picture of the search: a tuple of rows (E × O) of mixing weights.
    """

    stage: str
    step: int
    steps: int
    seconds: float = 0.0
    values: dict[str, float] = field(default_factory=dict)
    alpha: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True)
class Evaluation:
    """An ensemble (or one net) judged on one split of n images; disagreement is NaN-free: 0 for one member."""

    split: str
    n: int
    accuracy: float
    nll: float
    brier: float
    ece: float
    disagreement: float
    oracle_accuracy: float


@dataclass(frozen=True)
class Selection:
    """Members chosen by `rule` on validation after looking at `evaluated` ensembles."""

    rule: str
    size: int
    evaluated: int
    members: tuple[str, ...]
    val: Evaluation = field(metadata={"record": Evaluation})


class Metric(NamedTuple):
    """How a number is named, written and read; `better` is 'higher', 'lower' or 'neither'."""

    name: str
    unit: str
    better: str
    digits: int
    about: str


METRICS: dict[str, Metric] = {
    "accuracy": Metric("accuracy", "%", "higher", 2, "share of images whose most probable class is right"),
    "nll": Metric(
        "NLL", "nats", "lower", 4, "negative log-likelihood: −mean log p̄(true class), of the averaged probabilities"
    ),
    "brier": Metric("Brier score", "", "lower", 4, "mean over images of Σ_c (p̄_c − y_c)², summed over classes"),
    "ece": Metric(
        "ECE", "", "lower", 4, "expected calibration error: |accuracy − confidence| over 15 equal-width bins"
    ),
    "disagreement": Metric(
        "disagreement",
        "%",
        "neither",
        2,
        "share of images on which two members name different classes, mean over pairs",
    ),
    "oracle_accuracy": Metric(
        "oracle accuracy", "%", "higher", 2, "share of images that at least one member gets right"
    ),
    "shared": Metric("shared edges", "", "neither", 0, "edges with the same place and operation as in α*"),
    "train_loss": Metric(
        "training loss", "nats", "lower", 3, "cross-entropy on the weights' half of the training images"
    ),
    "val_loss": Metric(
        "architecture loss", "nats", "lower", 3, "cross-entropy on the architecture's half of the training images"
    ),
    "regularizer": Metric("c·(λ − s̃)²", "", "lower", 3, "the λ penalty, mean over the sampled λ"),
    "lambda_error": Metric(
        "|λ − shared|",
        "edges",
        "lower",
        3,
        "mean distance between requested λ and achieved shared edges on a dense grid",
    ),
    "temperature": Metric("temperature", "", "neither", 3, "of the Gumbel noise in the forward pass"),
}
