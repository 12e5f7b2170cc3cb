"""What is written is there whole or not at all, whatever the system refuses; what a killed writer left is removed, and nothing else."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from edgenes_core import durable, storage
from edgenes_core.storage import StorageError

ROOT = Path(__file__).parents[1]
OLD, NEW = b"old" * 1000, b"new" * 2000
CALLS = ("open", "write", "fsync", "fchmod", "close", "mkdir", "replace", "rename", "unlink", "lseek", "pread")
REASONS = (errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EMFILE, errno.EIO)


class Refusing:
    """All system calls of `durable`, counted, the k-th of them refused; those after it work, as they do when space is found."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, refused: int, reason: int) -> None:
        self.refused, self.reason, self.names = refused, reason, []
        for name in CALLS:
            monkeypatch.setattr(os, name, self.counted(name, getattr(os, name)))
        monkeypatch.setattr(fcntl, "flock", self.counted("flock", fcntl.flock))

    def counted(self, name: str, call: Callable) -> Callable:
        def either(*arguments, **named):
            self.names.append(name)
            if len(self.names) - 1 == self.refused:
                if name == "close":
                    call(*arguments, **named)
                raise OSError(self.reason, os.strerror(self.reason))
            return call(*arguments, **named)

        return either


def attempt(
    monkeypatch, refused: int, reason: int, work: Callable, *given: object
) -> tuple[list[str], StorageError | None]:
    """The system calls that `work` made, and what it said."""
    with monkeypatch.context() as patch:
        calls = Refusing(patch, refused, reason)
        try:
            work(*given)
        except StorageError as error:
            return calls.names, error
    return calls.names, None


@pytest.mark.parametrize("reason", REASONS, ids=errno.errorcode.get)
def test_whichever_system_call_is_refused_a_file_is_old_or_new(tmp_path, monkeypatch, reason):
    """And in a new folder: there or not. Nothing else is left, and only an error means that the new content may not be there."""
    for place, least in (("file", 2), ("new/folder/file", 4)):
        calls, _ = attempt(monkeypatch, -1, 0, storage.write_bytes, tmp_path / place, NEW)
        assert calls.index("fsync") < calls.index("replace") < last(calls, "fsync"), "the file, its name"
        assert calls.count("fsync") >= least, "the file, and each folder with a new name in it"
        for refused in range(len(calls)):
            path = tmp_path / f"{refused}" / place
            (tmp_path / f"{refused}").mkdir(exist_ok=True)
            if place == "file":
                storage.write_bytes(path, OLD)
            _, said = attempt(monkeypatch, refused, reason, storage.write_bytes, path, NEW)
            found = path.read_bytes() if path.exists() else None
            assert found in ((NEW,) if said is None else (NEW, OLD if place == "file" else None))
            assert [f.name for f in path.parent.glob("*")] == (["file"] if found else [])
            assert said is None or os.strerror(reason) in str(said)
            storage.write_bytes(path, NEW)
            assert path.read_bytes() == NEW


def last(calls: list[str], name: str) -> int:
    return len(calls) - 1 - calls[::-1].index(name)


def test_whichever_system_call_is_refused_earlier_lines_stay(tmp_path, monkeypatch):
    calls, _ = attempt(monkeypatch, -1, 0, storage.append_line, tmp_path / "new.jsonl", {})
    assert {"open", "write", "fsync"} <= set(calls)
    for refused in range(len(calls)):
        path = tmp_path / f"{refused}.jsonl"
        for step in range(3):
            storage.append_line(path, {"step": step})
        _, said = attempt(monkeypatch, refused, errno.ENOSPC, storage.append_line, path, {"step": 3})
        steps = [line["step"] for line in storage.read_lines(path)[0]]
        assert steps in ([0, 1, 2], [0, 1, 2, 3])
        assert said is not None or 3 in steps


def test_only_lines_that_are_kept_wait_for_the_disk(tmp_path, monkeypatch):
    """The first line brings the file itself: its folder is flushed too."""
    flushed = []
    for kept in (False, True, True):
        append = partial(storage.append_line, tmp_path / f"{kept}", {}, kept=kept)
        flushed.append(attempt(monkeypatch, -1, 0, append)[0].count("fsync"))
    assert flushed == [0, 2, 1]


