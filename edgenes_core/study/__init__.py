"""A study: arms × seeds, each trained apart, compared by what is stored.

    arm     a searcher with settings of its own: a method, an ablation of one, or a census of cells
    repeat  one arm with one seed: search → candidates → each retrained → predictions and costs, stored
    table   members chosen on validation, judged; differences over seeds

No network is in two repeats of an arm. Importing this file does not import torch.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

from edgenes_core import EdgeNESError
from edgenes_core.config import DartsConfig, EnsembleConfig, HypernetConfig, PipelineConfig, RetrainConfig
from edgenes_core.schema import ConfigError, assign, from_dict, ranged, to_dict, validate
from edgenes_core.search import SEARCHERS
from edgenes_core.search.settings import SETTINGS

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
OWN = "own."


class StudyError(EdgeNESError):
    """A study that cannot be done or shown: nothing is stored, repeats failed, or another process is at it."""


@dataclass(frozen=True)
class Arm:
    """A searcher with changed settings: names as in `--set` (darts.steps), or `own.` for those that only this searcher has."""

    name: str
    searcher: str
    settings: tuple[tuple[str, Any], ...] = ()
    title: str = ""

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise ConfigError(f"An arm's name has letters, digits, '_' and '-' only, got {self.name[:60]!r}.")
        if self.searcher not in SEARCHERS:
            raise ConfigError(
                f"Arm {self.name}: unknown searcher {self.searcher[:60]!r}; known are {', '.join(SEARCHERS)}."
            )
        pairs: Any = self.settings
        pairs = tuple(pairs.items()) if isinstance(pairs, dict) else pairs  # as one writes them in a JSON file
        if not isinstance(pairs, tuple) or not all(map(_is_pair, pairs)):
            raise ConfigError(f"Arm {self.name}: settings are pairs of a name and a value, got {str(pairs)[:60]!r}.")
        object.__setattr__(self, "settings", pairs)

    @property
    def shown(self) -> str:
        """How the arm is called in tables."""
        return self.title or SEARCHERS[self.searcher].title or self.searcher

    def own(self) -> Any:
        """The searcher's own settings as a record, None if it has none; ConfigError for one that it does not know."""
        given = {name.removeprefix(OWN): value for name, value in self.settings if name.startswith(OWN)}
        kind = SETTINGS.get(self.searcher)
        if kind is None:
            if given:
                raise ConfigError(f"{self.searcher} has no settings of its own, got {next(iter(given))!r}.")
            return None
        return from_dict(kind, given)

    def keywords(self) -> dict[str, Any]:
        """The same as the searcher's `search` and `samples` take it."""
        own = self.own()
        return {} if own is None else {"settings": own}


@dataclass(frozen=True)
class StudyConfig:
    """What is compared: each arm with seeds 0 … seeds − 1; `base` is what all arms share."""

    arms: tuple[Arm, ...]
    seeds: int = ranged(5, 1, 100, "repeats of each arm")
    about: str = ""
    base: PipelineConfig = field(default_factory=PipelineConfig, metadata={"record": PipelineConfig})

    def __post_init__(self) -> None:
        validate(self)
        object.__setattr__(self, "arms", tuple(a if isinstance(a, Arm) else from_dict(Arm, a) for a in self.arms))
        names = [arm.name for arm in self.arms]
        if not names or len(set(names)) < len(names):
            raise ConfigError(f"A study needs arms of different names, got {', '.join(names) or 'none'}.")
        for arm in self.arms:
            self.config(arm, 0)

    def config(self, arm: Arm, seed: int) -> PipelineConfig:
        """Everything that decides one repeat; ConfigError if the arm names a setting that is none."""
        data = to_dict(self.base)
        try:
            for name, value in arm.settings:
                if "." not in name:  # seed, dataset: a table compares what all arms have in common
                    raise ConfigError(f"{name[:60]!r} belongs to the whole study.")
                if not name.startswith(OWN):
                    assign(data, name, value)
            arm.own()
            return replace(from_dict(PipelineConfig, data), seed=seed)
        except ConfigError as error:
            raise ConfigError(f"Arm {arm.name}: {error}") from None

    def arm(self, name: str) -> Arm:
        """An arm by its name; ConfigError if there is none."""
        for each in self.arms:
            if each.name == name:
                return each
        raise ConfigError(f"The study has no arm {name[:40]!r}; it has {', '.join(arm.name for arm in self.arms)}.")


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str)


def _methods() -> tuple[Arm, ...]:
    """Every searcher once; methods without a search of their own may train as many more networks."""
    many = (("ensemble.pool", 16), ("ensemble.controls", 16))
    wide = {"random", "nes_rs", "nes_re"}
    plain = [Arm(name, name, many if name in wide else ()) for name in SEARCHERS if name != "census"]
    deep = Arm(
        "deepens10",
        "deepens",
        (("ensemble.size", 10), ("ensemble.pool", 10), ("ensemble.controls", 10)),
        "DeepEns, 10 seeds",
    )
    return (*plain, deep) if "deepens" in SEARCHERS else tuple(plain)


ABLATIONS = (
    Arm("as-is", "edgenes", title="EdgeNES"),
    Arm("constant-c", "edgenes", (("hypernet.regularizer.c_start", 3.0),), "weight c not warmed"),
    Arm("constant-t", "edgenes", (("hypernet.regularizer.temperature_start", 0.05),), "temperature not warmed"),
    Arm("no-warming", "edgenes", (("hypernet.regularizer.c_start", 3.0), ("hypernet.regularizer.temperature_start", 0.05)), "neither warmed"),
    Arm("swapped", "edgenes", (("hypernet.interpolation", "swapped"),), "swapped interpolation"),
    Arm("one-lambda", "edgenes", (("hypernet.regularizer_lambdas", 1), ("hypernet.polish_steps", 0)), "1 λ in the regulariser, no polish"),
    Arm("many-lambdas", "edgenes", (("hypernet.polish_steps", 0),), "64 λ in the regulariser, no polish"),
    Arm("no-epsilon", "edgenes", (("hypernet.epsilon", 0.0),), "ε = 0"),
    Arm("five-knots", "edgenes", (("hypernet.knots", 5),), "K = 5"),
    Arm("no-noise", "edgenes", (("darts.noise", "none"), ("hypernet.noise", "none")), "no Gumbel noise in the forward pass"),
)  # fmt: skip
SMALL = PipelineConfig(
    darts=DartsConfig(steps=90),
    hypernet=HypernetConfig(steps=70),
    retrain=RetrainConfig(epochs=8),
    ensemble=EnsembleConfig(pool=7, size=3, controls=3),
)
FEW = replace(SMALL, ensemble=replace(SMALL.ensemble, pool=4))
FASHION = PipelineConfig(
    dataset="fashion_mnist",
    darts=DartsConfig(steps=300),
    hypernet=HypernetConfig(steps=300),
    retrain=RetrainConfig(epochs=12, channels=16, layers=2),
    ensemble=EnsembleConfig(pool=4, size=3, controls=4),
)
STUDIES: dict[str, StudyConfig] = {
    "methods": StudyConfig(_methods(), 5, "every method with the same retraining", SMALL),
    "ablations": StudyConfig(ABLATIONS, 5, "what each part of EdgeNES does", FEW),
    "census": StudyConfig(
        (Arm("census", "census", (("own.cells", 2),)),), 5, "is farther from α* worse? cells at each distance", SMALL
    ),
    "fashion": StudyConfig(
        tuple(Arm(name, name) for name in ("edgenes", "deepens", "darts_ens", "random", "deviation")),
        5,
        "a few methods on larger images",
        FASHION,
    ),
}
