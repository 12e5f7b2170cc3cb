"""SNAS: one batch, one sample and one loss move weights and architecture together."""

import pytest
import torch

from edgenes_core.config import DartsConfig, PipelineConfig
from edgenes_core.data import Part, load_dataset
from edgenes_core.records import Event
from edgenes_core.search.bilevel import data_loss
from edgenes_core.search.darts import start_search
from edgenes_core.search.settings import SnasSettings
from edgenes_core.search.snas import joint_step, sampled, search
from edgenes_core.space import SearchSpace

SPACE = SearchSpace()
DARTS = DartsConfig(steps=6, channels=4, batch=16, frozen=0.5, noise="none")


@pytest.fixture(scope="module")
def data():
    return load_dataset("digits")


def started(data, config=DARTS):
    return start_search(SPACE, data, sampled(config, SnasSettings()), torch.Generator().manual_seed(0))


def test_the_architecture_follows_the_loss_of_the_batch_that_moves_the_weights(data):
    found, same = started(data), started(data)
    before = [weight.clone() for weight in found.supernet.parameters()]
    joint_step(found, 0)
    loss = data_loss(same.supernet, next(same.train_w), same.mix(same.logits, SnasSettings().temperature_start))
    (expected,) = torch.autograd.grad(loss, [same.logits])
    assert torch.allclose(found.logits.grad, expected, rtol=1e-4, atol=1e-7)
    assert expected.abs().max() > 0
    assert not torch.equal(found.logits, same.logits), "it moves from the first step on"
    assert any(not torch.equal(a, b) for a, b in zip(before, found.supernet.parameters(), strict=True))


def test_it_learns_from_all_training_images_and_from_no_other(data, monkeypatch):
    drawn, draw = [], Part.draw

    def noted(part, rows, generator):
        drawn.append((len(part), rows))
        return draw(part, rows, generator)

    monkeypatch.setattr(Part, "draw", noted)
    steps = -(-len(data.train) // 128)
    config = PipelineConfig(darts=DartsConfig(steps=steps, channels=2, batch=128))
    list(search(SPACE, data, config, torch.Generator().manual_seed(0)))
    rows = torch.cat([some for _, some in drawn])
    assert {count for count, _ in drawn} == {len(data.train)}
    assert len(rows.unique()) > len(data.train_w) + len(data.train_alpha) - 128, "an epoch but for its rest"


def test_the_temperature_reaches_both_ends(data):
    items = list(search(SPACE, data, PipelineConfig(darts=DARTS), torch.Generator().manual_seed(0)))
    events = [item for item in items if isinstance(item, Event)]
    assert [events[0].values["temperature"], events[-1].values["temperature"]] == pytest.approx([1.0, 0.1])
