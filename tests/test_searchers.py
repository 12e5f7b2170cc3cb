"""One conformance suite for every searcher in the literal."""

import inspect
import itertools
import random
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cache, partial
from typing import NamedTuple

import numpy as np
import pytest
import torch
from tiny import Dying, Killed

from edgenes_core import EdgeNESError
from edgenes_core.alpha import beta_rule
from edgenes_core.architecture import shared_edges
from edgenes_core.checkpoint import NO_KEEPER, FileKeeper
from edgenes_core.config import (
    DartsConfig,
    EnsembleConfig,
    HypernetConfig,
    PipelineConfig,
    RegularizerConfig,
    SpaceConfig,
)
from edgenes_core.data import load_dataset
from edgenes_core.network import Stem
from edgenes_core.records import Event
from edgenes_core.run_records import build_space
from edgenes_core.search import MEMBERS, SEARCHERS, Candidate, load_samples, load_searcher
from edgenes_core.search.fixed_lambda import fixed_penalty
from edgenes_core.search.settings import SETTINGS
from edgenes_core.train import derive_seed, descend

SMALL = PipelineConfig(
    darts=DartsConfig(steps=2, channels=4, batch=16),
    hypernet=HypernetConfig(steps=2, polish_steps=2, batch=16),
    ensemble=EnsembleConfig(pool=5, size=2, controls=3),
)
CONFIGS = {
    "k1": SMALL,
    "k2": replace(SMALL, space=SpaceConfig(inputs_per_node=2)),
    "two-cells": replace(
        SMALL,
        space=SpaceConfig(inputs_per_node=2, cells="normal+reduce"),
        darts=replace(SMALL.darts, layers=2),
        retrain=replace(SMALL.retrain, layers=2),
    ),
}


@pytest.fixture(scope="module")
def data():
    return load_dataset("digits")


def run(name, data, config=SMALL, seed=0, limit=None, keeper=NO_KEEPER):
    return list(itertools.islice(start(name, data, config, seed, keeper), limit))


def start(name, data, config=SMALL, seed=0, keeper=NO_KEEPER):
    search, more = load_searcher(name), {}
    if "judge" in inspect.signature(search).parameters:  # its trainings are those of its candidates
        more["judge"] = partial(guess, data)
    return search(build_space(config.space), data, config, torch.Generator().manual_seed(seed), keeper, **more)


def guess(data, cell, seed):
    """Stands for a trained network: probabilities that depend on the cell and its seed."""
    rng = np.random.default_rng(derive_seed(cell.key, seed))
    return rng.dirichlet(np.ones(len(data.classes)), len(data.val)).astype(np.float32)


class Found(NamedTuple):
    """All that a search yielded, and the images that entered the stem of a network meanwhile: each network has one."""

    items: list
    images: int


@pytest.fixture(scope="module")
def finished(data) -> Callable[[str, str], Found]:
    """(searcher, name in CONFIGS) → the whole search with seed 0, done once for all tests."""

    @cache
    def found(name: str, kind: str) -> Found:
        passed, forward = [], Stem.forward

        def counted(stem, x, lanes):
            passed.append(len(x))
            return forward(stem, x, lanes)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Stem, "forward", counted)
            return Found(run(name, data, CONFIGS[kind]), sum(passed))

    return found


def untimed(found):
    return [replace(item, seconds=0.0) if isinstance(item, Event) else item for item in found]


@pytest.mark.parametrize("name", SEARCHERS)
def test_deterministic_by_seed(name, data, finished):
    assert untimed(run(name, data)) == untimed(finished(name, "k1").items)
    assert untimed(run(name, data, seed=1)) != untimed(finished(name, "k1").items)


@pytest.mark.parametrize("kind", CONFIGS)
@pytest.mark.parametrize("name", SEARCHERS)
def test_its_cost_is_known_before_it_starts(name, kind, finished):
    config = CONFIGS[kind]
    assert load_samples(name)(build_space(config.space), config) == finished(name, kind).images


