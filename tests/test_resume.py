"""A run killed at any moment and resumed ends with the same bytes as one that was never stopped."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny import TINY, Killed, finish, tiny_run

from edgenes_core.checkpoint import FileKeeper
from edgenes_core.config import EnsembleConfig
from edgenes_core.records import Event, without_redone
from edgenes_core.run_folder import Run
from edgenes_core.runs import RunStore
from edgenes_core.search import loop
from edgenes_core.session import Cancelled

CONFIG = replace(
    TINY,
    darts=replace(TINY.darts, steps=12, batch=16),
    hypernet=replace(TINY.hypernet, steps=10, polish_steps=12, batch=16),
    retrain=replace(TINY.retrain, epochs=2, batch=256, channels=2),
    ensemble=EnsembleConfig(pool=1, size=1, controls=1),
)
STAGES = ("darts", "hypernet", "fit")
ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def often(monkeypatch) -> None:
    """Read and offer every third step, so that there are many places to be killed at."""
    monkeypatch.setattr(loop, "READ_STEPS", 3)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    return tiny_run(tmp_path_factory.mktemp("runs"), CONFIG)


def results(run: Run) -> dict[str, bytes]:
    """Every stored result."""
    skip = {"run.json", "events.jsonl", "history.json"}
    files = [file for file in run.path.rglob("*") if file.is_file() and file.name not in skip]
    return {str(file.relative_to(run.path)): file.read_bytes() for file in files}


def measured(run: Run) -> list[Event]:
    """All events of the search, without their times."""
    return [replace(event, seconds=0.0) for event in run.events()[0] if event.stage in STAGES]


def same(resumed: Run, run: Run) -> bool:
    losses = [{i: n.history["train_loss"] for i, n in r.networks().items()} for r in (resumed, run)]
    return results(resumed) == results(run) and measured(resumed) == measured(run) and losses[0] == losses[1]


def kill(run: Run, monkeypatch, stage: str, rng: random.Random) -> None:
    """Work on a run until the n-th offer of a stage, for a random n; about half of the offered states are stored."""
    left, offer = rng.randrange(4), FileKeeper.offer

    def dying(keeper, offered, captured) -> None:
        nonlocal left
        left -= offered == stage
        if left < 0:
            raise Killed
        if rng.random() < 0.5:
            offer(keeper, offered, captured)

    with monkeypatch.context() as patch:
        patch.setattr(FileKeeper, "offer", dying)
        with pytest.raises(Killed):
            finish(run, every=0.0)


def test_killed_in_stage_after_stage(run, tmp_path, monkeypatch) -> None:
    rng, other = random.Random(1), RunStore(tmp_path).create(CONFIG)
    for stage in STAGES:
        kill(other, monkeypatch, stage, rng)
        assert not other.has("embed")
    assert same(finish(other), run)
    assert not other.checkpoints("").exists()


def test_killed_while_events_are_written(run, tmp_path) -> None:
    """Events that are stored but newer than the last state: their steps are done again and count once."""
    other, last = RunStore(tmp_path).create(CONFIG), 9

    def dying(event: Event) -> None:
        if (event.stage, event.step) == ("hypernet", last):
            raise Killed

    with pytest.raises(Killed):
        finish(other, report=dying, every=0.0)
    assert measured(other)[-1].step == last
    assert same(finish(other), run)


VICTIM = """
import os, signal, sys
from pathlib import Path
from concurrent.futures import ThreadPoolExecutor
from edgenes_core.pipeline import run_pipeline
from edgenes_core.run_folder import Run
from edgenes_core.search import loop
from edgenes_core.session import Session

def die(event):
    if (event.stage, event.step) == ("hypernet", 14):  # in the polish; a candidate may be training meanwhile
        os.kill(os.getpid(), signal.SIGKILL)

loop.READ_STEPS = 3
run_pipeline(Session(Run(Path(sys.argv[1])), ThreadPoolExecutor(1), "cpu", die, every=0.0))
"""


def test_a_real_sigkill(run, tmp_path) -> None:
    other, script = RunStore(tmp_path).create(CONFIG), tmp_path / "victim.py"
    script.write_text(VICTIM)
    done = subprocess.run([sys.executable, script, other.path], cwd=ROOT, env=environment(), check=False)
    assert done.returncode == -9
    assert list(other.checkpoints("hypernet").glob("*.safetensors"))
    assert same(finish(other), run)


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def test_a_torn_checkpoint_is_said_and_loses_nothing(run, tmp_path, caplog) -> None:
    other, seen = RunStore(tmp_path).create(CONFIG), []
    with pytest.raises(Cancelled):
        finish(other, stop=lambda: len(seen) >= 14, report=seen.append)
    file = other.checkpoints("hypernet") / "hypernet.safetensors"
    file.write_bytes(file.read_bytes()[:-9])
    assert same(finish(other), run)
    assert "starts again" in caplog.text


def test_a_stop_keeps_every_step_that_was_done(run, tmp_path) -> None:
    other, seen = RunStore(tmp_path).create(CONFIG), []
    with pytest.raises(Cancelled, match="resume"):
        finish(other, stop=lambda: len(seen) >= 5, report=seen.append)  # the usual 20 s between two states
    assert other.manifest.state == "cancelled"
    assert same(finish(other), run)
    lines = [line for line in (other.path / "events.jsonl").read_text().splitlines() if '"darts"' in line]
    assert len(lines) == CONFIG.darts.steps, "no step was done twice"
    assert other.manifest.cost("darts").seconds >= other.events()[0][11].seconds


attempts = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 12)), max_size=5)


@given(attempts, st.integers(1, 30))
def test_redone_steps_count_once(killed, steps) -> None:
    """Each attempt goes on at most `back` steps before where the log ended, does `more` steps and is killed; the last ends."""
    log, reached = [], 0
    for attempt, (back, more) in enumerate([*killed, (3, steps)]):
        start = max(0, reached - back)
        reached = min(steps, start + more)
        log += [Event("darts", step, steps, float(attempt)) for step in range(start + 1, reached + 1)]
        log.append(Event("retrain", attempt + 1, 9))
    kept = without_redone([*log, *(Event("darts", step, steps) for step in range(reached + 1, steps + 1))])
    assert [event.step for event in kept if event.stage == "darts"] == list(range(1, steps + 1))
    assert [event.step for event in kept if event.stage == "retrain"] == list(range(1, len(killed) + 2))
    assert without_redone(kept) == kept
