"""Looks at the machine: Python, packages against their pins, device, compiler, browser, port, cluster."""

from __future__ import annotations

import platform
import socket
import urllib.request
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from edgenes_core import browser
from edgenes_core.findings import FaultError, Look, Place, RemarkError

REQUIREMENTS = Path(__file__).parents[1] / "requirements.txt"
SHOWN = 4  # packages named; the others are counted


def python(place: Place) -> str:
    if platform.python_version_tuple()[:2] != ("3", "11"):
        raise FaultError(f"this is Python {platform.python_version()}, and the pinned packages fit 3.11")
    return platform.python_version()


def packages(place: Place) -> str:
    """All pins of requirements.txt; a build's label (+cpu) is no difference."""
    try:
        lines = REQUIREMENTS.read_text().splitlines()
    except OSError:
        raise RemarkError(f"there is no {REQUIREMENTS} to compare with") from None
    pins = [line.split("==") for line in lines if "==" in line]
    found = list(_mismatches(pins))
    if found:
        more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise FaultError("; ".join(found[:SHOWN]) + more)
    return f"all {len(pins)} as pinned in {REQUIREMENTS.name}"


def _mismatches(pins: list[list[str]]) -> Iterator[str]:
    for name, pinned in pins:
        try:
            here = version(name)
        except PackageNotFoundError:
            yield f"{name} is not installed (pinned: {pinned})"
            continue
        if here.partition("+")[0] != pinned:
            yield f"{name} is {here} (pinned: {pinned})"


def torchvision(place: Place) -> str:
    from edgenes_core.torchvision_compat import import_torchvision

    return str(import_torchvision().__version__)


def device(place: Place) -> str:
    from edgenes_core.device import choose_device, describe

    return describe(choose_device("auto"))


def engine(place: Place) -> str:
    """A function compiled now, beside what the loops themselves need. Plain torch is slower, not wrong: never a fault."""
    from edgenes_core.compiled import unavailable

    if reason := unavailable():
        raise RemarkError(f"plain torch on the CPU: {reason}")
    try:
        _compile()
    except Exception as error:  # whatever numba or LLVM stumble on
        raise RemarkError(
            f"plain torch on the CPU: numba compiles nothing here ({type(error).__name__}: {error})"
        ) from None
    return "compiled loops on the CPU"


def _compile() -> None:
    from numba import njit

    njit(lambda number: number + 1)(1)


def chrome(place: Place) -> str:
    path = browser.find()
    if fault := browser.fault(path):
        raise RemarkError(f"PNG, PDF and the SVG of a chart are printed by a Chrome or Chromium, and {fault}")
    return str(path)


def port(place: Place) -> str:
    """Free, or the app itself answers there."""
    if not 0 < place.port < 65536:
        raise FaultError(f"a port is a number from 1 to 65535, got {place.port}")
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the app does: a port just left is free
            probe.bind(("127.0.0.1", place.port))
    except OSError as error:
        if _is_app(place.port):
            return f"a Streamlit app answers at http://127.0.0.1:{place.port}"
        raise FaultError(f"port {place.port} cannot be used: {error.strerror or error}") from None
    return f"port {place.port} is free"


def _is_app(number: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{number}/_stcore/health", timeout=2) as answer:
            return bool(answer.read(10) == b"ok")
    except (OSError, ValueError):
        return False
    except Exception:  # http.client's, for what speaks no HTTP
        return False


def cluster(place: Place) -> str:
    """Scheduler and workers greeted as a run does, with the digits."""
    if not place.cluster:
        return "not asked about (doctor --cluster tcp://HOST:PORT)"
    from edgenes_core.executors import cluster_address

    address = cluster_address(place.cluster)
    from edgenes_core.cluster import ClusterExecutor

    executor = ClusterExecutor(address, "digits", "resume RUN")
    try:
        executor.open(False, lambda: _lonely(address))
        return f"{len(executor.client.nthreads())} workers at {address} run this code"
    finally:
        executor.shutdown()


def _lonely(address: str) -> None:
    raise FaultError(f"the scheduler at {address} answers, but no worker is connected to it")


LOOKS = (
    Look("python", python, "Install Python 3.11 and run: make app PYTHON=/path/to/python3.11"),
    Look("packages", packages, "Run: .venv/bin/pip install -r requirements.txt"),
    Look("torchvision", torchvision, "Run: .venv/bin/pip install -r requirements.txt"),
    Look("device", device, "Training goes on a CPU too: --device cpu"),
    Look(
        "engine",
        engine,
        "Runs are right without it, but slower; numba needs a folder it may write to (NUMBA_CACHE_DIR) and AVX2 or NEON.",
    ),
    Look("chrome", chrome, f"For these files, {browser.INSTALL}; all else works without."),
    Look("port", port, "End what listens there, or take another port: make app PORT=8502"),
    Look(
        "cluster",
        cluster,
        "Start it, or mend it, as docs/cluster.md says; without --cluster runs train on this machine.",
    ),
)
