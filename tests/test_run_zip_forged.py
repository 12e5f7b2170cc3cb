"""Zips that someone damaged or forged: each is refused in one sentence, and the store stays as it was."""

import io
import json
import shutil
import stat
import zipfile
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from zips import contents, full_run, packed, packed_raw, refused, store_with_a_run

from edgenes_core import EdgeNESError, run_zip
from edgenes_core.run_folder import Run
from edgenes_core.run_zip import SUMS, import_run, zip_of
from edgenes_core.runs import RunStore


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    return full_run(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def content(run) -> bytes:
    return zip_of(run)


@pytest.fixture
def store(tmp_path) -> RunStore:
    return store_with_a_run(tmp_path)


OUTSIDE = ["/etc/passwd", "../run.json", "candidates/../../x.json", "..", "a\\..\\b", "C:/x", "\\\\host\\x"]
UNKNOWN = [
    *("notes.txt", "lock", "log.txt", "pid", "checkpoints/darts/darts.safetensors", "candidates/", "run.json/x"),
    *("candidates/zzzzzzzzzzzz-0/val.npy", "candidates/0123456789ab-x/val.npy", "candidates/0123456789ab-0/evil.pkl"),
    *("ensembles/.hidden.json", "ensembles/a/b.json", "demo/run.json", "RUN.JSON", "run.json\0.txt", "", " run.json"),
]


@pytest.mark.parametrize(
    ("names", "sentence"), [(OUTSIDE, "a place outside of a run's folder"), (UNKNOWN, "is no file of a run")]
)
def test_names_that_no_run_has_are_refused(content, store, names, sentence):
    for name in names:
        refused(store, packed_raw(contents(content), name), sentence)


def test_links_and_doubles_are_refused(content, store):
    for kind in (stat.S_IFLNK, stat.S_IFDIR, stat.S_IFIFO, stat.S_IFCHR):
        buffer = io.BytesIO(content)
        with zipfile.ZipFile(buffer, "a") as archive:
            entry = zipfile.ZipInfo("ensembles/link.json")
            entry.create_system, entry.external_attr = 3, (kind | 0o777) << 16
            archive.writestr(entry, "/etc/passwd")
        refused(store, buffer.getvalue(), "plain files only, 'ensembles/link.json'")
    buffer = io.BytesIO(content)
    with zipfile.ZipFile(buffer, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("run.json", b"{}")
    refused(store, buffer.getvalue(), "each file once, this one names 'run.json' twice")


def test_what_is_too_large_is_refused_before_it_is_unpacked(content, store, monkeypatch, tmp_path_factory):
    bomb = packed(contents(content) | {"ensembles/zeros.json": bytes(30 << 20)})
    small = io.BytesIO()
    with zipfile.ZipFile(small, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents(bomb).items():
            archive.writestr(name, data)
    assert len(small.getvalue()) < 1 << 20
    monkeypatch.setattr(run_zip, "MOST_UNPACKED", 20 << 20)
    refused(store, small.getvalue(), "unpacks to .* MB, at most 20 MB")
    file = tmp_path_factory.mktemp("zip") / "run.zip"
    file.write_bytes(content)
    monkeypatch.setattr(run_zip, "MOST_UPLOAD", len(content) - 1)
    for given_as in (content, file):
        refused(store, given_as, "at most 0 MB are read")
    monkeypatch.setattr(run_zip, "MOST_UPLOAD", len(content))
    monkeypatch.setattr(run_zip, "MOST_SUMS", 10)
    refused(store, content, f"{SUMS} is larger")
    monkeypatch.setattr(run_zip, "MOST_FILES", 3)
    refused(store, content, "at most 3 files, this zip lists")


def test_a_size_that_lies_unpacks_no_more_than_it_says(content, store):
    """The list of contents says 10 bytes, the packed data hold far more."""
    files = contents(content)
    name = max(files, key=lambda name: len(files[name]))
    said = len(files[name]).to_bytes(4, "little")
    refused(store, packed(files).replace(said, (10).to_bytes(4, "little")), "not a whole zip|was changed|not .* JSON")


def test_every_changed_file_is_noticed(content, store):
    files = contents(content)
    for name in set(files) - {SUMS}:
        refused(store, packed(files | {name: files[name] + b" "}, hashed=False), f"{name} was changed after")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda sums: sums | {"schema": 99}, "another version of EdgeNES Explorer"),
        (lambda sums: sums | {"format": "other"}, "must say format 'edgenes-run'"),
        (lambda sums: [], "must say format"),
        (lambda sums: sums | {"files": []}, "exactly the files"),
        (lambda sums: sums | {"files": {**sums["files"], "base.json": None}}, r"base\.json was changed"),
        (lambda sums: sums | {"files": {**sums["files"], "more.json": "0"}}, "exactly the files"),
        (lambda sums: sums | {"files": {"run.json": sums["files"]["run.json"]}}, "exactly the files"),
    ],
)
def test_the_list_of_hashes_must_fit(content, store, change, sentence):
    files = contents(content)
    files[SUMS] = json.dumps(change(json.loads(files[SUMS]))).encode()
    refused(store, packed(files, hashed=False), sentence)