@pytest.mark.parametrize("kind", CONFIGS)
@pytest.mark.parametrize("name", SEARCHERS)
def test_candidates_lie_in_the_space_and_events_are_ordered(name, kind, finished):
    found, space = finished(name, kind).items, build_space(CONFIGS[kind].space)
    candidates = [item.architecture for item in found if isinstance(item, Candidate)]
    assert candidates
    assert all(space.contains(cell) for cell in candidates)
    events = [item for item in found if isinstance(item, Event)]
    for _, stage in itertools.groupby(events, key=lambda event: event.stage):
        listed = list(stage)
        assert [event.step for event in listed] == list(range(1, listed[-1].steps + 1))
        assert all(a.seconds <= b.seconds for a, b in itertools.pairwise(listed))


@pytest.mark.parametrize("name", SEARCHERS)
def test_stops_when_its_consumer_stops(name, data):
    search = start(name, data)
    next(search)
    search.close()
    with pytest.raises(StopIteration):
        next(search)


@pytest.mark.parametrize("name", SEARCHERS)
def test_killed_and_resumed_it_proposes_the_same_cells(name, data, finished, tmp_path):
    rng = random.Random(name)
    with suppress(Killed):  # a search without steps offers no state
        run(name, data, keeper=Dying(tmp_path, rng, rng.randrange(4)))
    resumed = run(name, data, keeper=FileKeeper(tmp_path))
    whole = finished(name, "k1").items
    cells = [[item for item in found if isinstance(item, Candidate)] for found in (resumed, whole)]
    assert cells[0] == cells[1]


@pytest.mark.parametrize("name", SEARCHERS)
def test_says_what_it_is_whose_it_is_and_what_was_rebuilt(name):
    spec = SEARCHERS[name]
    assert spec.name == name
    assert spec.title
    assert spec.members in MEMBERS
    assert re.search(r"\b(19|20)\d\d\b", spec.cite), "a citation has a year"
    assert spec.cite.endswith((".", ")"))
    assert not spec.rebuilt or spec.rebuilt.endswith(".")


@pytest.mark.parametrize("name", SEARCHERS)
def test_its_own_settings_are_those_declared(name):
    own = SETTINGS[name]() if name in SETTINGS else inspect.Parameter.empty
    for call in (load_searcher(name), load_samples(name)):
        declared = inspect.signature(call).parameters.get("settings")
        assert (declared.default if declared else inspect.Parameter.empty) == own


def test_deviations_share_exactly_what_they_say(finished):
    base = next(item.architecture for item in finished("darts", "k2").items if isinstance(item, Candidate))
    deviations = [item for item in finished("deviation", "k2").items if isinstance(item, Candidate)]
    assert [shared_edges(base, item.architecture) for item in deviations] == [7, 6, 5]
    assert [item.lam for item in deviations] == [7.0, 6.0, 5.0]


def test_unknown_searcher_is_said():
    with pytest.raises(EdgeNESError, match="known are darts"):
        load_searcher("nes")
    with pytest.raises(EdgeNESError, match="known are darts"):
        load_samples("nes")
    assert set(SETTINGS) <= set(SEARCHERS)


@pytest.mark.parametrize("k", [1, 2])
def test_the_fixed_penalty_alone_gives_exactly_lambda_shared_edges(k, rng):
    """No images: descending on c·(λ − s̃)² from small noise reaches every whole λ; k = 2 needs twice the steps."""
    space = build_space(SpaceConfig(inputs_per_node=k))
    base, darts = space.sample(rng), DartsConfig(steps=150 * k)
    for lam in range(space.lambda_max + 1):
        generator = torch.Generator().manual_seed(lam)
        penalty = fixed_penalty(space, base, lam, darts, RegularizerConfig(), generator)
        logits = (1e-3 * torch.randn(space.logits, generator=generator)).requires_grad_()
        optimizer = torch.optim.Adam([logits], lr=darts.alpha_lr, betas=(0.5, 0.999))
        for step in range(darts.steps):
            descend(optimizer, logits, penalty(logits, step))
        assert shared_edges(beta_rule(space, logits.detach().double().numpy()), base) == lam
