"""Small studies for tests: really stored, never trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgenes_core.config import EnsembleConfig, PipelineConfig
from edgenes_core.run_records import Cost, build_space
from edgenes_core.search import Candidate
from edgenes_core.study import Arm, StudyConfig
from edgenes_core.study.arm import Repeat
from edgenes_core.study.folder import StoredRepeat, Study
from edgenes_core.study.store import StudyStore

IMAGES, CLASSES = 120, 4
LARGE = (("ensemble.size", 6), ("ensemble.pool", 6), ("ensemble.controls", 6))
ARMS = (
    Arm("darts", "darts"),
    Arm("edgenes", "edgenes"),
    Arm("random", "random", (("ensemble.controls", 5),)),
    Arm("deepens", "deepens"),
    Arm("deepens10", "deepens", LARGE, "DeepEns, large"),
)
NETWORKS = {"darts": 1, "edgenes": 4, "random": 5, "deepens": 3, "deepens10": 6}
SKILL = {"darts": 1.6, "edgenes": 1.8, "random": 0.9, "deepens": 1.7, "deepens10": 1.7}


def stored(root: Path, seeds: int = 3, arms: Sequence[Arm] = ARMS, missing: Sequence[tuple[str, int]] = ()) -> Study:
    """A study whose arms are a little or much better than each other; some repeats may be missing."""
    base = PipelineConfig(ensemble=EnsembleConfig(pool=4, size=2, controls=3))
    study = StudyStore(root).create("sample", StudyConfig(tuple(arms), seeds, "a sample", base))
    rng = np.random.default_rng(0)
    y = {part: rng.integers(CLASSES, size=IMAGES) for part in ("val", "test")}
    study.save_targets(y["val"], y["test"], [f"class {k}" for k in range(CLASSES)])
    for arm, seed in study.places():
        if (arm.name, seed) not in missing:
            study.save(arm, seed, repeat(study, arm, seed, y), "0" * 40)
    return study


def repeat(study: Study, arm: Arm, seed: int, y: dict[str, np.ndarray]) -> Repeat:
    """One repeat: its networks are as good as SKILL says, each wrong in its own way."""
    rng, count = np.random.default_rng([seed, *arm.name.encode()]), NETWORKS.get(arm.name, 3)
    space = build_space(study.config.base.space)
    cells = tuple(Candidate(space.sample(rng), None, k) for k in range(count))
    val, test = (np.stack([forecast(y[part], SKILL.get(arm.name, 1.5), rng) for _ in range(count)]) for part in y)
    search = 20.0 if arm.searcher == "edgenes" else 8.0 if arm.searcher != "random" else 0.0
    seconds = tuple((4 + rng.random(count)).tolist())
    stages = (("darts", search),)
    return Repeat(cells, val, test, seconds, 1000, Cost(search, int(search * 300)), Cost(0.01, count * IMAGES), stages)


def forecast(y: np.ndarray, skill: float, rng: np.random.Generator) -> np.ndarray:
    """(B, C) probabilities that favour the true class."""
    scores = rng.normal(size=(len(y), CLASSES))
    scores[np.arange(len(y)), y] += skill
    return np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)


def named(study: Study, name: str) -> StoredRepeat:
    """A stored repeat, such as edgenes-s0."""
    return next(each for each in study.repeats()[0] if each.name == name)
