"""Tabs of the Ensembles page for tests: opened, with a basket, and with stored predictions of shifted images."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import sample_runs
from page_runs import shown
from streamlit.testing.v1 import AppTest

from edgenes_core import storage
from edgenes_core.corruptions import TEST_CORRUPTIONS, VALIDATION_CORRUPTIONS
from edgenes_core.run_folder import Run
from edgenes_core.run_records import Training
from edgenes_core.shifted import file_of, name_of


def opened(run: Run, tab: str, basket: Sequence[str] | None = None) -> AppTest:
    """A tab without an exception; errors are for the test to look at."""
    app = shown("ensembles.py", run)
    if basket is not None:
        app.multiselect(key="ensembles_members").set_value(list(basket)).run()
    app.session_state["ensembles_tab"] = tab
    app.run()
    assert not app.exception, [e.value for e in app.exception]
    return app


def flat(text: str) -> str:
    """Without what only keeps a line together."""
    return text.replace("\u00a0", " ").replace("**", "")


def executed(script: str) -> list[dict[str, Any]]:
    """The table of a snippet."""
    names: dict[str, Any] = {}
    exec(compile(script, "view.py", "exec"), names)  # noqa: S102 - what the user is told to run
    return names["table"]


def snippets_of(app: AppTest) -> list[str]:
    """Every script on the page."""
    return [code.value for code in app.code if "RunStore" in code.value]


def retrain(run: Run, seeds: int = 3) -> None:
    """Further seeds of every cell of the pool, as `ensemble.seeds` asks for."""
    rng, pool = np.random.default_rng(1), [training for training in run.plan() if "pool" in training.roles]
    more = [replace(training, seed=seed, roles=("spread",)) for training in pool for seed in range(1, seeds)]
    known = {training.id for training in run.plan()}
    more = [training for training in more if training.id not in known]
    run.save_plan([*run.plan(), *more])
    for training in more:
        val, test = (sample_runs.probabilities(run.targets(split), rng) for split in ("val", "test"))
        run.save_network(training, {"w": np.zeros(1, np.float32)}, val, test, {"val_accuracy": [0.5]})


def predict(run: Run, trainings: Iterable[Training], severities: Sequence[int] = (1, 5), split: str = "val") -> None:
    """Store predictions that get worse with severity, and two foreign sources."""
    corruptions = VALIDATION_CORRUPTIONS if split == "val" else TEST_CORRUPTIONS
    for place, training in enumerate(trainings):
        rng = np.random.default_rng(place)
        clean = storage.read_array(run.folder(training) / f"{split}.npy")
        for name in corruptions:
            for severity in severities:
                noise = rng.dirichlet(np.ones(clean.shape[1]), len(clean))
                worse = clean * (1 - severity / 6) + noise * severity / 6
                storage.write_array(file_of(run, training, name_of(name, severity, split)), worse.astype(np.float32))
        for source in ("noise", "shuffled") if split == "val" else ():
            foreign = rng.dirichlet(np.ones(clean.shape[1]), len(clean) + 7)
            storage.write_array(file_of(run, training, f"outside-{source}"), foreign.astype(np.float32))
