"""A classroom changes nothing on disk, whatever is clicked; a read-only disk is sentences, not crashes."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
import sample_runs
from disks import tree, watched
from lab_tabs import predict
from page_runs import shown, whole
from streamlit.testing.v1 import AppTest
from test_pages_explore import FRAME, runs, words  # noqa: F401 - `runs` is a fixture

from edgenes_core import access as rules
from edgenes_core import job_queue, jobs, looks, shift_jobs
from edgenes_core.access import AccessError, Action
from edgenes_core.run_folder import Run
from edgenes_core.scored import score_networks
from edgenes_core.shift_jobs import Plan
from edgenes_core.study.store import BUNDLED
from edgenes_core.team import Team
from pages.widgets import estimate, lab_keep
from pages.widgets.monitor import attempt

OPENED = dict.fromkeys(("frame_import", "frame_link_open", "ensembles_timeline", "ensembles_other"), True)
VIEWS = {
    "home.py": [{}],
    "explore.py": [{}],
    "space.py": [{}],
    "tradeoff.py": [{}],
    "compare.py": [{}],
    "published.py": [{"published_tab": tab} for tab in ("Farther from α*", "Methods and cost")],
    "ensembles.py": [{"ensembles_tab": tab} for tab in ("Compare", "Members", "Trust", "Images", "Shift", "Test")],
    "train.py": [{"train_view": view} for view in ("new", "watch")],
}
WRITERS = {
    "ensembles.py": ("ensembles_save", "ensembles_reveal", "shift_predict", "ensembles_really_mine"),
    "train.py": ("train_launch", "train_measure"),
}


@pytest.fixture
def run(runs) -> Run:  # noqa: F811
    """A finished run with a kept ensemble and a look, and beside it one that waits for its turn."""
    waiting = sample_runs.created(runs)
    (waiting.path / jobs.QUEUED).touch()
    (waiting.path / ".run.json.killed.part").touch()  # of a writer that was killed
    (runs / ".staged-killed").mkdir()
    run = whole(runs)
    ids = [training.id for training in run.plan()]
    run.save_ensemble("mine", {**run.ensembles()["selected"], "title": "mine", "members": ids[:2], "role": "user"})
    looks.look(run, [Team("x", tuple(ids[:1]))])
    predict(run, run.plan()[:1])
    return run


def view_of(page: str, run: Run, state: dict[str, object]) -> AppTest:
    app = shown(page, run)
    for key, value in {**OPENED, **state}.items():
        app.session_state[key] = value
    app.run()
    assert not app.exception, [e.value for e in app.exception]
    return app


def click_everything(page: str, run: Run, state: dict[str, object]) -> set[str]:
    """Each button that is to be had, on a page that is opened anew once a click has changed it."""
    clicked: set[str] = set()
    app = view_of(page, run, state)
    while left := [b for b in app.button if not b.disabled and b.key not in clicked]:
        clicked.add(left[0].key)
        left[0].click().run()
        assert not app.exception, (left[0].key, [e.value for e in app.exception])
        if not any(b.key not in clicked and not b.disabled for b in app.button):
            app = view_of(page, run, state)
    return clicked


@pytest.mark.parametrize("page", VIEWS)
def test_no_button_of_a_classroom_changes_the_disk(runs, run, monkeypatch, page):  # noqa: F811
    monkeypatch.setenv(rules.MODE, "classroom")
    before, clicked = (tree(runs), tree(BUNDLED)), set()
    with watched(runs) as attempts:
        for state in VIEWS[page]:
            clicked |= click_everything(page, run, state)
    assert attempts == []
    assert (tree(runs), tree(BUNDLED)) == before
    assert not clicked & set(WRITERS.get(page, ()))
    assert page != "ensembles.py" or clicked >= {"ensembles_empty", "ensembles_restore_mine", "ensembles_choose"}


@pytest.mark.parametrize("page", ["ensembles.py", "train.py"])
def test_a_read_only_disk_is_sentences(runs, run, monkeypatch, page):  # noqa: F811
    monkeypatch.setattr(estimate, "COMMAND", ("false",))
    states = [state for state in VIEWS[page] if state.get("ensembles_tab") not in ("Members", "Trust", "Images")]
    before, clicked = tree(runs), set()
    with watched(runs, refuse=True) as attempts:
        for state in states:
            clicked |= click_everything(page, run, state)
    assert tree(runs) == before
    assert clicked >= set(WRITERS[page]), "in an open instance all of them are to be had"
    assert any(attempt.startswith(("open", "os.mkdir")) for attempt in attempts), "and they did try"


def test_a_job_cannot_start_on_a_read_only_disk(runs, monkeypatch):  # noqa: F811
    run = sample_runs.created(runs)
    app = shown("train.py", run)
    with watched(runs, refuse=True) as attempts:
        app.button(key="train_resume").click().run()
    assert not app.exception
    assert attempts
    assert not any(attempt.startswith("subprocess") for attempt in attempts)
    assert any("Read-only" in warning.value for warning in app.warning), "the reason is a notice above the page"


def test_the_functions_that_write_refuse_by_themselves(runs, run, monkeypatch):  # noqa: F811
    scored = score_networks(run)
    team, plan = Team("x", scored.ids[:1]), Plan(scored.ids[:1], ("contrast",), (1,))
    calls = {
        Action.KEEP: lambda: lab_keep.keep(run, scored, team, "B"),
        Action.TRAIN: lambda: attempt(Action.TRAIN, job_queue.launch, run),
        Action.PREDICT: lambda: attempt(Action.PREDICT, lambda of: shift_jobs.launch(of, plan), run),
    }
    monkeypatch.setenv(rules.MODE, "classroom")
    before = tree(runs)
    for action, call in calls.items():
        with suppress(AccessError), watched(runs) as attempts:
            call()
        assert attempts == [], action
    assert tree(runs) == before


def test_the_teams_of_a_classroom_are_in_the_timeline_of_their_session(runs, run, monkeypatch):  # noqa: F811
    monkeypatch.setenv(rules.MODE, "classroom")
    app = view_of("ensembles.py", run, {})
    app.multiselect(key="ensembles_members").set_value([run.plan()[0].id]).run()
    app.session_state["ensembles_timeline"] = app.session_state["frame_import"] = True
    app.run()
    assert len(app.dataframe[0].value) == 1
    assert "this session only" in words(app)
    assert "read-only" in words(app)
    assert not app.get("file_uploader")


def test_a_setting_that_cannot_be_read_is_said_and_closes_the_instance(runs, run, monkeypatch):  # noqa: F811
    monkeypatch.setenv(rules.MODE, "clasroom")
    app = shown("train.py", run)
    assert any("EDGENES_MODE is open or classroom, got 'clasroom'" in error.value for error in app.error)
    app.segmented_control(key="train_view").set_value("new").run()
    assert not [b for b in app.button if b.key == "train_launch"]


def test_every_page_is_visited():
    pages = {file.name for file in Path(FRAME).parent.glob("*.py")} - {"frame.py"}
    assert pages == VIEWS.keys()
