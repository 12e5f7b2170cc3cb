"""Keeping teams without a browser: one click keeps, one brings back, and the timeline knows every team that was tried."""

from __future__ import annotations

import os

from page_runs import shown, whole
from test_page_lab import basket, by, headline, ids_of, opened
from test_pages_explore import runs, words  # noqa: F401 - `runs` is a fixture

from edgenes_core.team import Team, identity
from edgenes_core.tried import FILE, tried
from pages.widgets import lab_keep


def test_a_click_keeps_under_the_next_letter_and_brings_back(runs):  # noqa: F811
    run = whole(runs)
    ids = ids_of(run)
    app = opened(run, ids[:2], "weights")
    app.number_input(key=f"ensembles_part_{ids[0]}").set_value(3).run()
    first = headline(app)
    app.button(key="ensembles_save").click().run()
    app.multiselect(key="ensembles_members").set_value(ids[2:3]).run()
    app.button(key="ensembles_save").click().run()
    stored = run.ensembles()
    assert (stored["A"]["members"], stored["A"]["weights"], stored["A"]["combiner"]) == (ids[:2], [3, 1], "weights")
    assert stored["B"]["members"] == ids[2:3]
    by(app, "gate")
    app.button(key="ensembles_empty").click().run()
    app.button(key="ensembles_restore_A").click().run()
    assert (basket(app), headline(app)) == (ids[:2], first)
    assert app.segmented_control(key="choice_combine").value == app.query_params["combine"] == "weights"
    app.button(key="frame_undo").click().run()
    assert (basket(app), app.segmented_control(key="choice_combine").value, app.query_params["combine"]) == (
        [],
        *2 * ("gate",),
    )
    app.button(key="frame_redo").click().run()
    assert (basket(app), headline(app)) == (ids[:2], first), "members, weights and rule are one step"
    assert app.multiselect(key="ensembles_beside").options[:2] == ["A", "B"]
    app.button(key="ensembles_really_B").click().run()
    assert "B" not in run.ensembles()
    assert "A" in shown("ensembles.py", run).multiselect(key="ensembles_beside").value


def test_a_name_that_is_taken_is_replaced_after_asking(runs):  # noqa: F811
    run = whole(runs)
    ids = ids_of(run)
    app = opened(run, ids[:1])
    app.text_input(key="ensembles_name").set_value("mine").run()
    app.button(key="ensembles_save").click().run()
    app.multiselect(key="ensembles_members").set_value(ids[:2]).run()
    app.button(key="ensembles_save").click().run()
    assert "kept already" in words(app)
    assert run.ensembles()["mine"]["members"] == ids[:1]
    app.button(key="ensembles_leave").click().run()
    assert "kept already" not in words(app)
    app.button(key="ensembles_save").click().run()
    app.button(key="ensembles_replace").click().run()
    assert run.ensembles()["mine"]["members"] == ids[:2]


def test_letters_go_on_after_z():
    taken = {chr(ord("A") + k) for k in range(26)}
    assert lab_keep.next_letter(()) == "A"
    assert lab_keep.next_letter(taken - {"C"}) == "C"
    assert lab_keep.next_letter(taken) == "A2"


def test_the_timeline_knows_every_team_once(runs):  # noqa: F811
    run = whole(runs)
    ids = ids_of(run)
    app = opened(run, ids[:1])
    for members in (ids[:2], ids[:1], ids[:2][::-1], ids[1:3]):
        app.multiselect(key="ensembles_members").set_value(members).run()
    by(app, "vote")
    found = tried(run)
    assert [(each.team.members, each.team.combiner) for each in found] == [
        (tuple(ids[1:3]), "vote"),
        (tuple(ids[1:3]), "mean"),
        (tuple(ids[:2]), "mean"),
        (tuple(ids[:1]), "mean"),
    ]
    app.session_state["ensembles_timeline"] = True
    app.run()
    table = app.dataframe[0].value
    assert len(table) == 4
    assert table["team"][0].startswith("▸ ")
    assert table["NLL"][0] == f"{found[0].val.nll:.4f}"
    assert "4 teams tried with this run" in words(app)
    assert run.ensembles().keys() == {"selected", "single_base"}, "trying is not keeping"


def test_a_folder_that_takes_nothing_keeps_the_timeline_in_the_session(runs, monkeypatch):  # noqa: F811
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    run = whole(runs)
    ids = ids_of(run)
    app = shown("ensembles.py", run)
    monkeypatch.setattr(os, "open", refuse)
    for members in (ids[:1], ids[:2], ids[:1]):
        app.multiselect(key="ensembles_members").set_value(members).run()
        assert not app.error
    app.session_state["ensembles_timeline"] = True
    app.run()
    assert len(app.dataframe[0].value) == 2
    assert "kept in this session only" in words(app)
    assert not (run.path / FILE).exists()


def test_a_row_of_the_timeline_becomes_the_basket(runs, monkeypatch):  # noqa: F811
    run = whole(runs)
    opened(run, ids_of(run)[:2], "gate")
    taken: list[Team] = []
    monkeypatch.setattr(lab_keep.team, "take", taken.append)
    earlier = tried(run)
    for rows in ([], [1], [99]):
        lab_keep.restore(earlier, rows)
    assert [identity(team) for team in taken] == [identity(earlier[1].team)]


def test_another_run_starts_with_its_own_ensembles(runs):  # noqa: F811
    run, other = whole(runs), whole(runs)
    app = opened(run, ids_of(run)[:2])
    app.button(key="ensembles_save").click().run()
    app.selectbox(key="ensembles_reference").set_value("single_base").run()
    (other.path / "ensembles" / "single_base.json").unlink()
    app.selectbox(key="frame_run").set_value(other.id).run()
    assert not app.exception
    app.multiselect(key="ensembles_members").set_value(ids_of(other)[:2]).run()
    assert not app.exception
    assert app.selectbox(key="ensembles_reference").value == "selected"
    assert app.multiselect(key="ensembles_beside").value == []
