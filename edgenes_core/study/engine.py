"""Do what is missing of a study: each repeat is one task of an executor, stored as it ends, so a stop loses one repeat a worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from typing import NamedTuple

from edgenes_core import EdgeNESError
from edgenes_core.executors import ClusterError, LethalTaskError, WorkerError
from edgenes_core.provenance import commit
from edgenes_core.study import Arm, StudyError
from edgenes_core.study.arm import Repeat, run_repeat
from edgenes_core.study.folder import Study
from edgenes_core.tasks import dataset_of

LOOK_SECONDS = 0.5


class Step(NamedTuple):
    """Where a study stands: repeats done and in all, seconds that the others may take, the one that ended last, and its sentence
    if it failed."""

    done: int
    repeats: int
    left: float
    arm: str
    seed: int
    failure: str = ""


def run_study(
    study: Study,
    executor: Executor,
    report: Callable[[Step], None] = lambda step: None,
    attend: Callable[[], None] = lambda: None,
    device: str = "cpu",
    arms: Collection[str] = (),
) -> None:
    """Store every repeat that is not stored, of these arms if any are named; `attend` is called now and then and may raise.

    StudyError at the end if repeats failed; the others are stored all the same. WorkerError at once if who does them is gone.
    """
    missing = [(arm, seed) for arm, seed in study.missing() if not arms or arm.name in arms]
    prepare(study)
    total, start, failures, written_by = len(study.places()), time.monotonic(), list[str](), commit()
    already = done = total - len(study.missing())
    waiting = {
        executor.submit(run_repeat, arm, study.config.config(arm, seed), device): (arm, seed) for arm, seed in missing
    }
    try:
        while waiting:
            attend()
            ended = wait(waiting, LOOK_SECONDS, FIRST_COMPLETED).done
            for future in [future for future in waiting if future in ended]:  # in the study's order
                arm, seed = waiting.pop(future)
                failure = _stored(study, arm, seed, future, written_by, f"{done} of {total}")
                done += not failure
                failures += [failure] if failure else []
                each = (time.monotonic() - start) / max(1, done - already + len(failures))
                report(Step(done, total, each * len(waiting), arm.name, seed, failure))
    finally:
        for future in waiting:
            future.cancel()
    if failures:
        raise StudyError(f"{len(failures)} of {len(missing)} repeats failed, the first: {failures[0]}")


def prepare(study: Study) -> None:
    """Store what all repeats share: true classes, and what they are called."""
    if not study.has_targets():
        data = dataset_of(study.config.base.dataset, "cpu")
        study.save_targets(data.val.y.numpy(), data.test.y.numpy(), data.classes)


def _stored(study: Study, arm: Arm, seed: int, future: Future[Repeat], written_by: str, stand: str) -> str:
    """Store what a repeat gave; a sentence if it failed by its own fault: the others go on."""
    try:
        study.save(arm, seed, future.result(), written_by)
    except BrokenProcessPool:
        raise WorkerError(
            f"A process of the study died (out of memory, or killed); {stand} repeats are stored. Go on with fewer workers: "
            f"python -m edgenes_core study {study.id} --resume --workers 1"
        ) from None
    except EdgeNESError as error:
        if isinstance(error, ClusterError) and not isinstance(error, LethalTaskError):
            raise  # it says how to go on; every other repeat would end with the same sentence
        return f"{arm.name}, seed {seed}: {error}"
    except Exception as error:
        return f"{arm.name}, seed {seed}: {type(error).__name__}: {error}"
    return ""
