"""The loop around the steps: it asks the device for nothing while it steps, and reports in time and in order."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from edgenes_core.checkpoint import NO_KEEPER, Keeper
from edgenes_core.config import AugmentConfig, DartsConfig, HypernetConfig, PipelineConfig, RegularizerConfig
from edgenes_core.data import load_dataset
from edgenes_core.search import loop
from edgenes_core.search.darts import SearchResult, search_step, start_search
from edgenes_core.search.darts_cc import measure, size_penalty, start_complexity
from edgenes_core.search.edgenes import map_step, polish_step, start_map
from edgenes_core.search.fixed_lambda import fixed_penalty
from edgenes_core.search.gdas import hard_mixing
from edgenes_core.search.jensen_shannon import distance_from, divergence_penalty, start_divergence
from edgenes_core.search.loop import Measured, run_steps
from edgenes_core.search.pc_darts import start_partial
from edgenes_core.search.settings import DartsCcSettings, JensenShannonSettings, XnasSettings
from edgenes_core.search.snas import joint_step
from edgenes_core.search.xnas import expert_step, start_experts
from edgenes_core.space import SearchSpace

WAITS = {"_local_scalar_dense", "nonzero", "item", "equal", "is_nonzero", "masked_select", "unique", "_unique2"}


class Waits(TorchDispatchMode):
    """Counts operators that make the host wait for the device: numbers read, and shapes that depend on values.

    An Adam that is not fused reads its own step counters, which always live on the CPU: `counters` are let pass.
    """

    def __init__(self, optimizers) -> None:
        super().__init__()
        self.optimizers, self.found = optimizers, []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        counters = [state["step"] for o in self.optimizers for state in o.state.values() if "step" in state]
        name = func.overloadpacket.__name__
        masked = name == "index" and any(i is not None and i.dtype in (torch.bool, torch.uint8) for i in args[1])
        if masked or (name in WAITS and not any(args[0] is counter for counter in counters)):
            self.found.append(name)
        return func(*args, **(kwargs or {}))


@pytest.fixture(scope="module")
def data():
    return load_dataset("digits")


@pytest.mark.parametrize("k", [1, 2])
def test_no_step_asks_the_device_for_a_number(data, k) -> None:
    space, generator = SearchSpace(inputs_per_node=k), torch.Generator().manual_seed(0)
    config = DartsConfig(
        steps=10, batch=16, channels=2, frozen=0.0, augment=AugmentConfig(shift=1, flip=True, cutout=2)
    )
    cell = space.sample(np.random.default_rng(0))
    penalty = fixed_penalty(space, cell, 1.0, config, RegularizerConfig(), generator)
    search = start_search(space, data, config, generator, penalty)
    base = SearchResult(cell, search.logits.detach().numpy(), search.supernet)
    found = start_map(space, data, base, HypernetConfig(steps=5, polish_steps=5, batch=16), generator)
    for warm in (True, False):
        with Waits([search.architecture, search.weights, found.knots, found.weights, found.polish]) as waits:
            for step in range(2):
                search_step(search, step)
                map_step(found, step)
                polish_step(found, 5 + step)
        assert warm or not waits.found


def other_steps(space, data, generator):
    """A step of each other method, by name, with what its optimisers are."""
    config = DartsConfig(steps=10, batch=16, channels=4, frozen=0.0)
    plain = start_search(space, data, config, generator)
    hard = replace(start_search(space, data, config, generator), forward=hard_mixing)
    quarter = start_partial(space, data, config, generator, 4)
    experts = start_experts(start_search(space, data, config, generator), XnasSettings())
    yield "snas", lambda: joint_step(plain, 1), plain
    yield "gdas", lambda: search_step(hard, 1), hard
    yield "pc_darts", lambda: search_step(quarter, 1), quarter
    yield "xnas", lambda: expert_step(experts, 1), experts.search


def test_nor_does_a_step_of_another_method(data) -> None:
    for name, step, found in other_steps(SearchSpace(), data, torch.Generator().manual_seed(0)):
        step()
        with Waits([found.architecture, found.weights]) as waits:
            step()
        assert not waits.found, name


@pytest.mark.parametrize("method", ["jensen_shannon", "darts_cc"])
def test_nor_does_a_penalty_along_a_map(method) -> None:
    space, generator, device = SearchSpace(), torch.Generator().manual_seed(0), torch.device("cpu")
    if method == "darts_cc":
        found = start_complexity(space, HypernetConfig(), generator, device, DartsCcSettings())
        complexity = measure(space, PipelineConfig(), DartsCcSettings())
        penalty = partial(size_penalty, found, complexity, generator)
    else:
        found = start_divergence(space, HypernetConfig(), generator, device, JensenShannonSettings())
        base = SearchResult(space.sample(np.random.default_rng(0)), np.zeros(space.logits), torch.nn.Identity())
        distance = distance_from(space, base, JensenShannonSettings())
        penalty = partial(divergence_penalty, found, distance, generator, JensenShannonSettings())
    penalty().backward()
    with Waits([]) as waits:
        penalty().backward()
    assert not waits.found


def test_the_count_can_fail() -> None:
    with Waits([]) as waits:
        float(torch.ones(()) + 1)
        torch.ones(3)[torch.ones(3) > 0]
    assert waits.found == ["_local_scalar_dense", "index"]


class Offers(Keeper):
    """Remembers at which step a state was offered."""

    def __init__(self) -> None:
        self.steps = []

    def offer(self, stage, captured) -> None:
        self.steps.append(captured().step)


def steps(count: int, keeper: Keeper = NO_KEEPER):
    def take(step: int) -> Measured:
        logits = torch.full((2,), float(step)) if step % 5 == 0 else None
        return Measured({"train_loss": torch.tensor(step / 8), "temperature": step / 4}, logits)

    return run_steps("darts", count, {}, take, lambda logits: ({"sum": float(logits.sum())}, ((1.0,),)), keeper)


@pytest.mark.parametrize("count", [1, 2, 11, 34])
def test_every_step_has_its_event_with_its_own_values(count) -> None:
    events = list(steps(count))
    assert [event.step for event in events] == list(range(1, count + 1))
    for event in events:
        step = event.step - 1
        expected = {"train_loss": step / 8, "temperature": step / 4} | ({} if step % 5 else {"sum": 2.0 * step})
        assert event.values == expected
        assert bool(event.alpha) == (step % 5 == 0)
    assert all(a.seconds <= b.seconds for a, b in itertools.pairwise(events))


def test_the_first_event_comes_at_once_and_the_state_is_offered_when_all_before_it_was_said(monkeypatch) -> None:
    monkeypatch.setattr(loop, "READ_SECONDS", 1e9)
    keeper = Offers()
    listed = [(event.step, list(keeper.steps)) for event in steps(24, keeper)]
    assert keeper.steps == [1, 11, 21, 24]
    assert listed[0] == (1, [])
    assert listed[1] == (2, [1]), "the second event is read with the eleventh"
    assert listed[10] == (11, [1])


def test_slow_steps_are_reported_one_by_one(monkeypatch) -> None:
    monkeypatch.setattr(loop, "READ_SECONDS", 0.0)
    keeper = Offers()
    list(steps(5, keeper))
    assert keeper.steps == [1, 2, 3, 4, 5]
