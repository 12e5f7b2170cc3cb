"""Shared by all tests: reproducible hypothesis examples and a seeded generator."""

import os

import numpy as np
import pytest
from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported: a second thread slows tiny networks down

settings.register_profile("edgenes", derandomize=True, deadline=None, max_examples=40, database=None)
settings.load_profile("edgenes")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
