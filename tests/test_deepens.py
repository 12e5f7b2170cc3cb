"""Ensembles around DARTS: the same cell with several seeds, and the cells of several searches."""

from dataclasses import replace

import pytest
import torch

from edgenes_core.config import DartsConfig, EnsembleConfig, PipelineConfig
from edgenes_core.data import load_dataset
from edgenes_core.records import Event
from edgenes_core.search import Candidate, darts, darts_ens, deepens
from edgenes_core.space import SearchSpace

SMALL = PipelineConfig(
    darts=DartsConfig(steps=3, channels=2, batch=16), ensemble=EnsembleConfig(pool=4, size=4, controls=4)
)


@pytest.fixture(scope="module")
def data():
    return load_dataset("digits")


def run(module, data, space, config=SMALL):
    found = list(module.search(space, data, config, torch.Generator().manual_seed(0)))
    return [[item for item in found if isinstance(item, kind)] for kind in (Candidate, Event)]


def test_deepens_is_the_cell_of_darts_with_n_seeds(data):
    ((alone,), _), (members, _) = (run(module, data, SearchSpace()) for module in (darts, deepens))
    assert members == [replace(alone, seed=seed) for seed in range(4)]


def test_darts_ens_searches_n_times_with_noise_of_its_own(data):
    ((alone,), _), (members, events) = (run(module, data, SearchSpace()) for module in (darts, darts_ens))
    assert len(members) == 4
    assert members[0] == alone
    last = {event.stage: event.values["train_loss"] for event in events}
    assert len(set(last.values())) == len(last) == 4


def test_what_several_searches_find_is_trained_with_as_many_seeds(data):
    """Four cells exist, five searches are made: some cell is found again."""
    space = SearchSpace(nodes=1, operations=("maxpool", "avgpool"))
    config = replace(SMALL, ensemble=EnsembleConfig(pool=5, size=5, controls=5))
    members, _ = run(darts_ens, data, space, config)
    assert len({(c.architecture, c.seed) for c in members}) == len(members) == 5
    assert len({c.architecture for c in members}) < 5
