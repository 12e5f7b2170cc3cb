"""What a GPU brings: the whole pipeline, one search step in four forms, batch sizes, and candidates at once.

    pipeline    a reduced run on subsets of CIFAR-100 and Fashion-MNIST (.npz files), seconds per stage, peak memory
    step        one bilevel step (C 16, 32×32×3): eager float32, bfloat16 autocast, as one CUDA graph, torch.compile
    batches     the eager step at several batch sizes, per image
    candidates  six networks, one step each: one after another, a CUDA stream each, a CUDA graph each, grouped into one

CUDA's forms are left out where there is no CUDA device; then these are CPU numbers, in a size that takes about two minutes. The
clock is read after the device has done its work; forms take turns, medians. The first of each table is the reference.

    python benchmarks/gpu.py --json [--cifar100 FILE.npz] [--fashion FILE.npz] [--steps 40] [--images 10000] [--compile]
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from device_forms import WARM_UPS, Step, candidates, search_step, step_forms

from edgenes_core.config import PRESETS, PipelineConfig
from edgenes_core.device import choose_device, describe, keep_freed_memory, synchronize
from edgenes_core.executors import local_executor
from edgenes_core.pipeline import run_pipeline
from edgenes_core.runs import RunStore
from edgenes_core.session import Session

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
Row = dict[str, object]


def subset(file: Path, images: int, folder: Path) -> Path:
    """About `images` training images and a fifth as many test images of an .npz, as many of each class, as a new .npz."""
    with np.load(file, allow_pickle=False) as arrays:
        kept = {name: arrays[name] for name in arrays.files}
    for part, count in (("train", images), ("test", images // 5)):
        y = kept[f"y_{part}"]
        of_each = max(1, count // len(np.unique(y)))
        rows = np.sort(np.concatenate([np.flatnonzero(y == label)[:of_each] for label in np.unique(y)]))
        kept |= {f"{axis}_{part}": kept[f"{axis}_{part}"][rows] for axis in "xy"}
    np.savez(folder / file.name, **kept)
    return folder / file.name


def reduced(dataset: Path, steps: int) -> PipelineConfig:
    """Every stage of a run, in few steps."""
    start = PRESETS["reduced"]
    return replace(
        start,
        preset="custom",
        dataset=str(dataset),
        umap=False,
        darts=replace(start.darts, steps=steps),
        hypernet=replace(start.hypernet, steps=steps),
        retrain=replace(start.retrain, epochs=1),
        ensemble=replace(start.ensemble, pool=3, size=2, controls=2),
    )


def pipelines(files: list[Path], machine: torch.device, steps: int, images: int) -> Iterator[Row]:
    """Seconds of the whole run and of its stages."""
    for file in files:
        if not file.is_file():
            say(f"{file} is not there, so its pipeline is left out; name an .npz with --cifar100 or --fashion.")
            continue
        with tempfile.TemporaryDirectory() as folder, local_executor(2) as executor:
            dataset = subset(file, images, Path(folder))
            run = RunStore(Path(folder) / "runs").create(reduced(dataset, steps))
            start = time.perf_counter()
            run_pipeline(Session(run, executor, machine.type))
            row = case(
                f"pipeline, {file.stem}, {images} images, {steps} steps", 1e3 * (time.perf_counter() - start), None
            )
            costs = {stage: run.manifest.cost(stage) for stage in run.manifest.stages}
        row["seconds"] = {stage: round(cost.seconds, 1) for stage, cost in costs.items() if cost}
        row["peak_MB_so_far"] = max(cost.peak_memory for cost in costs.values() if cost) // 10**6
        yield row


def milliseconds(forms: dict[str, Step], machine: torch.device, repeats: int) -> dict[str, float]:
    """Median of each form, in turns."""
    times: dict[str, list[float]] = {name: [] for name in forms}
    for turn in range(repeats + WARM_UPS):
        for name, form in forms.items():
            synchronize(machine)
            start = time.perf_counter()
            form()
            synchronize(machine)
            if turn >= WARM_UPS:
                times[name].append(1e3 * (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in times.items()}


def case(name: str, ours: float, reference: float | None) -> Row:
    ratio = None if reference is None else round(reference / ours, 2)
    given = None if reference is None else round(reference, 3)
    return {"name": name, "ours_ms": round(ours, 3), "reference_ms": given, "ratio": ratio, "target": None}


def per_image(steps: dict[int, Step], machine: torch.device, repeats: int) -> Iterator[Row]:
    """Time of an image at each batch size, against the first size."""
    ms = milliseconds({str(size): step for size, step in steps.items()}, machine, repeats)
    return compared("bilevel step per image, batch", {size: value / int(size) for size, value in ms.items()})


def compared(title: str, ms: dict[str, float]) -> Iterator[Row]:
    """The first form is the reference of all."""
    reference = next(iter(ms.values()))
    yield from (case(f"{title}, {name}", value, reference) for name, value in ms.items())


def tables(options: argparse.Namespace, machine: torch.device) -> Iterator[Row]:
    """One table after the other, in the size that fits the machine unless the options say one."""
    gpu = machine.type != "cpu"
    repeats = options.repeats or (20 if gpu else 3)
    batches = options.batches or ((64, 128, 256, 512, 1024) if gpu else (32, 64))
    steps, images = options.steps or (40 if gpu else 4), options.images or (10_000 if gpu else 1000)
    yield from compared("bilevel step", milliseconds(step_forms(machine, 64, options.compile), machine, repeats))
    yield from per_image({size: search_step(machine, size) for size in batches}, machine, repeats)
    yield from compared("six candidates", milliseconds(candidates(machine), machine, repeats))
    yield from pipelines([options.cifar100, options.fashion], machine, steps, images)


def introduce(machine: torch.device) -> None:
    """The machine, so that nobody takes a CPU's numbers for a GPU's."""
    load = os.getloadavg()[0]
    say(f"{describe(machine)}, torch {torch.__version__}, {torch.get_num_threads()} CPU threads, load {load:.1f}")
    if machine.type == "cuda":
        say(f"memory {torch.cuda.get_device_properties(machine).total_memory / 2**30:.0f} GiB")
    if machine.type == "cpu":
        say("no GPU here: CPU numbers")
    say("| case | ms | reference ms | ratio |\n|---|---|---|---|")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cifar100", type=Path, default=SHARED / "cifar100_small.npz")
    parser.add_argument("--fashion", type=Path, default=SHARED / "fashion_mnist_small.npz")
    parser.add_argument("--steps", type=int, default=None, help="of each search in a pipeline (40; 4 on a CPU)")
    parser.add_argument(
        "--images", type=int, default=None, help="training images of a pipeline (10 000; 1000 on a CPU)"
    )
    parser.add_argument("--batches", type=int, nargs="+", default=None, help="64 128 256 512 1024; 32 64 on a CPU")
    parser.add_argument("--repeats", type=int, default=None, help="timed turns (20; 3 on a CPU)")
    parser.add_argument("--compile", action="store_true", help="also torch.compile, which takes minutes")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    keep_freed_memory()
    machine, cases = choose_device(), []
    introduce(machine)
    for row in tables(options, machine):
        shown = ("–" if value is None else f"{value}" for name, value in row.items() if name != "target")
        say(f"| {' | '.join(shown)} |")
        cases.append(row)
    if options.json:
        print(json.dumps({"cases": cases}, ensure_ascii=False))


if __name__ == "__main__":
    main()
