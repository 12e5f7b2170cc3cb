"""The whole method on a run folder, stage by stage, resumable.

    darts     α* and the supernet                          base.json, base_supernet.safetensors
    hypernet  α(λ), its exact path, the plan of trainings  hypernet.safetensors, supernet.safetensors, path.json, plan.json
    retrain   every network of the plan from scratch       candidates/
    select    best n of N on validation, and the controls  ensembles/
    embed     maps of the cells                            embedding.npz

A stage's random numbers come from the run's seed and the stage's name alone, and a network's from its cell and seed; stages
and trainings that take long store their state now and then. So a run resumed after any interruption loses seconds and ends with
the same results, bit for bit, as one that was never interrupted.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import torch

from edgenes_core import ensembles, tasks
from edgenes_core.architecture import Architecture
from edgenes_core.checkpoint import Keeper
from edgenes_core.compiled import engine
from edgenes_core.data import Dataset, load_dataset
from edgenes_core.device import choose_device, describe, peak_memory
from edgenes_core.executors import WorkerError
from edgenes_core.lambda_path import Knots, choose_pool, lambda_path
from edgenes_core.mapping import save_maps, submit_maps
from edgenes_core.planning import plan_trainings, random_cells
from edgenes_core.records import Event
from edgenes_core.regularizers import soft_count, soft_target
from edgenes_core.run_folder import Run
from edgenes_core.run_records import Base, Cost, SoftCount, Training
from edgenes_core.schema import to_dict
from edgenes_core.search.bilevel import search_threads
from edgenes_core.search.darts import SearchResult, cell_samples, search_cell
from edgenes_core.search.edgenes import map_samples, train_hypernet
from edgenes_core.session import Session, outcome_stored
from edgenes_core.stored_supernet import BASE, FINAL, load_supernet, load_weights, save_supernet

SOFT_GRID = 401
LOOK_SECONDS = 0.5  # while networks train, between two looks whether to stop


def run_pipeline(session: Session) -> None:
    """Do every stage that is not done; errors are stored in run.json and raised."""
    run = session.run
    run.update(state="running", message="")
    with outcome_stored(run):
        data = load_dataset(run.config.dataset, choose_device(session.device))
        torch.set_num_threads(search_threads(data))
        run.update(dataset=data.summary(), device=f"{describe(data.device)} ({engine(data.device)})")
        run.save_targets(data.val.y.cpu().numpy(), data.test.y.cpu().numpy())
        for stage, work in STAGE_WORK.items():
            if not run.has(stage):
                session.check()
                start, session.earlier = time.monotonic(), 0.0
                samples = work(session, data)
                seconds = session.earlier + time.monotonic() - start
                run.finish_stage(stage, Cost(seconds, samples, peak_memory(data.device)))
                shutil.rmtree(run.checkpoints(stage), ignore_errors=True)
        shutil.rmtree(run.checkpoints(""), ignore_errors=True)
        run.update(state="finished", message="")


def _darts(session: Session, data: Dataset) -> int:
    run, config = session.run, session.run.config
    for training in random_cells(run.space, config):  # they need no search: spare workers train them meanwhile
        session.submit(training)
    result = session.follow(
        "darts",
        lambda keeper: search_cell(run.space, data, config.darts, stage_generator(config.seed, "darts"), keeper=keeper),
    )
    run.save_base(Base(result.architecture, result.logits))
    save_supernet(run, BASE, result.supernet)
    return cell_samples(config.darts)


def _hypernet(session: Session, data: Dataset) -> int:
    run, config, space = session.run, session.run.config, session.run.space
    base = run.base()
    result = SearchResult(base.architecture, base.logits, load_supernet(run, data))

    def start(keeper: Keeper) -> Generator[Event, None, Knots]:
        load_weights(run.path / BASE, result.supernet)
        return train_hypernet(space, data, result, config.hypernet, stage_generator(config.seed, "hypernet"), keeper)

    knots = session.follow("hypernet", start)
    path = lambda_path(space, knots, base.architecture)
    plan = plan_trainings(
        space, config, base.architecture, choose_pool(space, knots, base.architecture, config.ensemble.pool)
    )
    run.save_knots(knots)
    run.save_path(path, _soft_grid(run, knots, base.architecture))
    run.save_plan(plan)
    save_supernet(run, FINAL, result.supernet)
    return map_samples(config.hypernet)


def _retrain(session: Session, data: Dataset) -> int:
    run, plan = session.run, session.run.plan()
    session.maps = submit_maps(run, session.mapper)
    for training in plan:
        session.submit(training)
    waiting = {session.trainings[t.id]: t for t in plan if t.id in session.trainings and not run.is_trained(t)}
    done = len(plan) - len(waiting)
    session.earlier = max((e.seconds for e in run.events()[0] if e.stage == "retrain" and e.step <= done), default=0.0)
    start = time.monotonic() - session.earlier
    try:
        for training, network in _as_trained(session, waiting):
            run.save_network(training, network.weights, network.val, network.test, network.history)
            shutil.rmtree(run.checkpoints(training.id), ignore_errors=True)
            done += 1
            values = {"train_loss": network.history["train_loss"][-1]}
            session.emit(Event("retrain", done, len(plan), time.monotonic() - start, values))
    except BrokenProcessPool:
        raise WorkerError(
            f"A training process died (out of memory, or killed); {done} of {len(plan)} networks are stored. "
            f"Go on with fewer workers: python -m edgenes_core resume {run.id} --workers 1"
        ) from None
    finally:
        for future in waiting:
            future.cancel()
    return len(plan) * run.config.retrain.epochs * len(data.train)


def _as_trained(
    session: Session, waiting: Mapping[Future[tasks.TrainedNetwork], Training]
) -> Iterator[tuple[Training, tasks.TrainedNetwork]]:
    """Each training as it ends; Cancelled if a stop is asked for meanwhile."""
    left = list(waiting)
    while left:
        ended = wait(left, LOOK_SECONDS, FIRST_COMPLETED).done
        for future in [future for future in left if future in ended]:
            yield waiting[future], future.result()
            session.check()
        left = [future for future in left if future not in ended]
        session.check()
        session.attend()


def _select(session: Session, data: Dataset) -> int:
    run, config = session.run, session.run.config
    networks = run.networks()
    y = run.targets("val")

    def store(name: str, title: str, role: str, ids: list[str], best_of: bool) -> None:
        size = min(config.ensemble.size, len(ids))
        members = list(ids[:size])
        if best_of:
            probs = np.stack([networks[i].val for i in ids])
            members = list(ensembles.select(probs, y, ids, size, "exhaustive").members)
        val = ensembles.evaluate(np.stack([networks[i].val for i in members]), y, "val")
        rule = "exhaustive" if best_of else "none"
        run.save_ensemble(name, {"title": title, "role": role, "rule": rule, "members": members, "val": to_dict(val)})

    ids = {
        role: [i for i, n in networks.items() if role in n.training.roles]
        for role in ("pool", "deepens", "random", "deviation")
    }
    n, shown = config.ensemble.size, {r: len(v) for r, v in ids.items()}
    store("selected", f"EdgeNES: best {n} of {shown['pool']} along λ", "selected", ids["pool"], True)
    store("single_base", "α* alone", "control", ids["deepens"][:1], False)
    store("deepens", f"DeepEns: α* with {n} seeds", "control", ids["deepens"], False)
    for role, title in (("random", "random cells"), ("deviation", "random deviations of α*")):
        store(role, f"{n} {title}", "control", ids[role], False)
        if shown[role] > n:
            store(f"{role}_selected", f"best {n} of {shown[role]} {title}", "control", ids[role], True)
    session.emit(Event("select", 1, 1))
    return 0


def _embed(session: Session, data: Dataset) -> int:
    save_maps(session.run, session.mapper, session.maps)
    session.emit(Event("embed", 1, 1))
    return 0


STAGE_WORK: dict[str, Callable[[Session, Dataset], int]] = {
    "darts": _darts,
    "hypernet": _hypernet,
    "retrain": _retrain,
    "select": _select,
    "embed": _embed,
}


def stage_generator(seed: int, stage: str) -> torch.Generator:
    """The random numbers of one stage."""
    return torch.Generator().manual_seed(tasks.derive_seed(seed, stage))


def _soft_grid(run: Run, knots: Knots, base: Architecture) -> SoftCount:
    """What the regulariser sees after training: noise-free s̃ at its final temperature."""
    lam = np.linspace(0, run.space.lambda_max, SOFT_GRID)
    config = run.config.hypernet.regularizer
    logits = torch.from_numpy(knots.at(lam))
    target = soft_target(run.space, base, config.tau).double()
    return SoftCount(lam, soft_count(run.space, logits, target, config.temperature_end).numpy())
