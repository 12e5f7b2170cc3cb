"""What a choice is judged on: the validation images as they are, or made worse by corruptions that results are not reported on."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from edgenes_core import shifted
from edgenes_core.corruptions import SEVERITIES, VALIDATION_CORRUPTIONS
from edgenes_core.run_folder import Run
from edgenes_core.selecting import Pool
from edgenes_core.shift_jobs import Plan
from edgenes_core.shifted import Condition
from edgenes_core.shifted_pool import USUAL, conditions_of, shifted_pool
from pages.widgets.choices import choose
from pages.widgets.lab_predict import predict_panel
from pages.widgets.scores import HASH, Scored

CORRUPTIONS, SEVERITY = "ensembles_corruptions", "ensembles_severities"


def judged_on(run: Run, scored: Scored, ids: Sequence[str]) -> tuple[Condition, ...] | None:
    """Nothing for the images as they are, else how they are made worse; None while that is not said or not predicted."""
    if choose("select_on") == "clean":
        return ()
    names = st.segmented_control(
        "Made worse by",
        list(VALIDATION_CORRUPTIONS),
        selection_mode="multi",
        default=list(VALIDATION_CORRUPTIONS),
        format_func=lambda name: VALIDATION_CORRUPTIONS[name].title,
        key=CORRUPTIONS,
        persist_state="session",
    )
    severities = st.segmented_control(
        "Severities",
        SEVERITIES,
        selection_mode="multi",
        default=USUAL,
        key=SEVERITY,
        persist_state="session",
        help="1 is mild, 5 is hard. Each corruption at each severity counts alike.",
    )
    if not names or not severities:
        st.caption(":material/info: Choose at least one corruption and one severity.")
        return None
    plan = Plan(tuple(ids), tuple(n for n in VALIDATION_CORRUPTIONS if n in names), tuple(sorted(severities)))
    wanted = conditions_of(run, ids, plan.corruptions, plan.severities)
    if set(wanted) <= set(shifted.stored(run, ids)):
        return wanted
    predict_panel(run, plan, len(scored.y), key="choose")
    return None


@st.cache_resource(
    max_entries=1, show_spinner="Reading the pool…", hash_funcs=HASH | {Run: lambda run: str(run.path)}
)  # the largest thing that the page holds: one for all sessions
def worse_pool(
    run: Run, scored: Scored, ids: tuple[str, ...], worse: tuple[Condition, ...], stamp: tuple[int, ...]
) -> Pool:
    """The pool's predictions of images made worse; `stamp` changes with their files."""
    return shifted_pool(run, ids, worse)
