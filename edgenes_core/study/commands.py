"""`study` and `compare` on the command line: run or go on with a study, and its table as text, CSV or booktabs LaTeX."""

from __future__ import annotations

import argparse
import csv
import io
import json
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgenes_core.before_run import change
from edgenes_core.catalogue import KNOWN
from edgenes_core.config import PipelineConfig
from edgenes_core.executors import cluster_address, default_workers, local_executor, stop_workers
from edgenes_core.progress import duration
from edgenes_core.reply import Reply
from edgenes_core.schema import ConfigError, from_dict, to_dict
from edgenes_core.study import STUDIES, StudyConfig, StudyError
from edgenes_core.study.chosen import POOL
from edgenes_core.study.folder import Study
from edgenes_core.study.job import hold
from edgenes_core.study.latex import booktabs
from edgenes_core.study.store import StudyStore
from edgenes_core.study.table import Row, Seen, default_reference, judge, mode_of, rows
from edgenes_core.study.worth import worths

if TYPE_CHECKING:
    from edgenes_core.study.engine import Step


def study(options: argparse.Namespace) -> Reply:
    """Start a study, or go on with one (`--resume`)."""
    from edgenes_core.downloads import ensure

    store = StudyStore(options.runs)
    if options.cluster:
        cluster_address(options.cluster)
    if options.resume:
        found = store.open(options.name)
        if options.seeds or options.dataset or options.set:
            raise ConfigError("A study that goes on keeps its seeds, dataset and settings; only --arms may name some.")
        arms = [found.config.arm(name).name for name in options.arms.split(",")] if options.arms else []
        ensure(found.config.base.dataset)
    else:
        config, arms = _config(options), []
        ensure(config.base.dataset)
        _check_data(config.base.dataset)  # what is wrong with it is said before a folder exists
        command = shlex.join(["python", "-m", "edgenes_core", *sys.argv[1:]])
        found = store.create(_name(options.name), config, command)
    print(f"study {found.id}", file=sys.stderr)
    try:
        with hold(found), _workers(found, options) as run:
            run(arms)
    except KeyboardInterrupt:
        words = ["python", "-m", "edgenes_core", "study", found.id, "--resume"]
        words += ["--arms", options.arms] if arms else []
        words += ["--cluster", options.cluster] if options.cluster else []
        raise KeyboardInterrupt(f"Stopped. What is stored stays; go on with: {shlex.join(words)}") from None
    reference = default_reference(found)
    return _reply(found, reference, _judged(found, reference))


def compare(options: argparse.Namespace) -> Reply:
    """A study's table, on validation unless a look at test is asked for."""
    found = StudyStore(options.runs).open(options.study)
    reference = found.config.arm(options.reference or default_reference(found)).name
    seen = _judged(found, reference, options.mode, options.limit, reveal=options.reveal)
    reply = _reply(found, reference, seen)
    if options.latex:
        return Reply(reply.data, booktabs(found, seen, rows(found, seen, reference), reference))
    return Reply(reply.data, _csv(found, seen, reference)) if options.csv else reply


def _judged(
    found: Study, reference: str, kind: str = POOL, limit: float | None = None, *, reveal: bool = False
) -> Seen:
    if found.has_targets():
        mode = mode_of(found, kind, reference, limit)
        return judge(found, mode, found.look(found.repeats()[0], mode) if reveal else None)
    raise StudyError(
        f"Nothing of study {found.id} is trained yet; go on with: python -m edgenes_core study {found.id} --resume"
    )


def _reply(found: Study, reference: str, seen: Seen) -> Reply:
    table, missing = rows(found, seen, reference), [f"{arm.name}-s{seed}" for arm, seed in found.missing()]
    data: dict[str, Any] = {
        "study": found.id,
        "split": seen.split,
        "mode": {**seen.mode._asdict(), "words": seen.mode.words},
        "looks": len(found.looks()),
        "reference": reference,
        "rows": [_plain(row) for row in table],
        "worth": [_plain(row) for row in worths(found, seen, found.looks()[-1] if seen.split == "test" else None)],
        "unpaid": [f"{arm}-s{seed}" for arm, seed in seen.unpaid],
        "missing": missing,
        "damaged": list(seen.damaged),
    }
    return Reply(data, "\n".join([*_lines(found, table, data), found.id]))


