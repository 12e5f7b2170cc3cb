"""What second-order DARTS costs: one bilevel step with the unrolled loss against one of first order, in turns A B A B.

Both are the search's own steps and take the same weight step; the architecture step differs (search/unrolled.py). The ratio is
second / first, so 1 would be free and there is no target. The paper's finite difference is timed beside them, and its relative
error in the second-order term alone is printed for several sizes ε·‖∇L_val‖ of the shift of the weights.

    python benchmarks/second_order.py --threads 1 --json
"""

import argparse
import json
import os
import statistics
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from edgenes_core.alpha import gumbel, mixing
from edgenes_core.calibration import Bench, Step
from edgenes_core.config import PRESETS, DartsConfig
from edgenes_core.estimate import Shape
from edgenes_core.search.bilevel import CLIP, data_loss
from edgenes_core.search.unrolled import drift, supernet_loss, unrolled_loss
from edgenes_core.space import SearchSpace
from edgenes_core.supernet import Supernet
from edgenes_core.train import weight_optimizer, weight_step

SHAPES = {"digits 8×8 C8": (8, 1, 8), "cifar 32×32 C8": (32, 3, 8), "cifar 32×32 C16": (32, 3, 16)}
BATCH, CLASSES, RATE = 64, 10, 0.01
SHIFTS = (1.0, 0.1, 0.01, 0.001)  # 0.01 is the paper's


class Problem:
    """A supernet, its logits, two batches with fixed noise, and the steps to compare."""

    def __init__(self, name: str) -> None:
        side, channels, width = SHAPES[name]
        self.space, g = SearchSpace(), torch.Generator().manual_seed(0)
        self.net = Supernet(self.space, channels, CLASSES, width, 1, g)
        self.logits = (0.5 * torch.randn(self.space.logits, generator=g)).requires_grad_()
        self.noise = gumbel(self.logits.shape, g)
        self.train, self.val = (
            (torch.randn(BATCH, channels, side, side, generator=g), torch.randint(CLASSES, (BATCH,), generator=g))
            for _ in range(2)
        )
        self.optimizer = weight_optimizer(self.net, RATE)
        self.loss_train, self.loss_val = (supernet_loss(self.net, b, self.mix, False) for b in (self.train, self.val))
        self.loss_twice = supernet_loss(self.net, self.train, self.mix, True)

    def mix(self, logits: torch.Tensor) -> torch.Tensor:
        return mixing(self.space, logits + self.noise, 0.5)

    def exact(self) -> torch.Tensor:
        weights, extra = list(self.net.parameters()), drift(self.optimizer)
        loss = unrolled_loss(self.loss_twice, self.loss_val, weights, self.logits, RATE, extra)
        return torch.autograd.grad(loss, [self.logits])[0]

    def step(self, architecture_step) -> None:
        """The architecture step, then the weights'."""
        architecture_step()
        weight_step(self.net, self.optimizer, data_loss(self.net, self.train, self.mix(self.logits.detach())), CLIP)

    def shifted(self, size: float) -> torch.Tensor:
        """The paper's gradient: ∇_α L_val(w') − ξ (∇_α L_train(w⁺) − ∇_α L_train(w⁻)) / 2ε, ε = size/‖∇L_val‖."""
        w = [p.detach().requires_grad_() for p in self.net.parameters()]
        pulls = torch.autograd.grad(self.loss_train(w, self.logits.detach()), w)
        extra = drift(self.optimizer)
        virtual = [(a - RATE * (p + d)).detach().requires_grad_() for a, p, d in zip(w, pulls, extra, strict=True)]
        ahead, *v = torch.autograd.grad(self.loss_val(virtual, self.logits), [self.logits, *virtual])
        eps = size / torch.cat([t.flatten() for t in v]).norm()
        sides = []
        for sign in (1, -1):
            moved = [a.detach() + sign * eps * t for a, t in zip(w, v, strict=True)]
            sides.append(torch.autograd.grad(self.loss_train(moved, self.logits), [self.logits])[0])
        return ahead - RATE * (sides[0] - sides[1]) / (2 * eps)


def search_step_of(name: str, order: int) -> Step:
    """The real bilevel step of the search, of first or second order."""
    side, channels, width = SHAPES[name]
    config = replace(PRESETS["quick"], darts=DartsConfig(channels=width, order=order))
    shape = Shape(channels, side, side, CLASSES, BATCH, BATCH, BATCH)
    return Bench(config, shape, torch.device("cpu")).search(BATCH, frozen=False)


def alternate(steps: dict, repeats: int) -> dict[str, float]:
    """Median ms of each step, in turns; the first turn warms up."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(repeats + 1):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            if turn:
                times[name].append(1e3 * (time.perf_counter() - start))
    return {name: statistics.median(t) for name, t in times.items()}


def case(name: str, threads: int, repeats: int) -> dict[str, object]:
    problem = Problem(name)
    steps = {str(order): search_step_of(name, order) for order in (1, 2)}
    ms = alternate({**steps, "shifted": partial(problem.step, partial(problem.shifted, 0.01))}, repeats)
    print(f"{name}: a bilevel step with the finite difference takes {ms['shifted']:.0f} ms", file=sys.stderr)
    return {
        "name": f"second-order step, {name}, {threads} thread{'s' if threads > 1 else ''}",
        "ours_ms": round(ms["2"], 1),
        "reference_ms": round(ms["1"], 1),
        "ratio": round(ms["2"] / ms["1"], 2),
        "target": None,
    }


def errors(name: str) -> dict[float, float]:
    """|finite difference − exact| / |exact second-order term|, median over five states of a training."""
    problem, found = Problem(name), {size: [] for size in SHIFTS}
    for _ in range(5):
        exact = problem.exact()
        w = [p.detach().requires_grad_() for p in problem.net.parameters()]
        pulls = torch.autograd.grad(problem.loss_train(w, problem.logits.detach()), w)
        virtual = [a.detach() - RATE * (p + d) for a, p, d in zip(w, pulls, drift(problem.optimizer), strict=True)]
        (ahead,) = torch.autograd.grad(problem.loss_val(virtual, problem.logits), [problem.logits])
        for size, values in found.items():
            values.append(float((problem.shifted(size) - exact).norm() / (exact - ahead).norm()))
        for _ in range(4):
            problem.step(lambda: None)
    return {size: round(statistics.median(values), 3) for size, values in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", default="", help="shapes whose name contains this")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    cases, names = [], [name for name in SHAPES if options.only in name]
    for threads in options.threads:
        torch.set_num_threads(threads)
        print(f"torch {torch.__version__}, {threads} threads, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
        for name in names:
            cases.append(case(name, threads, options.repeats))
            print(cases[-1], file=sys.stderr, flush=True)
    for name in names[:2]:
        print(f"{name}: error of the finite difference by shift {errors(name)}", file=sys.stderr, flush=True)
    if options.json:
        print(json.dumps({"cases": cases}, ensure_ascii=False))


if __name__ == "__main__":
    main()
