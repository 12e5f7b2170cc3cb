"""What a page recomputes when a member of an ensemble changes, metric by metric, beside the metrics as they were.

Random float32 predictions of M members on B images of C classes, as `val.npy` holds them. Both sides run in this process in turns
A B A B and must give the same number (± 1e-5); the ratio of their medians is what counts, since machines differ. "Together" is the
sum of all that must take less than 200 ms; the rest has no earlier form or may be slower.

    python benchmarks/evaluation.py --json
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import earlier_metrics as earlier
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from edgenes_core import bootstrap, diversity, metrics, pairwise, selective, temperature
from edgenes_core.weighted import STATISTICS

IMAGES, CLASSES, MEMBERS = 10_000, 100, 5
BUDGET_MS = 200.0


def predictions(members: int, images: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Members that are mostly right, with a part of their mistakes in common."""
    rng = np.random.default_rng(0)
    y, common = rng.integers(classes, size=images), rng.normal(size=(images, classes))
    logits = 2 * (common + rng.normal(size=(members, images, classes)))
    logits[:, np.arange(images), y] += 5
    probs = np.exp(logits - logits.max(-1, keepdims=True))
    return (probs / probs.sum(-1, keepdims=True)).astype(np.float32), y


Side = Callable[[], object]


def together(probs: np.ndarray, y: np.ndarray) -> dict[str, tuple[Side, Side | None]]:
    """Name: now and earlier. The average is computed once and then judged, as ensembles.evaluate does."""
    mean = metrics.average(probs)
    return {
        "mean of probabilities": (lambda: metrics.average(probs), lambda: earlier.mean(probs)),
        "accuracy": (lambda: metrics.accuracy(mean, y), lambda: earlier.accuracy(mean, y)),
        "NLL": (lambda: metrics.nll(mean, y), lambda: earlier.nll(mean, y)),
        "Brier score": (lambda: metrics.brier(mean, y), lambda: earlier.brier(mean, y)),
        "ECE": (lambda: metrics.ece(mean, y), lambda: earlier.ece(mean, y)),
        "adaptive ECE": (lambda: metrics.adaptive_ece(mean, y), None),
        "disagreement, all pairs": (
            lambda: diversity.pairwise_disagreement(probs),
            lambda: earlier.pairwise_disagreement(probs),
        ),
        "oracle accuracy": (lambda: diversity.oracle_accuracy(probs, y), lambda: earlier.oracle_accuracy(probs, y)),
        "mutual information": (lambda: diversity.mutual_information(probs), lambda: earlier.mutual_information(probs)),
    }


def beside(probs: np.ndarray, y: np.ndarray) -> dict[str, tuple[Side, Side | None]]:
    mean = metrics.average(probs)
    own = {name: STATISTICS[name](probs, y) for name in ("accuracy", "ece", "aurc", "error_correlation")}
    return {
        "JSD, all pairs": (lambda: diversity.pairwise_jsd(probs), lambda: earlier.pairwise_jsd(probs)),
        "Q, ρ, double fault": (lambda: pairwise.q_statistic(pairwise.overlap(probs, y)), None),
        "κ, all pairs": (lambda: pairwise.kappa(probs), None),
        "ambiguity (Brier)": (lambda: diversity.ambiguity(probs, y), None),
        "ambiguity (log)": (lambda: diversity.log_ambiguity(probs, y), None),
        "AURC": (lambda: selective.aurc(mean, y), None),
        "temperature, fitted and judged": (lambda: temperature.fit_temperature(mean, y), None),
        **{f"interval of {name}, 1000 resamples": (interval_of(own[name], len(y)), None) for name in own},
    }


def interval_of(statistic: Callable[[np.ndarray], np.ndarray], images: int) -> Side:
    return lambda: bootstrap.interval(statistic, images)


def timed(now: Side, before: Side | None, repeats: int) -> tuple[float, float | None]:
    """Medians in milliseconds, in turns."""
    taken: tuple[list[float], list[float]] = ([], [])
    for turn in range(repeats + 1):
        for side, times in zip((now, before), taken, strict=True):
            if side is not None:
                start = time.perf_counter()
                side()
                if turn:  # the first turn warms up
                    times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(taken[0]), statistics.median(taken[1]) if before else None


def case(name: str, now: Side, before: Side | None, repeats: int) -> dict[str, object]:
    if before is not None:
        assert np.allclose(np.asarray(now()), np.asarray(before()), atol=1e-5), f"{name} changed"
    ours, theirs = timed(now, before, repeats)
    row: dict[str, object] = {"name": name, "ours_ms": round(ours, 2)}
    return row | ({"reference_ms": round(theirs, 2), "ratio": round(theirs / ours, 1)} if theirs else {})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=MEMBERS)
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--classes", type=int, default=CLASSES)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"numpy {np.__version__}, {os.cpu_count()} cores, load {load:.1f}", file=sys.stderr)
    probs, y = predictions(options.members, options.images, options.classes)
    cases = [case(name, *sides, options.repeats) for name, sides in together(probs, y).items()]
    known = [row for row in cases if "reference_ms" in row]
    total = {
        "name": "together",
        "ours_ms": round(sum(float(str(row["ours_ms"])) for row in cases), 1),
        "reference_ms": round(sum(float(str(row["reference_ms"])) for row in known), 1),
        "budget_ms": BUDGET_MS,
    }
    cases += [total, *(case(name, *sides, min(3, options.repeats)) for name, sides in beside(probs, y).items())]
    for row in cases:
        print(row, file=sys.stderr, flush=True)
    if options.json:
        print(json.dumps({"load": round(load, 1), "cases": cases}, ensure_ascii=False))


if __name__ == "__main__":
    main()
