"""The open run, what is chosen in it, and the notices: the only file that touches shared session state and query parameters."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import streamlit as st

from edgenes_core import EdgeNESError
from edgenes_core.architecture import Architecture
from edgenes_core.run_folder import ID, Run
from edgenes_core.runs import RunStore
from edgenes_core.snippets import same_folder
from edgenes_core.storage import StorageError
from pages.widgets.history import History
from pages.widgets.markdown import plain
from pages.widgets.run_list import bundled_run, runs_under

DEMO = Path(__file__).parents[2] / "assets" / "demo"


def store() -> RunStore:
    """The folder of the user's runs: environment variable EDGENES_RUNS, else ./runs."""
    return RunStore(Path(os.environ.get("EDGENES_RUNS", "runs")))


def all_runs() -> list[Run]:
    """The bundled run first, then the user's, newest first; damaged ones are left out (see `damaged_runs`)."""
    bundled = bundled_run(DEMO)
    return [*([bundled] if bundled else []), *runs_under(store().root)[0]]


def damaged_runs() -> list[str]:
    """One sentence for each run folder that cannot be read."""
    return list(runs_under(store().root)[1])


def origin(run: Run) -> str:
    """Where a run's numbers come from, said beside each of them."""
    return "bundled run" if same_folder(run, DEMO) else "your run"


def current_run() -> Run:
    """The run named by ?run=, else the one of this session, else the bundled one.

    An unknown or damaged id leaves a notice for `page_header` and opens the bundled run; EdgeNESError if there is none.
    """
    wanted = st.query_params.get("run") or st.session_state.get("run")
    try:
        run = _open(wanted) if wanted else _first()
    except EdgeNESError as error:
        run = _first()
        notify(f"The run asked for cannot be opened, so the {origin(run)} {run.id!r} is shown instead. {error}")
    choose_run(run.id)
    return run


def choose_run(run_id: str) -> None:
    """Make a run the current one and put it into the URL (the bundled run needs no mention there)."""
    st.session_state["run"] = run_id
    if run_id == DEMO.name:
        st.query_params.pop("run", None)
    elif st.query_params.get("run") != run_id:
        st.query_params["run"] = run_id


def switch_run(run_id: str) -> None:
    """The user picks another run: what the link says belonged to the old one."""
    st.query_params.clear()
    choose_run(run_id)


def _open(run_id: str) -> Run:
    if run_id == DEMO.name and (bundled := bundled_run(DEMO)):
        bundled.config  # noqa: B018 - a damaged run.json must be said here, not later
        return bundled
    if not ID.fullmatch(run_id):  # a URL must not name folders outside the store
        raise StorageError(f"A run is named by its id alone, got {run_id[:80]!r}.")
    known = (run for run in runs_under(store().root)[0] if run.id == run_id)
    return next(known, None) or store().open(str(store().root / run_id))  # never a folder beside the server


def _first() -> Run:
    runs = all_runs()
    if not runs:
        raise StorageError(
            f"There is no run to show: no bundled run, and {store().root} is empty. "
            "Make one with: python -m edgenes_core pipeline --dataset digits --preset quick"
        )
    return runs[0]


def notify(sentence: str) -> None:
    """Keep a sentence for the next `page_header`."""
    st.session_state["notices"] = (*st.session_state.get("notices", ()), sentence)


