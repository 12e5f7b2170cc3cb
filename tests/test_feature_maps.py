"""Maps on the way: they are the network's own, down to its logits, for trained weights and for the supernet's."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from edgenes_core import compiled
from edgenes_core.feature_maps import (
    SUPERNET,
    WEIGHTS,
    ImageError,
    load_network,
    supernet_maps,
    trained_maps,
    with_weights,
)
from edgenes_core.inherited import inherit
from edgenes_core.one_shot import batches, inherited_probabilities, load_probe
from edgenes_core.run_records import Training
from edgenes_core.runs import RunStore
from edgenes_core.space import SearchSpace
from edgenes_core.storage import StorageError
from edgenes_core.supernet import Supernet

DEMO = Path(__file__).resolve().parents[1] / "assets" / "demo"
IMAGES = (0, 5, 6, 40, 41, 286)  # on both sides of the borders of a lane


@pytest.fixture(scope="module")
def run():
    return RunStore(DEMO.parent).open(str(DEMO))


@pytest.fixture(scope="module")
def probe(run):
    return load_probe(run)


@pytest.fixture(scope="module")
def two_cells(probe):
    """The same images in an untrained supernet of another space: k = 2, normal and reduction cells, three layers."""
    space = SearchSpace(inputs_per_node=2, cells=("normal", "reduce"))
    return probe._replace(supernet=Supernet(space, 1, 10, 4, 3, torch.Generator().manual_seed(0)))


def logits_from(maps, classifier):
    """The network's last step, from what leaves the last layer."""
    pooled = torch.from_numpy(maps.layers[-1].out).mean((1, 2))
    return F.linear(pooled, classifier.weight.detach(), classifier.bias.detach())


def test_a_trained_network_predicts_what_is_stored(run, probe):
    for training in run.plan()[:3]:
        stored, network = run.networks()[training.id].val, load_network(probe, training)
        for image in IMAGES:
            maps = trained_maps(probe, training, image)
            assert np.abs(maps.probabilities - stored[image]).max() < 1e-5
            assert maps.source == f"trained network {training.id}"
            own = logits_from(maps, network.classifier)
            assert np.abs(own.softmax(-1).numpy() - maps.probabilities).max() < 1e-6


def test_the_supernet_predicts_its_one_shot_answer(run, probe):
    cell = run.space.sample(np.random.default_rng(1))
    (rows,) = batches(len(probe.val))
    expected = inherited_probabilities(probe, cell, rows).numpy()
    for image in IMAGES:
        maps = supernet_maps(probe, cell, image)
        assert np.array_equal(maps.probabilities, expected[image])
        assert maps.source == SUPERNET
        own = logits_from(maps, probe.supernet.classifier)
        assert np.abs(own.softmax(-1).numpy() - maps.probabilities).max() < 1e-6


def test_each_layer_hands_its_maps_on(two_cells):
    """What leaves a layer, computed on for the whole batch in plain torch, is what the next layers' nodes show."""
    cell = two_cells.supernet.space.sample(np.random.default_rng(2))
    maps, rows = supernet_maps(two_cells, cell, 7), batches(len(two_cells.val))[0]
    network = inherit(two_cells.supernet, cell)
    with torch.no_grad():
        s0 = s1 = network.stem(two_cells.val.take(rows)[0], 1)
        for shown, layer in zip(maps.layers, network.cells, strict=True):
            a, b = layer.before(s0, s1)
            s0, s1 = s1, layer(s0, s1)
            for given, expected in zip((*shown.nodes[:2], shown.out), (a, b, s1), strict=True):
                np.testing.assert_allclose(given, expected[:, 7, :, :, 0].numpy(), rtol=0, atol=2e-4)


def test_shapes_and_kinds_follow_the_network(two_cells):
    cell = two_cells.supernet.space.sample(np.random.default_rng(3))
    maps = supernet_maps(two_cells, cell, 0)
    assert [layer.kind for layer in maps.layers] == ["normal", "reduce", "reduce"]
    assert [layer.nodes[0].shape for layer in maps.layers] == [(4, 8, 8), (8, 8, 8), (16, 4, 4)]
    assert [layer.out.shape for layer in maps.layers] == [(16, 8, 8), (32, 4, 4), (64, 2, 2)]
    assert all(len(layer.nodes) == 6 and values.dtype == np.float32 for layer in maps.layers for values in layer.nodes)


def test_both_engines_show_the_same_maps(run, probe, monkeypatch):
    """Images lie together in the compiled form: the right one is taken out of its group."""
    if compiled.unavailable():
        pytest.skip(compiled.unavailable())
    cell = run.base().architecture
    fast = [supernet_maps(probe, cell, image) for image in IMAGES]
    monkeypatch.setattr("edgenes_core.compiled.lanes", lambda images: 1)
    for image, ours in zip(IMAGES, fast, strict=True):
        plain = supernet_maps(probe, cell, image)
        for given, expected in zip(ours.layers[0].nodes, plain.layers[0].nodes, strict=True):
            np.testing.assert_allclose(given, expected, rtol=0, atol=1e-4)


def test_the_image_is_the_one_that_was_asked_for(run, probe):
    first, second = (supernet_maps(probe, run.base().architecture, image) for image in (3, 4))
    assert np.array_equal(first.pixels, probe.pixels[3])
    assert (first.label, first.image, first.images) == (int(run.targets("val")[3]), 3, 287)
    assert not np.array_equal(first.layers[0].nodes[2], second.layers[0].nodes[2])


@pytest.mark.parametrize("image", [-1, 287])
def test_an_image_that_does_not_exist_is_refused(run, probe, image):
    with pytest.raises(ImageError, match=f"from 0 to 286 here, got {image}"):
        supernet_maps(probe, run.base().architecture, image)
    with pytest.raises(ImageError, match=f"from 0 to 286 here, got {image}"):
        trained_maps(probe, run.plan()[0], image)


def test_only_networks_with_weights_can_be_looked_into(run, probe, tmp_path):
    base = run.base().architecture
    found = with_weights(run, base)
    assert [training.seed for training in found] == sorted({t.seed for t in run.plan() if t.architecture == base})
    absent = Training(run.space.sample(np.random.default_rng(0)), 0, ("pool",), 0)
    assert with_weights(run, absent.architecture) == ()
    with pytest.raises(StorageError, match=f"no weights of network {absent.id}"):
        trained_maps(probe, absent, 0)
    elsewhere = type(run)(tmp_path)  # weights that are not those of the cell
    elsewhere.save_network(absent, {"w": np.zeros(1, np.float32)}, np.zeros((1, 2)), np.zeros((1, 2)), {})
    assert (elsewhere.folder(absent) / WEIGHTS).exists()
    (tmp_path / "run.json").write_bytes((run.path / "run.json").read_bytes())
    with pytest.raises(StorageError, match="does not fit this run"):
        trained_maps(probe._replace(run=elsewhere), absent, 0)
