"""Hostile files and names through every way in: one sentence, nothing runs, nothing is written or read outside of runs/."""

from __future__ import annotations

import base64
import io
import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import page_runs
import pytest
import sample_runs
import torch
from streamlit.testing.v1 import AppTest
from test_importing_page import opened, upload
from test_pages_explore import FRAME, open_page, words
from zips import contents, everything, npz, packed, packed_raw

from edgenes_core import EdgeNESError, checkpoint, estimate, preview
from edgenes_core.cli import main
from edgenes_core.data import load_dataset
from edgenes_core.run_folder import Run
from edgenes_core.run_zip import import_run, zip_of
from edgenes_core.runs import RunStore
from pages.widgets import session

NAMES = (
    *("../outside", "..", ".", "/etc", "~", "~root", "%2e%2e%2foutside", "..%2foutside", "..\\outside", "C:\\outside"),
    *("a/../../outside", "outside\x00", "\x00", "‥/outside", "．．/outside", "..∕outside", "n" * 5000, "", " ", "-rf"),
    *("runs/\r\nX: y", "file:///etc", "<script>alert(1)</script>", "$(touch x)", "`touch x`", "demo/../../outside"),
)
ARRAYS = ("targets.npz", "embedding.npz", "hypernet.safetensors")


class Payload:
    """Pickled, it makes a file when it is opened."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.marker),)


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    """What a payload makes; it must not be there at the end."""
    return tmp_path / "executed"


@pytest.fixture
def payloads(marker: Path) -> dict[str, bytes]:
    """The payload in every wrapping that some reader of Python's world would open; by the ending of its name."""
    payload, buffer, states = Payload(marker), io.BytesIO(), io.BytesIO()
    objects = np.empty(1, object)
    objects[0] = payload
    np.save(buffer, objects, allow_pickle=True)
    torch.save({"weight": payload}, states)
    names = ("val", "val_y", "architecture", "x_train", "y_train", "x_test", "y_test")
    raw = pickle.dumps(payload)
    return {
        "npy": buffer.getvalue(),
        "npz": npz(**dict.fromkeys(names, objects)),
        "pkl": raw,
        "pt": states.getvalue(),
        "safetensors": len(raw).to_bytes(8, "little") + raw,
        "json": json.dumps({"format": base64.b64encode(raw).decode(), "py/object": "os.system"}).encode(),
    }


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return page_runs.whole(tmp_path / "runs")


def test_the_payload_is_live(payloads, marker):
    pickle.loads(payloads["pkl"])  # noqa: S301 - our own
    assert marker.is_dir()
    marker.rmdir()
    np.load(io.BytesIO(payloads["npy"]), allow_pickle=True)
    assert marker.is_dir()


def refused(what: Callable[[], object]) -> None:
    with pytest.raises(EdgeNESError) as error:
        what()
    assert str(error.value).isprintable()


def test_every_file_that_a_command_takes(run, payloads, marker, tmp_path, capsys):
    for ending, data in payloads.items():
        file = tmp_path / f"file.{ending}"
        file.write_bytes(data)
        at = ("--runs", str(run.path.parent))
        for arguments in (
            *(
                ["import", str(file), *at],
                ["import", str(file), "--into", run.id, *at],
                ["estimate", "--config", str(file)],
            ),
            *(
                ["pipeline", "--dataset", str(file), *at],
                ["estimate", "--dataset", str(file)],
                ["show", str(file), *at],
            ),
            *(["inspect", run.id, "--cell", str(file), *at], ["shift", run.id, "--outside", str(file), *at]),
        ):
            before = everything(run.path.parent)
            assert main(arguments) == 1, arguments
            assert capsys.readouterr().err.count("\n") == 1, arguments
            assert everything(run.path.parent) == before, arguments
    assert not marker.exists()


def test_every_file_of_a_dataset(payloads, marker, tmp_path):
    file = tmp_path / "images.npz"
    for data in payloads.values():
        file.write_bytes(data)
        for read in (load_dataset, preview.preview, estimate.shape_of):
            refused(lambda read=read: read(str(file)))
        folder = tmp_path / "folder"
        for part in ("train", "test"):
            (folder / part / "a").mkdir(parents=True, exist_ok=True)
            (folder / part / "a" / "picture.png").write_bytes(data)
        refused(lambda folder=folder: load_dataset(str(folder)))
    assert not marker.exists()


