"""Shared by all tests: reproducible hypothesis examples, a seeded generator, a data folder of their own."""

import os
import sys
from collections.abc import Iterator
from functools import cache

import numpy as np
import order
import pytest
from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported: a second thread slows tiny networks down

MAIN = sys.modules["__main__"]
settings.register_profile("edgenes", derandomize=True, deadline=None, max_examples=40, database=None)
settings.load_profile("edgenes")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = order.in_order(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """How `--dist loadfile` hands tests to several processes; any other --dist is left as it is."""
    return order.scheduler(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture(scope="session", autouse=True)
def own_data_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tests neither need nor touch the datasets of whoever runs them."""
    os.environ["EDGENES_DATA"] = str(tmp_path_factory.mktemp("datasets"))


@pytest.fixture(scope="session", autouse=True)
def checked_figures() -> None:
    """Plotly checks every figure that a test draws; the app leaves that out."""
    from edgenes_core.figures import build

    build.CHECKED = True


@pytest.fixture(scope="session", autouse=True)
def packages_read_once() -> None:
    """AppTest looks for components in the metadata of every installed package, 0.3 s for each page under test."""
    from streamlit.components.v2 import manifest_scanner

    manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)


@pytest.fixture(autouse=True)
def own_main_module() -> Iterator[None]:
    """A page under test becomes this process's main module and stays it; a worker that is then started would run that page."""
    yield
    sys.modules["__main__"] = MAIN


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
