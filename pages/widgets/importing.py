"""Bring your own: a cell, a run or predictions from a file; and a correct example of each to download."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from edgenes_core import EdgeNESError, ensembles
from edgenes_core.access import Action
from edgenes_core.architecture import Architecture, shared_edges
from edgenes_core.exchange import kind_of
from edgenes_core.imported import import_predictions, read_predictions
from edgenes_core.run_folder import Run
from edgenes_core.run_zip import MOST_UPLOAD, import_run, zip_of
from edgenes_core.samples import sample_cell, sample_predictions
from edgenes_core.storage import StorageError
from pages.widgets import access, session
from pages.widgets.markdown import plain

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

OUTCOME = "import_outcome"
ALLOWED = (
    "**A cell** (.json, our form or the authors') becomes cell B. **A run** (.zip, as exported here) becomes one of yours. "
    "**Predictions** (.npz) of the open run's validation images become one of its networks, and go into the basket."
)


class Outcome(NamedTuple):
    """What became of an upload: a sentence, and the page to go on to, none after an error."""

    upload: str
    sentence: str
    page: str = ""
    link: str = ""
    icon: str = ""


def import_panel(run: Run | None) -> None:
    """Uploader, outcome and samples. An upload is looked at once; while it stays in the uploader its outcome is shown again."""
    upload = None
    if not access.refused(Action.IMPORT):
        st.markdown(ALLOWED)
        upload = st.file_uploader(
            f"A file of at most {MOST_UPLOAD >> 20} MB",
            type=["json", "zip", "npz"],
            key="import_file",
        )
    if upload is None:
        st.session_state.pop(OUTCOME, None)
    else:
        take_in(run, upload)
    if run is not None:
        samples(run)


def take_in(run: Run | None, upload: UploadedFile) -> None:
    """Import what was not imported yet, and draw what became of it."""
    outcome: Outcome | None = st.session_state.get(OUTCOME)
    if outcome is None or outcome.upload != upload.file_id:
        outcome = outcome_of(run, upload)
        st.session_state[OUTCOME] = outcome
        if outcome.page:
            st.rerun()  # link, run picker, basket and undo are drawn already
    if outcome.page:
        st.success(outcome.sentence, icon=":material/check:")
        st.page_link(outcome.page, label=outcome.link, icon=outcome.icon)
    else:
        st.error(plain(outcome.sentence), icon=":material/error:")


def outcome_of(run: Run | None, upload: UploadedFile) -> Outcome:
    """Import a file; what is wrong with it becomes the sentence."""
    content = upload.getvalue()
    try:
        access.require(Action.IMPORT)
        match kind_of(content):
            case "run":
                return _run(upload.file_id, content)
            case "predictions":
                return _predictions(_opened(run), upload.file_id, content)
            case _:
                return _cell(_opened(run), upload.file_id, content)
    except EdgeNESError as error:
        return Outcome(upload.file_id, str(error))


def samples(run: Run) -> None:
    """A file of each kind, made when it is asked for."""
    st.caption(f"Samples that this run accepts, and the run itself ({session.origin(run)}):")
    searched, planned = (run.path / "base.json").exists(), (run.path / "plan.json").exists()
    offers = (
        ("Cell", f"{run.id}-cell.json", lambda: sample_cell(run, "edgenes"), searched),
        ("Cell, authors' form", f"{run.id}-cell-authors.json", lambda: sample_cell(run, "authors"), searched),
        ("Predictions", f"{run.id}-predictions.npz", lambda: sample_predictions(run), planned),
        ("Run", f"{run.id}.zip", lambda: zip_of(run), True),
    )
    with st.container(horizontal=True, gap="small"):
        for label, name, make, possible in offers:
            st.download_button(
                label,
                make,
                name,
                key=f"import_sample_{label}",
                icon=":material/download:",
                on_click="ignore",
                disabled=not possible,
                help=None if possible else "The run has not come that far yet.",
            )


def _opened(run: Run | None) -> Run:
    if run is None:
        raise StorageError(
            "Cells and predictions belong to a run, and none is open: import one (.zip) or train one first."
        )
    return run


def _cell(run: Run, upload: str, content: bytes) -> Outcome:
    cell = Architecture.from_json(content)
    run.space.encode(cell)  # says what differs if the cell is of another space
    shared = shared_edges(cell, run.base().architecture)
    session.set_pin(cell)
    sentence = f"Cell {cell.key} is pinned as B: it shares {shared} of {run.space.lambda_max} edges with α*."
    return Outcome(upload, sentence, "explore.py", "Compare it on Explore", ":material/tune:")


def _run(upload: str, content: bytes) -> Outcome:
    run = import_run(session.store(), content)
    session.switch_run(run.id)
    return Outcome(upload, f"Run {run.id} is stored, and open now.", "home.py", "Look at it", ":material/home:")


def _predictions(run: Run, upload: str, content: bytes) -> Outcome:
    read_predictions(run, content)  # a file that does not fit must not leave a copy behind
    target = own_copy(run) if session.origin(run) == "bundled run" else run
    training = import_predictions(target, content)
    val = ensembles.evaluate(target.val_probabilities([training.id]), target.targets("val"), "val")
    copied = "" if target == run else f" The bundled run stays as it came: its copy {target.id} is open now."
    if copied:
        session.switch_run(target.id)
    session.add_to_basket(training.id)
    sentence = (
        f"Network {training.id} is in the basket: accuracy {100 * val.accuracy:.2f} % on the n = {val.n} validation images, "
        f"from your file.{copied}"
    )
    return Outcome(upload, sentence, "ensembles.py", "Combine it on Ensembles", ":material/groups:")


def own_copy(bundled: Run) -> Run:
    """The user's copy of the bundled run, made when there is none."""
    try:
        return session.store().open(bundled.manifest.id)
    except StorageError:
        return import_run(session.store(), zip_of(bundled))