def test_every_file_of_a_run(run, payloads, marker):
    folder = run.folder(run.plan()[0])
    readers = {
        run.path / "targets.npz": lambda: run.targets("val"),
        run.path / "embedding.npz": run.embedding,
        run.path / "hypernet.safetensors": run.knots,
        run.path / "run.json": lambda: RunStore(run.path.parent).open(run.id),
        run.path / "plan.json": run.plan,
        folder / "val.npy": run.networks,
        folder / "history.json": run.networks,
        run.path / "state.safetensors": lambda: checkpoint.read_state(run.path / "state.safetensors"),
    }
    for file, read in readers.items():
        whole = file.read_bytes() if file.exists() else b""
        for data in payloads.values():
            file.write_bytes(data)
            refused(read)
        file.write_bytes(whole)
    assert not marker.exists()


def test_every_file_in_a_zip(run, payloads, marker, tmp_path):
    files, store = contents(zip_of(run)), RunStore(tmp_path / "imports")
    network = next(name for name in files if name.endswith("val.npy"))
    for data in payloads.values():
        for name in (*ARRAYS, network, network.replace("val.npy", "weights.safetensors")):
            refused(lambda name=name, data=data: import_run(store, packed({**files, name: data})))
        refused(lambda data=data: import_run(store, packed({**files, "payload.pkl": data})))
    assert not marker.exists()
    assert not store.list()[0]


def test_what_is_uploaded_or_linked_in_the_app(run, payloads, marker, monkeypatch):
    monkeypatch.setenv("EDGENES_RUNS", str(run.path.parent))
    app = opened("home.py", run)
    for ending in ("npz", "pkl", "json"):
        app = upload(app, payloads[ending], f"file-{ending}.npz")
        assert len(app.sidebar.error) == 1
    text = base64.urlsafe_b64encode(payloads["pkl"]).decode()
    app = open_page("explore.py", run, pin=text, cells=text, basket=text, lam=text, weights=text, seed=text)
    assert not app.exception
    assert "link" in words(app)
    assert not marker.exists()


@pytest.mark.parametrize("name", NAMES)
def test_no_name_leaves_the_folder_of_runs(name, run, tmp_path, monkeypatch, capsys):
    shutil.copytree(run.path, tmp_path / "outside")
    monkeypatch.chdir(run.path.parent)
    monkeypatch.setenv("EDGENES_RUNS", str(run.path.parent))
    before = everything(tmp_path)
    refused(lambda: session._open(name))
    for change in (run.save_ensemble, lambda name, data: run.remove_ensemble(name)):
        refused(lambda change=change: change(name, {}))
    for member in (f"{name}/x", f"ensembles/{name}.json", f"candidates/{name}/val.npy", name):
        with pytest.raises(EdgeNESError):
            import_run(RunStore(run.path.parent), packed_raw(contents(zip_of(run)), member or "../x"))
    monkeypatch.setenv("EDGENES_DATA", str(tmp_path / "data"))
    assert main(["download", f"./{name}".replace("\0", "")]) == 1
    capsys.readouterr()
    assert everything(tmp_path) == before


def test_a_run_beside_the_server_is_none_of_its_runs(run, tmp_path, monkeypatch):
    """An id without any sign in it could still name a folder where the server was started."""
    shutil.copytree(run.path, tmp_path / "beside")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDGENES_RUNS", "runs")
    refused(lambda: session._open("beside"))
    assert session._open(run.id).id == run.id


@pytest.mark.parametrize("name", NAMES)
def test_a_run_that_calls_itself_so_is_stored_inside(name, run, tmp_path):
    files = contents(zip_of(run))
    manifest = {**json.loads(files["run.json"]), "id": name}
    store = RunStore(tmp_path / "imports")
    stored = import_run(store, packed({**files, "run.json": json.dumps(manifest).encode()}))
    assert stored.path.parent == store.root
    assert [path.name for path in store.root.iterdir()] == [stored.id]


@pytest.mark.parametrize("name", ["../../outside", "/etc/passwd", "outside"])
def test_the_app_opens_none_of_them(name, run, tmp_path, monkeypatch):
    shutil.copytree(run.path, tmp_path / "outside")
    monkeypatch.setenv("EDGENES_RUNS", str(sample_runs.created(tmp_path / "own").path.parent))
    app = AppTest.from_file(FRAME, default_timeout=30)
    app.query_params["run"] = name
    app.run()
    assert not app.exception
    assert "cannot be opened" in words(app)


def test_a_link_in_a_run_is_not_exported(run, tmp_path):
    """A run folder that came as a folder may hold links; what they lead to is no part of the run."""
    secret = tmp_path / "secret.json"
    secret.write_text('{"schema": 1}')
    (run.path / "ensembles" / "leak.json").symlink_to(secret)
    (run.path / "shift").symlink_to(tmp_path)
    assert "ensembles/leak.json" not in contents(zip_of(run))
