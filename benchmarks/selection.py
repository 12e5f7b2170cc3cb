"""Choosing the best n of 20 by NLL, Brier score and accuracy on 10 000 images, against averaging every ensemble.

    ours      choose(pool, n, criterion=…): all C(20, n), exactly
    loop      the field's form: for each subset the mean of whole arrays, then the criterion
    matmul    membership matrix × predictions, a chunk of subsets at once, then the criterion
    column    for NLL also: membership matrix × probabilities of the true class alone

Loop and matmul are timed on `--sample` subsets spread evenly over all, and the time is multiplied up; ours and column do all of
them. In turns A B A B, medians. Every way must give the sampled subsets the same loss. The predictions are drawn by seed:
images hard for all members alike, classes that members confuse alike, and noise of each member's own. `pool` is what comes once
before any choice: checks, and the Gram matrix for the Brier score.

    python benchmarks/selection.py --json
"""

import argparse
import json
import math
import os
import statistics
import sys
import time
from itertools import combinations
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from edgenes_core.selecting import choose, pool_of
from edgenes_core.selecting.criteria import criterion_of
from edgenes_core.selecting.pool import Watch
from edgenes_core.selecting.rivals import contests
from edgenes_core.selecting.subsets import weights

MEMBERS, IMAGES = 20, 10_000
SHAPES = {"10 classes": (10, 3.5, 1.0), "100 classes": (100, 8.0, 0.7), "100 classes, hard": (100, 6.0, 1.0)}
CRITERIA = ("nll", "brier", "accuracy")
CHUNK = 8 << 20


def predictions(classes: int, signal: float, own: float) -> tuple[np.ndarray, np.ndarray]:
    """(N, B, C) float32 softmax outputs of 20 members, and true classes."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, classes, IMAGES)
    ease, alike = rng.gamma(2.0, 0.5, IMAGES), 1.2 * rng.standard_normal((IMAGES, classes), dtype=np.float32)
    probs = np.empty((MEMBERS, IMAGES, classes), np.float32)
    for member in probs:
        logits = alike + own * rng.standard_normal((IMAGES, classes), dtype=np.float32)
        logits[np.arange(IMAGES), y] += signal * rng.uniform(0.85, 1.15) * ease
        np.exp(logits - logits.max(1, keepdims=True), out=member)
        member /= member.sum(1, keepdims=True)
    return probs, y


def judged(mean: np.ndarray, y: np.ndarray, criterion: str) -> np.ndarray:
    """(R, B, C) averages → (R,) losses."""
    rows = np.arange(len(y))
    if criterion == "nll":
        return -np.log(np.maximum(mean[:, rows, y], 1e-12)).mean(1)
    if criterion == "brier":
        return ((mean**2).sum(-1) - 2 * mean[:, rows, y] + 1).mean(1)
    return (mean.argmax(-1) != y).mean(1)


def loop(probs: np.ndarray, y: np.ndarray, subsets: np.ndarray, criterion: str) -> np.ndarray:
    return np.concatenate([judged(probs[subset].mean(0)[None], y, criterion) for subset in subsets])


def matmul(probs: np.ndarray, y: np.ndarray, subsets: np.ndarray, criterion: str) -> np.ndarray:
    flat, found = probs.reshape(MEMBERS, -1), []
    rows = max(1, CHUNK // flat[0].nbytes)
    for start in range(0, len(subsets), rows):
        share = weights(subsets[start : start + rows], MEMBERS).astype(np.float32)
        found.append(judged((share @ flat).reshape(len(share), *probs.shape[1:]), y, criterion))
    return np.concatenate(found)


def column(true: np.ndarray, subsets: np.ndarray) -> np.ndarray:
    rows = max(1, CHUNK // true[0].nbytes)
    parts = (weights(subsets[i : i + rows], MEMBERS) @ true for i in range(0, len(subsets), rows))
    return np.concatenate([-np.log(np.maximum(part, 1e-12)).mean(1) for part in parts])


def timed(work) -> tuple[float, object]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def case(name: str, probs: np.ndarray, y: np.ndarray, size: int, criterion: str, options) -> dict[str, object]:
    pool = pool_of(probs, y, [f"{i:02d}" for i in range(MEMBERS)])
    _ = pool.gram
    count = math.comb(MEMBERS, size)
    every = np.array(list(combinations(range(MEMBERS), size)))
    some = every[np.linspace(0, count - 1, min(options.sample, count)).astype(int)]
    more = count / len(some)
    ways = {
        "ours": (1.0, lambda: choose(pool, size, criterion=criterion)),
        "loop": (more, lambda: loop(probs, y, some, criterion)),
        "matmul": (more, lambda: matmul(probs, y, some, criterion)),
    }
    if criterion == "nll":
        ways["column"] = (1.0, lambda: column(pool.true, every))
    times: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(options.repeats):
        results = {}
        for way, (factor, work) in ways.items():
            seconds, results[way] = timed(work)
            times[way].append(factor * seconds)
    best, losses = results.pop("ours"), criterion_of(pool, criterion, 0.0).losses(some)
    for way, found in results.items():
        if way != "column":
            np.testing.assert_allclose(found, losses, rtol=1e-4, atol=2.5 / IMAGES)
        assert best.loss <= found.min() + 1e-4
    medians = {way: statistics.median(taken) for way, taken in times.items()}
    row = {"shape": name, "n": size, "ensembles": count, "criterion": criterion}
    row |= {f"{way}_s": round(seconds, 4) for way, seconds in medians.items()}
    row |= {"ratio_loop": round(medians["loop"] / medians["ours"], 1), "sampled": len(some)}
    if criterion == "nll":
        row["scored"] = int(np.isfinite(criterion_of(pool, "nll", 0.0).every(size, Watch())).sum())
    if criterion == "accuracy":
        groups = [group for contest in contests(pool, size) for group in contest.groups]
        row["compared"] = round(sum(group.limit.size for group in groups) / (IMAGES * (probs.shape[2] - 1)), 4)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1, help="of BLAS; nothing else here uses several")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--sample", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    cases = []
    with threadpool_limits(options.threads):
        for name, shape in SHAPES.items():
            load = os.getloadavg()[0]
            probs, y = predictions(*shape)
            alone = (probs.argmax(-1) == y).mean(1)
            seconds, pool = timed(lambda: pool_of(probs, y, [f"{i:02d}" for i in range(MEMBERS)]))  # noqa: B023
            gram, _ = timed(lambda: pool.gram)  # noqa: B023
            print(
                f"{name}: numpy {np.__version__}, {options.threads} threads, load {load:.1f}; members {alone.min():.1%} to "
                f"{alone.max():.1%}, all averaged {(probs.mean(0).argmax(-1) == y).mean():.1%}; pool {seconds:.3f} s, Gram {gram:.3f} s",
                file=sys.stderr,
            )
            for criterion in CRITERIA:
                for size in (3, 4, 5):
                    cases.append(case(name, probs, y, size, criterion, options) | {"load": round(load, 1)})
                    print(cases[-1], file=sys.stderr, flush=True)
    if options.json:
        print(json.dumps({"cases": cases}, ensure_ascii=False))


if __name__ == "__main__":
    main()
