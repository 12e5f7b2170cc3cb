"""Choosing without a browser: the page chooses what the command line does; what takes long is asked for, bad input a sentence."""

from __future__ import annotations

import threading

import pytest
from page_runs import shown, whole
from test_page_lab import basket, command, headline, written
from test_pages_explore import runs, words  # noqa: F401 - `runs` is a fixture

from edgenes_core import EdgeNESError
from edgenes_core.selecting import rules
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
