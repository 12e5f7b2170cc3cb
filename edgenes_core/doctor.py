"""What could be wrong with this machine, each with how to mend it."""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from edgenes_core import EdgeNESError
from edgenes_core.catalogue import KNOWN, data_folder, present, stored_file
from edgenes_core.npz_file import headers_of

PACKAGES = ("streamlit", "torch", "plotly", "networkx", "umap-learn")


@dataclass(frozen=True)
class Check:
    """One finding; `ok` is False if the app or the pipeline would suffer."""

    name: str
    ok: bool
    finding: str


def examine(runs: Path) -> list[Check]:
    """Python, packages, torchvision's import, device, engine, datasets, and whether the data folder and `runs` can be written."""
    return [
        _check("python", _python),
        *(_check(name, partial(version, name)) for name in PACKAGES),
        _check("torchvision", _torchvision),
        _check("device", _device),
        _check("engine", _engine),
        _check("digits", _digits),
        *(_check(known.name, partial(_named, known.name)) for known in KNOWN.values() if known.files),
        _check("data folder", lambda: _writable(data_folder())),
        _check("runs folder", lambda: _writable(runs)),
    ]


def _check(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, True, look())
    except PackageNotFoundError:
        return Check(name, False, "not installed; run: pip install -r requirements.txt")
    except (EdgeNESError, OSError, ImportError, RuntimeError) as error:
        return Check(name, False, str(error))


def _python() -> str:
    if platform.python_version_tuple()[:2] != ("3", "11"):
        raise EdgeNESError(f"Python 3.11 is what the pinned packages fit, this is {platform.python_version()}.")
    return platform.python_version()


def _torchvision() -> str:
    from edgenes_core.torchvision_compat import import_torchvision

    return str(import_torchvision().__version__)


def _device() -> str:
    from edgenes_core.device import choose_device, describe

    return describe(choose_device("auto"))


def _engine() -> str:
    """Plain torch is slower, not wrong: never a failure."""
    from edgenes_core.compiled import unavailable

    reason = unavailable()
    return f"plain torch on the CPU: {reason}" if reason else "compiled loops on the CPU"


def _digits() -> str:
    from edgenes_core.data import load_dataset

    return f"{sum(load_dataset('digits').summary()['images'].values())} images"  # type: ignore[attr-defined]


def _named(name: str) -> str:
    """A dataset that was not downloaded is no fault, one that cannot be read is."""
    if not present(name):
        return f"not downloaded; get it with: python -m edgenes_core download {name}"
    headers = headers_of(stored_file(name))
    return f"{sum(headers[y].shape[0] for y in ('y_train', 'y_test'))} images in {stored_file(name)}"


def _writable(folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        return f"{folder.resolve()} can be written"
