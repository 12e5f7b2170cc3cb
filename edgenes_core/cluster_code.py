"""What a cluster's scheduler and workers meet first: is their code the same as the run's? Imports neither torch nor the tasks.

Dask names these functions to the other side, which must therefore have this package; what crosses versions are plain strings
and bytes.
"""

from __future__ import annotations

import hashlib
import platform
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from edgenes_core import __version__
from edgenes_core.executors import ClusterError

PACKAGES = ("torch", "numpy", "numba", "distributed")
SHOWN = 12  # letters of a digest


@lru_cache(maxsize=1)
def code() -> dict[str, str]:
    """What must be the same on all sides, by name: versions without a build's label (+cpu, +cu128), python by two numbers."""
    return {
        "edgenes_core": __version__,
        "source of edgenes_core": source_digest(),
        "python": ".".join(platform.python_version_tuple()[:2]),
        **{package: version(package).partition("+")[0] for package in PACKAGES},
    }


def source_digest() -> str:
    """Of every file of this package, with its name."""
    here, found = Path(__file__).parent, hashlib.sha256()
    for file in sorted(here.rglob("*.py")):
        found.update(f"{file.relative_to(here)}\0".encode() + file.read_bytes())
    return found.hexdigest()[:SHOWN]


def difference(who: str, there: dict[str, str], here: dict[str, str]) -> str:
    """A sentence on the first thing that is not the same, empty if all is."""
    for name, mine in here.items():
        if (theirs := there.get(name, "none")) != mine:
            return (
                f"{who} has {name} {theirs}, this run has {mine}, and only the same code gives the same networks; start it "
                "from the same commit with the packages of requirements.txt (docs/cluster.md)."
            )
    return ""


def work(expected: dict[str, str], packed: bytes) -> Any:
    """One task on a worker; `packed` is not opened before the code was found to be the same."""
    from distributed import get_worker
    from distributed.protocol import deserialize_bytes

    if fault := difference(f"Worker {get_worker().address}", code(), expected):
        raise ClusterError(fault)
    from edgenes_core.cluster_worker import perform

    return perform(*deserialize_bytes(packed))
