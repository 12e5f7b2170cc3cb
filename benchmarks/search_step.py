"""One bilevel search step (architecture step + weight step), ours against the per-edge form the field writes.

Both run in this process, in turns A B A B, with the same weights, data and optimiser; the ratio of their medians is what
counts, since machines differ. The per-edge form is one module per edge and operation with all gradients computed in both
half-steps, as in the DARTS, NNI and EdgeNES releases; it is `tests/reference_supernet.py`, whose equality with ours the
tests check in float64.

    python benchmarks/search_step.py --threads 1 --json
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

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from reference_supernet import reference_forward

from edgenes_core.alpha import mixing
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
TARGETS = {1: 3.0, 2: 2.5}


def ours(net, batches, logits, optimizer, space):
    """What search/darts.py does: only the needed gradients."""
    (xa, ya), (xw, yw) = batches
    torch.autograd.grad(F.cross_entropy(net(xa, mixing(space, logits, 1.0)), ya), [logits])
    weight_step(net, optimizer, F.cross_entropy(net(xw, mixing(space, logits.detach(), 1.0)), yw), CLIP)


def reference(net, batches, logits, optimizer, space):
    """What the releases do: backward through everything in both half-steps."""
    for x, y in batches:
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(reference_forward(net, x, mixing(space, logits, 1.0)), y).backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), CLIP)
    optimizer.step()


def case(name: str, threads: int, repeats: int) -> dict[str, object]:
    side, channels, width, layers = SHAPES[name]
    space, generator = SearchSpace(), torch.Generator().manual_seed(0)
    batches = [(torch.randn(BATCH, channels, side, side), torch.randint(CLASSES, (BATCH,))) for _ in range(2)]
    sides = []
    for step, make in ((ours, weight_optimizer), (reference, plain_sgd)):
        net = Supernet(space, channels, CLASSES, width, layers, generator)
        logits = torch.zeros(space.logits, requires_grad=True)
        sides.append((step, net, logits, make(net, 0.01)))
    times: list[list[float]] = [[], []]
    for turn in range(repeats + 1):
        for index, (step, net, logits, optimizer) in enumerate(sides):
            start = time.perf_counter()
            step(net, batches, logits, optimizer, space)
            if turn:  # the first turn warms up
                times[index].append(1e3 * (time.perf_counter() - start))
    fast, slow = (statistics.median(t) for t in times)
    return {
        "name": f"{name}, {threads} thread{'s' if threads > 1 else ''}",
        "ours_ms": round(fast, 1),
        "reference_ms": round(slow, 1),
        "ratio": round(slow / fast, 2),
        "target": TARGETS.get(threads, 2.5),
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
    cases = []
    print(f"torch {torch.__version__}, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
    for threads in options.threads:
        torch.set_num_threads(threads)
        for name in SHAPES:
            if options.only in name:
                cases.append(case(name, threads, options.repeats))
                print(cases[-1], file=sys.stderr, flush=True)
    if options.json:
        print(json.dumps({"cases": cases}, ensure_ascii=False))


if __name__ == "__main__":
    main()
