"""Train without a browser: the form is the config's own description, files are checked by header, jobs are started and seen."""

from __future__ import annotations

import dataclasses
import io
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import sample_runs
from page_runs import shown, whole
from streamlit.testing.v1 import AppTest
from test_pages_explore import open_page, runs, words  # noqa: F401 - `runs` is a fixture

from edgenes_core import jobs
from edgenes_core.catalogue import DataError
from edgenes_core.config import PRESETS
from edgenes_core.published import preset
from edgenes_core.records import Event
from edgenes_core.run_folder import Run
from edgenes_core.run_records import Cost
from edgenes_core.runs import RunStore
from pages.widgets import dataset, estimate
from pages.widgets.monitor import EventLog, duration

WORKER = "import sys, pathlib; from edgenes_core import jobs; from edgenes_core.run_folder import Run\n"
WORKER += "run = Run(pathlib.Path(sys.argv[-1]))\nwith jobs.hold(run): run.update(state='finished')"


def new(app: AppTest) -> AppTest:
    app.segmented_control(key="train_view").set_value("new")
    return app.run()


def wait_for(run: Run) -> None:
    end = time.monotonic() + 20
    while jobs.is_alive(run):
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("preset", list(PRESETS))
def test_the_form_starts_at_the_preset_and_gives_it_back(runs, monkeypatch, preset):  # noqa: F811
    monkeypatch.setattr(jobs, "COMMAND", (sys.executable, "-c", WORKER))
    app = open_page("train.py")
    app.segmented_control(key="train_preset").set_value(preset).run()
    assert not app.exception
    assert not app.error
    app.button(key="train_launch").click().run()
    assert not app.exception
    (run,), _ = RunStore(runs).list()
    assert run.config == PRESETS[preset]
    wait_for(run)
    assert jobs.state(run).name == "finished"


def test_a_changed_field_reaches_the_run_and_makes_it_custom(runs, monkeypatch):  # noqa: F811
    monkeypatch.setattr(jobs, "COMMAND", (sys.executable, "-c", WORKER))
    app = open_page("train.py")
    app.number_input(key="train_quick_hypernet_regularizer_tau").set_value(0.9)
    app.number_input(key="train_quick_seed").set_value(7)
    app.run()
    app.button(key="train_launch").click().run()
    (run,), _ = RunStore(runs).list()
    assert run.config.hypernet.regularizer.tau == pytest.approx(0.9)
    assert run.config.seed == 7
    assert run.config.preset == "custom"
    wait_for(run)


def test_every_ranged_field_has_a_widget(runs):  # noqa: F811
    app = open_page("train.py")
    drawn = {w.key for kind in (app.number_input, app.selectbox, app.toggle) for w in kind}

    def keys(config: object, prefix: str) -> set[str]:
        found = set()
        for f in dataclasses.fields(config):
            if "record" in f.metadata:
                found |= keys(getattr(config, f.name), f"{prefix}_{f.name}")
            elif "range" in f.metadata:
                found.add(f"{prefix}_{f.name}")
        return found

    assert keys(PRESETS["quick"], "train_quick") <= drawn


def test_settings_that_do_not_fit_are_a_sentence_and_cannot_be_launched(runs):  # noqa: F811
    app = open_page("train.py")
    app.number_input(key="train_quick_ensemble_size").set_value(9).run()
    assert "must not exceed the pool" in app.error[0].value
    assert app.button(key="train_launch").disabled


def test_a_run_that_was_only_created_can_be_started(runs, monkeypatch):  # noqa: F811
    monkeypatch.setattr(jobs, "COMMAND", (sys.executable, "-c", WORKER))
    run = sample_runs.created(runs)
    app = shown("train.py", run)
    assert "not started" in words(app)
    app.button(key="train_resume").click().run()
    wait_for(run)
    assert not app.exception
    assert jobs.state(run).name == "finished"


def test_a_dead_worker_is_said_and_can_be_resumed(runs):  # noqa: F811
    run = sample_runs.created(runs)
    run.update(state="running")
    app = shown("train.py", run)
    assert "interrupted" in words(app)
    assert app.button(key="train_resume").label == "Resume"


def test_a_finished_run_shows_its_curves_and_no_buttons(runs):  # noqa: F811
    run = whole(runs)
    for step in range(1, 4):
        run.append(Event("darts", step, 3, step, {"train_loss": 1.0 / step}, ((0.5,) * 7,) * 14))
    app = shown("train.py", run)
    app.segmented_control(key="train_view").set_value("watch").run()
    app.segmented_control(key="train_stage").set_value("darts").run()
    assert not app.exception
    assert len(app.get("plotly_chart")) == 2
    assert "at step 3" in words(app)
    assert not [b.key for b in app.button if b.key in ("train_cancel", "train_resume")]


def test_the_memory_of_a_run_is_said_where_it_was_recorded(runs):  # noqa: F811
    run = sample_runs.created(runs)
    run.finish_stage("darts", Cost(1.0, 64))
    assert "GB" not in words(shown("train.py", run)), "runs of earlier versions did not record it"
    run.finish_stage("hypernet", Cost(1.0, 64, peak_memory=1_260_000_000))
    assert "at most 1.3 GB" in words(shown("train.py", run))


