"""One conformance suite for every searcher in the literal."""

import itertools
import random
from contextlib import suppress
from dataclasses import replace

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
from edgenes_core.records import Event
from edgenes_core.run_records import build_space
from edgenes_core.search import SEARCHERS, Candidate, load_searcher
from edgenes_core.search.fixed_lambda import fixed_penalty
from edgenes_core.train import descend

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
    search = load_searcher(name)(build_space(config.space), data, config, torch.Generator().manual_seed(seed), keeper)
    return list(itertools.islice(search, limit))


def untimed(found):
    return [replace(item, seconds=0.0) if isinstance(item, Event) else item for item in found]


@pytest.mark.parametrize("name", SEARCHERS)
def test_deterministic_by_seed(name, data):
    assert untimed(run(name, data)) == untimed(run(name, data))
    assert untimed(run(name, data)) != untimed(run(name, data, seed=1))


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
@pytest.mark.parametrize("name", SEARCHERS)
def test_candidates_lie_in_the_space_and_events_are_ordered(name, config, data):
    found, space = run(name, data, config), build_space(config.space)
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
    search = load_searcher(name)(build_space(SMALL.space), data, SMALL, torch.Generator().manual_seed(0))
    next(search)
    search.close()
    with pytest.raises(StopIteration):
        next(search)


@pytest.mark.parametrize("name", SEARCHERS)
def test_killed_and_resumed_it_proposes_the_same_cells(name, data, tmp_path):
    rng = random.Random(name)
    with suppress(Killed):  # a search without steps offers no state
        run(name, data, keeper=Dying(tmp_path, rng, rng.randrange(4)))
    resumed = run(name, data, keeper=FileKeeper(tmp_path))
    cells = [[item for item in found if isinstance(item, Candidate)] for found in (resumed, run(name, data))]
    assert cells[0] == cells[1]


@pytest.mark.parametrize("name", SEARCHERS)
def test_carries_its_citation(name):
    assert SEARCHERS[name].name == name
    assert any(character.isdigit() for character in SEARCHERS[name].cite)


def test_deviations_share_exactly_what_they_say(data):
    found = run("deviation", data, CONFIGS["k2"])
    base_seed = run("darts", data, CONFIGS["k2"])
    base = next(item.architecture for item in base_seed if isinstance(item, Candidate))
    deviations = [item for item in found if isinstance(item, Candidate)]
    assert [shared_edges(base, item.architecture) for item in deviations] == [7, 6, 5]
    assert [item.lam for item in deviations] == [7.0, 6.0, 5.0]


def test_unknown_searcher_is_said():
    with pytest.raises(EdgeNESError, match="known are darts"):
        load_searcher("nes")


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
