"""The one-shot score: what the stored supernet really computes, on validation images, whatever was asked before."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from edgenes_core import metrics, one_shot, storage
from edgenes_core.architecture import ArchitectureError
from edgenes_core.catalogue import DataError
from edgenes_core.one_shot import batches, load_probe
from edgenes_core.runs import RunStore
from edgenes_core.schema import to_dict
from edgenes_core.space import SearchSpace
from edgenes_core.storage import StorageError

DEMO = Path(__file__).resolve().parents[1] / "assets" / "demo"


@pytest.fixture(scope="module")
def run():
    return RunStore(DEMO.parent).open(str(DEMO))


@pytest.fixture(scope="module")
def probe(run):
    return load_probe(run)


@pytest.fixture
def copy(tmp_path):
    """A run folder of its own, to damage."""
    return RunStore(tmp_path).open(str(shutil.copytree(DEMO, tmp_path / "copy")))


def cells_of(run):
    return [interval.architecture for interval in run.lambda_path().intervals[:3]] + [
        run.space.sample(np.random.default_rng(seed)) for seed in range(3)
    ]


@torch.no_grad()
def by_supernet(probe, cell):
    """Probabilities of all images with the one-hot mixing, every operation computed."""
    mixing = torch.from_numpy(probe.run.space.encode(cell)).float()
    logits = [probe.supernet(probe.val.take(rows)[0], mixing) for rows in batches(len(probe.val))]
    return torch.cat(logits).softmax(-1).numpy()


def test_equals_the_supernet_with_a_one_hot_mixing(probe, run):
    for cell in cells_of(run):
        score, expected = one_shot.one_shot(probe, cell), by_supernet(probe, cell)
        own = torch.cat([one_shot.inherited_probabilities(probe, cell, rows) for rows in batches(len(probe.val))])
        assert_close(own.numpy(), expected, rtol=0, atol=1e-5)
        assert score.nll == pytest.approx(metrics.nll(expected, probe.val.y.numpy()), abs=1e-5)
        assert score.accuracy == pytest.approx(metrics.accuracy(expected, probe.val.y.numpy()), abs=1.5 / score.n)


def test_judges_the_validation_images_that_the_other_numbers_judge(probe, run):
    score = one_shot.one_shot(probe, run.base().architecture)
    assert (score.split, score.n) == ("val", len(run.targets("val")))
    assert np.array_equal(probe.val.y.numpy(), run.targets("val"))
    assert score.accuracy > 0.9  # α*, which the supernet was trained around; chance is 0.1


def test_no_call_leaves_a_trace(probe, run):
    cells, before = cells_of(run), {name: tensor.clone() for name, tensor in probe.supernet.state_dict().items()}
    forwards = [one_shot.one_shot(probe, cell) for cell in cells]
    backwards = [one_shot.one_shot(probe, cell) for cell in reversed(cells)]
    assert forwards == backwards[::-1]
    assert forwards == [one_shot.one_shot(load_probe(run), cell) for cell in cells]
    assert all(torch.equal(before[name], tensor) for name, tensor in probe.supernet.state_dict().items())


@pytest.mark.parametrize("images", [1, 2, 255, 287, 383, 384, 2000, 2048])
def test_batches_are_all_images_in_order_and_in_equal_parts(images):
    parts = batches(images)
    sizes = [len(rows) for rows in parts]
    assert torch.equal(torch.cat(parts), torch.arange(images))
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) < 2 * one_shot.BATCH


def test_a_large_validation_part_is_cut_to_its_first_images(run, monkeypatch):
    monkeypatch.setattr(one_shot, "MOST_IMAGES", 100)
    few = load_probe(run)
    assert one_shot.one_shot(few, run.base().architecture).n == len(few.pixels) == 100
    assert np.array_equal(few.val.y.numpy(), run.targets("val")[:100])
    assert few.val.images.untyped_storage().nbytes() == few.val.images.nbytes  # the rest is not kept alive


def test_pixels_are_those_of_the_images(probe):
    """Standardised digits back as bytes: 0 black, 16 of 16 white, in the same order."""
    assert probe.pixels.dtype == np.uint8
    assert (probe.pixels.min(), probe.pixels.max()) == (0, 255)
    flat = probe.pixels.reshape(len(probe.pixels), -1), probe.val.images.numpy().reshape(len(probe.pixels), -1)
    assert np.corrcoef(*(array.ravel().astype(float) for array in flat))[0, 1] > 0.9999


def test_a_cell_of_another_space_is_refused(probe):
    other = SearchSpace(inputs_per_node=2).sample(np.random.default_rng(0))
    with pytest.raises(ArchitectureError, match="not in the space of this run"):
        one_shot.one_shot(probe, other)


def test_what_is_missing_is_said(copy):
    data = to_dict(copy.config)
    storage.write_json(copy.path / "run.json", {**to_dict(copy.manifest), "config": {**data, "dataset": "cifar10"}})
    with pytest.raises(DataError, match="cifar10"):
        load_probe(type(copy)(copy.path))
    storage.write_json(copy.path / "run.json", {**to_dict(copy.manifest), "config": data})
    copy.save_targets(copy.targets("val")[::-1], copy.targets("test"))
    with pytest.raises(DataError, match="not those that run copy was made with"):
        load_probe(copy)
    (copy.path / one_shot.FINAL).unlink()
    with pytest.raises(StorageError, match="resume copy"):
        load_probe(copy)


def test_weights_of_another_config_are_refused(copy):
    config = replace(copy.config, darts=replace(copy.config.darts, channels=4))
    storage.write_json(copy.path / "run.json", {**to_dict(copy.manifest), "config": to_dict(config)})
    with pytest.raises(StorageError, match="does not fit this run") as refused:
        load_probe(type(copy)(copy.path))
    assert "\n" not in str(refused.value)
