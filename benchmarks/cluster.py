"""What a Dask cluster costs: bytes to each worker and per task, the scheduler's share of the time, and a forecast to 1000 workers.

Measured here, scheduler and workers on 127.0.0.1, every byte counted by forwarders in front of the scheduler and of each worker:

    images      sent to a worker that cannot read them: bytes to each worker, and bytes per second for all together
    task        bytes to a worker and back per trained network (digits, preset quick), heartbeats included
    overhead    of scheduler and client per task that does nothing, 2 workers
    wall        of trainings, in turns, over that of as many local processes, at 1 and 2 workers

Times but the last are processor seconds, which other work on the machine changes little: seconds on free cores. Forecast for N
trainings of t seconds on W workers like this one (one thread each), images I and results R bytes, overhead o per task, images at
b bytes/s as scheduler and client pass them on, the scheduler's link never faster than --link bytes/s:

    send  = W · I / min(b, link)                    one after another through the scheduler
    train = max(⌈N/W⌉ · t, N · (o + R / link))      in waves, unless the scheduler or its link is what is waited for
    wall  = send + train        cost = W · wall        efficiency = N · t / cost

CIFAR-10 (preset standard) is not trained here: its t comes from some steps on random images, its I is really sent, its R built.

    python benchmarks/cluster.py --json [--trainings 8] [--count 1000] [--link 125e6]
"""

import argparse
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from clusters import GIFTED, Cluster, started, until
from distributed import Client
from distributed.protocol import serialize_bytes
from forwarder import counted_worker

from edgenes_core.cluster import ClusterExecutor
from edgenes_core.config import PRESETS
from edgenes_core.data import Part
from edgenes_core.estimate import Timing, seconds_per_network, shape_of
from edgenes_core.executors import local_executor
from edgenes_core.image_sources import read_images
from edgenes_core.network import Network
from edgenes_core.space import SearchSpace
from edgenes_core.tasks import TrainedNetwork, train_candidate
from edgenes_core.train import fit

WORKERS = (1, 2, 4, 10, 30, 100, 300, 1000)
IDLE_TASKS, BATCHES = 400, 10
CELLS = [SearchSpace().sample(np.random.default_rng(seed)) for seed in range(64)]


class Measured(NamedTuple):
    """Bytes and processor seconds of this machine; `against_local`: wall time over that of local processes, 1 and 2 workers."""

    load: float
    image_bytes: int
    sent_per_worker: list[int]
    send_bytes_per_s: float
    task_bytes: int
    result_bytes: int
    overhead_s: float
    training_s: float
    against_local: list[float]
    standard_s: float
    standard_result_bytes: int


def train(executor: Executor, count: int) -> float:
    """Wall seconds of so many trainings of preset quick."""
    start, config = time.perf_counter(), PRESETS["quick"].retrain
    for future in [executor.submit(train_candidate, "digits", CELLS[i], config, i, "cpu") for i in range(count)]:
        future.result()
    return time.perf_counter() - start


@contextmanager
def on(address: str, dataset: str) -> Iterator[ClusterExecutor]:
    executor = ClusterExecutor(address, dataset, "resume RUN")
    try:
        executor.open(False, lambda: None)
        yield executor
    finally:
        executor.shutdown()


def in_turns(executors: Sequence[Executor], count: int) -> list[float]:
    """Fastest of two turns each, after one that warms up."""
    times: list[list[float]] = [[] for _ in executors]
    for turn in range(3):
        for seconds, executor in zip(times, executors, strict=True):
            elapsed = train(executor, count)
            seconds += [elapsed] if turn else []
    return [min(seconds) for seconds in times]


def standard_network() -> tuple[float, int]:
    """Processor seconds of a CIFAR-10 training with preset standard, from an epoch of some batches; the bytes of its result."""
    config, shape = PRESETS["standard"], shape_of("cifar10")
    generator = torch.Generator().manual_seed(0)
    network = Network(
        CELLS[0], shape.channels, shape.classes, config.retrain.channels, config.retrain.layers, generator
    )
    count = BATCHES * config.retrain.batch
    images = torch.randn((count, shape.channels, shape.height, shape.width), generator=generator)
    part, once = Part(images, torch.arange(count) % shape.classes), replace(config.retrain, epochs=1)
    for _ in range(2):  # the first compiles
        start = time.process_time()
        list(fit(network, part, once, generator))
    timing = Timing(0, 0, 0, 0, 0, ((time.process_time() - start) / BATCHES,), 1)
    weights = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    val, test = (np.zeros((n, shape.classes), np.float32) for n in (shape.val, shape.test))
    result = TrainedNetwork(weights, val, test, {"train_loss": [0.0] * config.retrain.epochs})
    return seconds_per_network(config, shape, timing), len(serialize_bytes(result))


