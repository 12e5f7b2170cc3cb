"""What each command does: options in, a `Reply` out. Heavy imports wait until a command needs them."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TYPE_CHECKING

from edgenes_core import jobs, storage
from edgenes_core.before_run import build_config, estimate, presets
from edgenes_core.config import IMPORTED
from edgenes_core.damage import damage
from edgenes_core.doctor import doctor
from edgenes_core.exchange import export, import_
from edgenes_core.inspect_cell import inspect
from edgenes_core.job_board import list_jobs
from edgenes_core.job_worker import working
from edgenes_core.lambda_path import exact_decode
from edgenes_core.launch_options import LaunchOptions
from edgenes_core.log_command import log as show_log
from edgenes_core.progress import ProgressLine
from edgenes_core.reply import Reply
from edgenes_core.run_digest import digest, same
from edgenes_core.run_folder import Run
from edgenes_core.run_log import recorded
from edgenes_core.runs import RunStore
from edgenes_core.schema import ConfigError, to_dict
from edgenes_core.scored import stored_ensembles
from edgenes_core.shift_report import shift
from edgenes_core.storage import StorageError
from edgenes_core.study import commands as studies
from edgenes_core.team_commands import ensemble_line, evaluate, select
from edgenes_core.theory import theorem

if TYPE_CHECKING:
    from edgenes_core.session import Session


def pipeline(options: argparse.Namespace) -> Reply:
    from edgenes_core.data import load_dataset
    from edgenes_core.downloads import ensure

    config = build_config(options)
    _launched(options)  # bad options and a bad dataset are said before a run folder exists
    ensure(config.dataset)
    load_dataset(config.dataset)
    store, mark = RunStore(options.runs), digest(config)
    if not options.again and (run := same(store, mark)) is not None:
        return _known(run, options)
    run = store.create(config, command=shlex.join(["python", "-m", "edgenes_core", *sys.argv[1:]]), digest=mark)
    print(f"run {run.id}", file=sys.stderr)
    return _work(run, options)


def _known(run: Run, options: argparse.Namespace) -> Reply:
    """The run that has these settings already: shown if it is finished, watched if it is at work or waits, else gone on with."""
    print(f"run {run.id} has the same settings, seed and code; train again with --again", file=sys.stderr)
    state = jobs.state(run)
    if state.name == "finished":
        return finished(run)
    if state.resumable:
        return _work(run, options)
    return Reply({"run": run.id, "state": state.name}, f"{state.name}: {state.message}\n{run.id}")


def _launched(options: argparse.Namespace) -> LaunchOptions:
    return LaunchOptions(options.workers, options.device, options.cluster or "")


def resume(options: argparse.Namespace) -> Reply:
    run = _open(options)
    if run.config.preset == IMPORTED:
        raise ConfigError(f"Run {run.id} was imported, it has nothing to train; start a run of your own with: pipeline")
    return _work(run, options)


def _work(run: Run, options: argparse.Namespace) -> Reply:
    from edgenes_core.device import keep_freed_memory
    from edgenes_core.executors import default_workers, local_executor, stop_workers
    from edgenes_core.pipeline import run_pipeline
    from edgenes_core.session import Session

    keep_freed_memory()
    line = ProgressLine(sys.stderr)
    with working(run, _launched(options)), recorded(run) as log:
        executor = local_executor(default_workers() if options.workers is None else options.workers)
        try:
            session = Session(run, executor, options.device, log.told(line.show), lambda: jobs.cancel_requested(run))
            with _placed(session, options.cluster) as placed:
                run_pipeline(placed)
        except BaseException:
            stop_workers()
            raise
        finally:
            line.close()
            executor.shutdown(wait=True, cancel_futures=True)
    return finished(run)


def _placed(session: Session, cluster: str | None) -> AbstractContextManager[Session]:
    """The session, with its trainings on a cluster if one is named."""
    if not cluster:
        return nullcontext(session)
    from edgenes_core.cluster import joined

    return joined(session, cluster)


def finished(run: Run) -> Reply:
    """The last line of `pipeline`: seconds per stage, the selected ensemble and its controls."""
    manifest = run.manifest
    with storage.fields(run.path / "ensembles"):
        stored = {name: e for name, e in run.ensembles().items() if e["role"] != "user"}
        brief = {name: {"members": e["members"], "val": e["val"]} for name, e in stored.items()}
        selected = brief.pop("selected")
        teams = [ensemble_line(e["title"], e["val"]) for e in stored.values()]
    seconds = {stage: round(cost["seconds"], 2) for stage, cost in manifest.stages.items()}
    lines = [f"run {run.id}   " + "   ".join(f"{stage} {s:.1f} s" for stage, s in seconds.items())]
    lines += teams
    lines.append(f"look at it: make app, or EDGENES_RUNS={run.path.parent} make app\n{run.id}")
    return Reply({"run": run.id, "seconds": seconds, "ensemble": selected, "controls": brief}, "\n".join(lines))


def list_runs(options: argparse.Namespace) -> Reply:
    runs, damaged = RunStore(options.runs).list()
    rows = [
        {
            "run": r.id,
            "state": jobs.state(r).name,
            "dataset": m.config.dataset,
            "seed": m.config.seed,
            "preset": m.config.preset,
            "created": m.created,
        }
        for r in runs
        for m in [r.manifest]
    ]
    lines = [f"{r['run']:44} {r['state']:12} {r['preset']:10} {r['dataset']}" for r in rows]
    lines += [f"damaged: {sentence}" for sentence in damaged]
    return Reply({"runs": rows, "damaged": damaged}, "\n".join(lines) or f"No runs under {options.runs} yet.")


def show(options: argparse.Namespace) -> Reply:
    run = _open(options)
    state = jobs.state(run)
    manifest = to_dict(run.manifest) | {"state": state.name, "message": state.message}
    stored, damaged, reveals = stored_ensembles(run)[0], damage(run), None
    with suppress(StorageError):
        reveals = run.reveals()
    lines = [
        f"{run.id}: {state.name}. {state.message}",
        f"dataset {run.config.dataset}, seed {run.config.seed}, preset {run.config.preset}",
    ]
    lines += [f"  {stage:9} {cost['seconds']:8.1f} s" for stage, cost in run.manifest.stages.items()]
    lines += [ensemble_line(e.title, to_dict(e.val)) for e in stored]
    lines += [f"damaged: {sentence}" for sentence in damaged]
    ensembles = {e.name: to_dict(e) for e in stored}
    return Reply(manifest | {"ensembles": ensembles, "reveals": reveals, "damaged": damaged}, "\n".join(lines))


def path(options: argparse.Namespace) -> Reply:
    walk = _open(options).lambda_path()
    rows = [{"lo": i.lo, "hi": i.hi, "key": i.architecture.key, "shared": i.shared} for i in walk.intervals]
    text = "\n".join(
        f"λ {r['lo']:.4f} … {r['hi']:.4f}  {r['key']}  {r['shared']} of {walk.lambda_max} shared" for r in rows
    )
    return Reply({"lambda_max": walk.lambda_max, "intervals": rows}, text)


def decode(options: argparse.Namespace) -> Reply:
    run = _open(options)
    base = run.base()  # first: its absence is said in a sentence that names the stage
    run.lambda_path()
    found = exact_decode(run.space, run.knots(), base.architecture, options.shared)
    cell = json.loads(found.to_json())
    text = f"{found.key}  {options.shared} of {run.space.lambda_max} shared\n{found.to_json()}"
    return Reply({"key": found.key, "shared": options.shared, "architecture": cell}, text)


def embed(options: argparse.Namespace) -> Reply:
    from edgenes_core.mapping import make_again

    run = _open(options)
    maps, cells = make_again(run), len(run.embedding()["keys"])
    return Reply({"run": run.id, "cells": cells, "maps": maps}, f"{run.id}: {cells} cells, maps {', '.join(maps)}")


def theory(options: argparse.Namespace) -> Reply:
    both = {f"lowest_{lowest}": theorem(options.n, options.lambda_max, lowest) for lowest in (1, 0)}
    text = "\n".join(
        f"p(λ) = U{{{t.lowest}..{t.lambda_max}}}: E[m] = {t.closed_form:.4f} (closed form), {t.exact_sum:.4f} (exact sum), "
        f"{t.simulated:.4f} ± {t.simulated_se:.4f} ({t.draws} draws); against DartsEns × {t.ratio:.3f}"
        for t in both.values()
    )
    return Reply({name: to_dict(value) for name, value in both.items()}, text)


def download(options: argparse.Namespace) -> Reply:
    from edgenes_core.downloads import fetch

    file = fetch(options.dataset)
    return Reply({"dataset": options.dataset, "file": str(file)}, f"{options.dataset} is in {file}")


COMMANDS: dict[str, Callable[[argparse.Namespace], Reply]] = {
    "pipeline": pipeline,
    "presets": presets,
    "estimate": estimate,
    "resume": resume,
    "jobs": list_jobs,
    "list": list_runs,
    "show": show,
    "log": show_log,
    "path": path,
    "decode": decode,
    "inspect": inspect,
    "evaluate": evaluate,
    "select": select,
    "shift": shift,
    "embed": embed,
    "study": studies.study,
    "compare": studies.compare,
    "theory": theory,
    "export": export,
    "import": import_,
    "download": download,
    "doctor": doctor,
}


def _open(options: argparse.Namespace) -> Run:
    return RunStore(options.runs).open(options.run)
