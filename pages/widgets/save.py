"""Keep the basket with the run under a name."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from edgenes_core.run_folder import Run
from edgenes_core.schema import to_dict
from edgenes_core.storage import StorageError
from pages.widgets import session
from pages.widgets.compare import evaluation
from pages.widgets.scores import scored_of, stored_of


def save_panel(run: Run, basket: Sequence[str]) -> None:
    """A name and a button; the sentence says what went wrong in a read-only folder or with an unusable name."""
    st.subheader("Keep it", anchor=False)
    name = st.text_input("Name", key="ensembles_name", placeholder="my-ensemble", max_chars=60)
    if st.button("Save with the run", key="ensembles_save", icon=":material/save:", disabled=not (basket and name)):
        with session.guard():
            save(run, name.strip(), basket)
            st.toast(f"Saved {name!r} with run {run.id}.", icon=":material/check:")
            st.rerun()


def save(run: Run, name: str, basket: Sequence[str]) -> None:
    """Store the basket; StorageError if the name is taken by the pipeline or cannot be a file's name."""
    taken = {ensemble.name for ensemble in stored_of(run)[0] if ensemble.role != "user"}
    if name in taken:
        raise StorageError(f"The name {name!r} belongs to an ensemble of the pipeline; choose another one.")
    fields = {"title": name, "role": "user", "rule": "by hand", "members": list(basket)}
    run.save_ensemble(name, {**fields, "val": to_dict(evaluation(scored_of(run), basket))})
