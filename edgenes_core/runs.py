"""All runs under one folder: create, open by id or path, list."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgenes_core import storage
from edgenes_core.config import PipelineConfig
from edgenes_core.provenance import commit, versions
from edgenes_core.run_folder import ID, Run
from edgenes_core.run_records import Manifest
from edgenes_core.schema import to_dict
from edgenes_core.storage import StorageError


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
            try:
                path.mkdir(parents=True)
                break
            except FileExistsError:
                continue
            except OSError as error:
                raise StorageError(
                    f"Cannot create {path}: {error.strerror or error}. Choose another folder with --runs DIR."
                ) from None
        created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        known = {"versions": versions(), "commit": commit(), **manifest}
        storage.write_json(path / "run.json", to_dict(Manifest(path.name, created, config, **known)))
        return Run(path)

    def open(self, reference: str) -> Run:
        """A run by id under the root, or by a path to a run folder; StorageError if there is none."""
        path = Path(reference)
        if ID.fullmatch(reference) and (self.root / reference / "run.json").is_file():
            path = self.root / reference
        if not os.path.isfile(path / "run.json"):  # unlike Path.is_file, False for a name that is too long
            raise StorageError(
                f"No run {reference!r} under {self.root} and no run folder at that path; see: python -m edgenes_core list"
            )
        run = Run(path)
        run.config  # noqa: B018 - a damaged run.json must be said here, not later
        return run

    def list(self) -> tuple[list[Run], list[str]]:
        """Readable runs, newest first, and one sentence for each folder that is not."""
        runs, damaged = [], []
        folders = sorted(self.root.iterdir(), reverse=True) if self.root.is_dir() else []
        for folder in folders:
            if (folder / "run.json").exists():
                try:
                    runs.append(self.open(str(folder)))
                except Exception as error:
                    damaged.append(f"{folder.name}: {error}")
        return runs, damaged
