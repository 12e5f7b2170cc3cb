"""What a run has done and what it still lacks: the empty state of every page that needs more."""

from __future__ import annotations

import streamlit as st

from edgenes_core.run_folder import STAGES, Run
from pages.widgets.markdown import plain

ABOUT = {
    "darts": "search the base cell α*",
    "hypernet": "train the hypernetwork α(λ)",
    "retrain": "retrain cells along λ and the controls",
    "select": "select the ensemble on validation",
    "embed": "draw the map of cells",
}
SHORT = {
    "darts": "base search",
    "hypernet": "hypernetwork",
    "retrain": "retraining",
    "select": "selection",
    "embed": "map of cells",
}


def ready(run: Run, stage: str, shows: str) -> bool:
    """Whether a stage is done; if not, draw which stages are, what is missing, and the way to finish it."""
    if run.has(stage):
        return True
    manifest = run.manifest
    with st.container(border=True, key=f"empty_{stage}"):
        st.subheader(f"Nothing to show yet: {shows} appears after the step “{ABOUT[stage]}”", anchor=False)
        st.markdown("  \n".join(_line(run, name, name == stage) for name in STAGES))
        st.caption(plain(f"State of the run: {manifest.state}. {manifest.message}"))
        words = "Finish this run, or start another, on the Train page"
        st.page_link("train.py", label=words, icon=":material/model_training:")
    return False


def _line(run: Run, stage: str, needed: bool) -> str:
    mark = ":material/check_circle:" if run.has(stage) else ":material/radio_button_unchecked:"
    said = "done" if run.has(stage) else "not yet"
    return f"{mark} **{ABOUT[stage]}: {said}, needed here**" if needed else f"{mark} {ABOUT[stage]}: {said}"
