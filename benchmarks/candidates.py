"""Six candidates, one training step each: which way of training many networks at once is the fastest on a CPU.

Cells are drawn from the search space by seed; batch 64, one layer, AdamW, gradients clipped for each candidate on its own. All
ways take turns (A B C D A B C D) in one run, medians. Reference: one network after another with torch's default threads.

    two workers   worker processes that stay alive, one torch thread each: what a run does (edgenes_core/executors.py)
    one thread    one after another with one thread: what a worker's share costs
    grouped       all six as one network, channels side by side (candidate_forms.py)
    released      one after another as the EdgeNES release builds them: 14 edges computed, 10 thrown away
    vmap          torch.func over six seeds of ONE cell, since stacked weights need one graph; its reference are the same six
    memory kept   the worker's allocator keeps freed memory, against one that hands it back (device.keep_freed_memory)

grouped and vmap run plain torch, since the compiled form cannot be stacked. Chosen: two workers, see docs/adr/0009. Measure
on an idle machine: with one of two cores busy, two OpenMP threads are several times slower than one, and two workers no faster.

    python benchmarks/candidates.py --json
"""

import argparse
import json
import multiprocessing
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, wait
from functools import lru_cache, partial
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from candidate_forms import Released, Step, batch, network, sampled, separate, stacked, together

from edgenes_core.device import keep_freed_memory
from edgenes_core.executors import end_with_parent, local_executor

COUNT, WORKERS = 6, 2
SHAPES = {  # name: side, colours, C, steps per turn
    "8×8 C8": (8, 1, 8, 10),
    "28×28 C16": (28, 1, 16, 2),
    "32×32 C16": (32, 3, 16, 2),
}
ROWS = (  # title, ours, reference
    ("two workers × 1 thread", "workers", "reference"),
    ("two workers × 1 thread, reference: 1 thread", "workers", "one thread"),
    ("two workers × 1 thread, reference: as released", "workers", "released"),
    ("grouped network", "grouped", "reference"),
    ("vmap, six seeds of one cell", "vmap", "same cell"),
    ("freed memory kept, 1 worker", "kept", "handed back"),
)


@lru_cache(maxsize=2 * COUNT)
def trainer(shape: str, index: int) -> Step:
    """One candidate's step; a worker builds it once."""
    side, colours, channels, _ = SHAPES[shape]
    return separate([network(sampled(COUNT)[index], colours, channels, index)], [batch(side, colours, index)])


def train(shape: str, index: int, steps: int) -> None:
    """What a worker does in its turn."""
    for _ in range(steps):
        trainer(shape, index)()


def start_plainly() -> None:
    """A worker whose allocator is as glibc sets it."""
    threading.Thread(target=end_with_parent, daemon=True).start()
    torch.set_num_threads(1)


def spread(executor: Executor, shape: str) -> Callable[[int], None]:
    """Each candidate is a task, as in a run; whoever is free takes the next."""

    def turn(steps: int) -> None:
        tasks = [executor.submit(train, shape, index, steps) for index in range(COUNT)]
        for task in wait(tasks).done:
            task.result()

    return turn


def repeated(step: Step, threads: int) -> Callable[[int], None]:
    def turn(steps: int) -> None:
        torch.set_num_threads(threads)
        for _ in range(steps):
            step()

    return turn


def ways(shape: str, threads: int, pools: Sequence[Executor]) -> dict[str, Callable[[int], None]]:
    """Turns by name; each way has networks of its own, from the same seeds."""
    side, colours, channels, _ = SHAPES[shape]
    cells, batches = sampled(COUNT), [batch(side, colours, index) for index in range(COUNT)]
    two, kept, plain = pools

    def networks(chosen: Sequence) -> list:
        return [network(cell, colours, channels, index) for index, cell in enumerate(chosen)]

    released = [Released(cell, colours, channels, index) for index, cell in enumerate(cells)]
    return {
        "reference": repeated(separate(networks(cells), batches), threads),
        "workers": spread(two, shape),
        "one thread": repeated(separate(networks(cells), batches), 1),
        "grouped": repeated(together(networks(cells), batches), threads),
        "released": repeated(separate(released, batches), threads),
        "same cell": repeated(separate(networks(cells[:1] * COUNT), batches), threads),
        "vmap": repeated(stacked(networks(cells[:1] * COUNT), batches), threads),
        "kept": spread(kept, shape),
        "handed back": spread(plain, shape),
    }


def milliseconds(turns: dict[str, Callable[[int], None]], steps: int, repeats: int) -> dict[str, float]:
    """Median wall time of one step of all six, by way; two turns of each warm up."""
    times: dict[str, list[float]] = {name: [] for name in turns}
    for round_ in range(repeats + 2):
        for name, turn in turns.items():
            start = time.perf_counter()
            turn(steps)
            if round_ > 1:
                times[name].append(1e3 * (time.perf_counter() - start) / steps)
    return {name: statistics.median(values) for name, values in times.items()}


def cases(shape: str, ms: dict[str, float], threads: int) -> list[dict[str, object]]:
    return [
        {
            "name": f"{shape}, {title}",
            "ours_ms": round(ms[ours], 1),
            "reference_ms": round(ms[reference], 1),
            "ratio": round(ms[reference] / ms[ours], 2),
            "target": None,
            "reference_threads": 1 if reference in ("one thread", "handed back") else threads,
        }
        for title, ours, reference in ROWS
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="of the reference")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", default="", help="shapes whose name contains this")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    keep_freed_memory()
    found: list[dict[str, object]] = []
    plain = partial(ProcessPoolExecutor, 1, multiprocessing.get_context("spawn"), start_plainly)
    with local_executor(WORKERS) as two, local_executor(1) as kept, plain() as handing:
        for shape, (*_, steps) in SHAPES.items():
            if options.only not in shape:
                continue
            load = os.getloadavg()[0]
            print(f"{shape}: torch {torch.__version__}, {options.threads} threads, load {load:.1f}", file=sys.stderr)
            ms = milliseconds(ways(shape, options.threads, (two, kept, handing)), steps, options.repeats)
            print("  ".join(f"{name} {value:.1f}" for name, value in ms.items()), file=sys.stderr, flush=True)
            found += cases(shape, ms, options.threads)
    if options.json:
        print(json.dumps({"cases": found}, ensure_ascii=False))


if __name__ == "__main__":
    main()
