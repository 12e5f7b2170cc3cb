"""Does every whole λ give exactly λ shared edges, and how long does a quick run take?

Runs `pipeline --preset quick` for several seeds, then trains the release's swapped interpolation from the same searches
as the negative control. Prints a table and, with --json, one line of JSON.

    python benchmarks/lambda_control.py --seeds 5 --dataset digits
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from edgenes_core.data import load_dataset
from edgenes_core.lambda_path import LambdaPath, lambda_error, lambda_path
from edgenes_core.pipeline import stage_generator
from edgenes_core.runs import RunStore
from edgenes_core.search.darts import SearchResult
from edgenes_core.search.edgenes import train_hypernet
from edgenes_core.stored_supernet import load_supernet

ROOT = Path(__file__).resolve().parents[1]


def control(path: LambdaPath) -> dict[str, object]:
    """Shared edges at whole λ, mean |λ − shared|, and how often the shared count falls while λ rises."""
    shared = [interval.shared for interval in path.intervals]
    whole = [path.at(float(m)).shared for m in range(path.lambda_max + 1)]
    return {
        "whole": whole,
        "exact": whole == list(range(path.lambda_max + 1)),
        "error": round(lambda_error(path), 4),
        "decreases": sum(b < a for a, b in pairwise(shared)),
        "cells": len(path.intervals),
    }


def swapped(run) -> dict[str, object]:
    """The same search, the same seed, the release's interpolation."""
    torch.set_num_threads(1)
    data, base = load_dataset(run.config.dataset), run.base()
    start = SearchResult(base.architecture, base.logits, load_supernet(run, data))
    steps = train_hypernet(
        run.space,
        data,
        start,
        replace(run.config.hypernet, interpolation="swapped"),
        stage_generator(run.config.seed, "hypernet"),
    )
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return control(lambda_path(run.space, end.value, base.architecture))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--dataset", default="digits")
    parser.add_argument("--inputs-per-node", type=int, default=1)
    parser.add_argument("--skip-swapped", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = []
    for seed in range(options.seeds):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "edgenes_core", "pipeline", "--dataset", options.dataset, "--json"]
            command += ["--seed", str(seed), "--runs", folder, "--inputs-per-node", str(options.inputs_per_node)]
            load, start = os.getloadavg()[0], time.monotonic()
            out = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
            seconds = time.monotonic() - start
            (run,) = RunStore(Path(folder)).list()[0]
            row = {"seed": seed, "seconds": round(seconds, 1), "load_before": load, **control(run.lambda_path())}
            row["stages"] = json.loads(out.splitlines()[-1])["seconds"]
            if not options.skip_swapped:
                row["swapped"] = swapped(run)
        rows.append(row)
        if not options.json:
            print(row, flush=True)
    if options.json:
        print(json.dumps({"cases": rows}))


if __name__ == "__main__":
    main()
