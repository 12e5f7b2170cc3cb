"""Command line: every command prints for people, or one JSON line with --json; a user's mistake is one sentence and exit 1."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from edgenes_core import EdgeNESError, __version__, commands
from edgenes_core.catalogue import KNOWN
from edgenes_core.combining import COMBINERS
from edgenes_core.commands import Reply
from edgenes_core.corruptions import VALIDATION_CORRUPTIONS
from edgenes_core.findings import PORT
from edgenes_core.run_log import LEVELS
from edgenes_core.selecting import CRITERIA, SELECTION_RULES
from edgenes_core.study.parsers import add_study

DATASET = f"{', '.join(KNOWN)}, the path of an .npz file, or of a folder with train/<class>/ and test/<class>/"


def _settings() -> argparse.ArgumentParser:
    """Options that make a config."""
    p = argparse.ArgumentParser(add_help=False)
    p.add_argument("--dataset", default="digits", help=DATASET)
    p.add_argument("--preset", default="quick", help="quick, reduced, standard or thesis")
    p.add_argument(
        "--as-published",
        action="store_true",
        help="with --preset thesis: the release's settings where they differ from the corrected ones (see: presets)",
    )
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--inputs-per-node", type=int, default=None, metavar="K", help="k: 1 or 2")
    p.add_argument("--cells", default=None, help="reduce, or normal+reduce")
    p.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="any setting, e.g. darts.steps=50")
    return p


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--json", action="store_true", help="print one line of JSON")
    runs = Path(os.environ.get("EDGENES_RUNS", "runs"))
    shared.add_argument("--runs", type=Path, default=runs, help="folder of all runs (default: %(default)s)")
    work = argparse.ArgumentParser(add_help=False)
    work.add_argument("--device", default="auto", help="auto, cuda, mps or cpu")
    work.add_argument("--workers", type=int, default=None, help="worker processes (default: one per core)")
    spread = argparse.ArgumentParser(add_help=False)
    spread.add_argument("--cluster", default=None, metavar="tcp://HOST:PORT", help="train networks on a Dask cluster")

    top = argparse.ArgumentParser(
        prog="edgenes_core", description="EdgeNES: neural ensemble search with diversity control"
    )
    top.add_argument("--version", action="version", version=__version__)
    add = top.add_subparsers(dest="command", required=True, metavar="COMMAND").add_parser

    p = add(
        "pipeline",
        parents=[shared, work, spread, _settings()],
        help="search, train the hypernetwork, retrain, select: a new run",
    )
    p.add_argument(
        "--again", action="store_true", help="train even if a run with the same settings, seed and code is there"
    )
    p = add("estimate", parents=[shared, work, _settings()], help="time a few steps here, say what a run would take")
    p.add_argument(
        "--config", default=None, metavar="FILE", help="a config as JSON (or run.json) instead; - reads the input"
    )
    add("presets", parents=[shared], help="the presets, and where `thesis` differs from what was published")
    p = add("resume", parents=[shared, work, spread], help="finish a run that was stopped")
    p.add_argument("run")
    add("jobs", parents=[shared], help="runs at work, in the queue, and ended early; starts those whose turn has come")
    add("list", parents=[shared], help="all runs")
    for name, about in (("show", "what a run is and holds"), ("path", "the exact intervals of λ and their cells")):
        add(name, parents=[shared], help=about).add_argument("run")
    p = add(
        "log",
        parents=[shared],
        help="what a run's workers said: begin and end, stages, warnings, errors with traceback",
    )
    p.add_argument("run")
    p.add_argument(
        "--level", default="INFO", help=f"this level and above, of {', '.join(LEVELS)} (default: %(default)s)"
    )
    p.add_argument("--follow", action="store_true", help="go on with what comes, until the worker has ended")
    p = add("decode", parents=[shared], help="the best cell with exactly M shared edges")
    p.add_argument("run")
    p.add_argument("--shared", type=int, required=True, metavar="M")
    p = add(
        "inspect", parents=[shared], help="one cell: shared edges, parameters, paths, one-shot score, an image's maps"
    )
    p.add_argument("run")
    p.add_argument("--cell", required=True, metavar="FILE|KEY", help="a cell as JSON, or the key of a cell of this run")
    p.add_argument("--image", type=int, default=None, metavar="N", help="what validation image N becomes at each node")
    p = add("evaluate", parents=[shared], help="judge an ensemble of retrained networks")
    p.add_argument("run")
    p.add_argument("--keys", required=True, help="members, separated by commas: KEY, or KEY-SEED for a further seed")
    p.add_argument("--combine", default=None, metavar="RULE", help=f"{', '.join(COMBINERS)} (default: mean)")
    p.add_argument("--weights", default=None, metavar="2,1,1", help="one part from 0 to 99 for each member")
    p.add_argument("--reveal", action="store_true", help="on the test part; each look is counted")
    p = add("select", parents=[shared], help="choose the best n of the pool on validation")
    p.add_argument("run")
    p.add_argument("--size", type=int, default=3)
    p.add_argument("--rule", default="exhaustive", help=", ".join(SELECTION_RULES))
    p.add_argument("--criterion", default="nll", help=", ".join(CRITERIA))
    p.add_argument("--gamma", type=float, default=0.0, help="reward for diversity: loss − γ·ambiguity (default: 0)")
    p.add_argument(
        "--shift", action="store_true", help="judge on validation images made worse, as `shift` has stored them"
    )
    p.add_argument(
        "--corruptions", default=None, help=f"with --shift (default: all of {', '.join(VALIDATION_CORRUPTIONS)})"
    )
    p.add_argument(
        "--severities", default=None, help="with --shift, from 1 to 5 (default: those stored for the whole pool)"
    )
    p = add(
        "shift", parents=[shared], help="an ensemble on corrupted and foreign images; what is predicted once is stored"
    )
    p.add_argument("run")
    p.add_argument(
        "--keys", default=None, help="members, separated by commas (default: those of the selected ensemble)"
    )
    p.add_argument("--severities", default="1,3,5", help="from 1 to 5, separated by commas (default: %(default)s)")
    p.add_argument("--corruptions", default=None, help="names, separated by commas (default: all)")
    p.add_argument("--outside", default=None, help="foreign images too: noise, shuffled, a dataset's name or path")
    p.add_argument("--reveal", action="store_true", help="of the test part; each look is counted")
    p.add_argument(
        "--store", choices=("val", "test"), default=None, help="predict this part and print no results: that is no look"
    )
    p = add("export", parents=[shared], help="a run as one zip")
    p.add_argument("run")
    p.add_argument("file", metavar="FILE.zip")
    p = add(
        "import",
        parents=[shared],
        help="a run (.zip), predictions for a run (.npz), a cell to look at (.json), or a folder of the EdgeNES release",
    )
    p.add_argument("path")
    p.add_argument(
        "--into", default=None, metavar="RUN", help="the run that predictions belong to, or a cell is compared with"
    )
    p.add_argument(
        "--dataset", default=None, help="with a folder of the EdgeNES release: the images its networks were trained on"
    )
    p = add("embed", parents=[shared], help="make the maps of a finished run again, with imported cells; no training")
    p.add_argument("run")
    add_study(add, shared, [work, spread], DATASET)
    p = add("theory", parents=[shared], help="the EdgeNES theorem, three ways")
    p.add_argument("--n", type=int, default=3)
    p.add_argument("--lambda-max", type=int, default=4)
    p = add("download", parents=[shared], help="get a dataset into the data folder ($EDGENES_DATA)")
    p.add_argument("dataset", help=", ".join(known.name for known in KNOWN.values() if known.files))
    p = add("doctor", parents=[shared, spread], help="what could be wrong here, and how to mend it")
    p.add_argument("--port", type=int, default=PORT, help="where the app is to listen (default: %(default)s)")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = parser().parse_args(arguments)
    try:
        reply: Reply = commands.COMMANDS[options.command](options)
    except EdgeNESError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as stop:  # a command that knows how to go on says it
        print(str(stop) or "Stopped. What is stored stays; see: python -m edgenes_core list", file=sys.stderr)
        return 130
    print(reply.as_json() if options.json else reply.text)
    return reply.status
