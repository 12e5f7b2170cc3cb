"""Studies: what a config may say, and that what is stored does not depend on how often the work was interrupted."""

from __future__ import annotations

import json
from concurrent.futures import Executor, Future
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sample_studies import ARMS, IMAGES, stored
from tiny import SETTINGS, TINY, Killed

from edgenes_core import storage
from edgenes_core.cli import main
from edgenes_core.processes import is_locked
from edgenes_core.schema import to_dict
from edgenes_core.storage import StorageError
from edgenes_core.study import Arm, StudyError, arm, job
from edgenes_core.study.chosen import Mode
from edgenes_core.study.engine import Step, run_study
from edgenes_core.study.folder import LEAST, RARE, Study, rounded
from edgenes_core.study.store import StudyStore

TWO = (Arm("evolved", "nes_re"), Arm("lambda", "edgenes", (("ensemble.pool", 3),)))
IN_SEARCH = 64 * (2 * 4 - 1 + 2 * 3)  # images: two halves in each of 4 + 3 steps, but α is frozen in the first
CHANGED = [word for setting in SETTINGS for word in ("--set", setting)]


class Here(Executor):
    """Does each task when it is submitted, in this process."""

    def submit(self, task, /, *args, **kwargs):
        future = Future()
        try:
            future.set_result(task(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """As a worker has it: the bits of a sum depend on how many threads it is split among."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Study:
    """Two arms and two seeds by the command, in a worker process."""
    root = tmp_path_factory.mktemp("whole")
    file = root / "two.json"
    file.write_text(json.dumps({"arms": [to_dict(each) for each in TWO], "seeds": 2}))
    assert main(["study", str(file), "--workers", "1", "--runs", str(root), "--json", *CHANGED]) == 0
    (study,) = StudyStore(root).own()
    return study


def of(study: Study) -> dict[str, tuple]:
    """All that does not depend on the machine's speed."""
    repeats, damaged = study.repeats()
    assert not damaged
    look = study.look(repeats, Mode("all"))
    return {
        r.name: (r.candidates, r.val.tobytes(), study.test(r, look).tobytes(), r.samples, r.search.samples)
        for r in repeats
    }


def same_config(whole: Study, root: Path) -> Study:
    return StudyStore(root).create("again", whole.config)


def test_the_command_stores_every_repeat(whole):
    assert not whole.missing()
    assert whole.config.base.retrain == TINY.retrain
    assert whole.id.endswith("-two")
    assert not is_locked(whole.path / "lock")
    for repeat in whole.repeats()[0]:
        pairs = [(c.architecture, c.seed) for c in repeat.candidates]
        assert len(set(pairs)) == len(pairs) == len(repeat.seconds)
        assert repeat.val.shape[0] == len(pairs)
        assert min(repeat.seconds) > 0
        assert repeat.search.samples == (0 if repeat.arm.name == "evolved" else IN_SEARCH)
        assert dict(repeat.stages).keys() <= {"nes_re", "darts", "hypernet", "edgenes"}
        assert sum(dict(repeat.stages).values()) == pytest.approx(repeat.search.seconds)


def test_killed_and_resumed_is_the_same_bit_for_bit(whole, tmp_path):
    study = same_config(whole, tmp_path)

    def die(step: Step) -> None:
        if step.done == 2:
            raise Killed

    with pytest.raises(Killed):
        run_study(study, Here(), die)
    assert len(study.missing()) == 2
    arm, seed = study.missing()[0]
    torn = study.path / "repeats" / f"{arm.name}-s{seed}"
    torn.mkdir()
    (torn / "val.npz").write_bytes(b"half a fi")
    steps = []
    run_study(study, Here(), steps.append)
    assert [step.done for step in steps][-1] == 4
    assert of(study) == of(whole)
    run_study(study, Here(), lambda step: pytest.fail("nothing was missing"))


def test_the_sentence_of_a_stop_names_the_command_that_finishes_the_study(whole, tmp_path, monkeypatch, capsys):
    def stop(step: Step) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("edgenes_core.study.commands.local_executor", lambda workers: Here())
    with monkeypatch.context() as patch:
        patch.setattr("edgenes_core.study.commands._report", stop)
        assert main(["study", str(whole.path / "study.json"), "--runs", str(tmp_path)]) == 130
    (study,) = StudyStore(tmp_path).own()
    assert len(study.missing()) == 3
    said = capsys.readouterr().err.splitlines()[-1]
    assert said == f"Stopped. What is stored stays; go on with: python -m edgenes_core study {study.id} --resume"
    assert main([*said.rpartition("edgenes_core ")[2].split(), "--runs", str(tmp_path)]) == 0
    assert of(study) == of(whole)


def test_another_seed_and_another_arm_are_other_networks(whole):
    found = of(whole)
    assert len({values[1] for values in found.values()}) == 4


def test_a_failing_repeat_is_said_and_the_others_are_stored(whole, tmp_path, monkeypatch):
    study, right = same_config(whole, tmp_path), arm.run_repeat

    def fails(each, config, device):
        if each.name == "lambda" and config.seed == 0:
            raise ValueError("no such cell")
        return right(each, config, device)

    monkeypatch.setattr("edgenes_core.study.engine.run_repeat", fails)
    steps = []
    with pytest.raises(StudyError, match=r"1 of 4 repeats failed, the first: lambda, seed 0: ValueError: no such cell"):
        run_study(study, Here(), steps.append)
    assert [(a.name, seed) for a, seed in study.missing()] == [("lambda", 0)]
    assert [step.failure for step in steps if step.failure] == ["lambda, seed 0: ValueError: no such cell"]
    monkeypatch.undo()
    run_study(study, Here(), arms=["evolved"])
    assert study.missing(), "of the arms that were named alone"
    run_study(study, Here(), arms=["lambda"])
    assert of(study) == of(whole)


def test_a_network_that_two_candidates_share_is_trained_and_billed_once(monkeypatch):
    from edgenes_core.search import Candidate

    trained, right = [], arm.tasks.train_candidate
    cell = arm.build_space(TINY.space).sample(np.random.default_rng(0))

    def search(space, data, config, generator, judge=None):
        judge(cell, 7)  # looked at, never proposed: part of the search
        yield from (Candidate(cell), Candidate(cell, 2.0), Candidate(cell, seed=1))

    def train(dataset, architecture, config, seed, device):
        trained.append(seed)
        return right(dataset, architecture, config, seed, device)

    monkeypatch.setattr(arm, "load_searcher", lambda name: search if name == "random" else _none)
    monkeypatch.setattr(arm, "load_samples", lambda name: lambda space, config: 5)
    monkeypatch.setattr(arm.tasks, "train_candidate", train)
    found = arm.run_repeat(Arm("random", "random"), TINY)
    images = len(arm.tasks.dataset_of("digits", "cpu").train) * TINY.retrain.epochs
    assert len(trained) == len(set(trained)) == 3
    assert [c.seed for c in found.candidates] == [0, 1]
    assert (found.samples, found.search.samples) == (images, 5 + images)
    assert found.search.seconds > 0


def _none(*_, **__):
    return iter(())


def test_only_one_process_works_on_a_study(tmp_path):
    study = stored(tmp_path, 1)
    with job.hold(study):
        assert job.at_work(study)
        with pytest.raises(StudyError, match="already at work"), job.hold(study):
            pass
        with pytest.raises(StudyError, match="already at work"):
            job.start(study)
    assert not job.at_work(study)


@pytest.mark.parametrize("name", ["repeat.json", "val.npz"])
@pytest.mark.parametrize("content", [b"", b"{}", b'{"schema": 1}'])
def test_a_damaged_repeat_is_named_and_the_others_are_read(tmp_path, name, content):
    study = stored(tmp_path, 2)
    file = study.path / "repeats" / "random-s1" / name
    file.write_bytes(content)
    repeats, damaged = study.repeats()
    assert len(repeats) == 2 * len(ARMS) - 1
    assert len(damaged) == 1
    assert str(file) in damaged[0]


def test_test_predictions_need_a_look_and_their_damage_is_named(tmp_path):
    study = stored(tmp_path, 2)
    repeats, _ = study.repeats()
    look = study.look(repeats[:1], Mode("all"))
    assert study.test(repeats[0], look).shape == (1, IMAGES, 4)
    with pytest.raises(StorageError, match="look first, which is counted"):
        study.test(repeats[1], look)
    with pytest.raises(StorageError, match="look first"):
        study.test_y(look._replace(number=2))
    assert study.latest(repeats[:1], Mode("all")) == look
    assert study.latest(repeats, Mode("all")) is None
    (repeats[0].path / "test.npz").write_bytes(b"no")
    with pytest.raises(StorageError, match=r"test\.npz is damaged"):
        study.test(repeats[0], look)


def test_stored_probabilities_keep_the_nll(tmp_path):
    study = stored(tmp_path, 1, ARMS[:1])
    probs = np.random.default_rng(1).dirichlet(np.full(4, 0.05), (1, IMAGES))
    folder = study.path / "repeats" / "darts-s0"
    storage.write_arrays(folder / "val.npz", probs=rounded(probs))
    (back,) = (repeat.val for repeat in study.repeats()[0])
    off, common = np.abs(back / np.maximum(probs, LEAST) - 1), probs >= RARE
    assert off[common].max() <= 2.0**-5
    assert np.abs(back - probs).max() <= 2.0**-5
    assert off[probs > 2.0**-14].max() <= 2.0**-3
    assert back.min() > 0, "no network is infinitely sure"
    true = np.maximum(probs[0, np.arange(IMAGES), study.y], LEAST)
    assert abs(np.log(back[0, np.arange(IMAGES), study.y] / true).mean()) < 1e-2


@given(st.floats(0, 1))
def test_storing_twice_changes_nothing_more(value):
    once = rounded(np.array([value]))
    assert np.array_equal(rounded(once), once)
    assert once[0] >= LEAST
    assert abs(float(once[0]) - value) <= max(LEAST, value * (2.0**-9 if value >= RARE else 2.0**-4))