def page_header(title: str, question: str) -> Run:
    """Draw the title, the question the page answers, the run's chip and waiting notices; stops the page without a run."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="page_header"):
        st.title(title, anchor=False, width="content")
        st.caption(f"This page answers: {question}", width="stretch")
        try:
            run = current_run()
        except EdgeNESError as error:
            st.error(plain(str(error)))
            st.stop()
        _chip(run)
    for sentence in waiting():
        st.warning(plain(sentence), icon=":material/info:")
    return run


def waiting() -> tuple[str, ...]:
    """The sentences kept for this page, each once."""
    return tuple(st.session_state.pop("notices", ()))


def _chip(run: Run) -> None:
    st.badge(
        f"{origin(run)} · {plain(Path(run.config.dataset).stem)} · seed {run.config.seed}",
        color="green" if origin(run) == "bundled run" else "blue",
        help=f"Every number on this page comes from run {run.id}.",
    )


@contextmanager
def guard() -> Iterator[None]:
    """Show what the user can mend as one sentence; the rest of the page goes on."""
    try:
        yield
    except EdgeNESError as error:
        st.error(plain(str(error)), icon=":material/error:")


def history() -> History:
    """What was chosen in the open run, with the steps before and after."""
    return _histories().get(st.session_state.get("run", ""), History())


def set_history(changed: History) -> None:
    """Go to another point of the history."""
    st.session_state["just_chosen"] = True
    _histories()[st.session_state.get("run", "")] = changed


def just_chosen() -> bool:
    """Whether something was chosen since the last call: the message that said so may carry an address older than it."""
    return bool(st.session_state.pop("just_chosen", False))


def choose_cells(**changes: object) -> None:
    """Change some of selection, pin, basket and rule as one step that can be undone."""
    set_history(history().step(replace(history().now, **changes)))


def selection() -> tuple[str, ...]:
    """Keys of the selected cells of the open run, in order of choice."""
    return history().now.selection


def set_selection(keys: Iterable[str]) -> None:
    """Select these cells and no others; a repeated key is kept once."""
    choose_cells(selection=tuple(dict.fromkeys(keys)))


def pin() -> Architecture | None:
    """Cell B, which the cell at λ is compared with."""
    return history().now.pin


def set_pin(architecture: Architecture | None) -> None:
    """Pin a cell as B, or none."""
    choose_cells(pin=architecture)


def basket() -> tuple[str, ...]:
    """Training ids chosen for the user's ensemble, of the open run, in order of choice."""
    return history().now.basket


def set_basket(ids: Iterable[str]) -> None:
    """Replace the basket; a repeated id is kept once, networks that stay keep their weight."""
    set_history(history().step(history().now.with_basket(ids)))


def weights() -> tuple[int, ...]:
    """Parts of the mixture, one for each network of the basket."""
    return history().now.weights or (1,) * len(basket())


def set_weights(parts: Iterable[int]) -> None:
    """Give the networks of the basket other weights."""
    set_history(history().step(history().now.with_weights(parts)))


def set_team(ids: Iterable[str], parts: Iterable[int], rule: str) -> None:
    """Replace the basket, its weights and the rule by which its networks become one, in one step."""
    set_history(history().step(replace(history().now.with_basket(ids).with_weights(parts), rule=rule)))


def add_to_basket(training_id: str) -> bool:
    """Put a network into the basket; False if it is there already."""
    if training_id in basket():
        return False
    set_basket((*basket(), training_id))
    return True


def remove_from_basket(training_id: str) -> None:
    """Take a network out; nothing happens if it is not there."""
    set_basket(member for member in basket() if member != training_id)


def _histories() -> dict[str, History]:
    return st.session_state.setdefault("histories", {})


def dark() -> bool:
    """Whether the browser shows the dark theme."""
    return st.context.theme.type == "dark"


def lam_of(run: Run) -> float | None:
    """λ as this session left it for this run."""
    return _lams().get(run.id)


def ask_lam(run: Run, lam: float) -> None:
    """Take λ from outside the page that shows it: its handle goes there when it is next drawn."""
    remember_lam(run, lam)
    st.session_state["lam_asked"] = run.id


def lam_asked(run: Run) -> float | None:
    """The λ asked for since the last call, if there is one."""
    return lam_of(run) if st.session_state.pop("lam_asked", "") == run.id else None


def remember_lam(run: Run, lam: float) -> None:
    """Keep λ over page switches."""
    _lams()[run.id] = lam


def _lams() -> dict[str, float]:
    return st.session_state.setdefault("lams", {})
