"""Jobs as the pages show them: the queue, the list in the sidebar, what was trained already, and the form like another run's."""

from __future__ import annotations

import dataclasses
import logging
import os
import sys
import time

import numpy as np
import pytest
import sample_runs
from streamlit.testing.v1 import AppTest
from test_job_queue import HOLDER, clear, end, starts
from test_jobs import wait
from test_pages_explore import open_page, runs, words  # noqa: F401 - `runs` is a fixture

from edgenes_core import job_queue, jobs, launch_options, run_digest
from edgenes_core.config import PRESETS, PipelineConfig
from edgenes_core.launch_options import LaunchOptions
from edgenes_core.run_digest import digest
from edgenes_core.run_folder import Run
from edgenes_core.run_log import recorded
from edgenes_core.runs import RunStore


@pytest.fixture
def holding(runs, monkeypatch):  # noqa: F811
    """Workers that do nothing until they are told to end; afterwards all are."""
    monkeypatch.setattr(jobs, "COMMAND", (sys.executable, "-S", "-c", HOLDER))
    monkeypatch.setattr(run_digest, "source_digest", lambda: "the same")  # also while somebody edits this code
    yield RunStore(runs)
    clear(runs)


def listed(app: AppTest) -> list[str]:
    """The links in the sidebar's list of jobs."""
    links = [link.proto for link in app.sidebar.get("page_link")]
    return [link.label for link in links if "badge" in link.label]


def press(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click().run()
    assert not app.exception, [e.value for e in app.exception]
    return app


def newest(store: RunStore) -> Run:
    return store.list()[0][0]


def test_a_second_run_waits_in_sight_and_can_be_taken_out(holding):
    store = holding
    app = press(open_page("train.py"), "train_launch")
    (first,) = store.list()[0]
    assert listed(app) == [":blue-badge[:material/play_circle: running] digits, seed 0"]
    app.segmented_control(key="train_view").set_value("new").run()
    assert "waits for its turn, at place 1" in words(app)
    app.number_input(key="train_quick_seed").set_value(1).run()
    second = press(app, "train_launch").session_state["run"]
    assert "Place 1 in the queue" in words(app)
    assert listed(app)[1] == ":gray-badge[:material/schedule: place 1] digits, seed 1"
    other = open_page("home.py")  # another session sees the same
    assert listed(other) == listed(app)
    assert [b.label for b in app.button if b.key == "train_cancel"] == ["Cancel"]
    press(app, "train_cancel")
    assert jobs.state(Run(store.root / second)).name == "created"
    assert app.button(key="train_resume").label == "Start"
    end(first)
    assert starts(store.root) == [first.id]


def test_any_page_starts_the_next_when_the_worker_was_killed(holding):
    store = holding
    first, second = (store.create(PipelineConfig(seed=seed)) for seed in range(2))
    job_queue.launch(first)
    job_queue.launch(second)
    (second.path / "queued").rename(second.path / "kept")  # hidden from the thread that waits for the first
    end(first)
    (second.path / "kept").rename(second.path / "queued")
    open_page("home.py")
    wait(lambda: jobs.state(second).name == "running")


def test_where_it_runs_is_kept_with_the_run_and_checked(holding):
    app = open_page("train.py")
    app.number_input(key="train_at_workers").set_value(2)
    app.selectbox(key="train_at_device").set_value("cpu")
    app.text_input(key="train_at_cluster").set_value("not an address").run()
    assert "tcp://HOST:PORT" in app.error[0].value
    assert app.button(key="train_launch").disabled
    app.text_input(key="train_at_cluster").set_value("tcp://127.0.0.1:8786").run()
    press(app, "train_launch")
    run = newest(holding)
    assert launch_options.kept(run.path) == LaunchOptions(2, "cpu", "tcp://127.0.0.1:8786")
    app.segmented_control(key="train_view").set_value("like").run()
    assert app.number_input(key=f"train_like_{run.id}_at_workers").value == 2


def test_what_was_trained_already_is_opened_and_can_be_trained_anyway(holding):
    store = holding
    done = store.create(PRESETS["quick"], digest=digest(PRESETS["quick"]))
    done.update(state="finished")
    app = open_page("train.py")
    app.segmented_control(key="train_view").set_value("new").run()
    press(app, "train_launch")
    assert app.session_state["run"] == done.id
    assert "nothing was started" in app.info[0].value
    assert store.list()[0] == [done]
    press(app, "train_anyway")
    assert not app.info
    again = newest(store)
    assert again != done
    assert again.config == done.config
    assert jobs.state(again).name == "running"


@pytest.mark.parametrize("images", ["digits", "own.npz"])
def test_a_link_restores_the_form_of_a_run(holding, images):
    store, here = holding, holding.root / "own.npz"
    x, y = np.random.default_rng(0).integers(0, 255, (40, 8, 8), np.uint8), np.arange(40) % 2
    np.savez(here, x_train=x, y_train=y, x_test=x, y_test=y)
    config = dataclasses.replace(
        PRESETS["quick"],
        dataset=images if images == "digits" else str(here),
        seed=5,
        preset="custom",
        retrain=dataclasses.replace(PRESETS["quick"].retrain, epochs=3),
    )
    run = store.create(config)
    watching = open_page("train.py", run)
    press(watching, "train_like")
    assert watching.query_params["train"] == "like"
    for app in (watching, open_page("train.py", run, train="like")):
        assert app.number_input(key=f"train_like_{run.id}_retrain_epochs").value == 3
        press(app, "train_launch")
    assert len(store.list()[0]) == 2, "the second launch finds what the first one started"
    launched = newest(store)
    assert launched.config == config
    assert app.session_state["run"] == watching.session_state["run"] == launched.id


def test_a_wrong_view_in_a_link_is_said(runs):  # noqa: F811
    app = open_page("train.py", sample_runs.created(runs), train="everything")
    assert any("train in the link must be one of" in w.value for w in app.warning)


def test_the_list_leaves_out_what_nobody_waits_for(runs):  # noqa: F811
    sample_runs.created(runs)
    old, failed, done = (sample_runs.created(runs) for _ in range(3))
    for run, state, age in ((old, "failed", 2 * 86400), (failed, "failed", 600), (done, "finished", 600)):
        with jobs.hold(run):
            pass
        run.update(state=state)
        os.utime(run.path / "lock", (time.time() - age,) * 2)
    app = open_page("home.py")
    assert listed(app) == [":red-badge[:material/error: failed] digits, seed 0"]
    os.utime(done.path / "lock")  # it ends while somebody looks
    assert len(listed(app.run())) == 2


def test_what_a_run_says_is_shown_as_it_is(runs):  # noqa: F811
    run, said = sample_runs.created(runs), "</pre><script>alert(1)</script> **bold** $x$ :material/home:"
    with recorded(run):
        logging.getLogger("edgenes_core").warning(said)
    (run.path / "log.txt").write_text(f"printed {said}\n")
    app = open_page("train.py", run)
    assert not app.exception
    shown = [block.value for block in app.code]
    assert any("WARNING" in text and said in text for text in shown)
    assert f"printed {said}" in shown
    assert said not in words(app), "in a block of plain text alone"
    assert not [m for m in app.markdown if m.allow_html and "alert(1)" in m.value]
