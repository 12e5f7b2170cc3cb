"""Every setting of a run: frozen, validated by its declared range; four presets (see docs/thesis-preset.md for the last)."""

from __future__ import annotations

from dataclasses import dataclass

from edgenes_core.schema import ConfigError, chosen, nested, ranged, validate

OPTIMIZERS = ("adamw", "sgd")
OPTIMIZER_ABOUT = "of the weights: AdamW, or SGD with momentum 0.9; weight decay 3e-4 in both"
SCHEDULES = ("cosine", "constant")
SCHEDULE_ABOUT = "learning rate of the weights over the steps: down to 0 along a cosine, or constant"
NOISE_ABOUT = "Gumbel noise in the forward pass, or the plain softmax of the EdgeNES release"


@dataclass(frozen=True)
class SpaceConfig:
    """The searched space; Λ = 4·k per searched cell."""

    inputs_per_node: int = chosen(1, (1, 2), "k: inputs kept per node (1 as in the EdgeNES thesis, 2 as in DARTS)")
    cells: str = chosen("reduce", ("reduce", "normal+reduce"), "cell kinds searched")

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True)
class AugmentConfig:
    """Random changes of the images that weights are trained on; all off by default."""

    shift: int = ranged(0, 0, 16, "most pixels an image is moved by, black comes in at the border (the releases: 4)")
    flip: bool = chosen(False, (False, True), "mirror each image left to right with probability 1/2")
    cutout: int = ranged(0, 0, 64, "side of a square set to the mean pixel (DARTS retrains with 16, searches without)")

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True)
class DartsConfig:
    """DARTS with Gumbel noise in the forward pass (Liu et al. 2019; design measurements)."""

    steps: int = ranged(150, 1, 100_000, "bilevel steps of the base search")
    batch: int = ranged(64, 2, 4096, "images per step, of each half")
    channels: int = ranged(8, 2, 128, "C: channels of the supernet")
    layers: int = ranged(1, 1, 20, "cells stacked in the supernet (at least 2 for normal + reduction cells)")
    order: int = chosen(
        1,
        (1, 2),
        "1: weights as they are; 2: after a virtual step, exactly differentiated, three to five times the cost",
    )
    optimizer: str = chosen("adamw", OPTIMIZERS, OPTIMIZER_ABOUT)
    schedule: str = chosen("cosine", SCHEDULES, SCHEDULE_ABOUT)
    weight_lr: float = ranged(0.01, 1e-5, 1.0, "peak learning rate of the weights")
    alpha_lr: float = ranged(0.05, 1e-5, 1.0, "learning rate of the architecture (Adam)")
    alpha_decay: float = ranged(1e-3, 0.0, 1.0, "weight decay of the architecture")
    frozen: float = ranged(0.2, 0.0, 0.9, "first part of the steps in which only weights move")
    noise: str = chosen("gumbel", ("gumbel", "none"), NOISE_ABOUT)
    temperature_start: float = ranged(1.0, 0.01, 100.0, "temperature of the softmax at the first step")
    temperature_end: float = ranged(0.2, 0.01, 100.0, "temperature of the softmax at the last step")
    rule: str = chosen(
        "product",
        ("product", "beta"),
        "α* keeps the inputs with the largest β · max α, or by β alone as the release does",
    )
    augment: AugmentConfig = nested(AugmentConfig)

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
    optimizer: str = chosen("adamw", OPTIMIZERS, OPTIMIZER_ABOUT)
    schedule: str = chosen("cosine", SCHEDULES, SCHEDULE_ABOUT)
    weight_lr: float = ranged(0.01, 1e-5, 1.0, "peak learning rate of the inherited weights")
    noise: str = chosen("gumbel", ("gumbel", "none"), NOISE_ABOUT)
    data_lambdas: int = ranged(16, 1, 256, "λ per batch, stratified; one architecture per group of images")
    regularizer_lambdas: int = ranged(64, 1, 4096, "λ per step in the regulariser, stratified")
    polish_steps: int = ranged(150, 0, 10_000, "last steps with the regulariser alone")
    polish_lr: float = ranged(0.03, 1e-4, 1.0, "learning rate of the polish")
    nesting: float = ranged(
        3.0, 0.0, 100.0, "weight, at the start of the polish, against losing a shared edge as λ grows"
    )
    interpolation: str = chosen(
        "continuous", ("continuous", "swapped"), "'swapped' repeats the release's formula, which jumps at each knot"
    )
    regularizer: RegularizerConfig = nested(RegularizerConfig)
    augment: AugmentConfig = nested(AugmentConfig)

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True)
class RetrainConfig:
    """Training one discrete network from scratch."""

    epochs: int = ranged(20, 1, 1000, "passes over the training part")
    batch: int = ranged(64, 2, 4096, "images per step")
    channels: int = ranged(8, 2, 128, "C: channels of each network")
    layers: int = ranged(1, 1, 20, "cells stacked; cells at 1/3 and 2/3 of the depth reduce the resolution")
    optimizer: str = chosen("adamw", OPTIMIZERS, OPTIMIZER_ABOUT)
    lr: float = ranged(0.01, 1e-5, 1.0, "peak learning rate, down to 0 along a cosine")
    clip: float = ranged(5.0, 0.1, 100.0, "largest gradient norm")
    augment: AugmentConfig = nested(AugmentConfig)

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
    space: SpaceConfig = nested(SpaceConfig)
    darts: DartsConfig = nested(DartsConfig)
    hypernet: HypernetConfig = nested(HypernetConfig)
    retrain: RetrainConfig = nested(RetrainConfig)
    ensemble: EnsembleConfig = nested(EnsembleConfig)

    def __post_init__(self) -> None:
        validate(self)
        if not isinstance(self.dataset, str) or not self.dataset:
            raise ConfigError(
                "dataset must be a known name such as 'digits', or the path of an .npz file or image folder."
            )
        if self.ensemble.size > self.ensemble.pool:
            raise ConfigError(f"size n = {self.ensemble.size} must not exceed the pool N = {self.ensemble.pool}.")
        if self.ensemble.controls < self.ensemble.size:
            raise ConfigError(
                f"controls = {self.ensemble.controls} must be at least n = {self.ensemble.size}: a control has as many members."
            )
        if "+" in self.space.cells and min(self.darts.layers, self.retrain.layers) < 2:
            raise ConfigError("Normal and reduction cells need at least 2 layers in darts and in retrain.")


