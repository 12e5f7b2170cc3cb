"""Is it the same run? A digest of all that decides its results: settings, seed, images, code, and versions of what it runs on."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from edgenes_core import jobs
from edgenes_core.catalogue import KNOWN, DataError
from edgenes_core.cluster_code import source_digest
from edgenes_core.config import PipelineConfig
from edgenes_core.provenance import versions
from edgenes_core.run_folder import Run
from edgenes_core.runs import RunStore
from edgenes_core.schema import to_dict


def digest(config: PipelineConfig) -> str:
    """64 hex digits; DataError if the images cannot be read. A preset's name decides nothing, and a path only by what it holds."""
    settings = to_dict(config) | {"preset": "", "dataset": images(config.dataset)}
    said = {"config": settings, "source": source_digest(), "versions": versions()}
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def images(dataset: str) -> str:
    """What a dataset is: its name if it is a known one, else a digest of the file, or of the folder's names and files."""
    if dataset in KNOWN:
        return dataset
    root, found = Path(dataset), hashlib.sha256()
    try:
        if root.is_file():
            return _file(root)
        for file in sorted(path for part in ("train", "test") for path in (root / part).rglob("*") if path.is_file()):
            found.update(f"{file.relative_to(root)}\0{_file(file)}\0".encode())
    except OSError as error:
        raise DataError(f"Cannot read {dataset}: {error.strerror or error}. Give a path that you may read.") from None
    return found.hexdigest()


def same(store: RunStore, mark: str) -> Run | None:
    """The newest run with this digest, a finished one first; None if there is none. Runs of earlier versions have none."""
    alike = [run for run in store.list()[0] if mark and run.manifest.digest == mark]
    return next((run for run in alike if jobs.state(run).name == "finished"), alike[0] if alike else None)


def _file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
