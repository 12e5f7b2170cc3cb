"""Training one discrete network."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from edgenes_core.config import AugmentConfig, RetrainConfig
from edgenes_core.data import Part, load_dataset
from edgenes_core.device import DeviceError, choose_device
from edgenes_core.network import Network
from edgenes_core.space import SearchSpace
from edgenes_core.tasks import derive_seed, train_candidate
from edgenes_core.train import TrainingError, fit, predict, set_cosine, weight_optimizer

CONFIG = RetrainConfig(epochs=2, channels=4)
CELL = SearchSpace().sample(np.random.default_rng(0))


def network(seed=0, cell=CELL):
    return Network(cell, 1, 10, 4, 1, torch.Generator().manual_seed(seed))


def test_training_learns_and_predicts_distributions():
    data = load_dataset("digits")
    net, start = network(), math.log(10)
    losses = [event.values["train_loss"] for event in fit(net, data.train, CONFIG, torch.Generator().manual_seed(0))]
    assert losses[1] < losses[0] < start
    probs = predict(net, data.val)
    assert torch.allclose(probs.sum(1), torch.ones(len(data.val)), atol=1e-5)
    assert (probs.argmax(1) == data.val.y).float().mean() > 0.5


def test_it_trains_on_augmented_images_where_they_are_asked_for(monkeypatch):
    """With `retrain.augment` the training is another one than without, and the one that augments as the config says."""
    data, how = load_dataset("digits"), AugmentConfig(shift=1, cutout=2)
    few = replace(data.train, images=data.train.images[:128], y=data.train.y[:128])

    def losses(part, config):
        return [e.values["train_loss"] for e in fit(network(), part, config, torch.Generator().manual_seed(0))]

    asked = losses(few, replace(CONFIG, augment=how))
    assert asked != losses(few, CONFIG)
    seen = []
    monkeypatch.setattr(Part, "draw", lambda part, rows, generator: seen.append(part.augment) or part.take(rows))
    losses(few, replace(CONFIG, augment=how))
    assert set(seen) == {how}


def test_prediction_does_not_depend_on_the_batch():
    net, part = network(), Part(torch.randn(11, 1, 8, 8), torch.zeros(11, dtype=torch.long))
    assert torch.allclose(predict(net, part, 3), predict(net, part, 11), atol=1e-6)


def test_same_seed_same_network_bit_by_bit():
    first, second, other = (train_candidate("digits", CELL, CONFIG, seed, "cpu") for seed in (3, 3, 4))
    assert np.array_equal(first.val, second.val)
    assert all(np.array_equal(first.weights[name], second.weights[name]) for name in first.weights)
    assert not np.array_equal(first.val, other.val)


def test_stored_weights_are_the_network():
    data, trained = load_dataset("digits"), train_candidate("digits", CELL, CONFIG, 3, "cpu")
    net = network(seed=9)
    net.load_state_dict({name: torch.from_numpy(array) for name, array in trained.weights.items()})
    assert np.allclose(predict(net, data.test).numpy(), trained.test, atol=1e-6)


def test_diverging_training_is_said():
    part = Part(torch.full((8, 1, 8, 8), float("inf")), torch.zeros(8, dtype=torch.long))
    with pytest.raises(TrainingError, match="lower the learning rate"):
        list(fit(network(), part, CONFIG, torch.Generator()))


def test_cosine_runs_from_peak_towards_zero():
    optimizer, rates = weight_optimizer(network(), 0.1), []
    for step in range(10):
        set_cosine(optimizer, 0.1, step, 10)
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates[0] == 0.1
    assert rates[-1] < 0.003
    assert rates == sorted(rates, reverse=True)


def test_seeds_differ_by_every_part():
    seeds = {derive_seed(*parts) for parts in [(0, "a"), (1, "a"), (0, "b"), ("0", "a"), (0, "a", 0)]}
    assert len(seeds) == 5
    assert all(0 <= seed < 2**62 for seed in seeds)


def test_device_names_are_checked():
    assert choose_device("cpu").type == "cpu"
    assert choose_device("auto").type in ("cuda", "mps", "cpu")
    with pytest.raises(DeviceError, match="one of auto"):
        choose_device("tpu")
    if not torch.cuda.is_available():
        with pytest.raises(DeviceError, match="take --device auto"):
            choose_device("cuda")


def test_torchvision_imports_beside_this_torch():
    """Its warnings are its own; what counts is that transforms work with the pinned pair."""
    import warnings

    from edgenes_core.torchvision_compat import import_torchvision

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torchvision = import_torchvision()
        flipped = torchvision.transforms.functional.hflip(torch.arange(4.0).reshape(1, 2, 2))
    assert torchvision.__version__.startswith("0.28.0")
    assert flipped.tolist() == [[[1, 0], [3, 2]]]
