"""The Shift tab without a browser: what is stored is drawn, what is missing is offered, nothing of the test set is touched."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import sample_runs
from lab_tabs import executed, flat, opened, predict
from page_runs import rows_of, whole
from test_pages_explore import runs, words  # noqa: F401 - `runs` is a fixture

from edgenes_core import ood, shift_jobs, shift_teams
from edgenes_core.corruptions import TEST_CORRUPTIONS
from edgenes_core.run_folder import Run
from edgenes_core.scored import score_networks
from edgenes_core.severity import DRAWN
from edgenes_core.shift_teams import OWN, told
from edgenes_core.team import Team
from pages.widgets import lab_outside, lab_shift, session

DEMO = Path(__file__).resolve().parents[1] / "assets" / "demo"
ENDLESS = "import time\nwhile True: time.sleep(0.02)"


def members_of(run: Run) -> list[str]:
    """Not those of the selected ensemble."""
    return [run.plan()[place].id for place in (0, 1, 3)]


def wait_for_the_end(run: Run) -> None:
    end = time.monotonic() + 30
    while shift_jobs.is_alive(run):
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def test_without_predictions_it_says_what_is_missing_how_long_it_takes_and_how(runs):  # noqa: F811
    run = whole(runs)
    app = opened(run, "Shift", members_of(run))
    assert not app.error
    plan = shift_jobs.Plan(tuple(members_of(run)), (), ())
    networks = {*members_of(run), *run.ensembles()["selected"]["members"]}
    assert "Nothing is predicted yet for every member of your ensemble" in words(app)
    offered = next(e.label for e in app.expander if "predictions are not made yet" in e.label)
    assert offered.startswith(f"{17 * len(networks)} of {17 * len(networks)} predictions")
    assert "about" in offered
    command = next(code.value for code in app.code if code.value.startswith("python -m edgenes_core shift"))
    assert set(plan.members) <= set(command.split("--keys ")[1].split()[0].split(","))
    assert not [name for name in TEST_CORRUPTIONS if name in command]


def test_the_button_starts_a_process_that_can_be_stopped(runs, monkeypatch):  # noqa: F811
    monkeypatch.setattr(shift_jobs, "COMMAND", (sys.executable, "-c", ENDLESS))
    run = whole(runs)
    app = opened(run, "Shift", members_of(run))
    app.button(key="shift_predict").click().run()
    try:
        assert not app.exception
        assert shift_jobs.is_alive(run)
        assert "shift_predict" not in [button.key for button in app.button], "one process at a time"
        predict(run, run.plan()[:1])
        app.button(key="shift_stop").click().run()
    finally:
        shift_jobs.cancel(run)
    wait_for_the_end(run)
    assert not opened(run, "Shift", members_of(run)).error


def test_curves_and_separations_are_the_backends(runs, monkeypatch):  # noqa: F811
    run = whole(runs)
    predict(run, run.plan())
    views = []
    for module in (lab_shift, lab_outside):
        monkeypatch.setattr(module, "view_tools", lambda _, view, **__: views.append(view))
    app = opened(run, "Shift", members_of(run))
    assert not app.error
    curves, foreign = views[-2:]
    scored, team = score_networks(run), Team("your ensemble", tuple(members_of(run)))
    conditions = shift_teams.common(run, [team])
    mine = pd.DataFrame(shift_teams.points_of(run, scored, team, conditions))
    pd.testing.assert_frame_equal(curves.table[curves.table.ensemble == team.name].reset_index(drop=True), mine)
    assert set(curves.table.metric) == set(DRAWN)
    assert not set(curves.table.corruption) & set(TEST_CORRUPTIONS)
    assert curves.table.severity.unique().tolist() == [0, 1, 5]
    wanted = told(team.name, shift_teams.separations_of(run, scored, team, "noise"))
    assert list(foreign.table[:3].itertuples(index=False, name=None)) == [tuple(w) for w in wanted]
    for view in (curves, foreign):
        pd.testing.assert_frame_equal(pd.DataFrame(executed(view.snippet)), view.table)
    lines = [flat(line) for line in rows_of(app)]
    assert f"{wanted[0].auroc:.3f} [{wanted[0].lo:.3f}, {wanted[0].hi:.3f}]" in " ".join(lines)
    assert f"{curves.table.n[0]} images" in curves.caption
    assert ood.SINGLE in words(app), "the best member is one network"
    app.segmented_control(key="choice_outside").set_value(OWN).run()
    app.segmented_control(key="choice_outside_score").set_value("mutual_information").run()
    assert not app.exception
    assert views[-1].table.foreign[0] == 3 * sample_runs.IMAGES, "three corruptions at their worst"
    pd.testing.assert_frame_equal(pd.DataFrame(executed(views[-1].snippet)), views[-1].table)


def test_a_team_some_of_whose_predictions_are_missing_is_named_and_left_out(runs):  # noqa: F811
    run = whole(runs)
    predict(run, run.plan()[:2])
    (run.path / "ensembles" / "selected.json").unlink()
    app = opened(run, "Shift", members_of(run)[:2])
    assert not app.error
    assert "Not drawn, as some of their predictions are missing: single\\_base" in words(app)
    assert "predictions are not made yet" in " ".join(e.label for e in app.expander)


def test_a_member_named_twice_and_other_rules_are_drawn(runs):  # noqa: F811
    run = whole(runs)
    predict(run, run.plan())
    first, second = members_of(run)[:2]
    entry = {**run.ensembles()["selected"], "members": [first, first, second], "combiner": "vote", "title": "twice"}
    run.save_ensemble("selected", entry)
    app = opened(run, "Shift")
    assert not app.error
    assert "twice, from clean images to severity 5" in words(app)
    assert "Of the plain mean of the members" in words(app)


def test_a_folder_that_cannot_be_written_disables_the_button(runs, monkeypatch):  # noqa: F811
    run = whole(runs)
    monkeypatch.setattr("os.access", lambda *_: False)
    app = opened(run, "Shift", members_of(run))
    assert app.button(key="shift_predict").disabled
    assert "cannot be written" in words(app)


def test_networks_without_weights_are_named(runs):  # noqa: F811
    run = whole(runs)
    (run.folder(run.plan()[0]) / "weights.safetensors").unlink()
    app = opened(run, "Shift", members_of(run))
    assert f"Nothing can be predicted anew for {members_of(run)[0]}" in words(app)
    command = next(code.value for code in app.code if code.value.startswith("python -m edgenes_core shift"))
    assert members_of(run)[0] not in command.split("--keys ")[1].split()[0].split(",")


def test_damaged_predictions_are_a_sentence(runs):  # noqa: F811
    run = whole(runs)
    predict(run, run.plan())
    for file in (run.path / "shift").glob("*/spatter-1.npy"):
        file.write_bytes(b"no array")
    app = opened(run, "Shift", members_of(run))
    assert "is damaged" in app.error[0].value
    assert "Does it know what it does not know?" in words(app)


def test_the_bundled_run_has_curves_at_once_and_may_be_read_only(tmp_path, monkeypatch):
    run = Run(shutil.copytree(DEMO, tmp_path / "demo", ignore=shutil.ignore_patterns("lock", "reveals.jsonl")))
    monkeypatch.setenv("EDGENES_RUNS", str(tmp_path / "none"))
    monkeypatch.setattr(session, "DEMO", run.path)
    for folder in (run.path, run.path / "shift"):
        folder.chmod(0o555)
    try:
        app = opened(run, "Shift")
        assert not app.error
        assert "from clean images to severity 5 (mean of 3 corruptions)" in words(app)
        assert "bundled run" in words(app)
    finally:
        for folder in (run.path, run.path / "shift"):
            folder.chmod(0o755)


@pytest.mark.parametrize("tab", ["Compare", "Members", "Trust", "Images", "Shift"])
def test_no_tab_but_test_reads_the_test_set(runs, tab):  # noqa: F811
    run = whole(runs)
    predict(run, run.plan())
    for training in run.plan():
        (run.folder(training) / "test.npy").unlink()
    app = opened(run, tab, members_of(run))
    assert not app.error, [e.value for e in app.error]
    assert run.reveals() == 0
