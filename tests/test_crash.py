"""Runs whose processes are killed, in the middle of the search and of storing a network: nothing is torn, and the end is the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from crashes import Crash, after, differences, interrupted, kill, processes, start, torn, wait_for
from tiny import SETTINGS, finish

from edgenes_core.run_folder import STAGES, Run
from edgenes_core.runs import RunStore

ROOT = Path(__file__).parents[1]
FASTER = ("darts.steps=60", "darts.batch=16", "retrain.batch=256", "ensemble.size=1", "ensemble.controls=1")
EVALUATION = {"split", "n", "accuracy", "nll", "brier", "ece", "disagreement", "oracle_accuracy"}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Run:
    """Made by the command line; its last line has every field."""
    root = tmp_path_factory.mktemp("undisturbed")
    settings = [argument for setting in (*SETTINGS, *FASTER) for argument in ("--set", setting)]
    command = [sys.executable, "-m", "edgenes_core", "pipeline", "--runs", root, "--json", "--workers", "1", *settings]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    final = json.loads(done.stdout.splitlines()[-1])
    assert set(final) == {"run", "seconds", "ensemble", "controls"}
    assert tuple(final["seconds"]) == STAGES
    assert set(final["ensemble"]) == {"members", "val"}
    assert {"single_base", "deepens", "random", "deviation"} <= set(final["controls"])
    assert all(set(control["val"]) == EVALUATION for control in final["controls"].values())
    return RunStore(root).open(final["run"])


def again(undisturbed: Run, root: Path) -> Run:
    """A new run of the same settings."""
    return RunStore(root).create(undisturbed.config, digest=undisturbed.manifest.digest)


def test_killed_twice_a_run_ends_as_one_that_was_not(undisturbed, tmp_path):
    """The main process alone in the search, whose worker must notice; then everything, between a network's files."""
    run = again(undisturbed, tmp_path)
    process = start(run, workers=1, every=0.0)
    wait_for(lambda: len(run.events()[0]) > 5 or process.poll() is not None, "no step of the search")
    found = kill(run, process, group=False)
    assert (found.stage, found.kept) == ("darts", 1)
    assert start(run, workers=1, die_at="weights.safetensors").wait() == -9
    found = after(run, interrupted(run))
    assert (found.stage, found.left_over) == ("retrain", 1)
    assert not any(run.is_trained(training) for training in run.plan())
    finish(RunStore(tmp_path).open(run.id))
    assert differences(run, undisturbed) == []
    assert list(run.path.rglob(".*")) == [], "what was being written is gone"


def test_the_checks_can_fail(undisturbed, tmp_path):
    """A file torn, one changed, one more, and a process that goes on: each is noticed."""
    run = again(undisturbed, tmp_path)
    run.save_base(undisturbed.base())
    assert torn(run) == []
    assert after(run, "darts").kept == 0
    (run.path / "base.json").write_text("{")
    with pytest.raises(Crash, match=r"base\.json is damaged"):
        after(run, "darts")
    assert "base.json" not in differences(undisturbed, undisturbed)
    assert differences(run, undisturbed)
    sleeping = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env={"EDGENES_CRASH": str(run.path)}
    )
    wait_for(lambda: processes(run) == [sleeping.pid], "the process is not found")
    sleeping.kill()
    sleeping.communicate()
    wait_for(lambda: not processes(run), "the process is still found")
