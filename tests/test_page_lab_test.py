"""The Test tab without a browser: nothing before the click, each click is one look, the same teams need no second one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lab_tabs import executed, flat, opened, predict
from page_runs import rows_of, whole
from test_pages_explore import runs, words  # noqa: F401 - `runs` is a fixture

from edgenes_core import ensembles, looks, revealed, storage
from edgenes_core.run_folder import Run
from edgenes_core.scored import score_networks
from edgenes_core.side_by_side import PAIRED
from pages.widgets import lab_test, lab_test_shift


def members_of(run: Run) -> list[str]:
    """Not those of the selected ensemble."""
    return [run.plan()[place].id for place in (0, 1, 3)]


def keys(app) -> list[str]:
    return [button.key for button in app.button]


@pytest.fixture
def reads(monkeypatch) -> list[str]:
    """Names of the test files read."""
    found, read = [], storage.read_array

    def watched(path):
        found.extend([path.name] if "test" in path.name else [])
        return read(path)

    monkeypatch.setattr(storage, "read_array", watched)
    return found


def test_nothing_is_read_before_the_click_and_each_look_counts_once(runs, reads):  # noqa: F811
    run = whole(runs)
    predict(run, run.plan(), split="test")
    reads.clear()
    app = opened(run, "Test", members_of(run))
    assert "**0 looks**" in words(app)
    assert "One look would show: your ensemble, selected, single\\_base." in words(app)
    assert not app.get("plotly_chart")
    assert (reads, run.reveals()) == ([], 0)
    app.button(key="ensembles_reveal").click().run()
    assert not app.exception
    assert (run.reveals(), set(reads)) == (1, {"test.npy"}), "corrupted test images are another look"
    assert "**1 look**" in words(app)
    assert len(app.get("plotly_chart")) == 2
    app.run()
    opened(run, "Test", members_of(run))
    assert run.reveals() == 1, "neither drawing again nor a second visit is a look"
    assert "ensembles_reveal" not in keys(app)


def test_other_teams_are_another_look_and_the_first_ones_are_remembered(runs):  # noqa: F811
    run = whole(runs)
    app = opened(run, "Test", members_of(run))
    app.button(key="ensembles_reveal").click().run()
    app.multiselect(key="ensembles_members").set_value(members_of(run)[:2]).run()
    assert "test images" not in words(app)
    assert app.button(key="ensembles_reveal").label == "Reveal test (look 2)"
    app.button(key="ensembles_reveal").click().run()
    assert run.reveals() == 2
    assert "**Look 2: 60 test images**" in words(app)
    app.multiselect(key="ensembles_members").set_value(members_of(run)).run()
    assert "**Look 1: 60 test images**" in words(app)
    app.segmented_control(key="choice_combine").set_value("vote").run()
    assert "ensembles_reveal" in keys(app), "another rule is another team"
    assert run.reveals() == 2


def test_looks_are_listed_with_time_and_what_was_looked_at(runs):  # noqa: F811
    run = whole(runs)
    run.reveal(members_of(run)[:1])
    app = opened(run, "Test", members_of(run))
    assert f"on the command line: {members_of(run)[0]}" in words(app)
    app.button(key="ensembles_reveal").click().run()
    lines = [line for line in rows_of(app) if "your ensemble, selected" in line]
    assert len(lines) == 1
    assert ":small[2]" in lines[0]
    assert "UTC" in words(app)


def test_numbers_are_those_of_the_test_set(runs, monkeypatch):  # noqa: F811
    run, views = whole(runs), []
    monkeypatch.setattr(lab_test, "view_tools", lambda _, view, **__: views.append(view))
    app = opened(run, "Test", members_of(run))
    app.button(key="ensembles_reveal").click().run()
    (look,), scored, y = looks.looks(run), score_networks(run), run.targets("test")
    probs = looks.again(run, look)[[look.members.index(m) for m in members_of(run)]]
    test = ensembles.evaluate(probs, y, "test")
    line = flat(next(row for row in rows_of(app) if "**your ensemble**" in row))
    for text in (f"{100 * test.accuracy:.2f} %", f"{test.nll:.4f}", f"{test.brier:.4f}", f"{test.ece:.4f}"):
        assert text in line
    table = views[-1].table
    seen = revealed.judge(run, scored, look, look.teams)
    place = next(k for k, team in enumerate(look.teams) if team.name == "selected")
    wanted = pd.DataFrame(revealed.outcomes(seen, revealed.differences(seen, y, place)))
    pd.testing.assert_frame_equal(table, wanted)
    pd.testing.assert_frame_equal(pd.DataFrame(executed(views[-1].snippet)), table)
    assert run.reveals() == 1, "the script shows again what was seen"
    mine = table[table.ensemble == "your ensemble"].set_index("metric")
    assert set(mine.index) == set(PAIRED)
    assert mine.gap["nll"] == pytest.approx(mine.val["nll"] - test.nll)
    assert "max-T" in words(app)


def test_the_members_of_the_selected_ensemble_are_no_second_team(runs):  # noqa: F811
    run = whole(runs)
    app = opened(run, "Test", run.ensembles()["selected"]["members"])
    assert "One look would show: your ensemble, single\\_base." in words(app)
    app.button(key="ensembles_reveal").click().run()
    assert "**Look 1" in words(opened(run, "Test", [])), "the same team under its stored name"
    assert run.reveals() == 1


def test_an_imported_network_without_test_predictions_is_a_sentence(runs):  # noqa: F811
    run = whole(runs)
    (run.folder(run.plan()[3]) / "test.npy").unlink()
    app = opened(run, "Test", [run.plan()[3].id])
    assert "your ensemble has no test result: a member was imported without test predictions" in words(app)
    app.button(key="ensembles_reveal").click().run()
    assert not app.error
    assert run.reveals() == 1
    assert "your ensemble" not in "".join(team.name for team in looks.looks(run)[0].teams)
    for training in run.plan():
        (run.folder(training) / "test.npy").unlink(missing_ok=True)
    app = opened(run, "Test", [run.plan()[3].id])
    assert not app.error
    assert "ensembles_reveal" not in keys(app)


def test_corrupted_test_images_are_predicted_without_a_look_and_shown_after_one(runs, reads, monkeypatch):  # noqa: F811
    run, views = whole(runs), []
    monkeypatch.setattr(lab_test_shift, "view_tools", lambda _, view, **__: views.append(view))
    app = opened(run, "Test", members_of(run))
    app.button(key="ensembles_reveal").click().run()
    assert "predictions are not made yet" in " ".join(e.label for e in app.expander)
    command = next(code.value for code in app.code if code.value.startswith("python -m edgenes_core shift"))
    assert command.endswith("--store test")
    assert "test_shift_reveal" not in keys(app)
    predict(run, run.plan(), (1, 3, 5), split="test")
    app.run()
    assert set(reads) == {"test.npy"}
    assert "under 27 conditions" in words(app)
    app.button(key="test_shift_reveal").click().run()
    assert not app.exception
    assert run.reveals() == 2
    first, second = looks.looks(run)
    assert (len(first.conditions), len(second.conditions)) == (0, 27)
    assert "corrupted (27 conditions)" in words(app)
    for metric in ("accuracy", "ece"):
        app.segmented_control(key="choice_test_metric").set_value(metric).run()
        assert not app.exception
    opened(run, "Test", members_of(run))
    assert run.reveals() == 2
    table = views[-1].table
    pd.testing.assert_frame_equal(pd.DataFrame(executed(views[-1].snippet)), table)
    mean = table[(table.corruption == "mean") & (table.metric == "nll") & (table.ensemble == "your ensemble")]
    assert mean.corruptions.tolist() == [9, 9, 9]
    assert np.isfinite(mean[["lo", "hi"]].to_numpy()).all()


def test_a_reference_that_is_not_there_leaves_the_last_team_as_one(runs):  # noqa: F811
    run = whole(runs)
    for file in (run.path / "ensembles").glob("*.json"):
        file.unlink()
    app = opened(run, "Test", members_of(run))
    app.button(key="ensembles_reveal").click().run()
    assert not app.exception
    assert not app.error
    assert len(looks.looks(run)[0].teams) == 1
