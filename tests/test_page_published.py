"""The page Published without a browser: its numbers are by_shared's and the table's, its scripts make them again, and without
studies it says what fills it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sample_studies
from lab_tabs import executed, flat
from page_runs import rows_of, whole
from streamlit.testing.v1 import AppTest
from test_pages_explore import open_page, runs, words  # noqa: F401 - `runs` is a fixture

from edgenes_core.cli import parser
from edgenes_core.reported import AREAS, BY_SHARED, RESULTS, SHARED
from edgenes_core.run_folder import Run
from edgenes_core.study import Arm, store
from edgenes_core.study.budget import curves, points
from edgenes_core.study.by_shared import compared, control, farther, networks, strata
from edgenes_core.study.folder import Study
from edgenes_core.study.store import StudyStore
from edgenes_core.study.table import judge, mode_of, rows
from edgenes_core.theory import theorem
from pages.widgets import published_methods, published_parts

ROOT = Path(__file__).parents[1]
TABS = {  # each with the charts it draws, the views under them, and the studies that fill it
    "Farther from α*": (1, 2, ("census",)),
    "λ and shared edges": (1, 1, ("ablations", "methods")),
    "Accuracy and λ": (1, 1, ("methods",)),
    "Hypernetwork or random": (1, 1, ("methods",)),
    "Warming": (1, 1, ("ablations",)),
    "Methods and cost": (0, 2, ("methods",)),
    "Speed": (2, 2, ("methods",)),
    "Theorem": (0, 0, ()),
}
NOTHING = "No stored study measures this yet"


@pytest.fixture
def views(monkeypatch) -> list:
    """Every view that is drawn."""
    found = []
    for module in (published_parts, published_methods):
        monkeypatch.setattr(module, "view_tools", lambda _, view, **__: found.append(view))
    return found


@pytest.fixture
def nothing(tmp_path, monkeypatch) -> None:
    """Without the studies that come with the project."""
    monkeypatch.setattr(store, "BUNDLED", tmp_path / "none")
    monkeypatch.setattr("pages.widgets.studies.BUNDLED", tmp_path / "none")


def opened(tab: str, run: Run | None = None, **query: str) -> AppTest:
    app = open_page("published.py", run, **query)
    app.session_state["published_tab"] = tab
    app.run()
    assert not app.exception, [e.value for e in app.exception]
    assert not app.error, [e.value for e in app.error]
    return app


def study(name: str) -> Study:
    return StudyStore(Path("none")).open(name)


def lines_of(app: AppTest) -> list[str]:
    """Rows of all tables, as they are read."""
    return [re.sub(r":small\[(.*?)\](?= \|)", r"\1", flat(line)).replace("\\", "") for line in rows_of(app)]


def traces(app: AppTest, label: str) -> list[dict]:
    """Of the first chart, in the order of its panels."""
    return [trace for trace in json.loads(app.get("plotly_chart")[0].proto.spec)["data"] if trace.get("name") == label]


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_is_drawn_and_its_scripts_make_its_numbers(runs, views, tab):  # noqa: F811
    app = opened(tab)
    charts, count, _ = TABS[tab]
    assert len(app.get("plotly_chart")) == charts
    assert not app.warning
    assert NOTHING not in words(app)
    shown = views[-count:] if count else []
    for view in shown:
        assert len(view.table)
        assert view.summary
        again = pd.DataFrame(executed(view.snippet))
        pd.testing.assert_frame_equal(again, view.table, check_dtype=False, rtol=1e-12)


def test_slopes_and_strata_are_those_of_by_shared(runs, views):  # noqa: F811
    app, arms = opened("Farther from α*"), ("census", "deviation")
    used = [study(name) for name in ("digits-census", "fashion-census", "digits-methods", "fashion")]
    slopes = [row for each in used for row in farther(each, arms, "accuracy")]
    lines = lines_of(app)[2:]
    assert len(lines) == len(slopes) == 4
    for line, row in zip(lines, slopes, strict=True):
        mean, lo, hi = (f"{100 * value:+.2f}".replace("-", "−") for value in (row.slope, row.lo, row.hi))
        assert f"{mean} [{lo}, {hi}] | {row.p:.3f} | {row.n} | {row.networks}" in line
        assert ("a tie" in line) == row.tie == (row.p > 0.05)
    assert views[-2].table.slope.tolist() == [row.slope for row in slopes]
    worse = sum(not row.tie and row.slope < 0 for row in slopes)
    assert f"Of 4 samples of unchosen cells, {worse} say yes" in words(app)
    for place, trace in enumerate(traces(app, "Census by shared edges")):
        here = strata(used[place], ["census"], "accuracy")
        np.testing.assert_allclose(trace["y"], [100 * row.value for row in here])
        np.testing.assert_allclose(trace["error_y"]["array"], [100 * (row.hi - row.value) for row in here])


def test_another_quality_gives_other_numbers_and_is_in_the_link(runs, views):  # noqa: F811
    run = whole(runs)
    app = opened("Farther from α*", run)
    before = lines_of(app)
    app.segmented_control(key="choice_published_y").set_value("nll").run()
    assert not app.exception
    assert lines_of(app) != before
    assert set(views[-1].table.metric) == {"nll"}
    assert app.query_params["published_y"] in ("nll", ["nll"])
    again = opened("Farther from α*", run, published_y="nll")
    assert lines_of(again) == lines_of(app)


def test_control_by_lambda_is_said_for_the_figure_and_for_ours(runs, views):  # noqa: F811
    app = opened("λ and shared edges")
    said, (published,) = flat(words(app)).replace("\\", ""), traces(app, SHARED.label)
    np.testing.assert_array_equal(published["y"], SHARED.value)
    error = np.abs(np.array(SHARED.value) - np.array(SHARED.x)).mean()
    assert f"Published: shared edges differ from λ by {error:.2f} on average and fall 1 time" in views[-1].summary
    for name in ("digits-ablations", "digits-methods"):
        for row in control(study(name), ("as-is", "swapped", "edgenes")):
            assert f"{row.title}: {row.error:.2f} [{row.lo:.2f}, {row.hi:.2f}]" in views[-1].summary
    assert "cannot be met" in said
    every = [each for name in ("digits-ablations", "digits-methods") for each in networks(study(name), ("as-is", "swapped", "edgenes"))]  # fmt: skip
    assert views[-1].table["shared"].tolist() == [each.shared for each in every]


def test_hypernetwork_and_random_deviations_are_compared_where_both_are(runs, views):  # noqa: F811
    app = opened("Hypernetwork or random")
    said = views[-1].summary
    for each, label in zip(BY_SHARED, ("hypernetwork", "random deviation"), strict=True):
        np.testing.assert_array_equal(traces(app, label)[0]["y"], each.value)
    for name in ("digits-methods", "fashion"):
        for shared, test in compared(study(name), "edgenes", "deviation", "accuracy").items():
            mean = f"{100 * test.mean:+.2f}".replace("-", "−")
            assert f"{shared} shared {mean}" in said
            assert test.n < 2 or f"p = {test.p:.3f}, n = {test.n}" in said


def test_methods_are_those_of_the_table_and_of_the_publications(runs, views):  # noqa: F811
    app = opened("Methods and cost")
    shown = lines_of(app)
    for each in RESULTS:
        assert any(each.method in line and f"{each.accuracy:.1f}" in line and each.source in line for line in shown)
    for name, view in zip(("digits-methods", "fashion"), views[-2:], strict=True):
        here = study(name)
        wanted = rows(here, judge(here, mode_of(here, "pool", "darts_ens")), "darts_ens")
        pd.testing.assert_frame_equal(view.table, pd.DataFrame(wanted))
        for row in wanted:
            if row.metric == "accuracy" and row.arm in published_methods.ARMS:
                assert any(f"{100 * row.value:.2f} ± {100 * row.sd:.2f}" in line and f"--arms {row.arm}" in line for line in shown)  # fmt: skip
    commands = re.findall(r"`python -m edgenes_core ([^`]*)`", "\n".join(shown))
    assert len(commands) == 12
    for command in commands:
        parser().parse_args(command.split())


def test_speed_shows_every_point_and_every_published_area(runs, views):  # noqa: F811
    app = opened("Speed")
    for each in AREAS:
        assert any(each.source in line and f"{each.p:.4f}" in line for line in lines_of(app))
    for name, view in zip(("digits-methods", "fashion"), views[-2:], strict=True):
        found = [each for each in curves(study(name)) if each.arm in ("edgenes", "darts_ens")]
        pd.testing.assert_frame_equal(view.table, pd.DataFrame(points(found)))


def test_the_theorem_is_computed(runs):  # noqa: F811
    (line,) = [line for line in lines_of(opened("Theorem")) if line.startswith("| 3 | 4 |")]
    for lowest in (1, 0):
        found = theorem(3, 4, lowest)
        assert f"{found.closed_form:.3f}" in line
        assert f"{found.ratio:.2f}" in line


@pytest.mark.parametrize("tab", TABS)
def test_without_a_study_a_tab_says_the_command_that_fills_it(runs, nothing, tab):  # noqa: F811
    app = opened(tab)
    said = [line for code in app.code for line in code.value.splitlines()]
    assert said == [f"python -m edgenes_core study {name}" for name in TABS[tab][2]]
    for line in said:
        parser().parse_args(line.split()[3:])
    assert (NOTHING in words(app)) == bool(said)
    assert not app.get("plotly_chart")


@pytest.mark.parametrize("tab", TABS)
def test_a_damaged_study_is_a_sentence(runs, nothing, tab):  # noqa: F811
    made = sample_studies.stored(runs)
    (made.path / "study.json").write_bytes(b"{")
    app = opened(tab)
    assert len([w for w in app.warning if "study.json" in w.value]) == len(app.warning) == 1


OURS = (Arm("edgenes", "edgenes", title="[x](http://evil) `code` **b** <b>"), Arm("darts_ens", "darts_ens"), Arm("deviation", "deviation"), Arm("census", "census"), Arm("as-is", "edgenes"), Arm("no-warming", "edgenes"))  # fmt: skip


@pytest.mark.parametrize("tab", TABS)
def test_a_study_whose_networks_have_no_lambda_or_one_seed_is_shown_as_far_as_it_goes(runs, nothing, tab):  # noqa: F811
    sample_studies.stored(runs, 1, OURS)
    app = opened(tab)
    markdown = "\n".join(element.value for element in (*app.markdown, *app.caption))
    assert "[x](http" not in markdown
    assert not re.search(r"(?<!\\)<b>", markdown)


@pytest.mark.parametrize("tab", [tab for tab, (_, _, names) in TABS.items() if names])
def test_a_damaged_repeat_is_named(runs, nothing, tab):  # noqa: F811
    made = sample_studies.stored(runs, 2, OURS)
    (made.path / "repeats" / "edgenes-s1" / "val.npz").write_bytes(b"{")
    app = opened(tab)
    assert [w.value for w in app.warning if "edgenes-s1" in flat(w.value).replace("\\", "")]
