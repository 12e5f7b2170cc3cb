"""Runs and readers for the tests of pages: whole runs with a map, untrained ones, and what a page says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import sample_runs
from streamlit.testing.v1 import AppTest
from test_pages_explore import open_page

from edgenes_core import embeddings
from edgenes_core.config import SpaceConfig
from edgenes_core.run_folder import Run
from edgenes_core.run_records import Cost, Training


def whole(root: Path, space: SpaceConfig | None = None, flat: bool = False) -> Run:
    """A finished run with its map."""
    run = sample_runs.finished(root, space, flat)
    cells = list({i.architecture.key: i for i in run.lambda_path().intervals}.values())
    encodings = np.stack([run.space.encode(i.architecture) for i in cells])
    base = run.base().architecture
    run.save_embedding(
        keys=np.array([i.architecture.key for i in cells]),
        architectures=np.array([i.architecture.to_json() for i in cells]),
        role=np.array(["base" if i.architecture == base else "path" for i in cells]),
        lam=np.array([(i.lo + i.hi) / 2 for i in cells]),
        shared=np.array([i.shared for i in cells]),
        count=np.ones(len(cells), int),
        pca=embeddings.pca(encodings),
    )
    run.finish_stage("embed", Cost(1.0, 0))
    return run


def untrain(run: Run, keep: int) -> None:
    """Forget all networks but the first few."""
    for training in run.plan()[keep:]:
        (run.folder(training) / "history.json").unlink()
    run.update(stages={k: v for k, v in run.manifest.stages.items() if k not in ("retrain", "select", "embed")})
    for file in (run.path / "ensembles").glob("*.json"):
        file.unlink()


def rows_of(app: AppTest) -> list[str]:
    """Rows of all static tables."""
    return [line for text in app.markdown for line in text.value.splitlines() if line.startswith("|")]


def first(run: Run) -> Training:
    return run.plan()[0]


def shown(page: str, run: Run) -> AppTest:
    app = open_page(page, run)
    assert not app.exception, [e.value for e in app.exception]
    return app
