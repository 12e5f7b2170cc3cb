"""The number of parameters equals that of the network that is really built, and of a network that was really stored."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from edgenes_core import storage
from edgenes_core.network import Network
from edgenes_core.parameters import parameter_count
from edgenes_core.runs import RunStore
from edgenes_core.schema import ConfigError
from edgenes_core.space import SearchSpace

DEMO = Path(__file__).resolve().parents[1] / "assets" / "demo"


@settings(max_examples=20)
@given(
    k=st.sampled_from([1, 2]),
    kinds=st.sampled_from([("reduce",), ("normal", "reduce")]),
    seed=st.integers(0, 2**32),
    sizes=st.tuples(st.sampled_from([1, 3]), st.integers(2, 12), st.sampled_from([2, 4]), st.integers(2, 3)),
)
def test_equals_the_network(k, kinds, seed, sizes):
    architecture = SearchSpace(inputs_per_node=k, cells=kinds).sample(np.random.default_rng(seed))
    built = Network(architecture, *sizes, torch.Generator())
    assert parameter_count(architecture, *sizes) == sum(parameter.numel() for parameter in built.parameters())


def test_equals_what_a_run_stored():
    """All elements of weights.safetensors but the running statistics of the norms."""
    run = RunStore(DEMO.parent).open(str(DEMO))
    config, dataset = run.config.retrain, run.manifest.dataset
    sizes = dataset["image"][0], len(dataset["classes"]), config.channels, config.layers
    for training in run.plan()[:4]:
        stored = storage.read_tensors(run.folder(training) / "weights.safetensors")
        trained = [array for name, array in stored.items() if name.rpartition(".")[2] not in ("mean", "var")]
        assert len(trained) < len(stored)
        assert parameter_count(training.architecture, *sizes) == sum(array.size for array in trained)


def test_no_network_no_number():
    two = SearchSpace(cells=("normal", "reduce")).sample(np.random.default_rng(0))
    with pytest.raises(ConfigError, match="at least 2 layers"):
        parameter_count(two, 1, 10, 4, 1)
