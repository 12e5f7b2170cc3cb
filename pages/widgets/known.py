"""Every cell that a run stores, by its key."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from edgenes_core.architecture import Architecture
from edgenes_core.run_folder import Run
from pages.widgets import data


def cells_of(run: Run) -> dict[str, Architecture]:
    """Cells by key; files that are missing or damaged add none: the page that shows them says what is wrong."""
    return _cells(
        str(run.path), data.stamp(run, "base.json", "path.json", "plan.json", "imported.json", "embedding.npz")
    )


@st.cache_resource(max_entries=16, show_spinner=False)
def _cells(folder: str, stamp: data.Stamp) -> dict[str, Architecture]:
    from edgenes_core.inspect_cell import known_cells

    return known_cells(Run(Path(folder)))
