"""The home and explore pages without a browser: whole runs, odd runs, links, the basket."""

from __future__ import annotations

from pathlib import Path

import pytest
import sample_runs
from streamlit.testing.v1 import AppTest

from edgenes_core import metrics
from edgenes_core.config import SpaceConfig
from edgenes_core.run_folder import Run
from pages.widgets import session

FRAME = str(Path(__file__).parents[1] / "pages" / "frame.py")


@pytest.fixture
def runs(tmp_path, monkeypatch) -> Path:
    """An empty folder of runs, without the bundled one."""
    monkeypatch.setenv("EDGENES_RUNS", str(tmp_path))
    monkeypatch.setattr(session, "DEMO", tmp_path / "no-demo")
    return tmp_path


def open_page(page: str, run: Run | str | None = None, **query: str) -> AppTest:
    app = AppTest.from_file(FRAME, default_timeout=30)
    if run is not None:
        app.query_params["run"] = run if isinstance(run, str) else run.id
    for name, value in query.items():
        app.query_params[name] = value
    if page != "home.py":  # what is opened anyway
        app.switch_page(page)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def words(app: AppTest) -> str:
    """All text of the main area."""
    kinds = (app.title, app.subheader, app.markdown, app.caption, app.info, app.warning, app.error, app.metric)
    return "\n".join(str(getattr(e, "value", "")) + str(getattr(e, "label", "")) for kind in kinds for e in kind)


def scrubber(app: AppTest) -> bool:
    return any(e.proto.component_name == "edgenes_cell_scrubber" for e in app.get("bidi_component"))


@pytest.mark.parametrize("page", ["home.py", "explore.py"])
@pytest.mark.parametrize("kind", ["created", "flat", "two cells", "whole"])
def test_every_run_shows_a_page(runs, page, kind):
    if kind == "created":
        sample_runs.created(runs)
    else:
        sample_runs.finished(runs, SpaceConfig(2, "normal+reduce") if kind == "two cells" else None, kind == "flat")
    app = open_page(page)
    assert not app.exception
    assert not app.error
    if page == "explore.py":
        assert scrubber(app) == (kind != "created")
        assert ("Nothing to show yet" in words(app)) == (kind == "created")


def test_a_fresh_install_says_how_to_make_a_run(runs):
    app = open_page("home.py")
    assert not app.exception
    assert "python -m edgenes\\_core pipeline" in app.error[0].value


@pytest.mark.parametrize(
    "content", ['{"schema": 1, "interv', '{"schema": 1, "lambda_max": 4, "intervals": [], "soft": {}}', "[]"]
)
def test_a_torn_path_is_one_sentence(runs, content):
    run = sample_runs.finished(runs)
    (run.path / "path.json").write_text(content)
    app = open_page("explore.py", run)
    assert not app.exception
    assert "path.json" in app.error[0].value
    assert not open_page("home.py", run).exception


def test_a_damaged_run_is_named_and_not_opened(runs):
    good, bad = sample_runs.finished(runs), sample_runs.created(runs)
    (bad.path / "run.json").write_text("{")
    app = open_page("home.py", bad)
    assert not app.exception
    assert any(bad.id in caption.value for caption in app.sidebar.caption)
    assert app.session_state["run"] == good.id


def test_an_unknown_run_in_the_link_is_said(runs):
    good = sample_runs.finished(runs)
    app = AppTest.from_file(FRAME, default_timeout=30)
    app.query_params["run"] = "../../etc"
    app.run()
    assert not app.exception
    assert "../../etc" in app.warning[0].value
    assert app.session_state["run"] == good.id


@pytest.mark.parametrize(("asked", "shown"), [("99", 4.0), ("-1", 0.0), ("nan", 2.0), ("inf", 2.0), ("x", 2.0)])
def test_lambda_in_the_link_is_checked(runs, asked, shown):
    run = sample_runs.finished(runs)
    app = open_page("explore.py", run, lam=asked)
    assert not app.exception
    assert "Λ = 4" in app.warning[0].value
    assert float(app.query_params["lam"]) == shown


def test_the_numbers_are_those_of_the_path(runs):
    run = sample_runs.finished(runs)
    targets = run.targets("val")
    for lam in (0.0, 0.7, 3.3, 4.0):
        interval = run.lambda_path().at(lam)
        app = open_page("explore.py", run, lam=str(lam))
        assert not app.warning
        assert f"({interval.shared} shared with α*)" in words(app)
        assert f"`{interval.architecture.key}`" in words(app)
        scores = [n for n in run.networks().values() if n.training.architecture == interval.architecture]
        table = app.dataframe[1].value if scores else None
        for row, network in enumerate(scores):
            assert table["accuracy"][row] == f"{100 * metrics.accuracy(network.val, targets):.2f} %"


def test_what_the_browser_sends_is_clamped(runs):
    run = sample_runs.finished(runs)
    app = open_page("explore.py", run)
    for sent, used in ((1.25, 1.25), (1e9, 4.0), (float("nan"), 1.25), ("x", 1.25)):
        app.session_state[f"explore_cell_{run.id}"] = {"lam": sent}
        app.session_state[f"explore_cell_{run.id}_push"] = (9, 1.25)
        app.run()
        assert not app.exception
        assert float(app.query_params["lam"]) == used


def test_basket_refuses_the_same_network_twice(runs):
    run = sample_runs.finished(runs, flat=True)
    app = open_page("explore.py", run)
    for count in (1, 2, 3):
        app.button(key="explore_add").click().run()
        assert len(app.session_state["histories"][run.id].now.basket) == count
    assert len(set(app.session_state["histories"][run.id].now.basket)) == 3
    assert app.button(key="explore_add").disabled


def test_choosing_another_run_changes_every_number(runs):
    first, second = sample_runs.finished(runs, SpaceConfig(2, "normal+reduce")), sample_runs.finished(runs, seed=1)
    app = open_page("explore.py", first, lam="12")
    assert first.lambda_path().at(12).architecture.key in words(app)
    app.sidebar.selectbox(key="frame_run").set_value(second.id).run()
    key = second.lambda_path().at(app.session_state["lams"][second.id]).architecture.key
    assert f"`{key}`" in words(app)
    assert not app.exception
    assert not app.warning, "the old run's λ must not be held against the new run"
