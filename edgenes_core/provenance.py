"""Where a run comes from: versions that can change a number, and the commit of this code."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from edgenes_core import __version__


def versions() -> dict[str, str]:
    """Versions that can change a number; a package that is not there is said to be missing."""
    packages = ("torch", "numba", "numpy", "scikit-learn", "umap-learn")
    return {"edgenes": __version__, "python": platform.python_version(), **{p: _version(p) for p in packages}}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def commit() -> str:
    """Commit of this code, with '+' if files differ from it; empty outside a git checkout."""
    here = Path(__file__).parent
    try:
        head, changes = (
            subprocess.run(["git", *rest], cwd=here, capture_output=True, text=True, timeout=10).stdout.strip()
            for rest in (["rev-parse", "HEAD"], ["status", "--porcelain", "--untracked-files=no"])
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return head + ("+" if head and changes else "")
