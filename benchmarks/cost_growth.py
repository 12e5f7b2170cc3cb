"""How the time of one bilevel step grows with nodes, channels, batch, image side and k: one factor at a time.

Around each base point one factor takes several values, all of them in turns (A B C A B C), so that a slow minute of the
machine falls on each. The exponent is the slope of log time over log factor: 1 is linear. Edges grow with
nodes·(nodes + 3)/2, so the nodes' exponent lies between 1 and 2 where edges dominate.

    python benchmarks/cost_growth.py --threads 1 --json
"""

import argparse
import json
import os
import statistics
import sys
import time
from dataclasses import astuple, dataclass, replace
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from edgenes_core.calibration import Bench, Step
from edgenes_core.config import PRESETS, DartsConfig
from edgenes_core.estimate import Shape
from edgenes_core.space import SearchSpace

CLASSES = 10


@dataclass(frozen=True)
class Point:
    """One shape of a step."""

    nodes: int = 4
    channels: int = 8
    batch: int = 64
    side: int = 8
    k: int = 1
    colours: int = 1


BASES = {"digits-like": Point(), "CIFAR-like": Point(side=32, colours=3, batch=32)}
GROWTH = {
    "digits-like": {
        "nodes": (2, 3, 4, 6, 8),
        "channels": (4, 8, 16, 32),
        "batch": (16, 32, 64, 128),
        "side": (4, 8, 16, 32),
        "k": (1, 2),
    },
    "CIFAR-like": {
        "nodes": (2, 4, 6),
        "channels": (4, 8, 16, 32),
        "batch": (8, 16, 32, 64),
        "side": (8, 16, 32, 48),
        "k": (1, 2),
    },
}


def step_at(point: Point) -> Step:
    """One real bilevel step of the search (search/darts.py) at a point, on random images."""
    config = replace(PRESETS["quick"], darts=DartsConfig(channels=point.channels))
    shape = Shape(point.colours, point.side, point.side, CLASSES, point.batch, point.batch, point.batch)
    bench = Bench(config, shape, torch.device("cpu"))
    bench.space = SearchSpace(nodes=point.nodes, inputs_per_node=point.k)
    return bench.search(point.batch, frozen=False)


def milliseconds(points: list[Point], repeats: int) -> list[float]:
    """Median of each point, in turns; the first turn warms up."""
    steps, times = [step_at(point) for point in points], [[] for _ in points]
    for turn in range(repeats + 1):
        for step, kept in zip(steps, times, strict=True):
            start = time.perf_counter()
            step()
            if turn:
                kept.append(1e3 * (time.perf_counter() - start))
    return [statistics.median(kept) for kept in times]


def slope(values: tuple[int, ...], times: list[float]) -> float:
    """Least-squares slope of log time over log value."""
    return float(np.polyfit(np.log(values), np.log(times), 1)[0])


def grow(base: str, factor: str, threads: int, repeats: int) -> dict[str, object]:
    """One row: times at each value; `ratio` is the exponent, ours_ms and reference_ms the largest and the base value."""
    values, start = GROWTH[base][factor], BASES[base]
    times = milliseconds([replace(start, **{factor: value}) for value in values], repeats)
    return {
        "name": f"{base}, {factor}, {threads} thread{'s' if threads > 1 else ''}",
        "ours_ms": round(times[-1], 1),
        "reference_ms": round(times[values.index(getattr(start, factor))], 1),
        "ratio": round(slope(values, times), 2),
        "target": None,
        "values": list(values),
        "ms": [round(t, 1) for t in times],
    }


def row(case: dict) -> str:
    cells = " · ".join(f"{v}: {t:g}" for v, t in zip(case["values"], case["ms"], strict=True))
    return f"| {case['name']} | {cells} | {case['ratio']:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", default="", help="rows whose name contains this, e.g. 'digits' or 'nodes'")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"torch {torch.__version__}, {options.threads} threads, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
    for name, point in BASES.items():
        print(f"{name}: nodes, channels, batch, side, k, image channels = {astuple(point)}", file=sys.stderr)
    print("| base and factor | value: ms per step | exponent |\n|---|---|---|", file=sys.stderr)
    cases = []
    for base, factors in GROWTH.items():
        for factor in factors:
            if options.only in f"{base} {factor}":
                cases.append(grow(base, factor, options.threads, options.repeats))
                print(row(cases[-1]), file=sys.stderr, flush=True)
    if options.json:
        print(json.dumps({"cases": cases}, ensure_ascii=False))


if __name__ == "__main__":
    main()