@pytest.mark.parametrize("name", [SUMS, "run.json"])
def test_a_zip_without_its_lists_is_no_run(content, store, name):
    files = contents(content)
    del files[name]
    refused(store, packed(files, hashed=False), f"holds {name}, this one does not")


def edited(content: bytes, name: str, edit) -> bytes:
    files = contents(content)
    data = json.loads(files[name])
    edit(data)
    return packed(files | {name: json.dumps(data).encode()})


@pytest.mark.parametrize(
    ("name", "edit"),
    [
        ("run.json", lambda d: d.update(schema=99)),
        ("run.json", lambda d: d.update(gadget=1)),
        ("run.json", lambda d: d["config"].update(seed=-1)),
        ("run.json", lambda d: d.update(stages={"darts": 5})),
        ("run.json", lambda d: d.update(stages=[])),
        ("run.json", lambda d: d["config"].update(space={"inputs_per_node": 2, "cells": "reduce"})),
        ("plan.json", lambda d: d["trainings"][0].update(seed="0/../../../../tmp/x")),
        ("plan.json", lambda d: d["trainings"][0].update(seed=-1)),
        ("plan.json", lambda d: d["trainings"][0].update(seed=True)),
        ("imported.json", lambda d: d["trainings"][0].update(name="![x](http://x)")),
        ("imported.json", lambda d: d["trainings"][0].update(architecture="{}")),
        ("base.json", lambda d: d.update(architecture=5)),
        ("path.json", lambda d: d.pop("soft")),
        ("ensembles/selected.json", lambda d: d.pop("schema")),
    ],
)
def test_right_hashes_do_not_make_a_run(content, store, name, edit):
    """A zip made with care by someone else: what this version cannot read does not become one of its runs."""
    refused(store, edited(content, name, edit), "cannot be read by this version")


def test_damaged_arrays_with_right_hashes_are_refused(content, store):
    files = contents(content)
    pickled = io.BytesIO()
    np.save(pickled, np.array([{}], object), allow_pickle=True)
    network = next(name for name in files if name.endswith("val.npy"))
    for name, data in ((network, pickled.getvalue()), ("targets.npz", b"PK"), ("hypernet.safetensors", b"{}")):
        refused(store, packed(files | {name: data}), f"cannot be read by this version: {name}")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_run_or_refused(data):
    store = RunStore(Path(mkdtemp()))
    for prefix in (b"", b"PK\x03\x04", b"PK\x05\x06"):
        with pytest.raises(EdgeNESError):
            import_run(store, prefix + data)
        assert list(store.root.iterdir()) == []
    store.root.rmdir()


@given(st.data())
def test_an_edited_zip_is_the_run_or_refused(content, data):
    """Cut, overwritten or lengthened anywhere: what is stored is the run to the last byte, or nothing."""
    where = data.draw(st.integers(0, len(content) - 1) | st.integers(len(content) - 400, len(content) - 1))
    piece = data.draw(st.binary(min_size=1, max_size=8))
    kind = data.draw(st.sampled_from(["cut", "overwrite", "insert"]))
    tail = {"cut": b"", "overwrite": piece + content[where + len(piece) :], "insert": piece + content[where:]}[kind]
    store = RunStore(Path(mkdtemp()))
    try:
        back = import_run(store, content[:where] + tail)
    except EdgeNESError:
        assert list(store.root.iterdir()) == []
    else:
        assert zip_of(back) == content
    shutil.rmtree(store.root)