CROPS = AugmentConfig(shift=4)
IMPORTED = "imported"  # the preset of a run whose networks were trained elsewhere: nothing is left to train

PRESETS: dict[str, PipelineConfig] = {
    "quick": PipelineConfig(
        preset="quick",
        darts=DartsConfig(steps=90),
        hypernet=HypernetConfig(steps=70),
        retrain=RetrainConfig(epochs=8),
    ),
    "reduced": PipelineConfig(  # every page in a few minutes on two cores, for images of 28×28 or 32×32
        preset="reduced",
        darts=DartsConfig(steps=40),
        hypernet=HypernetConfig(steps=40),
        retrain=RetrainConfig(epochs=2),
        ensemble=EnsembleConfig(pool=5),
    ),
    "standard": PipelineConfig(
        preset="standard",
        darts=DartsConfig(steps=300),
        hypernet=HypernetConfig(steps=300),
        retrain=RetrainConfig(epochs=30),
        ensemble=EnsembleConfig(pool=12, size=3, seeds=3, controls=6),
    ),
    "thesis": PipelineConfig(  # 50 and 150 epochs of half of CIFAR-100's 40 000 training images, 312 steps each
        preset="thesis",
        darts=DartsConfig(steps=15_600, channels=10, optimizer="sgd", weight_lr=0.025, frozen=0.0, augment=CROPS),
        hypernet=HypernetConfig(steps=46_800, optimizer="sgd", weight_lr=0.025, lr=0.05, augment=CROPS),
        retrain=RetrainConfig(epochs=50, batch=96, channels=16, layers=2, optimizer="sgd", lr=0.025, augment=CROPS),
        ensemble=EnsembleConfig(pool=9, size=3, seeds=3, controls=6),
    ),
}
