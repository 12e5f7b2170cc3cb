"""The same settings, seed, images and code are one run; anything that could change a number makes another."""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import sample_runs
from tiny import TINY

from edgenes_core import commands, jobs, run_digest
from edgenes_core.before_run import build_config
from edgenes_core.catalogue import DataError
from edgenes_core.cli import main, parser
from edgenes_core.config import PRESETS, PipelineConfig
from edgenes_core.reply import Reply
from edgenes_core.run_digest import digest, same
from edgenes_core.runs import RunStore


def variants(config: object) -> list[object]:
    """The config with each of its fields changed in turn, at any depth."""
    found = []
    for f in dataclasses.fields(config):
        value, limits = getattr(config, f.name), f.metadata.get("range")
        if "record" in f.metadata:
            found += [dataclasses.replace(config, **{f.name: changed}) for changed in variants(value)]
        elif limits and limits.choices:
            other = next(choice for choice in limits.choices if choice != value)
            found += [] if other == "normal+reduce" else [dataclasses.replace(config, **{f.name: other})]
        elif limits:
            found.append(dataclasses.replace(config, **{f.name: value + 1 if value + 1 <= limits.hi else limits.lo}))
        elif f.type == "bool":
            found.append(dataclasses.replace(config, **{f.name: not value}))
    return found


def test_every_setting_makes_another_run_and_a_presets_name_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_digest, "source_digest", lambda: "the same")
    config = dataclasses.replace(TINY, ensemble=dataclasses.replace(TINY.ensemble, controls=5))
    changed = [config, *variants(config)]
    assert len(changed) > 50
    assert len({digest(each) for each in changed}) == len(changed)
    assert digest(dataclasses.replace(config, preset="mine")) == digest(config)


def test_other_code_or_packages_make_another_run(monkeypatch: pytest.MonkeyPatch) -> None:
    before = digest(TINY)
    assert digest(TINY) == before
    with monkeypatch.context() as patch:
        patch.setattr(run_digest, "source_digest", lambda: "other")
        assert digest(TINY) != before
    with monkeypatch.context() as patch:
        patch.setattr(run_digest, "versions", lambda: {"torch": "1.0"})
        assert digest(TINY) != before


def test_a_file_or_folder_is_what_it_holds(tmp_path: Path) -> None:
    file, copy, folder = tmp_path / "a.npz", tmp_path / "b.npz", tmp_path / "images"
    np.savez(file, x=np.arange(3))
    shutil.copy(file, copy)
    (folder / "train" / "cat").mkdir(parents=True)
    (folder / "train" / "cat" / "1.png").write_bytes(b"one")
    first = {name: digest(PipelineConfig(dataset=str(name))) for name in (file, copy, folder)}
    assert first[file] == first[copy]
    assert len(set(first.values())) == 2
    np.savez(file, x=np.arange(4))
    os.rename(folder / "train" / "cat", folder / "train" / "dog")
    shutil.copytree(folder, tmp_path / "again")
    assert digest(PipelineConfig(dataset=str(file))) not in first.values()
    assert digest(PipelineConfig(dataset=str(folder))) not in first.values()
    assert digest(PipelineConfig(dataset=str(folder))) == digest(PipelineConfig(dataset=str(tmp_path / "again")))
    (folder / "train" / "dog" / "1.png").unlink()
    (folder / "train" / "dog" / "1.png").symlink_to(tmp_path / "nowhere")
    file.chmod(0)
    if os.geteuid():
        with pytest.raises(DataError, match="may read"):
            digest(PipelineConfig(dataset=str(file)))


def test_a_finished_run_comes_before_a_newer_one_and_old_runs_never_match(tmp_path: Path) -> None:
    store, mark = RunStore(tmp_path), digest(PRESETS["quick"])
    sample_runs.created(tmp_path)  # as runs of earlier versions are: without a digest
    assert same(store, mark) is None
    assert same(store, "") is None
    first, second = (store.create(PRESETS["quick"], digest=mark) for _ in range(2))
    assert same(store, mark) == second
    first.update(state="finished")
    assert same(store, mark) == first


def test_the_command_line_trains_once_unless_told_to_train_again(tmp_path, capsys, monkeypatch) -> None:
    """Whom it would train is noted, not trained: the rest of the command is tested in test_cli."""
    trained: list[str] = []
    monkeypatch.setattr(
        commands, "_work", lambda run, options: trained.append(run.id) or Reply({"run": run.id}, run.id)
    )
    command = ["pipeline", "--seed", "3", "--runs", str(tmp_path)]
    run = sample_runs.finished(tmp_path)
    run.update(digest=digest(build_config(parser().parse_args(command))))

    def call(*more: str) -> str:
        assert main([*command, *more]) == 0
        captured = capsys.readouterr()
        assert ("--again" in captured.err) == ("--again" not in more)
        return captured.out.split()[-1]

    assert call() == run.id
    with jobs.hold(run):
        assert call() == run.id
    assert not trained, "it is finished, then at work"
    run.update(state="failed")
    assert call() == run.id
    assert trained == [run.id], "an unfinished one is gone on with"
    assert call("--again") == trained[-1] != run.id
    assert len(RunStore(tmp_path).list()[0]) == 2
