"""A class on one machine: many sessions that drag λ, switch pages and change ensemble members while a job trains.

    python benchmarks/load.py --sessions 40 --seconds 60 --json

Starts the app as a classroom on the bundled run, a `pipeline --preset quick` beside it (niced as a job is), and sessions that speak
Streamlit's own protocol over websockets on loopback (see `tabs.py`), so that the cores go to the server and not to browsers. Each
user waits, then changes a member of the team (3 of 5 times), lets go of λ, or switches the page. Two real browsers watch: they drag,
switch pages, and count what they send during a drag. The load goes on until the time is over and the job has finished, at most four
times as long. Every accuracy and NLL that was shown is computed again at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]
from servers import cpu_seconds, peak_bytes, server  # noqa: E402
from tabs import Tab  # noqa: E402

from edgenes_core import ensembles  # noqa: E402
from edgenes_core.processes import detached, lock, niced  # noqa: E402
from edgenes_core.records import METRICS  # noqa: E402
from edgenes_core.run_folder import Run  # noqa: E402
from edgenes_core.scored import score_networks  # noqa: E402

DEMO = ROOT / "assets" / "demo"
PAGES = ("", "explore", "space", "tradeoff", "ensembles")
ACTIONS = {"member": 0.6, "lambda": 0.2, "page": 0.2}
MOST_MEMBERS = 5
ARRIVAL = 10.0  # seconds within which all have opened the link
TARGETS = {"evaluation_p95_s": 1.0, "peak_gb": 4.0}


@dataclass
class Log:
    """What happened: seconds by kind of action, teams with the numbers that were shown, and failures."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    shown: list[tuple[tuple[int, ...], list[str]]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    drag_messages: list[int] = field(default_factory=list)

    def add(self, kind: str, seconds: float) -> None:
        self.seconds.setdefault(kind, []).append(seconds)


class User:
    """One of the class, with a tab."""

    def __init__(self, number: int, networks: int, log: Log) -> None:
        self.random, self.networks, self.log = random.Random(number), networks, log
        self.members, self.page = [0, 1], ""

    async def live(self, address: str, think: float, stop: asyncio.Event) -> None:
        """Come within ARRIVAL, act until the end; a failure ends this user and is noted."""
        await asyncio.sleep(self.random.uniform(0, ARRIVAL))
        try:
            start = time.perf_counter()
            tab = await Tab.open(address)
            self.log.add("first page", time.perf_counter() - start)
            while not stop.is_set():
                action = self.random.choices(list(ACTIONS), list(ACTIONS.values()))[0]
                await {"member": self.change_member, "lambda": self.let_go, "page": self.turn}[action](tab)
                await tab.rest(self.random.uniform(0.4, 1.6) * think)
            await tab.close()
        except Exception as error:
            self.log.errors.append(f"{type(error).__name__}: {error}")

    async def turn(self, tab: Tab, page: str | None = None) -> None:
        start = time.perf_counter()
        self.page = page if page is not None else self.random.choice([name for name in PAGES if name != self.page])
        await tab.go(self.page)
        self.log.add("page switch", time.perf_counter() - start)

    async def change_member(self, tab: Tab) -> None:
        if self.page != "ensembles":
            await self.turn(tab, "ensembles")
        free = [k for k in range(self.networks) if k not in self.members]
        if len(self.members) > 2 and (len(self.members) == MOST_MEMBERS or self.random.random() < 0.5):
            self.members.remove(self.random.choice(self.members))
        else:
            self.members.append(self.random.choice(free))
        options = tab.widget("ensembles_members")[0].options
        took = await tab.choose("ensembles_members", strings=[options[k] for k in self.members])
        self.log.add("evaluation", took)
        self.log.shown.append((tuple(self.members), tab.texts("Metric")[:2]))

    async def let_go(self, tab: Tab) -> None:
        """What a drag of any length sends: one message, when the handle is let go."""
        if self.page != "explore":
            await self.turn(tab, "explore")
        self.log.add("λ let go", await tab.choose("explore_cell_demo", json_value={"lam": self.random.uniform(0, 4)}))


async def look_around(address: str) -> None:
    """As a lecturer does before the class comes: what is read or imported once per process is there then."""
    tab = await Tab.open(address)
    for page in PAGES:
        await tab.go(page)
    await tab.close()


