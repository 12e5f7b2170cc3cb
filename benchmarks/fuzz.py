"""Hostile input for every reader, for as long as one likes: `nice python benchmarks/fuzz.py --minutes 5 [--seed 1] [--json]`.

Readers take turns in processes of their own, the minutes are the processor's; see tests/fuzzing.py for the law and tests/mutations.py for the inputs. Prints
inputs, accepted, refused, failures with what they say (and where the input was kept), the slowest input, and how much memory
the process took beyond its start. Exit status 1 if anything failed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import sys
import tempfile
import time
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from fuzzing import attempt, inputs  # noqa: E402
from mutations import bombs  # noqa: E402
from parsers import parsers  # noqa: E402

from edgenes_core.device import choose_device, peak_memory  # noqa: E402


class Row(NamedTuple):
    """What one reader did; seconds of the slowest input, bytes beyond the start, and inputs by what was wrong with them."""

    name: str
    inputs: int
    accepted: int
    refused: int
    failed: int
    slowest: float
    memory: int
    failures: dict[str, str]


def fuzz(name: str, seconds: float, seed: int, kept: Path) -> Row:
    """One reader for so long, in this process; the inputs that fail are kept as files."""
    warnings.simplefilter("error", RuntimeWarning)  # numpy's: they would stand in the log of a server
    with tempfile.TemporaryDirectory() as root:
        parser = next(parser for parser in parsers(Path(root)) if parser.name == name)
        device, tally, slowest, failures = choose_device("cpu"), Counter[str](), 0.0, {}
        explosives = bombs().values()
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here on
        held, end = peak_memory(device), time.process_time() + seconds
        for data in chain(explosives, inputs(parser, seed)):
            if time.process_time() > end:
                break
            found = attempt(parser, data)
            tally[found.outcome] += 1
            slowest = max(slowest, found.seconds)
            if found.outcome == "failed" and found.said not in failures:
                file = kept / hashlib.sha256(data).hexdigest()[:12]
                kept.mkdir(parents=True, exist_ok=True)
                file.write_bytes(data)
                failures[found.said] = str(file)
        memory = peak_memory(device) - held
    counts = (tally.total(), tally["accepted"], tally["refused"], tally["failed"])
    return Row(name, *counts, slowest, memory, failures)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--minutes", type=float, default=5.0)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--only", default="", help="readers, separated by commas")
    options.add_argument(
        "--kept", type=Path, default=Path(tempfile.gettempdir()) / "edgenes-fuzz", help="folder of inputs that fail"
    )
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as root:
        names = [parser.name for parser in parsers(Path(root))]
    names = [name for name in names if not chosen.only or name in chosen.only.split(",")]
    each = 60 * chosen.minutes / len(names)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), max_tasks_per_child=1) as pool:
        rows = [pool.submit(fuzz, name, each, chosen.seed, chosen.kept).result() for name in names]
    if chosen.json:
        print(json.dumps([row._asdict() for row in rows]))
    else:
        print(
            "| reader | inputs | accepted | refused | failed | slowest | memory beyond the start |\n|---|---|---|---|---|---|---|"
        )
        for row in rows:
            counts = " | ".join(map(str, row[1:5]))
            print(f"| {row.name} | {counts} | {1e3 * row.slowest:.0f} ms | {row.memory >> 20} MB |")
        for row in rows:
            for said, file in row.failures.items():
                print(f"{row.name}: {said} ({file})", file=sys.stderr)
    return int(any(row.failed for row in rows))


if __name__ == "__main__":
    sys.exit(main())
