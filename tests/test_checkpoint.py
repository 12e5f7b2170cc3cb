"""A loop stopped at any step goes on to the same bits; what cannot be used is refused in a sentence."""

from __future__ import annotations

import random
from contextlib import suppress
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny import Dying, Killed
from torch import nn

from edgenes_core import checkpoint
from edgenes_core.checkpoint import (
    NO_KEEPER,
    CheckpointError,
    FileKeeper,
    Keeper,
    State,
    capture,
    read_state,
    restore,
    resumed,
    write_state,
)
from edgenes_core.config import AugmentConfig, DartsConfig, HypernetConfig, RetrainConfig
from edgenes_core.data import load_dataset
from edgenes_core.network import Network
from edgenes_core.order import Order
from edgenes_core.search import loop
from edgenes_core.search.darts import search_cell
from edgenes_core.search.edgenes import train_hypernet
from edgenes_core.space import SearchSpace
from edgenes_core.train import fit

sizes = st.tuples(st.integers(2, 60), st.integers(2, 70), st.booleans())


def order(count: int, size: int, whole: bool, seed: int = 0) -> Order:
    return Order(count, size, torch.Generator().manual_seed(seed), whole)


@given(sizes)
def test_an_epoch_has_every_row_at_most_once(shape) -> None:
    count, size, whole = shape
    drawn = order(*shape)
    epoch = [next(drawn).tolist() for _ in range(drawn.per_epoch)]
    rows = sorted(row for batch in epoch for row in batch)
    if whole:
        assert {len(batch) for batch in epoch} == {min(size, count)}
        assert len(set(rows)) == len(rows)
    else:
        assert rows == list(range(count))
        assert all(2 <= len(batch) <= size + 1 for batch in epoch)


@given(sizes, st.integers(0, 40))
def test_an_order_goes_on_where_it_was_stored(shape, taken) -> None:
    first, second = order(*shape), order(*shape, seed=9)
    for _ in range(taken):
        next(first)
    state = capture(taken, 0.0, {"order": first, "generator": first.generator})
    expected = [next(first).tolist() for _ in range(30)]
    restore(state, {"order": second, "generator": second.generator})
    assert [next(second).tolist() for _ in range(30)] == expected


def test_an_order_of_other_images_is_refused() -> None:
    first, second = order(30, 8, True), order(31, 8, True)
    next(first)
    with pytest.raises(CheckpointError, match="30 images"):
        restore(capture(1, 0.0, {"order": first}), {"order": second})


