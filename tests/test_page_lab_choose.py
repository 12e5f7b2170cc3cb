"""Choosing without a browser: the page chooses what the command line does; what takes long is asked for, bad input a sentence."""

from __future__ import annotations

import threading
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from lab_tabs import executed, predict
from page_runs import shown, whole
from test_page_lab import basket, command, headline, written
from test_pages_explore import runs, words  # noqa: F401 - `runs` is a fixture
from test_selecting import plain_loss

from edgenes_core import EdgeNESError, shifted_pool
from edgenes_core.cli import main
from edgenes_core.corruptions import VALIDATION_CORRUPTIONS
from edgenes_core.selecting import rules
from edgenes_core.shifted import for_selection
from pages.widgets import lab_choose
from pages.widgets.searching import Search


@pytest.mark.parametrize(("rule", "criterion", "gamma"), [("exhaustive", "nll", 0), ("beam", "brier", 0.5), ("top", "accuracy", 0)])  # fmt: skip
def test_choosing_on_the_page_is_select_on_the_command_line(runs, capsys, rule, criterion, gamma):  # noqa: F811
    run = whole(runs)
    app = shown("ensembles.py", run)
    app.segmented_control(key="choice_select_rule").set_value(rule)
    app.segmented_control(key="choice_select_by").set_value(criterion)
    app.number_input(key="ensembles_size").set_value(2)
    app.number_input(key="ensembles_gamma").set_value(float(gamma)).run()
    asked = ("--size", "2", "--rule", rule, "--criterion", criterion, "--gamma", str(gamma))
    found = command(capsys, run, "select", *asked)
    assert f"{found['loss']:.4f} on {found['val']['n']} validation images; {found['evaluated']} ensembles" in words(app)
    app.button(key="ensembles_choose").click().run()
    assert basket(app) == found["members"]
    assert headline(app) == written(found["val"])


@pytest.mark.parametrize("how", [("exhaustive", "nll", 0.5), ("forward", "brier", 0), ("beam", "accuracy", 0)])
def test_choosing_on_images_made_worse_is_select_and_a_hand_computation(runs, capsys, monkeypatch, how):  # noqa: F811
    run, views, (rule, criterion, gamma) = whole(runs), [], how
    pool = [training.id for training in run.plan() if "pool" in training.roles]
    predict(run, run.plan(), severities=(2, 4))
    monkeypatch.setattr(lab_choose, "view_tools", lambda _, view, **__: views.append(view))
    app = shown("ensembles.py", run)
    app.segmented_control(key="choice_select_rule").set_value(rule)
    app.segmented_control(key="choice_select_by").set_value(criterion)
    app.segmented_control(key="choice_select_on").set_value("worse")
    app.number_input(key="ensembles_size").set_value(2)
    app.number_input(key="ensembles_gamma").set_value(float(gamma)).run()
    assert "ensembles_choose" not in [button.key for button in app.button], "1, 3 and 5 are not predicted here"
    app.segmented_control(key="ensembles_severities").set_value([4, 2])
    app.segmented_control(key="ensembles_corruptions").set_value(["spatter", "speckle_noise"])
    app.session_state["ensembles_other"] = True
    app.run()
    asked = ("--size", "2", "--rule", rule, "--criterion", criterion, "--gamma", str(gamma), "--shift")
    found = command(capsys, run, "select", *asked, "--corruptions", "speckle_noise,spatter")
    conditions = [(name, severity) for name in ("speckle_noise", "spatter") for severity in (2, 4)]
    assert [(on["corruption"], on["severity"]) for on in found["judged_on"]] == conditions, (
        "those stored, where none is named"
    )
    stacked = np.stack([for_selection(run, pool, *condition) for condition in conditions]).astype(float)
    losses = {
        pair: np.mean([plain_loss(worse[list(pair)], run.targets("val"), criterion, gamma) for worse in stacked])
        for pair in combinations(range(len(pool)), 2)
    }
    mine = tuple(sorted(pool.index(name) for name in found["members"]))
    assert found["loss"] == pytest.approx(losses[mine])
    assert found["loss"] > command(capsys, run, "select", *asked[:-1])["loss"], "these images are worse"
    if rule == "exhaustive":
        assert found["loss"] == pytest.approx(min(losses.values()))
    said = f"{found['loss']:.4f} on {len(run.targets('val'))} validation images with speckle noise and spatter at severities 2 and 4, mean of 4;"
    assert said in words(app)
    rows = pd.DataFrame(executed(views[-1].snippet))
    pd.testing.assert_frame_equal(rows, views[-1].table)
    assert rows[rows["size"] == 2].iloc[0].loss == pytest.approx(found["loss"])
    app.button(key="ensembles_choose").click().run()
    assert basket(app) == found["members"]
    assert headline(app) == written(found["val"]), "the headline is of the images as they are"


