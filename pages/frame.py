"""What surrounds every page: browser tab, navigation, run picker, basket, undo, the link to share, import, version."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from edgenes_core import EdgeNESError, __version__, jobs
from edgenes_core.figures import theme
from edgenes_core.run_folder import Run
from pages.widgets import access, address, link, session
from pages.widgets.daylight import daylight
from pages.widgets.importing import import_panel
from pages.widgets.job_list import job_list
from pages.widgets.markdown import plain
from pages.widgets.permalink import share_panel
from pages.widgets.tools import tool
from pages.widgets.turns import turn

FAVICON = Path(__file__).parents[1] / "assets" / "favicon.png"


def describe(run: Run) -> str:
    """A line of the run picker; never the same for two runs, since the browser sends this text back."""
    return f"bundled run ({about(run)})" if session.origin(run) == "bundled run" else run.id


def about(run: Run) -> str:
    """Data set and seed."""
    return f"{Path(run.config.dataset).stem}, seed {run.config.seed}"


def details(run: Run) -> str:
    """Origin, data set, seed, state and age of the open run."""
    manifest = run.manifest
    return plain(
        f"{session.origin(run)} · {about(run)} · {jobs.state(run).name} · {manifest.created[:16].replace('T', ' ')}"
    )


def run_picker() -> None:
    """Choose the open run; folders that cannot be read are named, not hidden."""
    runs = {run.id: run for run in session.all_runs()}
    try:
        run = session.current_run()
    except EdgeNESError:
        st.info("No run yet.", icon=":material/info:")
    else:
        st.session_state["frame_run"] = run.id
        st.selectbox(
            "Open run",
            list(runs),
            format_func=lambda run_id: describe(runs[run_id]),
            key="frame_run",
            on_change=lambda: session.switch_run(st.session_state["frame_run"]),
            help="All numbers on every page come from this run.",
        )
        st.caption(details(run))
    if damaged := session.damaged_runs():
        with st.expander(f":orange[:material/warning:] {len(damaged)} damaged run{'s' if len(damaged) > 1 else ''}"):
            for sentence in damaged:
                st.caption(plain(sentence))


def readable_words() -> None:
    """Words that the theme leaves too pale in the text colour: chosen options (no primary colour is light enough for them and
    dark enough for white buttons), code and coloured words in captions, and the colours of code."""
    color = theme.ink(dark=session.dark()).text
    option = 'button:is([aria-checked="true"], [aria-pressed="true"]) p'
    chosen = f'{option}, [data-testid="stTab"][aria-selected="true"] p, [data-testid="stSliderThumbValue"]'
    caption = '[data-testid="stCaptionContainer"] :is(code, .stMarkdownColoredText, .stMarkdownColoredText *)'
    code = '[data-testid="stCode"] .token'
    st.html(f"<style>{chosen}, {caption}, {code} {{ color: {color} !important; }}</style>")


def basket_chip() -> None:
    """How many networks wait in the basket, and the way to their page."""
    count = len(session.basket())
    noun = "network" if count == 1 else "networks"
    st.page_link("ensembles.py", label=f"Basket: {count} {noun}", icon=":material/shopping_basket:")


def open_run() -> Run | None:
    """The open run, with what a link says about it taken over; None while there is no run at all."""
    try:
        run = session.current_run()
    except EdgeNESError:
        return None
    link.adopt(run)
    return run


def undo_buttons() -> None:
    """One step back or forward among selections, pins and baskets (with weights and rule) of this run."""
    history = session.history()
    with st.container(horizontal=True, gap="small", key="frame_history"):
        for word, left, move, words in (
            ("Undo", history.past, history.undo, "Take back the last change of selection, pinned cell or ensemble."),
            ("Redo", history.future, history.redo, "Bring it back."),
        ):
            name = word.lower()
            st.button(
                word,
                key=f"frame_{name}",
                icon=f":material/{name}:",
                width="stretch",
                disabled=not left,
                help=words,
                on_click=lambda move: session.set_history(move()),
                args=(move,),
            )


def in_and_out(run: Run | None, path: str) -> None:
    """The link to this view, and files from outside; high up, as what opens here is tall."""
    with st.container(horizontal=True, gap="small", key="frame_share"):
        if run is not None:
            with tool("Share", "link", key="frame_link_open") as share:
                if share.open:
                    share_panel(link.full_link(run, path), key="frame_link")
        with tool("Import", "upload", key="frame_import") as files:
            if files.open:
                import_panel(run)


st.set_page_config(page_title="EdgeNES Explorer", page_icon=str(FAVICON), layout="wide")
page = st.navigation(
    [
        st.Page("home.py", title="Home", icon=":material/home:", default=True),
        st.Page("explore.py", title="Explore λ", icon=":material/tune:"),
        st.Page("space.py", title="Map of cells", icon=":material/scatter_plot:"),
        st.Page("tradeoff.py", title="Trade-off", icon=":material/show_chart:"),
        st.Page("ensembles.py", title="Ensembles", icon=":material/groups:"),
        st.Page("compare.py", title="Compare methods", icon=":material/leaderboard:"),
        st.Page("published.py", title="Published and ours", icon=":material/menu_book:"),
        st.Page("train.py", title="Train", icon=":material/model_training:"),
    ]
)
st.logo(str(FAVICON), size="large")
with turn():
    readable_words()
    run = open_run()
    with st.sidebar:
        in_and_out(run, page.url_path)
        run_picker()
        basket_chip()
        undo_buttons()
        job_list()
        access.access_panel()
        st.caption(f"EdgeNES Explorer {__version__}")
        daylight()
    address.publish()
    access.fault_banner()
    page.run()