def test_an_event_log_reads_on_and_keeps_one_picture_of_each_stage(runs):  # noqa: F811
    run, log = sample_runs.created(runs), EventLog()
    for step in range(3):
        run.append(Event("darts", step, 3, alpha=((float(step),),)))
        assert len(log.read(run)) == step + 1
    run.append(Event("hypernet", 1, 3))
    events = log.read(run)
    assert [bool(e.alpha) for e in events] == [False, False, True, False]
    assert log.offset == (run.path / "events.jsonl").stat().st_size


def npz(**changes: object) -> bytes:
    """A file that can be trained on, with some arrays changed or (None) left out."""
    x, y = np.zeros((10, 8, 8), np.uint8), np.zeros(10, int)
    arrays = {"x_train": x, "y_train": y, "x_test": x[:4], "y_test": y[:4], **changes}
    buffer = io.BytesIO()
    np.savez(buffer, **{name: array for name, array in arrays.items() if array is not None})
    return buffer.getvalue()


def test_an_upload_is_kept_once_under_the_hash_of_its_content(tmp_path):
    file = dataset.stored(npz(), tmp_path)
    assert file.parent == tmp_path / "datasets"
    assert file.read_bytes() == npz()
    assert dataset.stored(npz(), tmp_path) == file


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"not a zip", "not a whole .npz"),
        (npz(y_test=None), "lacks y_test"),
        (npz(x_train=np.zeros((10, 8))), "x_train must be"),
        (npz(x_train=np.zeros((10, 8, 8, 2))), "x_train must be"),
        (npz(y_train=np.zeros(9, int)), "10 whole numbers"),
        (npz(y_train=np.zeros(10)), "whole numbers"),
        (npz(x_test=np.zeros((4, 9, 9))), "one shape"),
        (npz(classes=np.array([{}], dtype=object)), "pickled"),
        (npz()[:300], "not a whole .npz"),
    ],
)
def test_what_cannot_be_trained_on_is_refused_and_not_kept(tmp_path, content, said):
    with pytest.raises(DataError, match=said):
        dataset.stored(content, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_missing_path_is_a_sentence(runs):  # noqa: F811
    app = open_page("train.py")
    app.segmented_control(key="train_data_kind").set_value(".npz file").run()
    app.text_input(key="train_data_path").set_value("/nowhere/x.npz").run()
    assert "Cannot read /nowhere/x.npz" in app.error[0].value
    assert app.button(key="train_launch").disabled


MEASURE = (
    "import sys, json; config = json.load(sys.stdin); assert config['darts']['channels'] < 100, 'too wide'; t = 0.1;"
    "print(json.dumps({'timing': dict(weight_step=t, search_step=t, map_step=t, polish_step=t, report=t, batches=[t], threads=1)}))"
)


@pytest.fixture
def quick_measure(monkeypatch):
    """A measurement that takes no time, and nothing measured before."""
    monkeypatch.setattr(estimate, "COMMAND", (sys.executable, "-c", MEASURE))
    estimate.timings().clear()
    yield
    estimate.timings().clear()


def test_the_time_is_measured_on_request_and_then_follows_the_settings(runs, quick_measure):  # noqa: F811
    app = open_page("train.py")
    assert not app.metric
    app.button(key="train_measure").click().run()
    assert not app.exception
    before = app.metric[0].value
    app.number_input(key="train_quick_darts_steps").set_value(9000).run()  # the same steps, only more of them
    assert app.metric[0].value != before
    app.number_input(key="train_quick_darts_channels").set_value(9).run()  # other steps
    assert not app.metric


def test_a_measurement_that_fails_is_a_sentence_and_the_run_can_be_launched(runs, quick_measure):  # noqa: F811
    app = open_page("train.py")
    app.number_input(key="train_quick_darts_channels").set_value(100).run()
    app.button(key="train_measure").click().run()
    assert "too wide" in app.error[0].value
    assert not app.button(key="train_launch").disabled


def test_the_thesis_can_be_run_as_published(runs, monkeypatch):  # noqa: F811
    monkeypatch.setattr(jobs, "COMMAND", (sys.executable, "-c", WORKER))
    app = open_page("train.py")
    assert not [t for t in app.toggle if t.key == "train_published"]
    app.segmented_control(key="train_preset").set_value("thesis").run()
    app.toggle(key="train_published").set_value(True).run()
    assert not app.exception
    app.button(key="train_launch").click().run()
    (run,), _ = RunStore(runs).list()
    assert run.config == preset("thesis", published=True)
    assert run.config.hypernet.interpolation == "swapped"
    wait_for(run)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "under 1 s"), (59.6, "1 min 0 s"), (80, "1 min 20 s"), (11100, "3 h 5 min")]
)
def test_durations_are_written_for_people(seconds, text):
    assert duration(seconds) == text


def test_uploads_do_not_show_as_runs(runs):  # noqa: F811
    dataset.stored(npz(), Path(runs))
    assert RunStore(runs).list() == ([], [])