def _lines(found: Study, table: list[Row], data: dict[str, Any]) -> Iterator[str]:
    """The table in words."""
    images = table[0].images if table else 0
    yield f"{found.config.about or found.id}. {data['split']}, {images} images; {data['mode']['words']}"
    for row in table:
        spread = f" ± {row.sd:.4f}" if row.n > 1 else "         "
        line = f"  {row.title:34.34} {row.metric:9} {row.value:.4f}{spread}  n = {row.n}"
        if row.verdict not in ("", "reference"):
            ends = f"[{row.difference_lo:+.4f}, {row.difference_hi:+.4f}]"
            line += f"  {row.difference:+.4f} {ends} {row.verdict}"
        yield line + (f"   {row.seconds:.0f} s, {row.samples:.3g} images" if row.metric == "accuracy" else "")
    yield f"differences: minus {found.config.arm(data['reference']).shown}, 95 % for all methods of a metric together"
    for names, words in (("missing", "missing"), ("unpaid", "not paid for by the budget"), ("damaged", "damaged")):
        yield from (f"{words}: {each}" for each in data[names])


def _csv(found: Study, seen: Seen, reference: str) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*Row._fields, "split", "mode", "reference"])
    writer.writerows([*row, seen.split, seen.mode.words, reference] for row in rows(found, seen, reference))
    return text.getvalue().rstrip("\n")


@contextmanager
def _workers(found: Study, options: argparse.Namespace) -> Iterator[Any]:
    """Something that does the missing repeats of some arms, here or on a cluster."""
    from edgenes_core.device import choose_device
    from edgenes_core.study.engine import run_study

    if options.cluster:
        from edgenes_core.cluster import ClusterExecutor

        address = cluster_address(options.cluster)
        far = ClusterExecutor(address, found.config.base.dataset, f"study {found.id} --resume")
        try:
            far.open(options.device != "cpu", lambda: None)
            yield lambda arms: run_study(found, far, _report, far.attend, far.device, arms)
        finally:
            far.shutdown()
        return
    device = str(choose_device(options.device))
    here = local_executor(default_workers() if options.workers is None else options.workers)
    try:
        yield lambda arms: run_study(found, here, _report, device=device, arms=arms)
    except BaseException:
        stop_workers()
        raise
    finally:
        here.shutdown(wait=True, cancel_futures=True)


def _config(options: argparse.Namespace) -> StudyConfig:
    """A named study or a JSON file (also a study.json), with what the options change."""
    config = STUDIES[options.name] if options.name in STUDIES else _read(options.name)
    base = to_dict(config.base)
    if options.dataset:
        base["dataset"] = options.dataset if options.dataset in KNOWN else str(Path(options.dataset).resolve())
    for setting in options.set:
        change(base, setting)
    arms = tuple(map(config.arm, options.arms.split(","))) if options.arms else config.arms
    seeds = config.seeds if options.seeds is None else options.seeds
    return replace(config, arms=arms, seeds=seeds, base=from_dict(PipelineConfig, base))


def _read(name: str) -> StudyConfig:
    try:
        data = json.loads(Path(name).read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(
            f"A study is one of {', '.join(STUDIES)}, or a JSON file with its arms; cannot read {name[:60]!r}: {error}."
        ) from None
    return from_dict(StudyConfig, data.get("config", data) if isinstance(data, dict) else data)


def _name(given: str) -> str:
    """Of a new study: that of a file, or for a study.json that of its folder, without its date."""
    file = Path(given)
    stem = file.parent.name if file.name == "study.json" else file.stem
    return "-".join(part for part in stem.split("-") if not part.isdigit()) or stem


def _check_data(dataset: str) -> None:
    from edgenes_core.tasks import dataset_of

    dataset_of(dataset, "cpu")


def _report(step: Step) -> None:
    word = step.failure or f"{step.arm}, seed {step.seed}"
    left = f"about {duration(step.left)} left" if step.done < step.repeats else "done"
    print(f"{step.done:4}/{step.repeats}  {left}   {word}", file=sys.stderr, flush=True)


def _plain(row: Any) -> dict[str, Any]:
    """A named tuple as JSON, NaN as null."""
    return {
        name: None if isinstance(value, float) and value != value else value for name, value in row._asdict().items()
    }
