"""The folder of all runs: what is damaged, sealed or half begun is named and blocks nothing else; left-overs go."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgenes_core import durable, storage
from edgenes_core.config import PipelineConfig
from edgenes_core.records import Event
from edgenes_core.run_folder import Run
from edgenes_core.runs import RunStore
from edgenes_core.storage import StorageError


@pytest.fixture
def store(tmp_path) -> RunStore:
    return RunStore(tmp_path / "runs")


def test_a_run_that_lost_its_manifest_is_named(store):
    """And one that nothing was stored in is none."""
    run, empty = store.create(PipelineConfig()), store.create(PipelineConfig())
    run.append(Event("darts", 1, 2))
    for lost in (run, empty):
        (lost.path / "run.json").unlink()
    runs, sentences = store.list()
    assert runs == []
    assert len(sentences) == 1
    assert sentences[0].startswith(f"{run.id}: Cannot read ")
    assert "run.json" in sentences[0]
    with pytest.raises(StorageError, match=r"Cannot read .*run\.json"):
        store.open(run.id)


def test_a_folder_that_cannot_be_looked_into_is_named(store, monkeypatch):
    good, sealed = store.create(PipelineConfig()), store.create(PipelineConfig())
    listdir, read = os.listdir, Path.read_bytes

    def refused(call):
        def either(path):
            if str(sealed.path) in str(path):
                raise PermissionError(13, "Permission denied", str(path))
            return call(path)

        return either

    with monkeypatch.context() as patch:
        patch.setattr(os, "listdir", refused(listdir))
        patch.setattr(Path, "read_bytes", refused(read))
        runs, (sentence,) = store.list()
    assert runs == [good]
    assert sentence.startswith(f"{sealed.id}: Cannot read ")
    assert "Permission denied" in sentence
    with monkeypatch.context() as patch:
        patch.setattr(os, "listdir", lambda path: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
        with pytest.raises(StorageError, match=f"Cannot list {store.root}: Permission denied"):
            store.list()


def test_a_run_whose_manifest_cannot_be_written_is_not_begun(store, monkeypatch):
    store.create(PipelineConfig())
    before = sorted(store.root.rglob("*"))

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StorageError, match="No space left"):
            store.create(PipelineConfig())
    assert sorted(store.root.rglob("*")) == before


def test_opening_a_run_removes_what_killed_writers_left(store):
    run = store.create(PipelineConfig())
    left = run.path / "ensembles" / f".mine.json.abcdefgh{durable.PART}"
    store.open(run.id)
    storage.write_bytes(left, b"{")
    store.open(run.id)
    assert left.exists(), "once for each process and run: this one has it open"
    moved = Run(run.path.rename(store.root / "moved"))
    store.open("moved")
    assert not (moved.path / "ensembles" / left.name).exists()


def test_settings_of_a_later_version_say_so(store):
    run = store.create(PipelineConfig(), versions={"edgenes": "3.1.4"})
    file = run.path / "run.json"
    file.write_text(file.read_text().replace('"device"', '"gadget"'))
    with pytest.raises(
        StorageError, match=r"run\.json: Manifest has no field 'gadget'.*version 3\.1\.4.*update to 3\.1\.4 or later"
    ):
        store.open(run.id)
