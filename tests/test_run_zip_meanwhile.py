"""Exports and imports while something else happens: a run that is being trained, a full disk, a kill, a run that is damaged."""

from __future__ import annotations

import io
import os
import resource
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import sample_runs
from zips import contents, everything, full_run, packed, refused, store_with_a_run

from edgenes_core import durable, run_zip, storage
from edgenes_core.damage import broken
from edgenes_core.run_folder import Run
from edgenes_core.run_zip import RunZipError, export_run, files_of, import_run, zip_of
from edgenes_core.runs import RunStore
from edgenes_core.storage import StorageError

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    return full_run(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def content(run) -> bytes:
    return zip_of(run)


def test_a_run_can_be_exported_between_any_two_writes(tmp_path, monkeypatch):
    """After each file that a worker stores: the zip holds only what is whole, and comes back."""
    replace, root, seen = durable.replace, tmp_path / "runs", []

    def export_after(path: Path, written: bytes) -> None:
        replace(path, written)
        if root in path.parents:
            run = next(iter(RunStore(root).list()[0]))
            back = import_run(RunStore(tmp_path / f"{len(seen)}"), zip_of(run))
            assert broken(back) == ()
            assert back.networks().keys() == run.networks().keys()
            seen.append(len(files_of(back)))

    monkeypatch.setattr(durable, "replace", export_after)
    sample_runs.finished(root)
    assert len(seen) > 30
    assert len(set(seen)) > 10, "exports of many different states"


def test_half_a_network_and_links_stay_here(run, tmp_path):
    copy = Run(shutil.copytree(run.path, tmp_path / "copy"))
    half = copy.folder(copy.plan()[0])
    (half / "history.json").unlink()
    (copy.path / "ensembles" / "link.json").symlink_to("/etc/hostname")
    names = files_of(copy)
    assert not [name for name in names if name.startswith(f"candidates/{half.name}/")]
    assert "ensembles/link.json" not in names
    assert len(names) == len(files_of(run)) - 5


@pytest.mark.parametrize("name", ["base.json", "plan.json", "embedding.npz", "val.npy", "selected.json"])
def test_a_run_that_could_not_be_imported_is_not_exported(run, tmp_path, name):
    copy = Run(shutil.copytree(run.path, tmp_path / "copy"))
    copy.finish_stage("embed", copy.manifest.cost("select"))
    file = next(copy.path.rglob(name))
    for change in (lambda: file.write_bytes(file.read_bytes()[:-9]), file.unlink):
        change()
        with pytest.raises(StorageError, match=f"is not exported.*{name}"):
            export_run(copy, tmp_path / "x.zip")
        assert not (tmp_path / "x.zip").exists()


@pytest.mark.parametrize(
    ("limit", "at_most"), [("MOST_FILES", 5), ("MOST_UNPACKED", 9000), ("MOST_TEXT", 9), ("MOST_UPLOAD", 9)]
)
def test_a_run_that_is_too_large_to_come_back_is_said_at_once(run, content, tmp_path, monkeypatch, limit, at_most):
    monkeypatch.setattr(run_zip, "MOST_SUMS", 1000)
    monkeypatch.setattr(run_zip, limit, at_most)
    with pytest.raises(RunZipError, match=r"Copy .* folder instead"):
        zip_of(run)
    refused(store_with_a_run(tmp_path), content, "at most")


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """A disk that takes no larger file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_fills_while_a_run_comes_or_goes(run, content, tmp_path):
    store, file = store_with_a_run(tmp_path / "runs"), tmp_path / "run.zip"
    file.write_bytes(b"an earlier zip")
    with largest_file(max(map(len, contents(content).values())) - 1):
        refused(store, content, "Cannot write to .*: File too large")
        with pytest.raises(StorageError, match=r"Cannot write .*: File too large"):
            export_run(run, file)
    assert file.read_bytes() == b"an earlier zip"
    assert sorted(f.name for f in tmp_path.iterdir()) == ["run.zip", "runs"]
    assert import_run(store, content).plan() == run.plan()


def test_what_a_killed_export_left_goes_with_the_next_one(run, tmp_path):
    left, other = tmp_path / f".run.zip.abcdefgh{durable.PART}", tmp_path / f".other.zip.abcdefgh{durable.PART}"
    for part in (left, other):
        part.write_bytes(b"PK")
    export_run(run, tmp_path / "run.zip")
    assert {file.name for file in tmp_path.iterdir()} == {"run.zip", other.name}, "nothing else in a folder of the user"


KILLED = """
import os, signal, sys
from pathlib import Path
from edgenes_core import durable
from edgenes_core.run_zip import import_run
from edgenes_core.runs import RunStore
durable.move = lambda folder, path: os.kill(os.getpid(), signal.SIGKILL)
import_run(RunStore(Path(sys.argv[1])), Path(sys.argv[2]))
"""


def test_a_killed_import_leaves_nothing(content, tmp_path):
    """All is unpacked and checked, only its name is missing: the next look at the store removes it."""
    store, file = store_with_a_run(tmp_path / "runs"), tmp_path / "run.zip"
    before, _ = everything(store.root), file.write_bytes(content)
    done = subprocess.run([sys.executable, "-c", KILLED, store.root, file], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(everything(store.root)) > len(before)
    assert len(store.list()[0]) == 1
    assert everything(store.root) == before


def test_an_import_is_on_the_disk_before_it_has_a_name(content, tmp_path, monkeypatch):
    flushed, fsync, rename = [], os.fsync, os.rename

    def named(source: Path, target: Path) -> None:
        flushed.append("rename")
        rename(source, target)

    def flush(descriptor: int) -> None:
        flushed.append(os.readlink(f"/proc/self/fd/{descriptor}").rpartition("/new/")[2])
        fsync(descriptor)

    monkeypatch.setattr(os, "rename", named)
    monkeypatch.setattr(os, "fsync", flush)
    back = import_run(RunStore(tmp_path), content)
    place = flushed.index("rename")
    assert set(files_of(back)) <= set(flushed[:place])
    assert flushed[place + 1 :] == [str(tmp_path)]


def test_a_damaged_run_in_the_store_blocks_no_import(content, tmp_path, run):
    """One with the same run.json that cannot be read to its end is not the same run."""
    store = RunStore(tmp_path)
    first = import_run(store, content)
    file = first.path / "targets.npz"
    file.unlink()
    file.symlink_to("/proc/self/mem")  # nobody can read its start
    assert import_run(store, content).id == f"{run.id}-2"


def test_a_small_array_file_that_unpacks_to_anything_is_refused(content, store_root, monkeypatch):
    zeros = io.BytesIO()
    np.savez_compressed(zeros, val=np.zeros(8 << 20, np.int8), test=np.zeros(1, np.int8))
    monkeypatch.setattr(storage, "MOST_UNPACKED", 4 << 20)
    bomb = packed(contents(content) | {"targets.npz": zeros.getvalue()})
    assert len(zeros.getvalue()) < 1 << 16
    refused(RunStore(store_root), bomb, "targets.npz is damaged.*unpacks to 8 MB, at most 4 MB")


def test_much_text_is_refused_before_it_is_unpacked(content, store_root, monkeypatch):
    monkeypatch.setattr(run_zip, "MOST_TEXT", 4 << 20)
    small = io.BytesIO()
    with zipfile.ZipFile(small, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (contents(content) | {"events.jsonl": b"{}\n" * (run_zip.MOST_TEXT // 3 + 1)}).items():
            archive.writestr(name, data)
    assert len(small.getvalue()) < 1 << 20
    refused(RunStore(store_root), small.getvalue(), "4 MB of text, at most 4 MB")


@pytest.fixture
def store_root(tmp_path) -> Path:
    return store_with_a_run(tmp_path).root
