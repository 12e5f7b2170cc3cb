"""Pull the plug at random points of a quick run, resume, and again until it ends; then compare with a run that nobody disturbed.

A kill is SIGKILL to the whole process group, workers included, or to the main process alone, whose workers must then end by
themselves. After each: no process is left, every file that is there is whole, the run says that it can be resumed. At the end:
every result has the same bytes, but for what a clock or a memory counter measured (MEASURED).

    nice python benchmarks/crash.py --kills 50 --seed 0 --json      # about 15 minutes on two free cores; fewer with --steps 40
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
from crashes import Crash, Kill, after, differences, interrupted, kill, start, wait_for  # noqa: E402

from edgenes_core import jobs  # noqa: E402
from edgenes_core.config import PRESETS, PipelineConfig  # noqa: E402
from edgenes_core.run_folder import STAGES, Run  # noqa: E402
from edgenes_core.runs import RunStore  # noqa: E402

START = 4.0  # seconds, about: imports and workers


def disturbed(run: Run, rng: random.Random, seconds: dict[str, float], most: int, writing: float) -> Iterator[Kill]:
    """Resume a run and kill it, at most so often, in stage after stage; then let it end."""
    planned = [stage for stage in ("start", *STAGES) for _ in range(rng.choice(TIMES[stage]))]
    for stage in planned[:most]:
        at_file = stage in FILES and rng.random() < writing
        found = (
            while_storing(run, rng.choice(FILES[stage])) if at_file else at_any_time(run, rng, stage, seconds[stage])
        )
        if found is None:
            break
        yield found
    if start(run).wait() != 0:
        raise Crash(f"the run cannot be finished: {jobs.log_tail(run)}")


def while_storing(run: Run, name: str) -> Kill | None:
    """Resume a run that is killed when a file of this name is written and not renamed yet; None if it ends before."""
    return after(run, interrupted(run)) if start(run, die_at=name).wait() == -signal.SIGKILL else None


def at_any_time(run: Run, rng: random.Random, stage: str, seconds: float) -> Kill | None:
    """Resume a run, wait for a stage, and kill it within the time that the stage takes; None if it ends before."""
    process, began = start(run), time.time()
    if stage != "start":
        try:
            wait_for(lambda: process.poll() is not None or _reached(run, stage, began), f"{stage} is not reached")
        except Crash:
            os.killpg(process.pid, signal.SIGABRT)  # every process says in log.txt where it stands
            raise
    time.sleep(rng.uniform(0, seconds))
    if process.poll() is not None:
        return None
    found = kill(run, process, group=rng.random() < 0.75)
    return found if _on_its_way(run, began) else found._replace(stage="start")


FILES = {
    "darts": ("darts.safetensors", "base.json", "base_supernet.safetensors"),
    "hypernet": ("hypernet.safetensors", "path.json", "plan.json", "supernet.safetensors"),
    "retrain": ("architecture.json", "weights.safetensors", "val.npy", "test.npy", "history.json"),
    "select": ("selected.json", "random.json"),
    "embed": ("embedding.npz",),
}
TIMES = {"start": (0, 1), "darts": (1, 2), "hypernet": (1, 2), "retrain": (2, 3), "select": (1,), "embed": (1, 2)}


def _reached(run: Run, stage: str, began: float) -> bool:
    return _on_its_way(run, began) and all(run.has(earlier) for earlier in STAGES[: STAGES.index(stage)])


def _on_its_way(run: Run, began: float) -> bool:
    """Whether this attempt came to the stages: the last file it writes before them is new."""
    file = run.path / "targets.npz"
    return file.exists() and file.stat().st_mtime > began


def shortened(config: PipelineConfig, steps: int, epochs: int) -> PipelineConfig:
    """The same stages and networks, in less time."""
    darts, hypernet = replace(config.darts, steps=steps), replace(config.hypernet, steps=steps)
    return replace(config, darts=darts, hypernet=hypernet, retrain=replace(config.retrain, epochs=epochs))


def measure(config: PipelineConfig, kills: int, seed: int, writing: float, root: Path) -> tuple[list[Kill], int]:
    """Kills, and how many disturbed runs were finished and found the same; Crash at the first that is not."""
    rng, store, done, rounds = random.Random(seed), RunStore(root), list[Kill](), 0
    reference = store.create(config)
    if start(reference).wait() != 0:
        raise Crash(jobs.log_tail(reference))
    seconds = {"start": START, **{stage: cost["seconds"] for stage, cost in reference.manifest.stages.items()}}
    while len(done) < kills:
        run = store.create(config)
        for found in disturbed(run, rng, seconds, kills - len(done), writing):
            done.append(found)
            print(f"{len(done):3} {found}", file=sys.stderr, flush=True)
        if different := differences(run, reference):
            raise Crash(f"{run.path} differs from {reference.path}: {different}")
        if hidden := [file for file in run.path.rglob(".*") if file.is_file()]:
            raise Crash(f"left over: {hidden}")
        rounds += 1
        print(f"run {rounds}: every result the same", file=sys.stderr, flush=True)
    return done, rounds


def table(done: list[Kill]) -> list[dict[str, object]]:
    """Kills by stage: whole group or main process alone, how often a file was being written, a state of the stage kept."""
    rows = []
    for stage in ("start", *STAGES, "end"):
        here = [each for each in done if each.stage == stage]
        counts = Counter(each.group for each in here)
        row = {"stage": stage, "kills": len(here), "group": counts[True], "main alone": counts[False]}
        written, kept = sum(each.left_over > 0 for each in here), sum(each.kept > 0 for each in here)
        rows.append({**row, "while writing": written, "with a kept state": kept})
    return rows


def main() -> int:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--kills", type=int, default=50)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--steps", type=int, default=150, help="of both searches (default: as in quick)")
    p.add_argument("--epochs", type=int, default=20, help="of every retraining (default: as in quick)")
    p.add_argument("--writing", type=float, default=0.25, help="share of the kills between writing and renaming a file")
    p.add_argument("--json", action="store_true")
    options = p.parse_args()
    root = Path(tempfile.mkdtemp(prefix="crash-"))  # stays where something is wrong
    config = shortened(PRESETS["quick"], options.steps, options.epochs)
    done, rounds = measure(config, options.kills, options.seed, options.writing, root)
    shutil.rmtree(root)
    rows = table(done)
    if options.json:
        print(json.dumps({"kills": len(done), "runs": rounds, "identical": rounds, "stages": rows}))
    else:
        print("\n".join("  ".join(f"{key} {value}" for key, value in row.items()) for row in rows))
        print(f"{len(done)} kills, {rounds} runs, each the same as the undisturbed one")
    return 0


if __name__ == "__main__":
    sys.exit(main())
