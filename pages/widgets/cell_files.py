"""The cell as files: to compute with, to draw anew, or to print."""

from __future__ import annotations

import json
import re

import streamlit as st

from edgenes_core.architecture import Architecture
from edgenes_core.run_folder import Run
from pages.widgets import data, session
from pages.widgets.tools import File, caption_of, downloads, pictures, stem_of, tool


@st.fragment
def cell_downloads(run: Run, cell: Architecture, *, key: str) -> None:
    """One button that opens all forms of a cell beside α*, each with a caption where its format allows comments."""
    files = tool("The cell as a file", "download", key=f"{key}_files")
    if files.open:
        with files:
            st.caption("To load again, here or elsewhere (the authors' form is the one of the EdgeNES release):")
            said = _caption(run, cell)
            downloads(texts(run, cell, said), key=f"{key}_text")
            st.caption("To print:")
            downloads(drawings(run, cell, said), key=f"{key}_picture")


def texts(run: Run, cell: Architecture, caption: str) -> list[File]:
    """The cell's graph in four formats; JSON has no comments, so it is the cell alone."""
    from edgenes_core.figures.cells import to_dot, to_graphml

    stem, authors = stem_of(run, f"cell-{cell.key}"), stem_of(run, f"cell-{cell.key}-authors")
    said = re.sub("-(?=-)", "- ", caption)  # two hyphens would end a comment of XML
    return [
        File("JSON", f"{stem}.json", "application/json", cell.to_json),
        File("Authors' JSON", f"{authors}.json", "application/json", lambda: json.dumps(cell.to_authors(), indent=1)),
        File("DOT", f"{stem}.dot", "text/vnd.graphviz", lambda: f"// {caption}\n{to_dot(cell)}"),
        File("GraphML", f"{stem}.graphml", "application/xml", lambda: f"<!-- {said} -->\n{to_graphml(cell)}"),
    ]


def drawings(run: Run, cell: Architecture, caption: str) -> list[File]:
    """The arc diagram beside α*: TikZ for a LaTeX paper, and pictures."""
    from edgenes_core.figures.drawing import cell_svg
    from edgenes_core.figures.tikz import to_tikz

    base, stem = data.base_of(run).architecture, stem_of(run, f"cell-{cell.key}")
    svg = cell_svg(run.space, cell, base, dark=session.dark())
    tikz = File("TikZ", f"{stem}.tex", "application/x-tex", lambda: to_tikz(run.space, cell, base, caption))
    return [tikz, *pictures(stem, caption, None, svg)]


def _caption(run: Run, cell: Architecture) -> str:
    from edgenes_core.figures.cells import counts_sentence, marks

    base = data.base_of(run).architecture
    return caption_of(run, f"Cell {cell.key} beside α* {base.key}: {counts_sentence(marks(run.space, cell, base))}")