def test_a_write_that_takes_only_a_part_goes_on_with_the_rest(tmp_path, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: write(descriptor, content[:7]))
    storage.write_bytes(tmp_path / "file", NEW)
    storage.append_line(tmp_path / "lines", {"text": "longer than seven bytes"})
    assert (tmp_path / "file").read_bytes() == NEW
    assert storage.read_lines(tmp_path / "lines")[0] == [{"text": "longer than seven bytes"}]


LIMITED = """
import resource, sys
from pathlib import Path
from edgenes_core import storage
resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
folder = Path(sys.argv[1])
for work in (lambda: storage.write_bytes(folder / "file", b"n" * 6000),
             lambda: [storage.append_line(folder / "lines.jsonl", {"text": "n" * 900}) for _ in range(9)]):
    try:
        work()
    except storage.StorageError as error:
        print(error)
storage.write_bytes(folder / "small", b"fits")
"""


def test_a_real_limit_on_file_sizes(tmp_path):
    """The system takes a part of a write and refuses the rest: real short writes."""
    (tmp_path / "file").write_bytes(OLD)
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, tmp_path], cwd=ROOT, capture_output=True, text=True, check=True
    )
    said = done.stdout.splitlines()
    assert len(said) == 2
    assert all("File too large. What was stored before is intact" in sentence for sentence in said)
    assert (tmp_path / "file").read_bytes() == OLD
    assert {file.name for file in tmp_path.iterdir()} == {"file", "lines.jsonl", "small"}
    assert len(storage.read_lines(tmp_path / "lines.jsonl")[0]) == 4
    storage.append_line(tmp_path / "lines.jsonl", {"more": 1})
    assert storage.read_lines(tmp_path / "lines.jsonl")[0][-1] == {"more": 1}


KILLED = """
import os, signal, sys
from pathlib import Path
from edgenes_core import durable, storage
os.replace = lambda *names: os.kill(os.getpid(), signal.SIGKILL)
folder = Path(sys.argv[1])
if sys.argv[2] == "file":
    storage.write_bytes(folder / "candidates" / "a" / "val.npy", b"x" * 10)
with storage.staged(folder) as new:
    (new / "run.json").write_text("{}")
    os.replace()
"""


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_a_killed_writer_left_is_removed_and_what_a_living_one_writes_is_not(tmp_path, what):
    (tmp_path / ".settings.local").write_text("of the user")
    storage.write_bytes(tmp_path / "val.npy", OLD)
    done = subprocess.run([sys.executable, "-c", KILLED, tmp_path, what], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    assert left_overs(tmp_path), "a law about something that is there"
    with storage.staged(tmp_path) as folder:
        (folder / "run.json").write_text("{}")
        durable.sweep(tmp_path)
        assert [str(path) for path in left_overs(tmp_path)] == [str(folder.parent)]
        assert (folder / "run.json").exists()
    assert left_overs(tmp_path) == []
    assert (tmp_path / "val.npy").read_bytes() == OLD
    assert (tmp_path / ".settings.local").exists()


def left_overs(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if durable.LEFT_OVER.fullmatch(path.name)]


def test_a_file_that_is_being_written_is_not_swept(tmp_path, monkeypatch):
    fsync = os.fsync

    def meanwhile(descriptor: int) -> None:
        durable.sweep(tmp_path)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", meanwhile)
    storage.write_bytes(tmp_path / "file", NEW)
    assert (tmp_path / "file").read_bytes() == NEW


def test_links_are_not_followed_by_the_sweep(tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / ".x.abcdefgh.part").touch()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "link").symlink_to(tmp_path / "kept")
    (tmp_path / "run" / ".staged-link").symlink_to(tmp_path / "kept")
    durable.sweep(tmp_path / "run")
    assert (tmp_path / "kept" / ".x.abcdefgh.part").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_no_permission_is_said(tmp_path):
    storage.write_bytes(tmp_path / "run.json", OLD)
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError, match=r"Permission denied.*--runs DIR"):
        storage.write_bytes(tmp_path / "run.json", NEW)
    assert (tmp_path / "run.json").read_bytes() == OLD
