"""Which images to train on: a known dataset, an .npz file or a folder of image files, each checked before it is offered."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from edgenes_core import EdgeNESError, download_jobs
from edgenes_core.access import Action
from edgenes_core.catalogue import KNOWN, DataError, Known, data_folder, present
from edgenes_core.npz_file import check_headers, read_headers
from edgenes_core.storage import write_bytes
from pages.widgets import access, session
from pages.widgets.dataset_preview import dataset_preview
from pages.widgets.markdown import plain

MOST_MB = 200
FILE, FOLDER = ".npz file", "image folder"
TITLES = {name: known.title for name, known in KNOWN.items()} | {"digits": "digits"}
EVERY = 1.0  # seconds between two looks at a download


def dataset_choice(start: str = "digits", *, key: str) -> str | None:
    """A known dataset's name or the path of own images, shown in a preview; None while there is none that can be used.

    What is chosen first is `start`.
    """
    given = start if start in KNOWN else FILE if start.endswith(".npz") else FOLDER
    kind = st.segmented_control(
        "Images",
        [*KNOWN, FILE, FOLDER],
        format_func=lambda kind: TITLES.get(kind, kind),
        default=given,
        required=True,
        key=f"{key}_kind",
    )
    with session.guard():
        path = start if kind == given else ""
        own = _own_file if kind == FILE else _own_folder
        name = _named(KNOWN[kind], key) if kind in KNOWN else own(path, key)
        if name is not None:
            dataset_preview(name, key=f"{key}_preview")
            return name
    return None


def stored(content: bytes, root: Path) -> Path:
    """Keep an uploaded file under the runs' folder, named by its content; DataError if it is too large or unusable."""
    if len(content) > MOST_MB << 20:
        raise DataError(
            f"An uploaded file may have {MOST_MB} MB, this one has {len(content) >> 20}; give its path instead."
        )
    check_headers(read_headers(io.BytesIO(content), "The uploaded file"), "The uploaded file")
    file = root.resolve() / "datasets" / f"{hashlib.sha256(content).hexdigest()[:12]}.npz"
    if not file.exists():
        write_bytes(file, content)
    return file


def _own_file(start: str, key: str) -> str | None:
    left, right = st.columns(2, gap="medium")
    path = left.text_input("Path on this machine", start, key=f"{key}_path", placeholder="/data/images.npz")
    upload = right.file_uploader("or upload it", type="npz", max_upload_size=MOST_MB, key=f"{key}_upload")
    st.caption(
        "Arrays x_train (n, H, W) or (n, H, W, 1 or 3), y_train (n) from 0, x_test, y_test. Never pickled objects."
    )
    if upload is not None:
        access.require(Action.TRAIN)
        return str(stored(upload.getvalue(), session.store().root))
    return _existing(path, "an .npz file", Path.is_file)


def _own_folder(start: str, key: str) -> str | None:
    path = st.text_input("Folder on this machine", start, key=f"{key}_folder", placeholder="/data/images")
    st.caption("PNG or JPEG files, all of one size, in train/<class>/ and test/<class>/. Nothing is resized.")
    return _existing(path, "a folder", Path.is_dir)


def _existing(text: str, what: str, right: Callable[[Path], bool]) -> str | None:
    """The full path, None if nothing was typed; DataError if it is not of the kind asked for."""
    if not text.strip():
        return None
    path = Path(text.strip()).expanduser().resolve()
    if not right(path):
        raise DataError(f"Cannot read {path}: it is not {what} on this machine; give the full path of one.")
    return str(path)


def _named(known: Known, key: str) -> str | None:
    """The name of a known dataset if it is present; else what its download would bring, and the button."""
    if present(known.name):
        return known.name
    busy = download_jobs.busy(known.name)
    st.fragment(_download, run_every=EVERY if busy else None)(known, busy, key)
    return None


def _download(known: Known, was_busy: bool, key: str) -> None:
    """Offer a download or show how far it is; one that starts or ends redraws the whole page once."""
    busy = download_jobs.busy(known.name)
    if busy != was_busy or present(known.name):
        st.rerun()
    if busy:
        share = download_jobs.arrived(known.name)
        st.progress(share, f"{known.title}: {share * known.megabytes:.0f} of {known.megabytes} MB")
        return
    if said := download_jobs.failure(known.name):
        st.error(plain(said), icon=":material/error:")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            f"Download {known.megabytes} MB",
            key=f"{key}_download_{known.name}",
            icon=":material/download:",
            on_click=_start,
            args=(known.name,),
        )
        st.caption(
            f"{known.title} is not on this machine yet. It goes to `{data_folder()}`; or run: "
            f"`python -m edgenes_core download {known.name}`"
        )


def _start(name: str) -> None:
    try:
        access.require(Action.TRAIN)
        download_jobs.start(name)
    except EdgeNESError as error:
        session.notify(str(error))