def large_images(folder: Path) -> int:
    """Random images in the size of CIFAR-10, found by this process alone (its path is relative); bytes of all arrays."""
    rng = np.random.default_rng(0)
    x, x_test = (rng.integers(0, 256, (n, 32, 32, 3), np.uint8) for n in (50_000, 10_000))
    y, y_test = np.arange(50_000) % 10, np.arange(10_000) % 10
    np.savez(folder / "large.npz", x_train=x, y_train=y, x_test=x_test, y_test=y_test)
    return sum(array.nbytes for array in (x, x_test, y, y_test))


def idle_overhead(folder: Path) -> float:
    """Processor seconds of scheduler and client for a task that does nothing."""
    with started(folder) as lab:
        lab.worker(GIFTED), lab.worker(GIFTED)
        with on(lab.address, "digits") as cluster:
            before = processor(lab) + time.process_time()
            for future in [cluster.submit(os.getpid) for _ in range(IDLE_TASKS)]:
                future.result()
            return (processor(lab) + time.process_time() - before) / IDLE_TASKS


def processor(lab: Cluster) -> float:
    """Processor seconds of the scheduler so far."""
    spent = psutil.Process(lab.scheduler.pid).cpu_times()
    return float(spent.user + spent.system)


def measured(trainings: int, folder: Path) -> Measured:
    torch.set_num_threads(1)
    size, load = large_images(folder), os.getloadavg()[0]
    os.chdir(folder)
    for name in ("idle", "lab"):
        (folder / name).mkdir()
    overhead, against, wires = idle_overhead(folder / "idle"), [], []
    with ExitStack() as stack:
        lab = stack.enter_context(started(folder / "lab"))
        visitor = stack.enter_context(Client(lab.address, set_as_default=False))
        for workers in (1, 2):
            wires.append(counted_worker(lab))
            until(lambda workers=workers: len(visitor.nthreads()) == workers)
            with on(lab.address, "digits") as cluster, local_executor(workers) as local:
                ours, theirs = in_turns([cluster, local], trainings * workers)
                against.append(ours / theirs)
                if workers == 1:
                    (spent,) = visitor.run(time.process_time).values()
                    task, result = wires[0].received, wires[0].sent
                    train(cluster, trainings)
                    task, result = (wires[0].received - task) // trainings, (wires[0].sent - result) // trainings
                    alone = (next(iter(visitor.run(time.process_time).values())) - spent) / trainings
        before, spent = [wire.received for wire in wires], processor(lab)
        with on(lab.address, "large.npz"):
            rate = sum(wire.received for wire in wires) - sum(before)
            rate /= processor(lab) - spent
            sent = [wire.received - count for wire, count in zip(wires, before, strict=True)]
    seconds, large = standard_network()
    return Measured(load, size, sent, rate, task, result, overhead, alone, against, seconds, large)


class Forecast(NamedTuple):
    """Hours of wall time and of all workers together; `efficiency`: the share of the latter in which networks train. `there_h`:
    wall time if all workers read the images themselves."""

    workers: int
    wall_h: float
    worker_h: float
    efficiency: float
    there_h: float


def forecast(found: Measured, seconds: float, images: int, result: int, count: int, link: float) -> list[Forecast]:
    """The formula above, for each number of workers."""
    rows = []
    for workers in WORKERS:
        send = workers * images / min(found.send_bytes_per_s, link)
        train_s = max(math.ceil(count / workers) * seconds, count * (found.overhead_s + result / link))
        wall = send + train_s
        used = workers * wall
        rows.append(Forecast(workers, wall / 3600, used / 3600, count * seconds / used, train_s / 3600))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trainings", type=int, default=8, help="networks per worker and turn")
    parser.add_argument("--count", type=int, default=1000, help="networks in the forecast")
    parser.add_argument(
        "--link", type=float, default=125e6, help="bytes/s of the scheduler's network (default: 1 Gbit/s)"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measured(options.trainings, Path(folder))
    digits = sum(array.nbytes for array in read_images("digits")[:4])
    predicted = {
        "digits, quick": forecast(found, found.training_s, digits, found.result_bytes, options.count, options.link),
        "CIFAR-10, standard": forecast(
            found, found.standard_s, found.image_bytes, found.standard_result_bytes, options.count, options.link
        ),
    }
    if options.json:
        rows = {name: [row._asdict() for row in table] for name, table in predicted.items()}
        print(json.dumps({"measured": found._asdict(), "predicted": rows}))
        return
    print("measured", *(f"  {name:22} {value}" for name, value in found._asdict().items()), sep="\n")
    for name, table in predicted.items():
        print(
            f"predicted, {options.count} networks, {name}: workers, wall h, worker-hours, efficiency, wall h if images are there"
        )
        for row in table:
            print(
                f"  {row.workers:5} {row.wall_h:10.3f} {row.worker_h:10.2f} {row.efficiency:7.1%} {row.there_h:10.3f}"
            )


if __name__ == "__main__":
    main()
