"""One bilevel search step (architecture step + weight step): ours, compiled and in plain torch, against the field's form.

    per-edge   one module per edge and operation, all gradients in both half-steps, as the DARTS, NNI and EdgeNES releases
               write it (tests/reference_supernet.py, whose equality with ours the tests check in float64)
    earlier    this project's first release in plain torch (earlier_depthwise.py), all gradients in both half-steps
    torch      ours in plain torch                            compiled   ours as a search runs it on a CPU

All run in this process in turns, with the same data; the ratio of their medians counts, since machines differ. The floor is
what a step would take at the machine's own rate of matrix products (arithmetic) and of copying (each map written and read
once), both measured here.

    python benchmarks/search_step.py --threads 1 2 --json
"""

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from reference_supernet import reference_forward

from benchmarks import earlier_depthwise
from benchmarks.step_floor import floor_ms
from edgenes_core import compiled, wide
from edgenes_core.alpha import mixing
from edgenes_core.device import keep_freed_memory
from edgenes_core.search.bilevel import architecture_loss, data_loss
from edgenes_core.space import SearchSpace
from edgenes_core.supernet import Supernet
from edgenes_core.train import weight_optimizer, weight_step

SHAPES = {  # name: side, image channels, C, layers
    "digits 8×8 C8": (8, 1, 8, 1),
    "digits 8×8 C16": (8, 1, 16, 1),
    "fashion 28×28 C8": (28, 1, 8, 1),
    "fashion 28×28 C16": (28, 1, 16, 1),
    "cifar 32×32 C8": (32, 3, 8, 1),
    "cifar 32×32 C16": (32, 3, 16, 1),
}
BATCH, CLASSES, CLIP = 64, 10, 5.0
TARGETS = {"torch": {1: 3.0, 2: 2.5}, "compiled": {1: 8.0, 2: 8.0}}


def ours(net, batches, logits, optimizer, space):
    """What search/darts.py does: only the gradients each half needs."""
    torch.autograd.grad(architecture_loss(net, batches[0], mixing(space, logits, 1.0)), [logits])
    weight_step(net, optimizer, data_loss(net, batches[1], mixing(space, logits.detach(), 1.0)), CLIP)


def earlier(net, batches, logits, optimizer, space):
    """The first release: the architecture's gradient alone, but with everything kept for the weights' too."""
    torch.autograd.grad(data_loss(net, batches[0], mixing(space, logits, 1.0)), [logits])
    weight_step(net, optimizer, data_loss(net, batches[1], mixing(space, logits.detach(), 1.0)), CLIP)


def reference(net, batches, logits, optimizer, space):
    """What the releases do: backward through everything in both half-steps."""
    for x, y in batches:
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(reference_forward(net, x, mixing(space, logits, 1.0)), y).backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), CLIP)
    optimizer.step()


FORMS = {"per-edge": reference, "earlier": earlier, "torch": ours, "compiled": ours}


def run(form: str, threads: int, *arguments: object) -> float:
    """Milliseconds of one step of a form."""
    os.environ["EDGENES_ENGINE"] = "auto" if form == "compiled" else "torch"
    compiled.unavailable.cache_clear()
    torch.set_num_threads(1 if form == "compiled" else threads)  # as a search does: the compiled loops bring their own
    wide.depthwise = earlier_depthwise.earlier if form == "earlier" else earlier_depthwise.present
    start = time.perf_counter()
    FORMS[form](*arguments)
    return 1e3 * (time.perf_counter() - start)


def cases(name: str, threads: int, repeats: int) -> list[dict[str, object]]:
    side, channels, width, layers = SHAPES[name]
    space, generator = SearchSpace(), torch.Generator().manual_seed(0)
    batches = [(torch.randn(BATCH, channels, side, side), torch.randint(CLASSES, (BATCH,))) for _ in range(2)]
    sides = {}
    for form in FORMS:
        net = Supernet(space, channels, CLASSES, width, layers, generator)
        optimizer = plain_sgd(net, 0.01) if form == "per-edge" else weight_optimizer(net, 0.01)
        sides[form] = (net, batches, torch.zeros(space.logits, requires_grad=True), optimizer, space)
    times: dict[str, list[float]] = {form: [] for form in FORMS}
    for turn in range(repeats + 1):
        for form in FORMS:
            took = run(form, threads, *sides[form])
            if turn:  # the first turn warms up
                times[form].append(took)
    median = {form: statistics.median(took) for form, took in times.items()}
    torch.set_num_threads(threads)
    floor = floor_ms(space, side, channels, width, BATCH)
    label = f"{name}, {threads} thread{'s' if threads > 1 else ''}"
    print(
        f"{label}: " + ", ".join(f"{form} {ms:.0f}" for form, ms in median.items()) + f" ms; floor {floor}",
        file=sys.stderr,
        flush=True,
    )
    found = [
        _case(f"{label}, {form}", median[form], median["per-edge"], targets.get(threads))
        for form, targets in TARGETS.items()
        if form == "torch" or not _engine_missing()
    ]
    return [*found, _case(f"{label}, torch against the first release", median["torch"], median["earlier"], 1.0)]


def _engine_missing() -> bool:
    os.environ["EDGENES_ENGINE"] = "auto"
    compiled.unavailable.cache_clear()
    return bool(compiled.unavailable())


def _case(name: str, fast: float, slow: float, target: float | None) -> dict[str, object]:
    return {
        "name": name,
        "ours_ms": round(fast, 1),
        "reference_ms": round(slow, 1),
        "ratio": round(slow / fast, 2),
        "target": target,
    }


def plain_sgd(net: torch.nn.Module, lr: float) -> torch.optim.Optimizer:
    """The releases' optimiser."""
    return torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9, weight_decay=3e-4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--only", default="", help="shapes whose name contains this")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = []
    keep_freed_memory()
    print(f"torch {torch.__version__}, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
    for threads in options.threads:
        os.environ["OMP_NUM_THREADS"] = str(threads)
        compiled.threads.cache_clear()
        for name in SHAPES:
            if options.only in name:
                found += cases(name, threads, options.repeats)
    for case in found:
        print(f"{case['name']}: {case['ratio']}× (target {case['target']})", file=sys.stderr)
    if options.json:
        print(json.dumps({"cases": found}, ensure_ascii=False))


if __name__ == "__main__":
    main()
