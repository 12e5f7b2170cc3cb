"""NES-RS and NES-RE: the pool, and the laws of regularised evolution. ForwardSelect itself: tests/test_selecting.py."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core.architecture import OPERATIONS, edit_distance
from edgenes_core.config import EnsembleConfig, PipelineConfig, RetrainConfig
from edgenes_core.data import load_dataset
from edgenes_core.ensembles import select
from edgenes_core.search import Candidate, nes_re, nes_rs
from edgenes_core.search.settings import NesReSettings
from edgenes_core.space import SearchSpace
from edgenes_core.tasks import derive_seed, train_candidate

POOL = PipelineConfig(
    retrain=RetrainConfig(epochs=1, channels=2, layers=2), ensemble=EnsembleConfig(pool=16, size=3, controls=3)
)
DEFAULT = NesReSettings()
SPACES = {
    "k1": SearchSpace(),
    "k2": SearchSpace(inputs_per_node=2),
    "two-cells": SearchSpace(inputs_per_node=2, cells=("normal", "reduce")),
    "nothing can move": SearchSpace(nodes=1, inputs_per_node=2),
}


@pytest.fixture(scope="module")
def data():
    return load_dataset("digits")


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def guessing(data):
    """Stands for trained networks."""

    def judge(cell, seed):
        rng = np.random.default_rng(derive_seed(cell.key, seed))
        return rng.dirichlet(np.ones(len(data.classes)), len(data.val))

    return judge


def evolve(data, space, monkeypatch, settings=DEFAULT):
    """An evolution without trainings, and for each choice of parents who was alive and who was picked."""
    chosen = []

    def noted(probs, y, names, size, rule):
        found = select(probs, y, names, size, rule)
        chosen.append(([int(name) for name in names], [int(name) for name in found.members]))
        return found

    monkeypatch.setattr(nes_re, "select", noted)
    found = nes_re.start_evolution(space, data, POOL, seeded(), settings, guessing(data))
    for number in range(POOL.ensemble.pool):
        nes_re.train_next(found, number)
    return found, chosen


@pytest.mark.parametrize("kind", SPACES)
def test_the_population_keeps_its_size_loses_its_oldest_and_each_child_is_one_edit_away(kind, data, monkeypatch):
    space = SPACES[kind]
    found, chosen = evolve(data, space, monkeypatch)
    assert found.population == 4
    assert [alive for alive, _ in chosen] == [list(range(n - 4, n)) for n in range(4, 16)]
    assert (found.parent[:4] == nes_re.NOBODY).all()
    for number, (_, picked) in enumerate(chosen, 4):
        parent = int(found.parent[number])
        assert parent in picked
        assert space.contains(found.cell(number))
        assert edit_distance(found.cell(parent), found.cell(number)) <= 1


def test_a_parent_is_one_of_the_best_ensemble_of_validation(data, monkeypatch):
    """With m = P anyone may be a parent, with m = 1 only the best network is."""
    _, anyone = evolve(data, SPACES["k1"], monkeypatch, NesReSettings(population=3, parents=3))
    assert all(sorted(picked) == alive for alive, picked in anyone)
    found, best = evolve(data, SPACES["k1"], monkeypatch, NesReSettings(population=3, parents=1))
    y = data.val.y.numpy()
    for alive, (picked,) in best:
        losses = [-np.log(found.val[n].double().numpy()[np.arange(len(y)), y]).mean() for n in alive]
        assert picked == alive[int(np.argmin(losses))]


@pytest.mark.parametrize(("pool", "population", "parents"), [(1, 1, 1), (3, 2, 2), (16, 4, 2), (64, 16, 3)])
def test_population_and_parents_follow_the_pool(pool, population, parents, data):
    config = replace(POOL, ensemble=EnsembleConfig(pool=pool, size=1, controls=1))
    found = nes_re.start_evolution(SearchSpace(), data, config, seeded(), DEFAULT)
    assert (found.population, found.parents) == (population, parents)


@given(st.sampled_from(sorted(SPACES)), st.integers(0, 10_000))
def test_a_mutation_is_at_most_one_edit_in_the_space(kind, seed):
    space, rng = SPACES[kind], np.random.default_rng(seed)
    cell = space.sample(rng)
    other = nes_re.mutate(space, cell, rng)
    assert space.contains(other)
    assert edit_distance(cell, other) <= 1


def test_identity_operation_and_input_are_mutated_equally_often(rng):
    """600 children of one cell; a third of them is 200 ± 12, and 5 of these standard errors are allowed."""
    space, counts = SearchSpace(), Counter()
    cell = space.sample(rng)
    for _ in range(600):
        other = nes_re.mutate(space, cell, rng)
        moved = {g[:3] for g in cell.genes} != {g[:3] for g in other.genes}
        counts["same" if other == cell else "input" if moved else "operation"] += 1
        if moved:  # the operation goes with its input
            assert Counter(g.operation for g in cell.genes) == Counter(g.operation for g in other.genes)
    assert all(abs(count - 200) < 60 for count in counts.values()), counts


def test_it_trains_as_a_run_does_and_never_sees_a_test_image(data):
    config = replace(POOL, ensemble=EnsembleConfig(pool=3, size=1, controls=1))
    blind = replace(data, test=None)
    found = nes_re.start_evolution(SearchSpace(), blind, config, seeded(), DEFAULT)
    for number in range(3):
        nes_re.train_next(found, number)
    seed = derive_seed(config.seed, "retrain", found.cell(0).key, 0)
    assert np.array_equal(found.val[0], train_candidate("digits", found.cell(0), config.retrain, seed, "cpu").val)


def test_a_pool_larger_than_the_space_trains_cells_again_with_further_seeds():
    space = SearchSpace(nodes=1, operations=OPERATIONS[:2])
    found = [c for c in nes_rs.search(space, None, POOL, seeded()) if isinstance(c, Candidate)]
    assert len({(c.architecture, c.seed) for c in found}) == 16
    assert {c.architecture for c in found} == {space.sample(np.random.default_rng(s)) for s in range(60)}
