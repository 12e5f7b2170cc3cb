"""What stands under every chart: its words, its numbers as a table, files to take away, and Python that makes them again."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd
import streamlit as st

from edgenes_core import EdgeNESError, __version__, one_line
from edgenes_core.run_folder import Run
from edgenes_core.snippets import HOW_TO_RUN
from edgenes_core.study.folder import Study
from pages.widgets import session, studies
from pages.widgets.markdown import plain

if TYPE_CHECKING:
    import plotly.graph_objects as go

Source = Run | Study  # where a view's numbers come from
PICTURES = {"svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf"}
FAILURES = "export_failures"
FORMULA = tuple("=+-@\t\r")
SEPARATED = re.compile(r"([,;\t])(?=[=+@-])")  # in a comment, where a spreadsheet sees a cell with a formula begin
WIDE, TALL, LINES = 560, 380, 18  # pixels of a popover's inside; scripts of more lines scroll


class View(NamedTuple):
    """A chart as words, numbers and code.

    name: stem of its files; caption: split, n and whatever else a file must say (run, seed and version are added);
    summary: what the chart shows, for a reader who does not see it; table: the plotted numbers; snippet: Python that
    leaves the same numbers in `table` as a list of dicts.
    """

    name: str
    caption: str
    summary: str
    table: pd.DataFrame
    snippet: str


class File(NamedTuple):
    """A file that is made when its button is clicked; `browser`: whether making it takes a Chrome."""

    label: str
    name: str
    mime: str
    make: Callable[[], str | bytes]
    browser: bool = False


def frame(kind: type[Any], rows: list[Any]) -> pd.DataFrame:
    """Rows of one NamedTuple as a table; it keeps its columns when there are none."""
    return pd.DataFrame(rows, columns=list(kind._fields))


@st.fragment
def view_tools(run: Source, view: View, *, key: str, figure: go.Figure | None = None, svg: str | None = None) -> None:
    """Under a chart: what it says in words, its files, its code, its table. Opening one of them reruns nothing else."""
    st.caption(plain(view.summary))
    with st.container(horizontal=True, gap="xsmall", key=f"{key}_row"):
        export = tool("Export", "download", key=f"{key}_export")
        code = tool("Copy as Python", "code", key=f"{key}_python")
        numbers = tool("As a table", "table", key=f"{key}_table")
    if export.open:
        said, stem = caption_of(run, view.caption), stem_of(run, view.name)
        table = File("CSV", f"{stem}.csv", "text/csv", partial(csv_of, run, view))
        with export.container(width=WIDE):
            st.caption(plain(said))
            downloads([table, *pictures(stem, said, figure, svg)], key=key)
    with code.container(width=WIDE):
        st.caption(HOW_TO_RUN)
        st.code(view.snippet, language="python", height=TALL if view.snippet.count("\n") > LINES else "content")
    if numbers.open:
        numbers.dataframe(view.table, hide_index=True, width="content", key=f"{key}_numbers")


def tool(label: str, icon: str, *, key: str) -> Any:
    """Opening it reruns the tools alone, so that nothing is made or sent before it is asked for."""
    return st.popover(label, icon=f":material/{icon}:", key=key, on_change="rerun")


def caption_of(run: Source, text: str) -> str:
    """Where numbers come from, in one line that is written under every exported picture and on top of every table."""
    source = studies.source(run) if isinstance(run, Study) else _source(run)
    said = " ".join(text.split()).removesuffix(".")
    return one_line(
        f"{f'{said}. ' if said else ''}{'' if run.id in said else source + ' '}EdgeNES Explorer {__version__}."
    )


def _source(run: Run) -> str:
    commit = f", commit {run.manifest.commit[:7]}" if run.manifest.commit else ""
    return f"Run {run.id} ({session.origin(run)}), {run.config.dataset}, seed {run.config.seed}{commit}."


def csv_of(run: Source, view: View) -> str:
    """The table under its caption in # lines, the last of which is the call of pandas that gives back the same table."""
    words = [name for name, kind in view.table.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)]
    types = ", ".join(f"{name!r}: str" for name in words)  # a key of digits alone is still a key
    how = f'pandas.read_csv(FILE, comment="#", dtype={{{types}}})'
    lines = (
        SEPARATED.sub(r"\1 ", " ".join(line.split())) for line in (view.summary, caption_of(run, view.caption), how)
    )
    words_only = view.table.apply(lambda column: column if pd.api.types.is_numeric_dtype(column) else column.map(inert))
    return "".join(f"# {line}\n" for line in lines) + words_only.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC)


def inert(word: object) -> object:
    """A word that a spreadsheet would take for a formula (quotes do not keep it from that), after an apostrophe; others as they are."""
    return f"'{word}" if isinstance(word, str) and word[:1] in FORMULA else word


def stem_of(run: Source, name: str) -> str:
    """Start of a file's name: what it shows and the run it comes from."""
    return re.sub(r"[^\w.-]+", "-", f"{name}-{run.id}")


def pictures(stem: str, caption: str, figure: go.Figure | None, svg: str | None) -> list[File]:
    """A chart or a drawing as SVG, PNG and PDF; nothing if there is neither."""
    dark = session.dark()

    def draw(kind: str) -> bytes:
        from edgenes_core.figures import export

        if figure is not None:
            return export.render(figure, kind, caption, dark=dark)
        return export.render_svg(svg or "", kind, caption, dark=dark)

    return [
        File(kind.upper(), f"{stem}.{kind}", mime, partial(draw, kind), browser=figure is not None or kind != "svg")
        for kind, mime in PICTURES.items()
        if figure is not None or svg
    ]


def downloads(files: list[File], *, key: str) -> None:
    """A row of buttons; what needs a browser is greyed out with a sentence where there is none."""
    failed = st.session_state.setdefault(FAILURES, {})
    missing = browser_missing() if any(file.browser for file in files) else ""
    with st.container(horizontal=True, gap="small"):
        for file in files:
            st.download_button(
                file.label,
                partial(_make, file, failed, key),
                file.name,
                file.mime,
                key=f"{key}_{file.label.lower()}",
                on_click="ignore",
                disabled=bool(missing and file.browser),
            )
    if sentence := failed.pop(key, missing):
        st.caption(f":material/info: {plain(sentence)}")


def _make(file: File, failed: dict[str, str], key: str) -> str | bytes:
    """Runs on a thread of its own after the click. Streamlit says only that it failed, so the reason is kept for the next look."""
    try:
        return file.make()
    except EdgeNESError as error:
        failed[key] = str(error)
        raise


@st.cache_data(ttl=60, show_spinner=False)
def browser_missing() -> str:
    """A sentence if this machine has no browser that draws files, else nothing."""
    from edgenes_core.figures import chrome

    try:
        chrome.ready()
    except EdgeNESError as error:
        return str(error)
    return ""
