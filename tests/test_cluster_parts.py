"""What a cluster's parts refuse and keep, without a cluster."""

import re
import shlex
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from distributed.cli import dask_scheduler, dask_worker
from tiny import TINY

from edgenes_core import cluster, cluster_worker
from edgenes_core.checkpoint import State
from edgenes_core.cli import main, parser
from edgenes_core.cluster_code import code, difference
from edgenes_core.executors import ClusterError, cluster_address
from edgenes_core.run_folder import Run
from edgenes_core.runs import RunStore
from edgenes_core.session import TrainingKeeper


@pytest.fixture
def run(tmp_path) -> Run:
    return RunStore(tmp_path / "runs").create(TINY)


def test_only_the_same_code_passes():
    mine = code()
    assert difference("Worker a", mine, mine) == ""
    for name in mine:
        assert f"Worker a has {name} 0, this run has {mine[name]}" in difference("Worker a", {**mine, name: "0"}, mine)
    assert "none" in difference("Worker a", {}, mine)


def test_states_are_kept_only_where_the_run_is_seen(run, tmp_path):
    state = State(3, 1.0, {})
    for path, kept in ((run.path, True), (tmp_path / "on another machine", False)):
        keeper = TrainingKeeper(path, "x", 0.0)
        keeper.offer("fit", lambda: state)
        assert (keeper.recall("fit") is not None) == kept
        assert path.exists() == kept


def test_a_worker_must_do_one_task_at_a_time_and_have_the_gpu_it_announces(monkeypatch):
    one, two = (SimpleNamespace(address="tcp://a:1", state=SimpleNamespace(nthreads=n)) for n in (1, 2))
    assert cluster_worker.unusable("cpu", one) == ""
    assert "--nthreads 1" in cluster_worker.unusable("cpu", two)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert "tcp://a:1 announces a GPU. This machine has no cuda" in cluster_worker.unusable("cuda", one)


@pytest.mark.parametrize(
    "text", ["tcp://lab:8786", "tls://10.0.0.1:1", "tcp://[::1]:65535", "tcp://node-3.cluster.edu:80"]
)
def test_addresses(text):
    assert cluster_address(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lab:8786",
        "http://lab:80",
        "tcp://lab",
        "tcp://:80",
        "tcp://lab:0",
        "tcp://lab:65536",
        "tcp://a@lab:80",
        "tcp://lab:80/x",
        "tcp://lab:80\n",
        "inproc://1/2/3",
        "tcp://-x:1",
        "tcp://lab:８０",
        "tcp://lab --preload x:80",
    ],
)
def test_addresses_refused(text, tmp_path, capsys):
    with pytest.raises(ClusterError, match="tcp://HOST:PORT"):
        cluster_address(text)
    if text:
        assert main(["pipeline", "--runs", str(tmp_path / "runs"), f"--cluster={text}"]) == 1
        assert capsys.readouterr().err.startswith("error: The address of a cluster")
        assert not (tmp_path / "runs").exists()


def test_nobody_there_is_said_and_stored(run, monkeypatch, capsys):
    monkeypatch.setattr(cluster, "ANSWER", 0.2)
    assert main(["resume", str(run.path), "--device=cpu", "--cluster=tcp://127.0.0.1:1"]) == 1
    assert "No Dask scheduler answers at tcp://127.0.0.1:1" in capsys.readouterr().err
    assert run.manifest.state == "failed"


GUIDE = (Path(__file__).resolve().parents[1] / "docs" / "cluster.md").read_text()
LINES = [line for block in re.findall(r"```\w*\n(.*?)```", GUIDE, re.S) for line in block.splitlines()]


def test_the_guide_has_only_commands_that_parse():
    ours = [shlex.split(line, comments=True) for line in LINES if line.startswith("python -m edgenes_core")]
    assert [parser().parse_args(words[3:]).command for words in ours] == [
        "pipeline",
        "resume",
        "study",
        "study",
        "pipeline",
    ]
    known = {"scheduler": dask_scheduler.main, "worker": dask_worker.main}
    theirs = [line.partition("-m dask ")[2].split() for line in LINES if "-m dask " in line]
    for name, *words in theirs:
        options = {option for parameter in known[name].params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options
    assert {name for name, *_ in theirs} == set(known)


def test_an_encrypted_cluster_needs_a_certificate():
    with pytest.raises(ClusterError, match="name no certificate"):
        cluster.ClusterExecutor("tls://127.0.0.1:1", "digits", "resume it")


def test_patience_is_a_number(monkeypatch):
    monkeypatch.setenv(cluster.PATIENCE, "long")
    with pytest.raises(ClusterError, match="a number of seconds, got 'long'"):
        cluster.ClusterExecutor("tcp://127.0.0.1:1", "digits", "resume it")
