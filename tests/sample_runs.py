"""Small run folders for tests of pages: really stored, never trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgenes_core.config import DartsConfig, PipelineConfig, RetrainConfig, SpaceConfig
from edgenes_core.ensembles import evaluate
from edgenes_core.lambda_path import Knots, LambdaPath, discretise, lambda_path
from edgenes_core.run_folder import Run
from edgenes_core.run_records import Base, Cost, SoftCount, Training
from edgenes_core.runs import RunStore
from edgenes_core.schema import to_dict
from edgenes_core.space import SearchSpace

IMAGES, CLASSES = 60, 5


def created(root: Path, space: SpaceConfig | None = None) -> Run:
    """A run that has not done anything yet."""
    config = PipelineConfig(space=space or SpaceConfig(), darts=DartsConfig(layers=2), retrain=RetrainConfig(layers=2))
    return RunStore(root).create(config)


def finished(root: Path, space: SpaceConfig | None = None, flat: bool = False, seed: int = 0) -> Run:
    """A run with every stage but the map; `flat` makes all λ give α*: one interval."""
    run, rng = created(root, space), np.random.default_rng(seed)
    logits = rng.normal(size=run.space.logits)
    kept, operations = discretise(run.space, logits)
    base = Base(run.space.decode(kept[0], operations[0]), logits)
    knots = knots_of(run.space, base, rng, flat)
    path = lambda_path(run.space, knots, base.architecture)
    run.save_base(base)
    run.save_knots(knots)
    grid = np.linspace(0, path.lambda_max, 21)
    run.save_path(path, SoftCount(grid, grid * 0.9))
    run.save_targets(rng.integers(CLASSES, size=IMAGES), rng.integers(CLASSES, size=IMAGES))
    train(run, path, rng)
    choose(run, base)
    for stage in ("darts", "hypernet", "retrain", "select"):
        run.finish_stage(stage, Cost(1.0, 100))
    run.update(state="finished")
    return run


def knots_of(space: SearchSpace, base: Base, rng: np.random.Generator, flat: bool) -> Knots:
    """Noise that gives way to α* as λ grows."""
    encoded = space.encode(base.architecture)
    target = np.concatenate([encoded.ravel(), encoded.sum(1)])
    positions = np.linspace(-0.2, space.lambda_max + 0.2, 6)
    if flat:
        return Knots(positions, np.tile(9 * target, (len(positions), 1)))
    noise = rng.normal(size=(len(positions), space.logits)).cumsum(0)
    return Knots(positions, noise + target * np.linspace(0, 12, len(positions))[:, None])


def train(run: Run, path: LambdaPath, rng: np.random.Generator) -> None:
    """A network for every third interval, its neighbour for the pool, and α* with three seeds."""
    plan = {}
    for interval in (*path.intervals[::3], path.intervals[-1]):
        training = Training(interval.architecture, 0, ("pool",), interval.shared, (interval.lo + interval.hi) / 2)
        plan.setdefault(training.id, training)
    base = run.base().architecture
    for seed in range(3):
        training = Training(base, seed, ("deepens",), run.space.lambda_max)
        plan.setdefault(training.id, training)
    run.save_plan(list(plan.values()))
    for training in plan.values():
        val, test = (probabilities(run.targets(split), rng) for split in ("val", "test"))
        history = {"train_loss": [2.0, 1.0], "val_loss": [2.1, 1.2], "val_accuracy": [0.3, 0.7]}
        run.save_network(training, {"w": np.zeros(1, np.float32)}, val, test, history)


def probabilities(targets: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Mostly right predictions."""
    scores = rng.normal(size=(len(targets), CLASSES))
    scores[np.arange(len(targets)), targets] += 2
    return np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)


def choose(run: Run, base: Base) -> None:
    """The first three of the pool, and α* alone."""
    networks, targets = run.networks(), run.targets("val")
    pool = [name for name, network in networks.items() if "pool" in network.training.roles][:3]
    for name, members, role in (("selected", pool, "selected"), ("single_base", [base.architecture.key], "control")):
        val = evaluate(np.stack([networks[m].val for m in members]), targets, "val")
        data = {"title": name, "members": members, "val": to_dict(val), "rule": "exhaustive", "role": role}
        run.save_ensemble(name, data)