def test_what_selection_must_not_look_at_is_not_offered_and_refused(runs, capsys):  # noqa: F811
    run = whole(runs)
    predict(run, run.plan())
    app = shown("ensembles.py", run)
    app.segmented_control(key="choice_select_on").set_value("worse").run()
    assert app.segmented_control(key="ensembles_corruptions").options == [
        c.title for c in VALIDATION_CORRUPTIONS.values()
    ]
    assert main(["select", str(run.path), "--shift", "--corruptions", "contrast", "--severities", "1"]) == 1
    assert "Nothing may be chosen by 'contrast': results are reported on it" in capsys.readouterr().err
    assert main(["select", str(run.path), "--severities", "1"]) == 1
    assert "add --shift" in capsys.readouterr().err
    app.segmented_control(key="ensembles_corruptions").set_value([]).run()
    assert "at least one corruption" in words(app)


def test_predictions_that_are_missing_are_offered_for_the_pool(runs, capsys):  # noqa: F811
    run = whole(runs)
    app = shown("ensembles.py", run)
    app.segmented_control(key="choice_select_on").set_value("worse").run()
    pool = [training.id for training in run.plan() if "pool" in training.roles]
    offered = next(code.value for code in app.code if code.value.startswith("python -m edgenes_core shift"))
    assert offered.split("--keys ")[1].split()[0].split(",") == pool
    assert "--severities 1,3,5" in offered
    assert not app.button(key="choose_predict").disabled
    assert main(["select", str(run.path), "--shift"]) == 1
    assert offered.removeprefix("python") in capsys.readouterr().err, "the command line says the same"
    predict(run, run.plan(), severities=(1, 3, 5))
    app.run()
    assert "images made worse" in words(app) or "mean of 9" in words(app)
    assert "ensembles_choose" in [button.key for button in app.button]


def test_more_predictions_than_fit_are_refused_with_the_way_out(runs, monkeypatch):  # noqa: F811
    run = whole(runs)
    predict(run, run.plan(), severities=(1, 3, 5))
    monkeypatch.setattr(shifted_pool, "MOST_BYTES", 10)
    app = shown("ensembles.py", run)
    app.segmented_control(key="choice_select_on").set_value("worse").run()
    assert "choose fewer corruptions or severities" in app.error[0].value
    assert headline(app), "the rest of the page goes on"


def test_a_member_chosen_several_times_gets_the_weight(runs, capsys):  # noqa: F811
    run = whole(runs)
    app = shown("ensembles.py", run)
    app.segmented_control(key="choice_select_rule").set_value("greedy")
    app.number_input(key="ensembles_size").set_value(12).run()
    found = command(capsys, run, "select", "--size", "12", "--rule", "greedy")
    assert len(set(found["members"])) < len(found["members"]), "else this tests nothing"
    app.button(key="ensembles_choose").click().run()
    assert app.segmented_control(key="choice_combine").value == "weights"
    assert headline(app)[:3] == written(found["val"])[:3]
    for name in basket(app):
        assert app.number_input(key=f"ensembles_part_{name}").value == found["members"].count(name)


def test_a_size_beyond_the_pool_is_refused_except_for_greedy(runs):  # noqa: F811
    run = whole(runs)
    app = shown("ensembles.py", run)
    app.number_input(key="ensembles_size").set_value(50).run()
    assert "lies between 1 and the pool's N" in app.error[0].value
    assert headline(app), "the rest of the page goes on"
    app.segmented_control(key="choice_select_rule").set_value("greedy").run()
    assert not app.error


def test_too_many_ensembles_are_refused_with_the_way_out(runs, monkeypatch):  # noqa: F811
    run = whole(runs)
    monkeypatch.setattr(rules, "MOST_SUBSETS", 2)
    monkeypatch.setattr(lab_choose, "MOST_SUBSETS", 2)
    app = shown("ensembles.py", run)
    app.number_input(key="ensembles_size").set_value(2).run()
    assert "are too many to score" in app.error[0].value
    assert "use the rule" in app.error[0].value


def test_a_long_search_is_asked_for_and_its_answer_kept(runs, monkeypatch):  # noqa: F811
    run = whole(runs)
    monkeypatch.setattr(lab_choose, "QUICK", {})
    app = shown("ensembles.py", run)
    assert "ensembles_choose" not in [button.key for button in app.button]
    app.button(key="ensembles_start").click().run()
    app.session_state["ensembles_search"].wait()
    app.run()
    pool = [t.id for t in run.plan() if "pool" in t.roles]
    assert f"ensembles of a pool of {len(pool)}" in words(app)
    app.number_input(key="ensembles_size").set_value(2).run()
    assert "ensembles_choose" not in [button.key for button in app.button]
    app.number_input(key="ensembles_size").set_value(3).run()
    assert "ensembles_choose" in [button.key for button in app.button], "an answer is not searched again"


def test_a_search_is_watched_cancelled_and_says_why_it_failed():
    begun, told = threading.Event(), []

    def work(progress, cancel):
        progress(1, 4)
        begun.set()
        while not cancel():
            pass
        raise EdgeNESError("stopped at 25 %")

    search: Search[int] = Search("asked", work)
    assert begun.wait(10)
    assert search.running
    assert search.share == 0.25
    search.cancel()
    search.wait()
    assert (search.running, search.found, search.error) == (False, None, "stopped at 25 %")
    done: Search[int] = Search("asked", lambda progress, cancel: told.append(1) or 7)
    done.wait()
    assert (done.found, done.error) == (7, "")
