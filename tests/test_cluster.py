"""Trainings on a real Dask cluster: the same networks, whatever dies on the way."""

import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from clusters import FOREIGN, GIFTED, HANGING, killing, started, until
from distributed import Client
from tiny import finish, tiny_run

from edgenes_core import cluster, cluster_worker, tasks
from edgenes_core.cluster import ClusterExecutor, joined
from edgenes_core.cluster_code import code
from edgenes_core.config import RetrainConfig
from edgenes_core.executors import ClusterError
from edgenes_core.pipeline import run_pipeline
from edgenes_core.run_folder import Run
from edgenes_core.session import Cancelled, Session, TrainingKeeper
from edgenes_core.space import SearchSpace

CELL = SearchSpace().sample(np.random.default_rng(0))
CONFIG = RetrainConfig(epochs=1, channels=4)


@pytest.fixture(scope="module")
def reference(tmp_path_factory) -> Run:
    """A finished run, its networks trained in this process."""
    return tiny_run(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A scheduler and two workers."""
    with started(tmp_path_factory.mktemp("lab")) as found:
        found.worker(), found.worker()
        yield found


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """A scheduler for workers that cannot or will not work; each test brings its own."""
    with started(tmp_path_factory.mktemp("odd"), DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0") as found:
        yield found


@pytest.fixture
def visitor(lab):
    """Looks at the lab from outside once both workers are there."""
    with Client(lab.address, set_as_default=False) as client:
        client.wait_for_workers(2)
        yield client


@pytest.fixture
def run(reference, tmp_path) -> Run:
    """The same run before its networks were trained."""
    other = Run(tmp_path / reference.id)
    shutil.copytree(reference.path, other.path)
    for name in ("candidates", "ensembles"):
        shutil.rmtree(other.path / name)
    other.update(state="created", stages={s: reference.manifest.stages[s] for s in ("darts", "hypernet")})
    return other


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setenv(cluster.PATIENCE, "0.1")
    monkeypatch.setattr(cluster, "LOOK", 0.05)


def results(run: Run) -> dict[str, bytes]:
    """Every file that must not depend on where networks were trained."""
    skip = {"run.json", "events.jsonl", "history.json"}
    files = [file for file in run.path.rglob("*") if file.is_file() and file.name not in skip]
    return {str(file.relative_to(run.path)): file.read_bytes() for file in files}


def on_cluster(run: Run, address: str, stop=lambda: False) -> None:
    """Do what is left of a run as the command line does, with maps in this process."""
    with ThreadPoolExecutor(1) as nearby, joined(Session(run, nearby, "cpu", stop=stop), address) as session:
        run_pipeline(session)


def test_the_same_bits_as_in_local_processes(lab, visitor, reference, run, monkeypatch):
    sizes, send = [], ClusterExecutor._send
    monkeypatch.setattr(
        ClusterExecutor, "_send", lambda self, future, packed: sizes.append(len(packed)) or send(self, future, packed)
    )
    on_cluster(run, lab.address)
    assert results(run) == results(reference)
    assert run.manifest.state == "finished"
    assert len(sizes) == len(run.plan())
    assert max(sizes) < 5000, "a task carries no images"
    assert set(lab.open_ports()) == {"127.0.0.1"}
    looked_up = [info.misses for info in visitor.run(lambda: tasks.dataset_of.cache_info()).values()]
    assert max(looked_up) == 1, "a worker loads the images once"


def own_images(folder) -> str:
    """Images that a process finds only where it stands in their folder."""
    rng = np.random.default_rng(0)
    y, y_test = np.arange(60) % 3, np.arange(12) % 3
    x, x_test = (rng.integers(0, 255, (len(labels), 8, 8), np.uint8) for labels in (y, y_test))
    np.savez(folder / "own.npz", x_train=x, y_train=y, x_test=x_test, y_test=y_test)
    return "own.npz"


def test_images_are_sent_once_to_each_worker_also_to_late_ones(lab, visitor, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name, sent, give = own_images(tmp_path), [], ClusterExecutor._give
    monkeypatch.setattr(ClusterExecutor, "_give", lambda self, to, images: sent.extend(to) or give(self, to, images))
    with ClusterExecutor(lab.address, name, "resume it") as executor:
        executor.open(False, lambda: None)
        assert sorted(sent) == sorted(visitor.nthreads())
        first = [executor.submit(tasks.train_candidate, name, CELL, CONFIG, seed, "cpu") for seed in range(6)]
        trained = [future.result() for future in first]
        assert len(sent) == 2
        visitor.run(lambda: cluster_worker._held.clear())  # as in processes that came later
        again = [executor.submit(tasks.train_candidate, name, CELL, CONFIG, seed, "cpu") for seed in range(6)]
        assert all((a.result().test == b.test).all() for a, b in zip(again, trained, strict=True))
        assert len(set(sent[2:])) == len(sent[2:]) > 0
    here = tasks.train_candidate(name, CELL, CONFIG, 5, "cpu")
    assert (trained[5].test == here.test).all()
    assert all((trained[5].weights[w] == here.weights[w]).all() for w in here.weights)


def test_a_worker_killed_in_mid_task_costs_nothing(lab, visitor, reference, run, tmp_path, monkeypatch):
    saved, save = [], Run.save_network
    monkeypatch.setattr(
        Run,
        "save_network",
        lambda self, training, *network: saved.append(training.id) or save(self, training, *network),
    )
    others = set(visitor.nthreads())
    victim = lab.worker(HANGING)
    until(lambda: len(visitor.nthreads()) == 3)
    (address,) = set(visitor.nthreads()) - others
    with killing(victim, lab.address, address):
        on_cluster(run, lab.address)
    assert results(run) == results(reference)
    assert sorted(saved) == sorted(t.id for t in run.plan()), "each network once"


def test_a_scheduler_that_vanishes_leaves_the_run_resumable(tmp_path, reference, run):
    with started(tmp_path) as found:
        found.worker(HANGING)
        with (
            killing(found.scheduler, found.address),
            pytest.raises(ClusterError, match=f"is gone or does not answer.*resume {run.id} --cluster"),
        ):
            on_cluster(run, found.address)
    assert run.manifest.state == "failed"
    assert "gone" in run.manifest.message
    assert results(finish(run)) == results(reference)


def test_a_training_that_kills_its_worker_is_given_up(odd, run):
    with (
        killing(odd.worker(HANGING), odd.address),
        pytest.raises(ClusterError, match="A training killed 1 of the cluster's workers"),
    ):
        on_cluster(run, odd.address)


def test_a_gpu_takes_one_task_at_a_time_and_all_of_them(lab, visitor):
    gifted = lab.worker(GIFTED, "--resources", "GPU=1")
    until(lambda: len(visitor.nthreads()) == 3)
    try:
        with ClusterExecutor(lab.address, "digits", "resume it") as executor:
            executor.open(True, lambda: None)
            assert executor.device == "cuda"
            assert {future.result() for future in [executor.submit(os.getpid) for _ in range(9)]} == {gifted.pid}
        with ClusterExecutor(lab.address, "digits", "resume it") as executor:
            executor.open(False, lambda: None)
            assert executor.device == "cpu"
    finally:
        gifted.kill()
        gifted.wait()
        until(lambda: len(visitor.nthreads()) == 2)


def test_without_workers_it_says_how_to_start_one(odd, run, impatient, caplog):
    with pytest.raises(ClusterError, match=f"No worker .* for 0 s.*dask worker {odd.address} --nthreads 1"):
        on_cluster(run, odd.address)
    assert "Waiting for workers" in caplog.text
    assert run.manifest.state == "failed"


def test_waiting_for_workers_can_be_cancelled(odd, run):
    with pytest.raises(Cancelled, match="resume"):
        on_cluster(run, odd.address, stop=lambda: True)
    assert run.manifest.state == "cancelled"


@pytest.mark.parametrize(
    ("preload", "path", "said"),
    [
        (FOREIGN, None, "has source of edgenes_core another code, this run has [0-9a-f]{12}, "),
        ("", "", "cannot run this code .*ModuleNotFoundError"),
    ],
    ids=["another commit", "no project"],
)
def test_other_code_is_refused_before_anything_is_sent(odd, run, preload, path, said):
    worker = odd.worker(preload, **({} if path is None else {"PYTHONPATH": path}))
    try:
        with pytest.raises(ClusterError, match=f"^Worker tcp://127.0.0.1:\\d+ {said}"):
            on_cluster(run, odd.address)
        with Client(odd.address, set_as_default=False) as client:
            assert not any(client.run(lambda: "torch" in sys.modules).values())
    finally:
        worker.kill()
        worker.wait()
        with Client(odd.address, set_as_default=False) as client:
            until(lambda: not client.nthreads())
    assert not (run.path / "candidates").exists()


def test_a_late_worker_with_other_code_is_named(lab, visitor, monkeypatch):
    with ClusterExecutor(lab.address, "digits", "resume it") as executor:
        executor.open(False, lambda: None)
        monkeypatch.setattr(cluster, "code", lambda: {**code(), "torch": "0.1"})
        with pytest.raises(ClusterError, match=r"Worker tcp://127.0.0.1:\d+ has torch 2.*, this run has 0.1"):
            executor.submit(tasks.train_candidate, "digits", CELL, CONFIG, 0, "cpu").result()


def test_a_cancelled_training_ends_at_its_next_step(lab, visitor, tmp_path):
    def busy() -> int:
        return sum(visitor.run(lambda dask_worker: len(dask_worker.state.executing)).values())

    with ClusterExecutor(lab.address, "digits", "resume it") as executor:
        executor.open(False, lambda: None)
        endless = replace(CONFIG, epochs=1000, channels=16)
        keeper = TrainingKeeper(tmp_path, "x", 20.0)
        future = executor.submit(tasks.train_candidate, "digits", CELL, endless, 0, "cpu", keeper)
        until(busy)
        assert future.cancel()
        until(lambda: not busy())
    assert not (tmp_path / "checkpoints").exists()