async def load(address: str, options: argparse.Namespace, log: Log, job: subprocess.Popen[bytes] | None) -> float:
    """The whole class until the end; how many seconds it was there."""
    networks, stop = len(score_networks(Run(DEMO)).ids), asyncio.Event()
    await look_around(address)
    start = time.perf_counter()
    users = [User(k, networks, log).live(address, options.think, stop) for k in range(options.sessions)]
    if options.browsers:
        from witnesses import watch

        users += [watch(address, options.browsers, log, stop)]
    tasks = [asyncio.ensure_future(user) for user in users]
    while (passed := time.perf_counter() - start) < options.seconds or (
        job is not None and job.poll() is None and passed < 4 * options.seconds
    ):
        await asyncio.sleep(0.5)
    stop.set()
    await asyncio.gather(*tasks)
    return time.perf_counter() - start


def wrong_numbers(log: Log) -> list[str]:
    """Each team's accuracy and NLL, computed here, where the app said something else."""
    run, scored = Run(DEMO), score_networks(Run(DEMO))
    y, found = run.targets("val"), []
    for members, texts in log.shown:
        val = ensembles.evaluate(scored.probs[list(members)], y, "val")
        expected = [f"{100 * val.accuracy:.{METRICS['accuracy'].digits}f} %", f"{val.nll:.{METRICS['nll'].digits}f}"]
        if texts != expected:
            found.append(f"{members}: shown {texts}, is {expected}")
    return found


def training(runs: Path) -> subprocess.Popen[bytes]:
    """A quick run as the app would start it."""
    command = [sys.executable, "-m", "edgenes_core", "pipeline", "--preset", "quick", "--runs", str(runs), "--json"]
    runs.mkdir(exist_ok=True)
    held = lock(runs / "lock")
    try:
        return detached(niced(command), runs / "log.txt", held, fresh_log=True, OMP_NUM_THREADS="1")
    finally:
        os.close(held)


def quantiles(seconds: Sequence[float]) -> dict[str, float]:
    p50, p95, top = (round(float(value), 3) for value in np.quantile(np.array(seconds), [0.5, 0.95, 1.0]))
    return {"count": len(seconds), "p50_s": p50, "p95_s": p95, "max_s": top}


def measure(options: argparse.Namespace) -> dict[str, object]:
    """The table, as values."""
    log, alone, finished = Log(), 0.0, None
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder)
        if options.train and options.alone:
            start = time.perf_counter()
            training(runs / "alone").wait()
            alone = time.perf_counter() - start
        with server(runs, EDGENES_MODE="classroom") as (address, process):
            job, begun = (training(runs) if options.train else None), time.perf_counter()
            took = asyncio.run(load(address, options, log, job))
            cpu, peak = cpu_seconds(process.pid), peak_bytes(process.pid)
            if job is not None:
                finished = time.perf_counter() - begun if job.poll() is not None else None
                with suppress(ProcessLookupError):
                    os.killpg(job.pid, signal.SIGKILL)
                job.wait()
            log.errors += [line for line in (runs / "server.log").read_text().splitlines() if "Error" in line]
    return {
        "sessions": options.sessions,
        "seconds": round(took, 1),
        "think_s": options.think,
        "load_before": round(options.load, 1),
        "actions": {kind: quantiles(found) for kind, found in log.seconds.items()},
        "errors": len(log.errors),
        "first_errors": Counter(log.errors).most_common(5),
        "numbers_checked": len(log.shown),
        "wrong_numbers": wrong_numbers(log)[:5],
        "drags": len(log.drag_messages),
        "drag_messages": sum(log.drag_messages),
        "server_peak_gb": round(peak / 1e9, 2),
        "server_cores": round(cpu / took, 2),
        "training_alone_s": round(alone, 1),
        "training_finished_within_s": finished and round(finished, 1),
        "targets": TARGETS,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--think", type=float, default=6.0, help="mean seconds between what one user does")
    parser.add_argument("--browsers", type=int, default=2, help="real browsers that watch")
    parser.add_argument("--no-train", dest="train", action="store_false")
    parser.add_argument("--alone", action="store_true", help="time the job without the class first")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.load = os.getloadavg()[0]
    result = measure(options)
    for name, value in result.items():
        print(f"{name}: {value}", file=sys.stderr)
    if options.json:
        print(json.dumps(result))
    sys.exit(bool(result["errors"] or result["wrong_numbers"] or result["drag_messages"]))


if __name__ == "__main__":
    main()
