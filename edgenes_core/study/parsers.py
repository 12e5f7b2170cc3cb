"""The options of `study` and `compare`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from edgenes_core.study.chosen import KINDS, POOL

Add = Callable[..., argparse.ArgumentParser]


def add_study(add: Add, shared: argparse.ArgumentParser, work: Sequence[argparse.ArgumentParser], dataset: str) -> None:
    """Both commands; `dataset` says what a dataset may be."""
    p = add("study", parents=[shared, *work], help="train every arm with every seed: methods or ablations compared")
    p.add_argument("name", metavar="NAME", help="methods, ablations, a JSON file, or with --resume the id of a study")
    p.add_argument("--arms", default=None, metavar="A,B", help="these arms alone (default: all)")
    p.add_argument("--seeds", type=int, default=None, metavar="N", help="repeats of each arm (default: the study's, 5)")
    p.add_argument("--dataset", default=None, help=f"{dataset} (default: the study's, digits)")
    p.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="any setting that all arms share")
    p.add_argument("--resume", action="store_true", help="do what is missing of a study that was stopped")
    p = add("compare", parents=[shared], help="a study's table: methods × metrics, differences, what they cost")
    p.add_argument("study", metavar="STUDY", help="its id")
    p.add_argument("--reference", default=None, metavar="ARM", help="what the others are compared with")
    p.add_argument("--mode", default=POOL, help=f"members chosen among equal parts: {', '.join(KINDS)} (default: pool)")
    p.add_argument("--limit", type=float, default=None, help="candidates, seconds or images (default: see the table)")
    p.add_argument("--reveal", action="store_true", help="on the test images; each look is counted")
    p.add_argument("--latex", action="store_true", help="the table for LaTeX's booktabs")
    p.add_argument("--csv", action="store_true", help="all numbers, comma separated")