def tensors(seed: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {
        "a/floats": torch.randn(3, 2, generator=generator),
        "a/none": torch.empty(0, dtype=torch.long),
        "b/scalar": torch.tensor(7),
        "generator/value": generator.get_state(),
    }


@given(st.integers(0, 10**6), st.integers(0, 10**9), st.floats(0, 1e9))
def test_a_stored_state_is_read_back_exactly(tmp_path_factory, seed, step, seconds) -> None:
    path = tmp_path_factory.getbasetemp() / "state.safetensors"
    write_state(path, State(step, seconds, tensors(seed)))
    state = read_state(path)
    assert state is not None
    assert (state.step, state.seconds, set(state.tensors)) == (step, seconds, set(tensors(seed)))
    assert all(torch.equal(state.tensors[name], tensor) for name, tensor in tensors(seed).items())


@given(st.integers(0, 10**6))
def test_a_torn_state_is_refused(tmp_path_factory, place) -> None:
    path = tmp_path_factory.getbasetemp() / "torn.safetensors"
    write_state(path, State(3, 1.0, tensors(0)))
    whole = path.read_bytes()
    path.write_bytes(whole[: place % len(whole)])
    with pytest.raises(CheckpointError, match="no whole checkpoint"):
        read_state(path)


def test_a_state_of_another_version_is_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(checkpoint, "__version__", "0.0.9")
    write_state(tmp_path / "old.safetensors", State(3, 1.0, tensors(0)))
    monkeypatch.undo()
    with pytest.raises(CheckpointError, match=r"version 0\.0\.9"):
        read_state(tmp_path / "old.safetensors")


def test_nothing_stored_is_no_state(tmp_path) -> None:
    assert read_state(tmp_path / "none.safetensors") is None
    assert restore(None, {}) == (0, 0.0)


@pytest.mark.parametrize("optimizer", [torch.optim.Adam, torch.optim.AdamW, partial(torch.optim.SGD, momentum=0.9)])
def test_a_state_of_another_shape_is_refused(optimizer) -> None:
    parts = [{"w": p, "moments": optimizer([p], lr=0.1)} for p in (nn.Parameter(torch.ones(n)) for n in (2, 3))]
    for part in parts:
        part["w"].sum().backward()
        part["moments"].step()
    restore(capture(1, 0.0, parts[0]), parts[0])
    for mixed in ({**parts[1]}, {"w": parts[0]["w"]}, {**parts[0], "more": torch.ones(1)}):
        with pytest.raises(CheckpointError, match="does not fit"):
            restore(capture(1, 0.0, parts[0]), mixed)


EPOCHS = 3


@pytest.fixture(scope="module")
def data():
    return load_dataset("digits")


def train(data, keeper: Keeper, optimizer: str = "adamw"):
    """Losses by epoch and the final weights and statistics."""
    generator = torch.Generator().manual_seed(5)
    network = Network(SearchSpace().sample(np.random.default_rng(0)), 1, 10, 2, 1, generator)
    config = RetrainConfig(epochs=EPOCHS, channels=2, batch=300, optimizer=optimizer, augment=AugmentConfig(shift=1))
    events = list(fit(network, data.train, config, generator, keeper))
    return [(e.step, e.values) for e in events], {name: t.numpy() for name, t in network.state_dict().items()}


def search(data, keeper: Keeper):
    """Everything that darts and hypernetwork leave behind."""
    generator, space = torch.Generator().manual_seed(5), SearchSpace()
    darts = DartsConfig(steps=9, batch=16, channels=2, augment=AugmentConfig(shift=1, cutout=2))
    base = result_of(search_cell(space, data, darts, generator, keeper=keeper))
    config = HypernetConfig(steps=8, polish_steps=8, batch=16)
    knots = result_of(train_hypernet(space, data, base, config, generator, keeper))
    weights = {name: t.numpy() for name, t in base.supernet.state_dict().items()}
    return base.architecture, {"logits": base.logits, "knots": knots.values, "end": generator.get_state(), **weights}


def result_of(steps):
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def same(a, b) -> bool:
    return a[0] == b[0] and all(np.array_equal(a[1][name], b[1][name]) for name in b[1])


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
@pytest.mark.parametrize("seed", range(3))
def test_a_training_killed_twice_ends_with_the_same_bits(data, tmp_path, seed, optimizer) -> None:
    rng = random.Random(seed)
    for _ in range(2):
        with suppress(Killed):  # the second may end before its turn
            train(data, Dying(tmp_path, rng, rng.randrange(EPOCHS * 4)), optimizer)
    assert same(train(data, FileKeeper(tmp_path), optimizer), train(data, NO_KEEPER, optimizer))


@pytest.fixture(scope="module")
def unbroken(data):
    return search(data, NO_KEEPER)


@pytest.mark.parametrize("seed", range(4))
def test_a_search_killed_twice_ends_with_the_same_bits(data, tmp_path, monkeypatch, unbroken, seed) -> None:
    """Anywhere in the base search, in the hypernetwork's bilevel steps or in its polish; about half the states are stored."""
    monkeypatch.setattr(loop, "READ_STEPS", 2)
    rng = random.Random(seed)
    for _ in range(2):
        with suppress(Killed):
            search(data, Dying(tmp_path, rng, rng.randrange(16)))
    assert same(search(data, FileKeeper(tmp_path)), unbroken)


def torn(file) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def foreign(file) -> None:
    write_state(file, State(3, 1.0, tensors(0)))


def folder(file) -> None:
    file.unlink()
    file.mkdir()


def unreadable(file) -> None:
    file.unlink()
    file.symlink_to("/proc/self/mem")  # nobody can read its start


@pytest.mark.parametrize(
    ("work", "stage", "spoil"),
    [*((train, "fit", spoil) for spoil in (torn, foreign, folder, unreadable)), (search, "hypernet", foreign)],
)
def test_a_useless_state_is_said_and_the_work_starts_again(data, tmp_path, caplog, work, stage, spoil) -> None:
    keeper = FileKeeper(tmp_path, every=0.0)
    expected = work(data, keeper)
    spoil(tmp_path / f"{stage}.safetensors")
    assert same(resumed(keeper, lambda keeper: work(data, keeper)), expected)
    assert "starts again" in caplog.text


def test_states_are_stored_so_seldom_that_they_cost_one_percent(tmp_path, monkeypatch) -> None:
    """On a clock that stands still but while a state is stored, which takes 3 s."""
    now = [0.0]
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: now[0])

    def write(path, state) -> None:
        now[0] += 3.0

    monkeypatch.setattr(checkpoint, "write_state", write)
    keeper, stored = FileKeeper(tmp_path, every=20.0), []
    keeper.recall("darts")
    for _ in range(2000):
        now[0] += 1.0
        before = now[0]
        keeper.offer("darts", lambda: State(0, 0.0, {}))
        if now[0] > before:
            stored.append(now[0])
    assert stored[0] == 23.0
    assert 3.0 * len(stored) <= 0.01 * now[0] + 3.0
