"""Whatever happens to any file of a run: it is named, the rest is read, and no other run is blocked."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import page_runs
import pytest
import sample_runs
from tiny import TINY, finish, tiny_run
from zips import full_run

from edgenes_core import EdgeNESError, jobs, looks, storage, tried
from edgenes_core.cell_distances import stored_cells
from edgenes_core.cli import main
from edgenes_core.config import EnsembleConfig, SpaceConfig
from edgenes_core.damage import LINES, damage
from edgenes_core.records import Event
from edgenes_core.run_folder import STAGES, Run
from edgenes_core.run_zip import files_of, zip_of
from edgenes_core.runs import RunStore
from edgenes_core.scored import score_networks, stored_ensembles
from edgenes_core.shifted import corrupted, file_of
from edgenes_core.team import Team

BAD_SECTOR = Path("/proc/self/mem")  # nobody can read its start, root included: an input/output error
DAMAGES: dict[str, Callable[[Path, bytes], object]] = {
    "deleted": lambda file, content: None,
    "torn": lambda file, content: file.write_bytes(content[: len(content) // 2 - 5]),
    "empty": lambda file, content: file.write_bytes(b""),
    "noise": lambda file, content: file.write_bytes(np.random.default_rng(1).bytes(len(content))),
    "a folder": lambda file, content: file.mkdir(),
    "unreadable": lambda file, content: file.symlink_to(BAD_SECTOR),
}
MAY_BE_MISSING = {
    *LINES,
    "imported.json",
    "targets.npz",
    "supernet.safetensors",
    "mine.json",
    "single_base.json",
    "contrast-1.npy",
}
TWO_CELLS = SpaceConfig(2, "normal+reduce")
LESS = ("no retrained network", "no such look")  # a list that is gone takes with it what it lists
READERS: dict[str, Callable[[Run], object]] = {
    **{name: getattr(Run, name) for name in ("base", "knots", "lambda_path", "soft_count", "plan", "imported")},
    **{name: getattr(Run, name) for name in ("networks", "embedding", "ensembles", "events", "reveals")},
    "manifest": lambda run: run.manifest,
    "targets": lambda run: [run.targets(split) for split in ("val", "test")],
    "predictions": lambda run: run.val_probabilities([training.id for training in run.trainings()[:2]]),
    "look": lambda run: run.reveal([run.trainings()[0].id]),
    "looks": looks.looks,
    "look again": lambda run: looks.again(run, looks.looks(run)[0]),
    "tried": tried.tried,
    "scores": score_networks,
    "teams": stored_ensembles,
    "cells": stored_cells,
    "shift": lambda run: corrupted(run, [run.trainings()[0].id], "contrast", 1),
    "weights": lambda run: storage.read_tensors(run.folder(run.trainings()[0]) / "weights.safetensors"),
    "job": jobs.state,
    "zip": zip_of,
}


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> RunStore:
    """A run that holds all that one can, and another beside it."""
    root = tmp_path_factory.mktemp("runs")
    run = full_run(root)
    team = Team("", (run.plan()[0].id,))
    tried.note(run, tried.Tried(1.0, team, stored_ensembles(run)[0][0].val))
    storage.write_tensors(run.path / "supernet.safetensors", w=np.zeros(9, np.float32))
    storage.write_array(file_of(run, run.plan()[0], "contrast-1"), run.networks()[team.members[0]].val)
    run.save_ensemble("mine", run.ensembles()["selected"] | {"role": "user"})
    run.append(Event("darts", 1, 2))
    run.finish_stage("embed", run.manifest.cost("select"))
    sample_runs.created(root)
    return RunStore(root)


def the_run(store: RunStore) -> Run:
    return next(run for run in store.list()[0] if run.has("embed"))


def kinds(run: Run) -> list[str]:
    """Every file of the run, of one retrained network and of one imported one."""
    shown = {run.folder(training).name for training in (run.plan()[0], run.imported()[0])}
    names = files_of(run)
    return [name for name in names if not name.startswith("candidates/") or name.split("/")[1] in shown]


def test_a_sound_run_has_no_damage(store):
    run = the_run(store)
    assert damage(run) == ()
    assert {Path(name).name for name in kinds(run)} >= {*MAY_BE_MISSING, "run.json", "weights.safetensors", "test.npy"}
    for name, read in READERS.items():
        assert read(run) is not None, name


@pytest.mark.parametrize("how", DAMAGES)
def test_any_damage_to_any_file_is_named_and_blocks_nothing_else(store, capsys, how):
    run, aside = the_run(store), store.root / ".aside"
    for name in kinds(run):
        file = run.path / name
        file.rename(aside)
        DAMAGES[how](file, aside.read_bytes())
        try:
            check(store, run.path, name, how)
            shown_alike(store, run.id, name, capsys)
        finally:
            shutil.rmtree(file) if file.is_dir() else file.unlink(missing_ok=True)
            aside.rename(file)
    assert damage(run) == ()


def test_files_of_another_run_are_read_or_refused(store, tmp_path, capsys):
    """Whole files, of another space, other images and classes: a value or a sentence, never anything else."""
    run, other = Run(shutil.copytree(the_run(store).path, tmp_path / "copy")), page_runs.whole(tmp_path, TWO_CELLS)
    network = other.folder(other.plan()[0])
    for name in kinds(run):
        file, content = run.path / name, (run.path / name).read_bytes()
        foreign = network / file.name if name.startswith("candidates/") else other.path / name
        if file.suffix == ".npy":
            storage.write_array(file, np.full((3, 4), 0.25, np.float32))
        elif foreign.exists():
            shutil.copy(foreign, file)
        for read in READERS.values():
            with suppress(EdgeNESError):
                read(run)
        assert main(["show", str(run.path)]) == 0
        capsys.readouterr()
        file.write_bytes(content)


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Run:
    config = replace(
        TINY,
        darts=replace(TINY.darts, batch=16),
        retrain=replace(TINY.retrain, batch=256, channels=2),
        ensemble=EnsembleConfig(pool=1, size=1, controls=1),
    )
    return tiny_run(tmp_path_factory.mktemp("trained"), config)


@pytest.mark.parametrize(
    ("name", "done"),
    [
        ("base.json", 1),
        ("base_supernet.safetensors", 1),
        ("plan.json", 2),
        ("history.json", 3),
        ("val.npy", 3),
        ("path.json", 4),
    ],
)
def test_resume_names_what_it_cannot_read(trained, tmp_path, name, done):
    """The run says so from then on, and goes on once the file is back."""
    run = Run(shutil.copytree(trained.path, tmp_path / "copy"))
    file = next(run.path.rglob(name))
    content = file.read_bytes()
    stages = list(run.manifest.stages.items())
    run.update(state="running", stages=dict(stages[:done]))
    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(EdgeNESError, match=name):
        finish(run)
    assert (jobs.state(run).name, jobs.state(run).resumable) == ("failed", True)
    assert name in jobs.state(run).message
    file.write_bytes(content)
    if done == len(STAGES) - 1:
        assert damage(finish(run)) == ()


def check(store: RunStore, path: Path, name: str, how: str) -> None:
    """What the store and every reader say while one file is damaged."""
    run, last = Run(path), Path(name).name
    runs, sentences = store.list()
    assert len(runs) + len(sentences) == 2
    assert (name == "run.json") == any(
        sentence.startswith(f"{run.id}: ") and last in sentence for sentence in sentences
    )
    named = [sentence for sentence in damage(run) if name in sentence]
    unseen = {"deleted": last in MAY_BE_MISSING or "imported" in name, "empty": last in LINES}
    assert named or unseen.get(how), f"{name} {how}: {damage(run)}"
    for reader, read in READERS.items():
        try:
            read(run)
        except EdgeNESError as error:
            text = str(error)
            assert Path(name).stem in text or any(said in text for said in LESS), f"{name} {how} {reader}: {text}"


def shown_alike(store: RunStore, run_id: str, name: str, capsys) -> None:
    """`show` has the same sentences, or refuses with the one about run.json."""
    status = main(["show", run_id, "--runs", str(store.root), "--json"])
    told = capsys.readouterr()
    if status:
        assert told.err.startswith("error: ")
        assert name in told.err
        assert name == "run.json"
    else:
        assert tuple(json.loads(told.out)["damaged"]) == damage(store.open(run_id))
