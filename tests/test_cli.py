"""The command line: shapes of its JSON, one sentence per mistake, and what a damaged run does to the others."""

import json
from pathlib import Path

import numpy as np
import pytest
from tiny import tiny_run

from edgenes_core.architecture import Architecture
from edgenes_core.cli import main, parser
from edgenes_core.combining import COMBINERS
from edgenes_core.combining.judging import judge
from edgenes_core.runs import RunStore

ROOT = Path(__file__).resolve().parents[1]
EVALUATION = {"split", "n", "accuracy", "nll", "brier", "ece", "disagreement", "oracle_accuracy"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return tiny_run(tmp_path_factory.mktemp("runs"))


@pytest.fixture
def call(run, capsys):
    """Run a command with --json on the module's run; returns its data."""

    def command(name, *arguments):
        status = main([name, *map(str, arguments), "--json", "--runs", str(run.path.parent)])
        captured = capsys.readouterr()
        assert status == 0, captured.err
        return json.loads(captured.out.strip().splitlines()[-1])

    return command


def refuse(capsys, *arguments):
    """A command that must fail with one sentence; returns it."""
    assert main(list(map(str, arguments))) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    return captured.err


def test_path_and_decode(call, run):
    path = call("path", run.id)
    assert path["lambda_max"] == 4
    assert all(set(row) == {"lo", "hi", "key", "shared"} for row in path["intervals"])
    assert path["intervals"][0]["lo"] == 0
    assert path["intervals"][-1]["hi"] == 4
    for shared in range(5):
        cell = call("decode", run.path, "--shared", shared)
        assert set(cell) == {"key", "shared", "architecture"}
        assert Architecture.from_json(json.dumps(cell["architecture"])).key == cell["key"]
    assert call("decode", run.id, "--shared", 4)["key"] == run.base().architecture.key


def test_evaluate_and_select(call, run):
    selection = call("select", run.id, "--size", 2, "--rule", "exhaustive")
    assert set(selection) == {
        "rule", "criterion", "gamma", "size", "evaluated", "tied", "loss", "images", "judged_on", "members", "val",
    }  # fmt: skip
    assert selection["evaluated"] == 6
    val = call("evaluate", run.id, "--keys", ",".join(selection["members"]))
    assert set(val) == EVALUATION
    assert val == selection["val"]
    assert call("select", run.id, "--size", 2, "--rule", "forward")["val"]["nll"] >= val["nll"] - 1e-9
    assert call("select", run.id, "--size", 2, "--rule", "greedy")["rule"] == "greedy"
    assert selection["loss"] == pytest.approx(val["nll"])
    assert call("select", run.id, "--size", 2, "--criterion", "accuracy")["loss"] <= 1 - val["accuracy"] + 1e-12
    brier = call("select", run.id, "--size", 2, "--criterion", "brier", "--gamma", 0.5)
    assert (brier["criterion"], brier["gamma"]) == ("brier", 0.5)
    assert brier["loss"] <= brier["val"]["brier"]


def test_evaluate_by_every_rule(call, run):
    ids = [training.id for training in run.plan()[:3]]
    keys, probs, y = ",".join(ids), run.val_probabilities(ids), run.targets("val")
    mean = call("evaluate", run.id, "--keys", keys)
    assert call("evaluate", run.id, "--keys", keys, "--combine", "mean") == mean
    for name in COMBINERS:
        if name != "weights":
            found = call("evaluate", run.id, "--keys", keys, "--combine", name)
            assert found["nll"] == pytest.approx(judge(name, probs, y).judged.nll, abs=1e-9)
    weighted = call("evaluate", run.id, "--keys", keys, "--weights", "2,1,1")
    picked = np.average(probs, axis=0, weights=[2, 1, 1])[np.arange(len(y)), y]
    assert weighted["nll"] == pytest.approx(-np.log(picked).mean())
    assert call("evaluate", run.id, "--keys", keys, "--weights", "0,7,0")["nll"] == pytest.approx(
        call("evaluate", run.id, "--keys", ids[1])["nll"]
    )
    assert call("evaluate", run.id, "--keys", keys, "--combine", "stacking", "--reveal")["split"] == "test"


def test_test_results_only_when_asked_and_counted(call, run):
    member = run.plan()[0].id
    assert call("evaluate", run.id, "--keys", member)["split"] == "val"
    before = run.reveals()
    revealed = call("evaluate", run.id, "--keys", member, "--reveal")
    assert revealed["split"] == "test"
    assert revealed["n"] == 359
    assert run.reveals() == before + 1


def test_list_show_and_theory(call, run):
    assert [row["run"] for row in call("list")["runs"]] == [run.id]
    assert call("show", run.id)["state"] == "finished"
    theory = call("theory", "--n", 3, "--lambda-max", 4)
    assert theory["lowest_1"]["closed_form"] == pytest.approx(4.6875)
    assert theory["lowest_0"]["ratio"] == pytest.approx(0.75)


def test_doctor_finds_this_machine_healthy(call):
    assert all(check["ok"] for check in call("doctor")["checks"])


def test_mistakes_get_one_sentence(run, tmp_path, capsys):
    at = ("--runs", run.path.parent)
    assert "see: python -m edgenes_core list" in refuse(capsys, "show", "nothing", *at)
    assert "No run" in refuse(capsys, "show", "../../etc", *at)
    assert "between 0 and Λ = 4" in refuse(capsys, "decode", run.id, "--shared", 5, *at)
    assert "no retrained network 'abc'" in refuse(capsys, "evaluate", run.id, "--keys", "abc", *at)
    assert "different members" in refuse(capsys, "evaluate", run.id, "--keys", ",", *at)
    for weights in ("1,2", "0", "x", "100", "-1"):
        assert "from 0 to 99" in refuse(
            capsys, "evaluate", run.id, "--keys", run.plan()[0].id, f"--weights={weights}", *at
        )
    key = ("--keys", run.plan()[0].id)
    assert "belong to the rule" in refuse(capsys, "evaluate", run.id, *key, "--combine", "gate", "--weights", "1", *at)
    assert "one of mean" in refuse(capsys, "evaluate", run.id, *key, "--combine", "luck", *at)
    assert "exhaustive" in refuse(capsys, "select", run.id, "--rule", "luck", *at)
    assert "nll, brier" in refuse(capsys, "select", run.id, "--criterion", "luck", *at)
    assert "from 0" in refuse(capsys, "select", run.id, "--gamma", "nan", *at)
    assert "between 1 and" in refuse(capsys, "select", run.id, "--size", 99, *at)
    assert "give one of digits, fashion_mnist" in refuse(capsys, "pipeline", "--dataset", "mnist", "--runs", tmp_path)
    assert "quick, reduced, standard, thesis" in refuse(capsys, "pipeline", "--preset", "fast", "--runs", tmp_path)
    assert "known name" in refuse(capsys, "pipeline", "--set", "darts.step=3", "--runs", tmp_path)
    assert "darts" not in refuse(capsys, "pipeline", "--set", "retrain.epochs=0", "--runs", tmp_path)
    assert "at least 2 layers" in refuse(capsys, "pipeline", "--set", 'space.cells="normal+reduce"', "--runs", tmp_path)
    assert not list(tmp_path.iterdir())  # a refused command leaves no run behind
    assert "1 ≤ n" in refuse(capsys, "theory", "--n", 0)


def test_a_half_written_run_is_named_and_blocks_no_other(run, call, capsys, tmp_path):
    broken = run.path.parent / "broken"
    broken.mkdir()
    (broken / "run.json").write_text((run.path / "run.json").read_text()[:100])
    try:
        assert "damaged" in refuse(capsys, "show", "broken", "--runs", run.path.parent)
        listed = call("list")
        assert [row["run"] for row in listed["runs"]] == [run.id]
        assert "broken" in listed["damaged"][0]
    finally:
        (broken / "run.json").unlink()
        broken.rmdir()


def test_an_unfinished_run_says_which_stage_is_missing(capsys, tmp_path, run):
    empty = RunStore(tmp_path).create(run.config)
    for command in (["path", empty.path], ["decode", empty.path, "--shared", 1], ["select", empty.path]):
        assert "resume" in refuse(capsys, *command)


def test_a_folder_without_write_permission_is_said(capsys, tmp_path, monkeypatch):
    def denied(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", denied)
    assert "choose a folder you may write to" in refuse(capsys, "pipeline", "--runs", tmp_path / "sealed")


def test_every_command_has_help(capsys):
    for name in parser()._subparsers._group_actions[0].choices:
        with pytest.raises(SystemExit) as leaving:
            main([name, "--help"])
        assert leaving.value.code == 0
        assert "--json" in capsys.readouterr().out
