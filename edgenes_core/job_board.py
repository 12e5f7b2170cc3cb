"""The jobs of a folder of runs at a glance: who is at work and how far, who waits, what ended lately. Cheap enough to be asked
every second by every session."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from edgenes_core import EdgeNESError, job_queue, jobs, storage
from edgenes_core.jobs import JobState
from edgenes_core.progress import duration
from edgenes_core.records import Event
from edgenes_core.reply import Reply
from edgenes_core.run_folder import STAGES, Run
from edgenes_core.schema import from_dict

TAIL_BYTES = 32_000  # of events.jsonl: more than the longest line, a picture of α of two cells
MOST_ENDED = 12  # jobs that ended lately, newest first
# Share of the whole that a stage takes, from quick runs on digits; only the progress bar depends on it.
SHARES = {"darts": 0.3, "hypernet": 0.25, "retrain": 0.35, "select": 0.02, "embed": 0.08}


class Progress(NamedTuple):
    """Where a job stands; `fraction` of the whole in [0, 1], `eta_seconds` None before anything was measured."""

    stage: str
    step: int
    steps: int
    fraction: float
    eta_seconds: float | None


class Job(NamedTuple):
    """A line of the board; `place` in the queue counts from 1, 0 if it does not wait; `silence`: seconds since the last sign of
    life."""

    run: Run
    state: JobState
    place: int
    progress: Progress
    silence: float


def board(root: Path, since: float = 0.0) -> list[Job]:
    """Jobs at work, then those that wait in their order, then those that ended after `since` (epoch seconds), newest first."""
    waiting = job_queue.waiting(root)
    places = {run.id: place for place, run in enumerate(waiting, 1)}
    locks = [(mark, jobs.is_alive(Run(mark.parent))) for mark in root.glob("*/lock") if mark.parent.name not in places]
    ended = sorted(((_time(mark), mark) for mark, alive in locks if not alive), reverse=True)
    recent = [mark for when, mark in ended[:MOST_ENDED] if when >= since]
    runs = [Run(mark.parent) for mark, alive in locks if alive] + waiting + [Run(mark.parent) for mark in recent]
    found = []
    for run in runs:
        with suppress(EdgeNESError):  # damaged: said where runs are listed
            found.append(Job(run, jobs.state(run), places.get(run.id, 0), progress_of(run), jobs.silence(run)))
    return found


def progress_of(run: Run) -> Progress:
    """Where a run stands, from the costs of its stages and the end of its events."""
    manifest, file = run.manifest, run.path / "events.jsonl"
    done = [Event(stage, 1, 1, cost.seconds) for stage in STAGES if (cost := manifest.cost(stage)) is not None]
    size = file.stat().st_size if file.exists() else 0
    for line in reversed(storage.read_lines(file, max(0, size - TAIL_BYTES))[0]):
        with suppress(EdgeNESError, TypeError):
            last = from_dict(Event, line)
            return progress([*done, last] if not manifest.cost(last.stage) else done)
    return progress(done)


def progress(events: Sequence[Event], shares: Mapping[str, float] = SHARES) -> Progress:
    """Stage, step and fraction of the whole at the last event; the rest is extrapolated from the pace so far."""
    last = next((event for event in reversed(events) if event.stage in STAGES), None)
    if last is None:
        return Progress("", 0, 0, 0.0, None)
    part = min(1.0, max(0.0, last.step / last.steps)) if last.steps > 0 else 0.0
    before = sum(shares[stage] for stage in STAGES[: STAGES.index(last.stage)])
    fraction = min(1.0, (before + shares[last.stage] * part) / sum(shares.values()))
    # A stage's clock goes on where a resumed job took it up.
    seconds = sum({event.stage: event.seconds for event in events}.values())
    eta = seconds * (1 - fraction) / fraction if fraction > 0 and seconds > 0 else None
    return Progress(last.stage, last.step, last.steps, fraction, eta)


def list_jobs(options: argparse.Namespace) -> Reply:
    """The command `jobs`: start what there is room for, then list all that is not finished."""
    job_queue.pump(options.runs)
    listed = [job for job in board(options.runs) if job.state.name != "finished"]
    rows = [
        {
            "run": job.run.id,
            "state": job.state.name,
            "message": job.state.message,
            "place": job.place,
            "stage": job.progress.stage,
            "fraction": job.progress.fraction,
            "eta_seconds": job.progress.eta_seconds if job.state.alive else None,
            "silent_seconds": job.silence if job.state.alive else None,
        }
        for job in listed
    ]
    head = f"at most {job_queue.limit()} at once ({job_queue.LIMIT})"
    return Reply({"limit": job_queue.limit(), "jobs": rows}, "\n".join([*map(line, listed), head]))


def line(job: Job) -> str:
    """One job on a terminal."""
    left = f"about {duration(job.progress.eta_seconds)} left" if job.progress.eta_seconds else ""
    where = f"{job.progress.stage} {job.progress.step}/{job.progress.steps}" if job.progress.stage else ""
    about = {"queued": f"place {job.place}", "running": left}.get(job.state.name, job.state.message)
    return f"{job.run.id:44} {job.state.name:12} {job.progress.fraction:4.0%}  {where:20} {about}"


def _time(mark: Path) -> float:
    try:
        return mark.stat().st_mtime
    except OSError:
        return 0.0
