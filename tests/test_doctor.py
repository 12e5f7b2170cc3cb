"""Doctor: each fault it knows, provoked for real where that is possible, is found, named, and comes with a way out."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import sample_runs

from edgenes_core import browser, catalogue, cluster, compiled, doctor, doctor_folders, doctor_machine, durable
from edgenes_core.cli import main
from edgenes_core.doctor import LOOKS, spoken
from edgenes_core.findings import Check, Place
from edgenes_core.run_folder import Run
from edgenes_core.storage import write_bytes

BY_NAME = {look.name: look for look in LOOKS}


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGENES_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def looked(name: str, runs: Path, **place: object) -> Check:
    return BY_NAME[name].check(Place(runs, **place))


def fault(name: str, runs: Path, *said: str, **place: object) -> None:
    """A fault that says all this, and what to do."""
    check = looked(name, runs, **place)
    assert not check.ok
    assert check.mend
    assert all(part in check.finding for part in said), check.finding
    assert "FAIL" in spoken(check)
    assert check.mend in spoken(check)


def remark(name: str, runs: Path, *said: str) -> None:
    """No fault, but said with what to do."""
    check = looked(name, runs)
    assert check.ok
    assert check.mend
    assert all(part in check.finding for part in said), check.finding
    assert spoken(check).startswith("note")


def sound(name: str, runs: Path, **place: object) -> str:
    check = looked(name, runs, **place)
    assert (check.ok, check.mend) == (True, ""), check
    return check.finding


def test_every_look_has_a_name_of_its_own_and_a_way_out():
    assert len(BY_NAME) == len(LOOKS)
    assert all(len(look.mend) > 20 for look in LOOKS)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A doctor with three quick looks; tests/test_cli.py has it look everywhere."""
    monkeypatch.setattr(doctor, "LOOKS", tuple(BY_NAME[name] for name in ("python", "packages", "disk space")))


@pytest.mark.usefixtures("few")
def test_one_look_that_fails_keeps_no_other_from_looking(runs, monkeypatch):
    monkeypatch.setattr("platform.python_version_tuple", lambda: ("3", "12", "0"))
    assert [check.ok for check in doctor.examine(Place(runs))] == [False, True, True]


@pytest.mark.usefixtures("few")
def test_the_status_says_whether_anything_is_wrong(runs, capsys, monkeypatch):
    arguments = ["doctor", "--json", "--runs", str(runs)]
    assert main(arguments) == 0
    assert {frozenset(check) for check in answer(capsys)} == {frozenset(("name", "ok", "finding", "mend"))}
    monkeypatch.setattr(doctor_machine, "version", lambda name: "0.0.1")
    assert main(arguments) == 1
    assert [check["name"] for check in answer(capsys) if not check["ok"]] == ["packages"]


def test_versions_beside_their_pins(runs, monkeypatch):
    assert "as pinned" in sound("packages", runs)
    real = doctor_machine.version

    def other(name: str) -> str:
        if name == "umap-learn":
            raise PackageNotFoundError(name)
        return "1.0" if name == "numpy" else real(name) + "+cpu"

    monkeypatch.setattr(doctor_machine, "version", other)
    fault("packages", runs, "numpy is 1.0 (pinned: ", "umap-learn is not installed")
    monkeypatch.setattr(doctor_machine, "version", lambda name: "0")
    fault("packages", runs, "; and ")
    monkeypatch.setattr(doctor_machine, "REQUIREMENTS", runs / "requirements.txt")
    remark("packages", runs, "there is no")


def test_a_package_that_cannot_be_imported(runs, monkeypatch):
    def broken():
        raise ImportError("operator torchvision::nms does not exist")

    monkeypatch.setattr("edgenes_core.torchvision_compat.import_torchvision", broken)
    fault("torchvision", runs, "nms")


def test_a_compiler_that_does_not_work_is_slower_not_wrong(runs, monkeypatch):
    compiled.unavailable.cache_clear()

    def fails() -> None:
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(doctor_machine, "_compile", fails)
    remark("engine", runs, "no locator available")
    monkeypatch.setattr("edgenes_core.compiled.unavailable", lambda: "switched off by EDGENES_ENGINE=torch")
    remark("engine", runs, "EDGENES_ENGINE=torch")


@pytest.mark.parametrize("path", [None, "/nowhere/chrome"])
def test_without_a_browser(runs, monkeypatch, path):
    monkeypatch.setattr(browser, "find", lambda: path)
    remark("chrome", runs, "none is on PATH" if path is None else "/nowhere/chrome cannot be started")


