"""The `log` command: what a run's workers said, and with --follow what they say now."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

from edgenes_core import jobs, run_log
from edgenes_core.reply import Reply
from edgenes_core.run_folder import Run
from edgenes_core.run_log import Line
from edgenes_core.runs import RunStore

PAUSE = 0.5  # seconds between two looks at a log that is followed


def log(options: argparse.Namespace) -> Reply:
    """All messages at once; with --follow one by one until the worker has ended, the last line then says how."""
    run = RunStore(options.runs).open(options.run)
    run_log.rank(options.level)
    if options.follow:
        follow(run, options.level, _as_json if options.json else run_log.spoken)
        state = jobs.state(run)
        return Reply({"run": run.id, "state": state.name}, f"{run.id}: {state.name}. {state.message}")
    lines = run_log.read(run, options.level)
    text = "\n".join(map(run_log.spoken, lines)) or f"Run {run.id} has no messages of level {options.level} or above."
    return Reply({"run": run.id, "lines": [line._asdict() for line in lines]}, text)


def follow(run: Run, least: str, form: Callable[[Line], str]) -> None:
    """Print messages as they come until no worker is alive and all are printed."""
    file, offset = run.path / run_log.FILE, 0
    for line in run_log.read_on(run.path / run_log.EARLIER, 0, least)[0]:
        print(form(line), flush=True)
    while True:
        alive = jobs.is_alive(run)  # before reading: what a worker says last is printed too
        lines, offset = run_log.read_on(file, offset, least)
        for line in lines:
            print(form(line), flush=True)
        if not alive:
            return
        time.sleep(PAUSE)


def _as_json(line: Line) -> str:
    return json.dumps(line._asdict(), ensure_ascii=False)
