"""Ensembles without a browser: the numbers on the page are the backend's, the test set stays hidden until asked for."""

from __future__ import annotations

import os

import pytest
from page_runs import first, rows_of, shown, whole
from test_pages_explore import runs, words  # noqa: F401 - `runs` is a fixture

from edgenes_core import ensembles
from edgenes_core.run_folder import Run
from edgenes_core.selecting import SELECTION_RULES


def test_a_damaged_ensemble_is_named(runs):  # noqa: F811
    run = whole(runs)
    (run.path / "ensembles" / "selected.json").write_text('{"schema": 1}')
    assert "'selected'" in shown("ensembles.py", run).warning[0].value


def test_the_table_says_the_backends_numbers(runs):  # noqa: F811
    run = whole(runs)
    members = [t.id for t in run.plan()[:3]]
    app = shown("ensembles.py", run)
    app.multiselect(key="ensembles_members").set_value(members).run()
    wanted = ensembles.evaluate(run.val_probabilities(members), run.targets("val"), "val")
    row = next(line for line in rows_of(app) if "**your ensemble**" in line).replace("\u00a0", " ")
    numbers = (
        f"{wanted.accuracy:.2%}".replace("%", " %"),
        f"{wanted.nll:.4f}",
        f"{wanted.brier:.4f}",
        f"{wanted.ece:.4f}",
    )
    assert all(text in row for text in numbers)
    assert tuple(metric.value for metric in app.metric) == numbers, "the headline says the same"
    assert "Basket: 3 networks" in str(
        [e.label for e in app.get("page_link")] + [e.proto.label for e in app.get("page_link")]
    )


def test_an_ensemble_ties_with_itself(runs):  # noqa: F811
    run = whole(runs)
    app = shown("ensembles.py", run)
    app.button(key="ensembles_selected").click().run()
    forest = str(app.get("plotly_chart")[0].proto.spec)
    assert "your ensemble: 0.0000 [0.0000, 0.0000], tie" in forest
    assert words(app).count("**tie**] 0.") == 4


def test_members_are_kept_once_and_emptied(runs):  # noqa: F811
    run = whole(runs)
    app = shown("ensembles.py", run)
    for _ in range(2):
        app.button(key="ensembles_choose").click().run()
    chosen = app.multiselect(key="ensembles_members").value
    assert len(chosen) == len(set(chosen)) > 0
    app.button(key="ensembles_empty").click().run()
    assert app.multiselect(key="ensembles_members").value == []


@pytest.mark.parametrize("rule", SELECTION_RULES)
def test_the_choice_is_the_backends(runs, rule):  # noqa: F811
    run = whole(runs)
    app = shown("ensembles.py", run)
    app.segmented_control(key="choice_select_rule").set_value(rule).run()
    app.number_input(key="ensembles_size").set_value(2).run()
    app.button(key="ensembles_choose").click().run()
    pool = [t.id for t in run.plan() if "pool" in t.roles]
    wanted = ensembles.select(run.val_probabilities(pool), run.targets("val"), pool, 2, rule)
    assert app.multiselect(key="ensembles_members").value == list(dict.fromkeys(wanted.members))


def test_looks_at_the_test_set_are_asked_for_counted_and_shown(runs):  # noqa: F811
    run = whole(runs)
    app = shown("ensembles.py", run)
    app.session_state["ensembles_tab"] = "Test"
    app.run()
    assert "**0 looks**" in words(app)
    assert "test images" not in words(app)
    app.button(key="ensembles_reveal").click().run()
    assert run.reveals() == 1
    assert "**1 look**" in words(app)
    members = run.ensembles()["selected"]["members"]
    test = ensembles.evaluate(Run(run.path).reveal(members), run.targets("test"), "test")
    assert f"{test.nll:.4f}" in words(app)
    app.run()
    assert run.reveals() == 2, "drawing again is no look (the second one is this test's own)"
    app.multiselect(key="ensembles_members").set_value([first(run).id]).run()
    assert "test images" not in words(app), "another ensemble hides the result again"


def test_an_ensemble_is_saved_and_comes_back(runs):  # noqa: F811
    run = whole(runs)
    app = shown("ensembles.py", run)
    app.multiselect(key="ensembles_members").set_value([first(run).id]).run()
    for name, error in (("selected", "belongs to"), ("no/slash", "letters, digits"), ("mine", "")):
        app.text_input(key="ensembles_name").set_value(name).run()
        app.button(key="ensembles_save").click().run()
        assert not app.exception
        assert (error in app.error[0].value) if error else not app.error
    assert run.ensembles()["mine"]["members"] == [first(run).id]
    assert "mine" in [
        row.split("|")[1].strip(" :[]").removeprefix("small[") for row in rows_of(shown("ensembles.py", run))
    ]


def test_what_cannot_be_written_is_a_sentence_and_the_page_stays(runs, monkeypatch):  # noqa: F811
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    run = whole(runs)
    (run.path / "ensembles" / "mine.json").mkdir()
    app = shown("ensembles.py", run)
    app.button(key="ensembles_selected").click().run()
    app.text_input(key="ensembles_name").set_value("mine").run()
    app.button(key="ensembles_save").click().run()
    assert "Cannot write" in app.error[0].value
    app.session_state["ensembles_tab"] = "Test"
    app.run()
    monkeypatch.setattr(os, "open", refuse)
    app.button(key="ensembles_reveal").click().run()
    assert "Cannot append" in app.error[0].value
    assert "test images" not in words(app), "a look that cannot be counted is not given"
    assert not app.exception
