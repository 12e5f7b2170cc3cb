"""The estimate is arithmetic on measured steps: it grows with the work, and its shapes are those of the loaded data."""

from __future__ import annotations

import dataclasses
import functools
import io
import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny import SETTINGS, TINY

from edgenes_core import EdgeNESError, calibration
from edgenes_core.catalogue import KNOWN
from edgenes_core.cli import main
from edgenes_core.config import PRESETS, EnsembleConfig, HypernetConfig, PipelineConfig, RetrainConfig
from edgenes_core.data import load_dataset
from edgenes_core.estimate import Shape, Timing, estimate, networks, shape_of, timed_alike
from edgenes_core.lambda_path import Interval
from edgenes_core.planning import plan_trainings
from edgenes_core.run_records import build_space
from edgenes_core.schema import to_dict

SHAPE = Shape(1, 8, 8, 10, 1150, 288, 359)
seconds = st.floats(1e-5, 10)
timings = st.builds(
    Timing,
    seconds,
    seconds,
    seconds,
    seconds,
    seconds,
    st.lists(seconds, min_size=1, max_size=3).map(tuple),
    st.integers(1, 4),
)


@given(timings, st.integers(1, 30), st.integers(1, 4), st.integers(1, 16), st.integers(1, 16))
def test_more_work_takes_longer_and_more_workers_do_not(timing, epochs, seeds, workers, cores):
    config = PipelineConfig(retrain=RetrainConfig(epochs=epochs), ensemble=EnsembleConfig(seeds=seeds))
    found = estimate(config, SHAPE, timing, workers, cores)
    assert 0 < found.low <= found.high
    for more in (
        dataclasses.replace(config, retrain=RetrainConfig(epochs=2 * epochs)),
        dataclasses.replace(config, ensemble=EnsembleConfig(seeds=seeds + 1)),
        dataclasses.replace(config, hypernet=HypernetConfig(steps=10_000)),
    ):
        grown = estimate(more, SHAPE, timing, workers, cores)
        assert found.low < grown.low
        assert found.high < grown.high
    helped = estimate(config, SHAPE, timing, workers + 1, cores)
    assert helped.low <= found.low
    assert helped.stages["retrain"] <= found.stages["retrain"]


@given(timings)
def test_epochs_scale_retraining_and_nothing_else(timing):
    once, twice = (
        estimate(
            PipelineConfig(retrain=RetrainConfig(epochs=e)), dataclasses.replace(SHAPE, val=0, test=0), timing, 2, 2
        )
        for e in (10, 20)
    )
    assert twice.stages["retrain"] == pytest.approx(2 * once.stages["retrain"])
    assert all(twice.stages[name] == once.stages[name] for name in once.stages if name != "retrain")


@pytest.mark.parametrize("name", PRESETS)
def test_networks_bound_the_plan(name, rng):
    config = PRESETS[name]
    space = build_space(config.space)
    base = space.sample(rng)
    cells = [base, *(space.sample(rng) for _ in range(config.ensemble.pool - 1))]
    pool = tuple(Interval(i, i + 1.0, cell, 0) for i, cell in enumerate(cells))
    assert len(plan_trainings(space, config, base, pool)) <= networks(config)


def test_shapes_are_those_of_the_loaded_data(tmp_path):
    file = tmp_path / "own.npz"
    x, y = np.zeros((40, 6, 5, 3), np.uint8), np.arange(40) % 4
    x[::2] = 9
    np.savez(file, x_train=x, y_train=y, x_test=x[:8], y_test=y[:8])
    for name in ("digits", str(file)):
        data, shape = load_dataset(name), shape_of(name)
        assert (shape.channels, shape.height, shape.width) == tuple(data.val.images.shape[1:])
        assert shape.classes == len(data.classes)
        assert shape.test == len(data.test)
        assert abs(shape.val - len(data.val)) <= shape.classes
        assert shape.train + shape.val == len(data.train) + len(data.val)


def test_a_dataset_that_is_not_there_has_a_shape_and_an_unknown_one_has_not(monkeypatch, tmp_path):
    monkeypatch.setenv("EDGENES_DATA", str(tmp_path))
    assert shape_of("fashion_mnist") == Shape(1, 32, 32, 10, 48_000, 12_000, 10_000)
    assert all(shape_of(name).train > shape_of(name).val > 0 for name in KNOWN)
    assert not list(tmp_path.iterdir())
    with pytest.raises(EdgeNESError, match="Unknown dataset"):
        shape_of("mnist")


def test_lengths_do_not_change_a_steps_time_and_sizes_do():
    longer = dataclasses.replace(
        PRESETS["quick"], seed=3, retrain=RetrainConfig(epochs=9), ensemble=EnsembleConfig(pool=9)
    )
    wider = dataclasses.replace(PRESETS["quick"], retrain=RetrainConfig(epochs=8, channels=16))
    assert timed_alike(longer) == timed_alike(PRESETS["quick"])
    assert timed_alike(wider) != timed_alike(PRESETS["quick"])


@given(st.floats(1e-6, 1.0), st.integers(2, 512), st.floats(1e-3, 10.0))
def test_a_step_that_is_too_slow_is_timed_at_a_smaller_batch_and_scaled(per_image, batch, budget):
    """With steps linear in the batch the answer is exact whatever the time allowed, and the time allowed is kept to."""
    taken = []

    def once(step, machine):
        taken.append(step())
        return taken[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calibration, "_once", once)
        found = calibration.timed(lambda size: lambda: per_image * size, batch, budget, torch.device("cpu"))
    assert found == pytest.approx(per_image * batch)
    smallest = per_image * min(batch, calibration.PROBE)
    assert sum(taken) <= 2 * budget + 4 * smallest + 1e-9


def test_a_real_measurement_is_positive_and_leaves_torch_as_it_was():
    threads = torch.get_num_threads()
    timing = calibration.measure(TINY, SHAPE, "cpu", seconds=0.1)
    numbers = (
        timing.weight_step,
        timing.search_step,
        timing.map_step,
        timing.polish_step,
        timing.report,
        *timing.batches,
    )
    assert all(0 < number < 60 for number in numbers)
    assert len(timing.batches) == calibration.CELLS
    assert torch.get_num_threads() == threads


def test_the_command_says_a_range_and_takes_a_config(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(calibration, "measure", functools.partial(calibration.measure, seconds=0.1))
    settings = [argument for setting in SETTINGS for argument in ("--set", setting)]
    assert main(["estimate", "--runs", str(tmp_path), "--json", "--device", "cpu", *settings]) == 0
    said = json.loads(capsys.readouterr().out)
    assert set(said) == {"estimate", "timing", "shape"}
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(to_dict(TINY))))
    assert main(["estimate", "--config", "-", "--device", "cpu"]) == 0
    assert capsys.readouterr().out.startswith("between ")
    assert main(["estimate", "--config", str(tmp_path / "none.json")]) == 1
    assert "Cannot read a config" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
