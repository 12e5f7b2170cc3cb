"""The test set: hidden until asked for, every look counted, and the price of selecting on validation drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from edgenes_core.figures.forest import Gap

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
    from edgenes_core.figures.forest import Gap, plot_gaps

    gaps = [Gap(entry.name, _values(entry.val), _values(t)) for entry, t in zip(entries, test, strict=True)]
    show(plot_gaps(gaps, SHOWN, dark=session.dark()), key="ensembles_gaps")
    heads = [
        f"{test[0].n} test images",
        *(f"{METRICS[m].name}{extra}" for m in SHOWN for extra in ("", ", val − test")),
    ]
    st.markdown(markdown_table(heads, [[gap.name, *_numbers(gap)] for gap in gaps]))
    st.caption(
        f"Judged on {entries[0].val.n} validation and {test[0].n} test images, {session.origin(run)}. All of this was one look."
    )


def _values(evaluation: Evaluation) -> tuple[float, ...]:
    return tuple(getattr(evaluation, metric) for metric in SHOWN)


def _numbers(gap: Gap) -> list[str]:
    pairs = zip(SHOWN, gap.val, gap.test, strict=True)
    return [text_of(m, x).replace("-", "−") for m, val, test in pairs for x in (test, val - test)]
