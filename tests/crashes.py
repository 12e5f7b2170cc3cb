"""A worker of a run that is killed, what must hold after it, and how two runs are compared.

`tests/test_crash.py` kills at chosen places, `benchmarks/crash.py` at random ones, as often as one likes.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from edgenes_core import durable, jobs, storage  # noqa: E402
from edgenes_core.architecture import Architecture  # noqa: E402
from edgenes_core.damage import CUT_OFF, damage  # noqa: E402
from edgenes_core.run_folder import STAGES, Run  # noqa: E402
from edgenes_core.run_zip import files_of  # noqa: E402

MARK = "EDGENES_CRASH"  # in the environment of every process of an attempt, so that orphans are found whatever they do
EVERY = 1.0  # seconds between two checkpoints, so that short stages are resumed in the middle too
# What may differ, by file: times, memory held, the run's name, when, how and from which commit it was made, and in which order
# workers ended.
MEASURED = {
    "run.json": ("id", "created", "command", "commit", "stages.*.seconds", "stages.*.peak_memory"),
    "events.jsonl": ("seconds", "order of the events of retrain"),
    "history.json": ("seconds", "peak_memory"),
}
LONGEST = 1800.0  # seconds for anything to happen, other work on the machine or not
WHOLE: dict[str, Callable[[Path], object]] = {
    ".json": storage.read_json,
    ".jsonl": storage.read_lines,
    ".npy": storage.read_array,
    ".npz": storage.read_arrays,
    ".safetensors": storage.read_tensors,
}


class Kill(NamedTuple):
    """`stage` is what was interrupted, 'start' before the run went on; `group`: workers were killed too, or the main process
    alone; left-over files were being written; `kept` states of unfinished stages were on the disk."""

    stage: str
    group: bool
    left_over: int
    kept: int


class Crash(Exception):
    """What must not happen after a kill."""


def start(run: Run, workers: int = 2, die_at: str = "", every: float = EVERY) -> subprocess.Popen[bytes]:
    """`resume` in a process group of its own; `die_at` names a file: the group is killed just before one is in its place."""
    command = [sys.executable, __file__, str(run.path), "--workers", str(workers), "--every", str(every)]
    with (run.path / "log.txt").open("ab") as log:
        return subprocess.Popen(
            [*command, "--die-at", die_at],
            cwd=ROOT,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, MARK: str(run.path), "OMP_NUM_THREADS": "1", "PYTHONFAULTHANDLER": "1"},
        )


def work(options: argparse.Namespace) -> int:
    """The attempt itself: the command line's `resume`, with checkpoints more often."""
    from edgenes_core import checkpoint, cli

    checkpoint.EVERY = options.every  # before a session takes it as its default
    replace_file = os.replace

    def deadly(source: str, target: Path) -> None:
        if Path(target).name == options.die_at:
            os.killpg(0, signal.SIGKILL)
        replace_file(source, target)

    if options.die_at:
        os.replace = deadly
    return cli.main(["resume", str(options.work), "--workers", str(options.workers)])


def kill(run: Run, process: subprocess.Popen[bytes], group: bool = True) -> Kill:
    """SIGKILL now, then everything that must hold; Crash if it does not."""
    stage = interrupted(run)
    (os.killpg if group else os.kill)(process.pid, signal.SIGKILL)
    process.wait()
    return after(run, stage, group)


def after(run: Run, stage: str, group: bool = True) -> Kill:
    """What a killed attempt left; Crash if that is a process, a file that is not whole, or a run that cannot go on."""
    wait_for(lambda: not processes(run), f"processes {processes(run)} outlive the kill")
    states = [file for file in run.checkpoints("").rglob("*.safetensors") if not durable.LEFT_OVER.fullmatch(file.name)]
    if broken := [*torn(run), *(said for said in damage(run) if CUT_OFF not in said)]:
        raise Crash(f"after a kill in {stage}: {broken}")
    if not jobs.state(run).resumable:
        raise Crash(f"after a kill in {stage} the run says {jobs.state(run)}")
    left_over = sum(bool(durable.LEFT_OVER.fullmatch(file.name)) for file in run.path.rglob("*"))
    return Kill(stage, group, left_over, len(states))


def interrupted(run: Run) -> str:
    return next((stage for stage in STAGES if not run.has(stage)), "end")


def processes(run: Run) -> list[int]:
    """Living processes of any attempt at this run."""
    marked, found = f"{MARK}={run.path}\0".encode(), []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if marked in (entry / "environ").read_bytes():  # of a zombie, it is empty
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def torn(run: Run) -> list[str]:
    """Files that are in their place and not whole, those of unfinished networks and stages too."""
    said = []
    for file in run.path.rglob("*"):
        if file.suffix in WHOLE and file.is_file() and not durable.LEFT_OVER.fullmatch(file.name):
            try:
                cell = file.name == "architecture.json"
                Architecture.from_json(file.read_bytes()) if cell else WHOLE[file.suffix](file)
            except Exception as error:
                said.append(f"{file}: {error}")
    return said


def wait_for(condition: Callable[[], object], otherwise: str, seconds: float = LONGEST) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Crash(otherwise)
        time.sleep(0.003)


def differences(run: Run, reference: Run) -> list[str]:
    """Files of a finished run that are not those of the other, MEASURED left out."""
    if files_of(run) != files_of(reference):
        return sorted(set(files_of(run)) ^ set(files_of(reference)))
    return [name for name in files_of(run) if _result(run, name) != _result(reference, name)]


def _result(run: Run, name: str) -> object:
    """What of a file must be the same whatever happened meanwhile."""
    last = name.rpartition("/")[2]
    if name == "run.json":
        data = storage.read_json(run.path / name)
        stages = {stage: cost["samples"] for stage, cost in data["stages"].items()}
        return {key: value for key, value in data.items() if key not in MEASURED["run.json"]} | {"stages": stages}
    if name == "events.jsonl":
        events = [replace(event, seconds=0.0) for event in run.events()[0]]
        trained = sorted(event.values["train_loss"] for event in events if event.stage == "retrain")
        return [event for event in events if event.stage != "retrain"], trained
    if last == "history.json":
        history = storage.read_json(run.path / name)["history"]
        return {key: value for key, value in history.items() if key not in MEASURED["history.json"]}
    return (run.path / name).read_bytes()


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("work", type=Path)
    p.add_argument("--workers", type=int)
    p.add_argument("--every", type=float)
    p.add_argument("--die-at")
    sys.exit(work(p.parse_args()))
