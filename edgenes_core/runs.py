"""All runs under one folder: create, open by id or path, list."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from edgenes_core import durable, storage
from edgenes_core.config import PipelineConfig
from edgenes_core.provenance import commit, versions
from edgenes_core.run_folder import ID, Run
from edgenes_core.run_records import Manifest
from edgenes_core.schema import to_dict
from edgenes_core.storage import StorageError

# A folder with one of them is a run, or was one.
FILES = {"run.json", "events.jsonl", "base.json", "plan.json", "path.json", "targets.npz", "candidates", "ensembles"}


@dataclass(frozen=True)
class RunStore:
    """All runs under one folder."""

    root: Path

    def create(self, config: PipelineConfig, **manifest: Any) -> Run:
        """A new run folder with its manifest; the id is date, dataset and a counter, never a typed name."""
        stem = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(config.dataset).stem)[:40].strip("-") or "data"
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        for counter in range(1000):
            path = self.root / f"{stamp}-{stem}-s{config.seed}{f'-{counter}' if counter else ''}"
            if self._claim(path):
                break
        created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        known = {"versions": versions(), "commit": commit(), **manifest}
        try:
            with storage.writing(f"create {path}"):
                durable.flush_folder(self.root)
            storage.write_json(path / "run.json", to_dict(Manifest(path.name, created, config, **known)))
        except BaseException:  # a folder without it would be no run
            shutil.rmtree(path, ignore_errors=True)
            raise
        return Run(path)

    def _claim(self, path: Path) -> bool:
        """Make a run's folder; False if it is there."""
        with storage.writing(f"create {path}"):
            durable.make_folder(self.root)
            try:
                path.mkdir()
            except FileExistsError:
                return False
            return True

    def open(self, reference: str) -> Run:
        """A run by id under the root, or by a path to a run folder; StorageError if there is none."""
        path = Path(reference)
        if ID.fullmatch(reference) and _is_run(self.root / reference):
            path = self.root / reference
        if not _is_run(path):
            raise StorageError(
                f"No run {reference!r} under {self.root} and no run folder at that path; see: python -m edgenes_core list"
            )
        _tidy(path.absolute())
        run = Run(path)
        run.config  # noqa: B018 - a damaged run.json must be said here, not later
        return run

    def list(self) -> tuple[list[Run], list[str]]:
        """Readable runs, newest first, and one sentence for each folder that is a run but cannot be read."""
        runs, damaged = [], []
        for folder in _run_folders(self.root):
            try:
                runs.append(self.open(str(folder)))
            except Exception as error:
                damaged.append(f"{folder.name}: {error}")
        return runs, damaged


def _run_folders(root: Path) -> Sequence[Path]:
    """All run folders by descending name; StorageError if the root cannot be listed."""
    try:
        names = sorted(os.listdir(root), reverse=True)
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise StorageError(f"Cannot list {root}: {error.strerror or error}. Mend its permissions.") from None
    for name in names:
        if name.startswith(durable.STAGED):  # of an import that was killed
            durable.discard(root / name)
    return [root / name for name in names if not name.startswith(".") and _is_run(root / name)]


def _is_run(path: Path) -> bool:
    """Whether a folder is a run, even one that lost its run.json or cannot be looked into."""
    try:
        inside = os.listdir(path)
    except PermissionError:
        return bool(ID.fullmatch(path.name))
    except (OSError, ValueError):  # no folder, or no name that one could have
        return False
    return not FILES.isdisjoint(inside)


@lru_cache(maxsize=1024)
def _tidy(path: Path) -> None:
    """Once for each run and process: remove what killed writers left."""
    durable.sweep(path)
