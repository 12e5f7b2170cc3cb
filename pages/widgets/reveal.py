"""The test set: hidden until asked for, every look counted, and the price of selecting on validation drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from edgenes_core import ensembles
from edgenes_core.records import METRICS, Evaluation
from edgenes_core.run_folder import Run
from pages.widgets import session
from pages.widgets.charts import show
from pages.widgets.compare import Entry
from pages.widgets.details import markdown_table
from pages.widgets.scores import text_of

KEY = "ensembles_revealed"
SHOWN = ("accuracy", "nll")


def test_panel(run: Run, entries: Sequence[Entry]) -> None:
    """Button, count of looks, and after a look the gap of every ensemble that was shown then."""
    asked = (run.id, tuple(entry.members for entry in entries))
    st.subheader("Test set", anchor=False)
    looks = run.reveals()
    st.caption(
        "Members are chosen on validation only, so validation numbers are optimistic. A look at the test set is counted "
        f"and stored with the run: **{looks} {'look' if looks == 1 else 'looks'}** so far."
    )
    if st.session_state.get(KEY, (None,))[0] != asked:
        if st.button("Reveal test", key="ensembles_reveal", icon=":material/visibility:", disabled=not entries):
            with session.guard():
                st.session_state[KEY] = (asked, reveal(run, entries))
                st.rerun()
        return
    gap_panel(run, entries, st.session_state[KEY][1])


def reveal(run: Run, entries: Sequence[Entry]) -> list[Evaluation]:
    """Judge all ensembles on the test images in one counted look."""
    members = list(dict.fromkeys(member for entry in entries for member in entry.members))
    probs, y = dict(zip(members, run.reveal(members), strict=True)), run.targets("test")
    return [ensembles.evaluate(np.stack([probs[m] for m in entry.members]), y, "test") for entry in entries]


def gap_panel(run: Run, entries: Sequence[Entry], test: Sequence[Evaluation]) -> None:
    """Validation and test side by side, as a picture and as numbers."""
    from edgenes_core.figures.forest import Gap, plot_gap

    for column, metric in zip(st.columns(len(SHOWN)), SHOWN, strict=True):
        pairs = [(getattr(e.val, metric), getattr(t, metric)) for e, t in zip(entries, test, strict=True)]
        gaps = [Gap(entry.name, *pair) for entry, pair in zip(entries, pairs, strict=True)]
        with column:
            show(plot_gap(gaps, metric, dark=session.dark()), key=f"ensembles_gap_{metric}")
    heads = ["", *(f"{METRICS[m].name} {split}" for m in SHOWN for split in ("val", "test", "val − test"))]
    rows = [[e.name, *_numbers(e.val, t)] for e, t in zip(entries, test, strict=True)]
    st.markdown(markdown_table(heads, rows))
    n_val, n_test = entries[0].val.n, test[0].n
    st.caption(f"{n_val} validation and {n_test} test images, {session.origin(run)}. These numbers count as one look.")


def _numbers(val: Evaluation, test: Evaluation) -> list[str]:
    cells = []
    for metric in SHOWN:
        ours, theirs = getattr(val, metric), getattr(test, metric)
        cells += [text_of(metric, ours), text_of(metric, theirs), text_of(metric, ours - theirs).replace("-", "−")]
    return cells
