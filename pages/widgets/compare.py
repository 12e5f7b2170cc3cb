"""Ensembles side by side on the same validation images, from cached predictions: instant, and never from test data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import streamlit as st

from edgenes_core import ensembles
from edgenes_core.records import Evaluation, Selection
from edgenes_core.statistics import Difference, image_scores, paired_bootstrap
from pages.widgets.scores import HASH, Scored, Stored

PAIRED = ("accuracy", "nll", "brier")  # means over images; ECE is none, so it has no paired interval
YOURS = "your ensemble"
LARGEST_SIZE = 10


class Entry(NamedTuple):
    """An ensemble to compare: its name, how it is drawn, its members (ids), and its validation numbers."""

    name: str
    role: str
    members: tuple[str, ...]
    val: Evaluation


def entries_of(scored: Scored, stored: Sequence[Stored], basket: Sequence[str]) -> tuple[list[Entry], list[str]]:
    """The basket first, then the stored ensembles; a sentence for each whose members cannot be used."""
    known = set(scored.ids)
    found, missing = [], []
    if basket:
        found.append(Entry(YOURS, "user", tuple(basket), evaluation(scored, basket)))
    for ensemble in stored:
        if set(ensemble.members) <= known:
            val = evaluation(scored, ensemble.members)
            found.append(Entry(ensemble.title, ensemble.drawn_as, ensemble.members, val))
        else:
            missing.append(f"{ensemble.title!r} is left out: not all of its members have usable predictions.")
    return found, missing


def average(scored: Scored, members: Sequence[str]) -> np.ndarray:
    """(B, C): the members' mean validation probabilities; a member named twice counts twice."""
    return ensembles.combine(scored.probs[scored.rows(members)])


def evaluation(scored: Scored, members: Sequence[str]) -> Evaluation:
    return _evaluation(scored, tuple(members))


def differences(scored: Scored, members: Sequence[str], reference: Sequence[str]) -> tuple[Difference, ...]:
    """Members − reference for each metric in PAIRED, with 95 % intervals over the same images."""
    return _differences(scored, tuple(members), tuple(reference))


def selections(scored: Scored, pool: Sequence[str], rule: str) -> tuple[Selection, ...]:
    """What a rule chooses from the pool at each size up to 10; sizes with too many ensembles to score are left out."""
    return _selections(scored, tuple(pool), rule)


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs=HASH)
def _evaluation(scored: Scored, members: tuple[str, ...]) -> Evaluation:
    return ensembles.evaluate(scored.probs[scored.rows(members)], scored.y, "val")


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs=HASH)
def _differences(scored: Scored, members: tuple[str, ...], reference: tuple[str, ...]) -> tuple[Difference, ...]:
    ours, theirs = (image_scores(average(scored, ids), scored.y) for ids in (members, reference))
    return tuple(paired_bootstrap(getattr(ours, metric), getattr(theirs, metric)) for metric in PAIRED)


@st.cache_data(max_entries=16, show_spinner="Scoring ensembles…", hash_funcs=HASH)
def _selections(scored: Scored, pool: tuple[str, ...], rule: str) -> tuple[Selection, ...]:
    probs, found = scored.probs[scored.rows(pool)], []
    for size in range(1, min(len(pool), LARGEST_SIZE) + 1):
        try:
            found.append(ensembles.select(probs, scored.y, pool, size, rule))
        except ensembles.SelectionError:
            continue
    return tuple(found)