def test_a_port_that_is_free_or_the_apps(runs):
    assert "is free" in sound("port", runs, port=_free_port())
    with served(b"ok") as port:
        assert "app answers" in sound("port", runs, port=port)
    fault("port", runs, "1 to 65535", port=0)


def test_a_port_that_something_else_holds(runs):
    for greeting in (b"<html>", b""):
        with served(greeting) as port:
            fault("port", runs, "in use", port=port)


def test_a_cluster_that_is_none(runs, monkeypatch):
    monkeypatch.setattr(cluster, "ANSWER", 0.5)
    assert "not asked" in sound("cluster", runs)
    fault("cluster", runs, "tcp://HOST:PORT", cluster="file:///etc/passwd")
    fault("cluster", runs, "No Dask scheduler answers", cluster=f"tcp://127.0.0.1:{_free_port()}")


def test_a_damaged_dataset(runs, data_folder):
    remark("cifar10", runs, "not downloaded")
    images = np.arange(20 * 64, dtype=np.uint8).reshape(20, 8, 8)
    file = catalogue.stored_file("cifar10")
    file.parent.mkdir(parents=True)
    np.savez(file, x_train=images, y_train=np.arange(20) % 2, x_test=images, y_test=np.arange(20) % 2)
    assert "40 images" in sound("cifar10", runs)
    whole = file.read_bytes()
    at = whole.index(images.tobytes()[:200])
    file.write_bytes(whole[:at] + b"\xff" + whole[at + 1 :])  # one wrong pixel: the headers are whole
    fault("cifar10", runs, str(file), "damaged")
    file.write_bytes(whole[: len(whole) // 2])
    fault("cifar10", runs, str(file))


@pytest.mark.parametrize("name", ["data folder", "runs folder"])
def test_a_folder_that_cannot_be_written(runs, data_folder, name):
    assert "can be written" in sound(name, runs)
    folder = data_folder if name == "data folder" else runs
    folder.rmdir()
    folder.write_text("a file is in the way")
    fault(name, runs, str(folder))


def test_a_run_that_belongs_to_someone_else(runs, monkeypatch):
    run = sample_runs.created(runs)
    sound("run permissions", runs)
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != run.path)
    remark("run permissions", runs, run.id)


def test_a_disk_that_is_nearly_full(runs, monkeypatch):
    assert "GB free" in sound("disk space", runs / "not" / "there")
    monkeypatch.setattr(doctor_folders.shutil, "disk_usage", lambda folder: SimpleNamespace(free=5 << 20))
    fault("disk space", runs, "0.00 GB are free")


def test_what_killed_writers_left(runs, data_folder):
    run = sample_runs.created(runs)
    sound("left-over files", runs)
    parts = [run.path / f".base.json.x{durable.PART}", data_folder / f".cifar10.npz.y{durable.PART}"]
    for part in parts:
        write_bytes(part, b"half")
    (runs / f"{durable.STAGED}z").mkdir()
    fault("left-over files", runs, *map(str, parts), durable.STAGED)
    with durable.staged(runs):  # a living writer's are none
        assert looked("left-over files", runs).finding.count(durable.STAGED) == 1


def test_damaged_runs_are_named(runs):
    run, whole = sample_runs.created(runs), sample_runs.finished(runs)
    assert "2 runs" in sound("damaged runs", runs)
    (run.path / "run.json").write_text("{")
    fault("damaged runs", runs, run.id)
    assert whole.id not in looked("damaged runs", runs).finding


def test_runs_whose_worker_died_are_named_with_the_way_on(runs):
    run = sample_runs.created(runs)
    sound("dead runs", runs)
    run.update(state="running")
    fault("dead runs", runs, f"python -m edgenes_core resume {run.id}")
    run.update(state="finished")
    write_bytes(Run(run.path).path / "queued", b"")
    fault("dead runs", runs, run.id, "python -m edgenes_core jobs")


def answer(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return json.loads(capsys.readouterr().out)["checks"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def served(body: bytes) -> Iterator[int]:
    """A server that answers one question with these bytes; its port."""

    def answer_once() -> None:
        with server.accept()[0] as guest:
            guest.recv(1000)
            guest.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + body)

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        thread = threading.Thread(target=answer_once)
        thread.start()
        yield server.getsockname()[1]
        thread.join()
