"""The runs of this instance, read once for all sessions, and again when a folder or its run.json changes."""

from __future__ import annotations

import os
from pathlib import Path

import streamlit as st

from edgenes_core.run_folder import Run
from edgenes_core.runs import RunStore

Stamp = tuple[tuple[str, int, int, int], ...]


def runs_under(root: Path) -> tuple[tuple[Run, ...], tuple[str, ...]]:
    """Readable runs, newest first, and one sentence for each folder that is a run but cannot be read."""
    return _listed(str(root), _stamp(root))


def bundled_run(folder: Path) -> Run | None:
    """The run that comes with the app, if it does."""
    return _opened(str(folder), _state(folder)) if (folder / "run.json").is_file() else None


def _stamp(root: Path) -> Stamp:
    """Files are replaced, never rewritten in place: a new one has another inode and changes its folder's time."""
    try:
        names = sorted(os.listdir(root))
    except OSError:  # said by whoever lists it
        return ()
    return tuple((name, *_state(root / name)) for name in names)


def _state(folder: Path) -> tuple[int, int, int]:
    times = []
    for path in (folder, folder / "run.json"):
        try:
            found = path.stat()
        except OSError:
            times += [0, 0]
        else:
            times += [found.st_mtime_ns, found.st_ino]
    return times[0], times[2], times[3]


@st.cache_resource(max_entries=4, show_spinner=False)
def _listed(root: str, stamp: Stamp) -> tuple[tuple[Run, ...], tuple[str, ...]]:
    runs, damaged = RunStore(Path(root)).list()
    return tuple(runs), tuple(damaged)


@st.cache_resource(max_entries=4, show_spinner=False)
def _opened(folder: str, stamp: tuple[int, int, int]) -> Run:
    return Run(Path(folder))
