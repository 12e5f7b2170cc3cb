"""The import panel in the sidebar: each kind of file finds its place once, the rest is refused in a sentence and the app goes on."""

from __future__ import annotations

import json
import shutil

import numpy as np
import page_runs
import pytest
import sample_runs
from streamlit.testing.v1 import AppTest
from test_pages_explore import open_page, runs  # noqa: F401 - a fixture
from zips import everything, fitting, npz

from edgenes_core.architecture import shared_edges
from edgenes_core.imported import import_predictions
from edgenes_core.run_folder import Run
from edgenes_core.run_zip import zip_of
from edgenes_core.samples import FORMS, sample_cell, sample_predictions
from pages.widgets import session
from pages.widgets.history import Chosen
from pages.widgets.markdown import plain


def opened(page: str, run: Run | None = None, **query: str) -> AppTest:
    """A page with the import panel open."""
    app = open_page(page, run, **query)
    app.session_state["frame_import"] = True
    return again(app)


def upload(app: AppTest, content: bytes, name: str = "file.json") -> AppTest:
    """Drop a file; the page must not break."""
    app.sidebar.file_uploader(key="import_file").upload(name, content)
    return again(app)


def again(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception, [e.value for e in app.exception]
    return app


def chosen(app: AppTest, run: Run) -> Chosen:
    return app.session_state["histories"][run.id].now


def told(app: AppTest) -> str:
    """What the panel says: one success or one error."""
    (box,) = (*app.sidebar.success, *app.sidebar.error)
    return box.value


def links(app: AppTest) -> list[str]:
    return [link.label for link in app.sidebar.get("page_link")]


@pytest.mark.parametrize("form", FORMS)
def test_a_cell_is_pinned_once(runs, form):  # noqa: F811
    run = sample_runs.finished(runs)
    cell = run.space.sample(np.random.default_rng(5))
    text = cell.to_json() if form == "edgenes" else json.dumps(cell.to_authors())
    before = everything(run.path)
    app = upload(opened("home.py", run), text.encode())
    assert chosen(app, run).pin == cell
    shared = shared_edges(cell, run.base().architecture)
    assert f"Cell {cell.key} is pinned as B: it shares {shared} of 4 edges with α*" in told(app)
    assert "Compare it on Explore" in links(app)
    app.sidebar.button(key="frame_undo").click()
    again(app)
    assert chosen(app, run).pin is None  # not pinned again by the file that still lies there
    assert "is pinned" in told(app)
    assert everything(run.path) == before


def test_predictions_become_a_network_in_the_basket_once(runs):  # noqa: F811
    run = sample_runs.finished(runs)
    plan = run.plan()
    app = upload(opened("ensembles.py", run), npz(**fitting(run)))
    (training,) = run.imported()
    assert chosen(app, run).basket == (training.id,)
    assert f"Network {training.id} is in the basket" in told(app)
    assert f"n = {sample_runs.IMAGES} validation images, from your file" in told(app)
    assert "Combine it on Ensembles" in links(app)
    again(app)
    assert run.trainings() == (*plan, training)
    assert app.sidebar.success
    app.sidebar.file_uploader(key="import_file").set_value(None)
    again(app)
    assert not app.sidebar.success
    upload(app, npz(**fitting(run)))
    assert "already (cell and seed)" in told(app)
    assert run.trainings() == (*plan, training)


def test_a_run_is_stored_and_opened(runs, tmp_path_factory):  # noqa: F811
    run = sample_runs.finished(runs)
    other = sample_runs.finished(tmp_path_factory.mktemp("elsewhere"), seed=3)
    other.update(id="20260101-000000-digits-s3")
    app = upload(opened("explore.py", run, lam="1.5"), zip_of(other))
    assert app.session_state["run"] == "20260101-000000-digits-s3"
    assert app.query_params["run"] == "20260101-000000-digits-s3"
    assert app.sidebar.selectbox(key="frame_run").value == "20260101-000000-digits-s3"
    assert zip_of(Run(runs / "20260101-000000-digits-s3")) == zip_of(other)
    assert "is stored, and open now" in told(app)
    app.sidebar.selectbox(key="frame_run").select(run.id)
    again(app)
    assert app.session_state["run"] == run.id  # the file that still lies there does not open its run again
    assert sorted(f.name for f in runs.iterdir()) == sorted(["20260101-000000-digits-s3", run.id])


def test_without_any_run_a_zip_is_the_way_in(runs, tmp_path_factory):  # noqa: F811
    other = sample_runs.finished(tmp_path_factory.mktemp("elsewhere"))
    app = upload(opened("home.py"), sample_cell(other, "edgenes").encode())
    assert "none is open: import one (.zip)" in told(app)
    upload(app, zip_of(other), "run.zip")
    assert app.session_state["run"] == other.id
    assert not app.main.error


BAD = {
    "nothing": b"",
    "text": b"hello",
    "a picture": b"\x89PNG\r\n\x1a\n",
    "other JSON": b"[1, 2]",
    "another tool's cell": b'{"normal": [["sep_conv_3x3", 0]]}',
    "a torn zip": b"PK\x03\x04 nonsense",
    "an array": b"\x93NUMPY\x01\x00",
    "a cell with k = 2": json.dumps(
        {f"reduce_n{n}_p{p}": "maxpool" for n in (2, 3, 4, 5) for p in range(n)}
        | {f"reduce_n{n}_switch": [0, 1] for n in (2, 3, 4, 5)}
    ).encode(),
}


@pytest.mark.parametrize("kind", BAD)
def test_anything_else_is_refused_and_nothing_changes(runs, kind):  # noqa: F811
    run = sample_runs.finished(runs)
    before = everything(runs)
    app = upload(opened("home.py", run), BAD[kind], "cell.json")
    (error,) = app.sidebar.error
    assert len(error.value) > 20
    assert "\n" not in error.value
    assert not app.main.error
    assert "histories" not in app.session_state or chosen(app, run) == Chosen()
    assert everything(runs) == before


def test_the_bundled_run_stays_as_it_came(runs, monkeypatch, tmp_path_factory):  # noqa: F811
    made = sample_runs.finished(tmp_path_factory.mktemp("made"))
    bundled = Run(shutil.copytree(made.path, tmp_path_factory.mktemp("assets") / "demo"))
    monkeypatch.setattr(session, "DEMO", bundled.path)
    before = everything(bundled.path)
    app = opened("home.py")
    unfit = fitting(bundled) | {"val_y": np.zeros(sample_runs.IMAGES, int)}
    upload(app, npz(**unfit))
    assert "other images or another order" in told(app)
    assert list(runs.iterdir()) == []
    for seed in (3, 4):  # the second finds the copy
        app.query_params.clear()
        app.session_state["run"] = bundled.id
        again(app)
        upload(app, npz(**fitting(bundled) | {"seed": np.array(seed)}))
        copy = Run(runs / made.id)
        assert f"its copy {copy.id} is open now" in told(app)
        assert app.session_state["run"] == copy.id
        assert chosen(app, copy).basket[-1] == copy.imported()[-1].id
    assert [f.name for f in runs.iterdir()] == [copy.id]
    assert [t.seed for t in copy.imported()] == [3, 4]
    assert everything(bundled.path) == before


def test_samples_are_offered_as_far_as_the_run_has_come(runs):  # noqa: F811
    created, finished = sample_runs.created(runs), sample_runs.finished(runs, seed=1)
    for run, possible in ((created, {"Run"}), (finished, {"Run", "Predictions", "Cell", "Cell, authors' form"})):
        app = opened("home.py", run)
        offered = {b.label for b in app.sidebar.get("download_button") if not b.disabled}
        assert offered >= possible
        assert "Predictions" in possible or "Predictions" not in offered


def test_every_sample_comes_back_in(runs):  # noqa: F811
    run = sample_runs.finished(runs)
    app = opened("home.py", run)
    for content in (*(sample_cell(run, form).encode() for form in FORMS), sample_predictions(run)):
        upload(app, content)
        assert not app.sidebar.error
        assert app.sidebar.success
    assert chosen(app, run).pin == run.base().architecture
    assert chosen(app, run).basket == (run.imported()[0].id,)
    upload(app, zip_of(run))
    assert f"open {run.id}" in told(app)


@pytest.mark.parametrize("page", ["home", "explore", "space", "tradeoff", "ensembles", "train"])
def test_every_page_shows_a_run_with_networks_from_elsewhere(runs, page):  # noqa: F811
    run = page_runs.whole(runs)
    import_predictions(run, sample_predictions(run))
    import_predictions(run, npz(**fitting(run) | {"test": None}))
    page_runs.shown(f"{page}.py", run)


def test_a_sentence_that_quotes_a_file_is_no_markdown():
    assert plain("'![x](http://x)' is no *file* of `$a$` <b>") == (
        "'!\\[x\\](http://x)' is no \\*file\\* of \\`\\$a\\$\\` \\<b\\>"
    )
