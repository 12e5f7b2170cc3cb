"""The Compare page without a browser: its numbers are those of the command line, its scripts make them again, looks are counted."""

from __future__ import annotations

import csv
import io
import json
import re

import numpy as np
import pandas as pd
import pytest
import sample_studies
from compare_page import TABS, button, no_bundled, opened, turned  # noqa: F401 - `no_bundled` is a fixture
from lab_tabs import executed
from page_runs import rows_of, whole
from sample_studies import ARMS, IMAGES
from test_pages_explore import open_page, runs, words  # noqa: F401 - `runs` is a fixture

from edgenes_core.cli import main
from edgenes_core.records import METRICS as NAMED
from edgenes_core.study import Arm, store
from edgenes_core.study.chosen import Mode
from edgenes_core.study.store import StudyStore
from edgenes_core.study.table import METRICS, judge, rows
from pages.widgets import compare_classes, compare_cost, compare_curves, compare_differences, compare_table

DRAWING = (compare_table, compare_differences, compare_cost, compare_curves, compare_classes)


@pytest.fixture
def views(monkeypatch) -> list:
    """Every view that is drawn."""
    found = []
    for module in DRAWING:
        monkeypatch.setattr(module, "view_tools", lambda _, view, **__: found.append(view))
    return found


def said_by(capsys, *words_: str) -> str:
    capsys.readouterr()  # what was said before
    assert main(["compare", *words_]) == 0
    return capsys.readouterr().out


def test_without_a_study_the_page_says_how_to_make_one(runs):  # noqa: F811
    app = opened()
    assert not app.error
    assert "no study is stored" in words(app)
    assert any(code.value == "python -m edgenes_core study methods --seeds 5" for code in app.code)
    assert button(app, "compare_start")


def test_a_study_without_a_repeat_says_so(runs):  # noqa: F811
    config = sample_studies.stored(runs / "other").config
    study = StudyStore(runs).create("empty", config)
    app = opened()
    assert not app.error
    assert "no repeat of this study is stored" in words(app)
    assert any(code.value == f"python -m edgenes_core study {study.id} --resume --arms darts" for code in app.code)


def test_numbers_are_those_of_the_command_line(runs, capsys, views):  # noqa: F811
    study = sample_studies.stored(runs)
    opened()
    lines = list(csv.DictReader(io.StringIO(said_by(capsys, study.id, "--runs", str(runs), "--csv"))))
    table = views[0].table
    assert len(table) == len(lines) == len(ARMS) * len(METRICS)
    for place, line in enumerate(lines):
        for name in ("value", "sd", "lo", "hi", "difference", "difference_lo", "difference_hi", "seconds", "samples"):
            np.testing.assert_equal(table[name][place], float(line[name]))
        assert (table.arm[place], table.verdict[place]) == (line["arm"], line["verdict"])


def test_the_table_sorts_by_numbers_and_shows_what_they_may_claim(runs):  # noqa: F811
    study = sample_studies.stored(runs, missing=[("random", 2)])
    app = opened()
    shown = app.dataframe[0].value
    seen = judge(study, Mode("pool", 4))
    table = {(row.arm, row.metric): row for row in rows(study, seen, "deepens")}
    for place, arm in enumerate(ARMS):
        for metric in METRICS:
            assert shown[NAMED[metric].name][place] == table[arm.name, metric].value
    assert shown["n"].tolist() == [3, 3, 2, 3, 3]
    assert shown["DEE"].notna().all()
    row = table["random", "nll"]
    assert compare_table.text_of(row, "sd") == f"{row.value:.4f} ± {row.sd:.4f} ▼"
    assert compare_table.text_of(row, "interval") == f"{row.value:.4f} [{row.lo:.4f}, {row.hi:.4f}] ▼"
    assert compare_table.text_of(row._replace(n=1, verdict="tie"), "sd") == f"{row.value:.4f} ≈"
    assert "Random" in words(app).split("NLL worse:")[1].splitlines()[0]
    assert "equal pool: members chosen among the first 4 candidates" in words(app).lower()
    assert f"n = {IMAGES} images" in words(app)
    assert "your study" in words(app)


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("seeds", [1, 3])
def test_every_tab_is_drawn_and_its_scripts_make_its_numbers(runs, views, tab, seeds):  # noqa: F811
    sample_studies.stored(runs, seeds)
    app = opened(tab)
    views.clear()
    app.run()
    assert not app.error
    assert not app.warning
    assert len(app.get("plotly_chart")) == (tab in ("Differences", "Cost", "Budget", "Classes"))
    assert bool(views) == (tab != "Methods")
    for view in views:
        pd.testing.assert_frame_equal(pd.DataFrame(executed(view.snippet)), view.table, check_dtype=False)


def test_another_reference_mode_and_cost(runs, capsys, views):  # noqa: F811
    study = sample_studies.stored(runs)
    app = opened()
    app.selectbox(key="compare_reference").set_value("edgenes").run()
    app.segmented_control(key="choice_compare_mode").set_value("seconds").run()
    assert not app.exception
    data = json.loads(
        said_by(capsys, study.id, "--runs", str(runs), "--json", "--reference", "edgenes", "--mode", "seconds")
    )
    table = views[-2].table
    assert table.value.tolist() == [row["value"] for row in data["rows"]]
    assert "what the dearest repeat of EdgeNES costs" in words(app).replace("\\", "")
    assert set(table[table.arm == "edgenes"].verdict) == {"reference"}
    app.selectbox(key="compare_reference").set_value("random").run()
    app.segmented_control(key="choice_compare_mode").set_value("images").run()
    assert not app.exception
    assert "does not pay for the search and one network of EdgeNES (3 of its seeds)" in words(app)


def test_a_link_opens_the_same_view(runs):  # noqa: F811
    run, first = whole(runs), sample_studies.stored(runs)
    second = sample_studies.stored(runs, 2, ARMS[:2])
    app = opened("Table", run, study=first.id, against="edgenes", compare_spread="interval")
    assert app.selectbox(key="compare_study").value == first.id
    assert app.selectbox(key="compare_reference").value == "edgenes"
    app.selectbox(key="compare_study").set_value(second.id).run()
    assert not app.exception
    assert app.query_params["study"] in (second.id, [second.id])
    assert "against" not in app.query_params
    app = opened("Table", run, study="no-such-study", against="nobody")
    assert "is not here" in words(app)


def test_test_results_are_hidden_until_a_look_that_is_counted_once(runs, capsys, monkeypatch, views):  # noqa: F811
    study, reads, read = sample_studies.stored(runs), [], store.storage.read_arrays
    monkeypatch.setattr("edgenes_core.storage.read_arrays", lambda path: (reads.append(path.name), read(path))[1])
    app = opened()
    app.segmented_control(key="choice_compare_on").set_value("test").run()
    assert "**0 looks**" in words(app)
    assert not app.dataframe
    assert "test.npz" not in reads
    app.button(key="compare_reveal").click().run()
    assert not app.exception
    assert "test.npz" in reads
    assert [look.number for look in study.looks()] == [1]
    assert "Test, n = 120 images, look 1" in words(app)
    for tab in TABS:
        turned(app, tab)
        assert not app.error
    for view in views:
        if "Test" in view.caption:
            pd.testing.assert_frame_equal(pd.DataFrame(executed(view.snippet)), view.table, check_dtype=False)
    table = next(view.table for view in reversed(views) if view.name == "methods" and "Test" in view.caption)
    assert len(study.looks()) == 1, "neither drawing again nor a script is a look"
    data = json.loads(said_by(capsys, study.id, "--runs", str(runs), "--json", "--reveal"))
    assert table.value.tolist() == [row["value"] for row in data["rows"]]
    app.segmented_control(key="choice_compare_mode").set_value("all").run()
    assert button(app, "compare_reveal"), "other members are another look"
    assert app.button(key="compare_reveal").label == "Reveal test (look 3)"


def test_words_from_a_study_are_only_words(runs):  # noqa: F811
    nasty = "[x](http://evil) `code` **b** <b>&lt;"
    sample_studies.stored(runs, 2, (*ARMS[:2], Arm("odd", "deepens", title=nasty)))
    for tab in TABS:
        app = opened(tab)
        markdown = "\n".join(element.value for element in (*app.markdown, *app.caption))
        assert "[x](http" not in markdown
        assert not re.search(r"(?<!\\)<b>", markdown)


def test_one_arm_has_nothing_to_be_compared_with(runs):  # noqa: F811
    sample_studies.stored(runs, 2, ARMS[1:2])
    for tab in TABS:
        app = opened(tab)
        assert not app.error


def test_areas_name_the_methods_that_have_no_budget_in_common(runs):  # noqa: F811
    sample_studies.stored(runs)
    app = opened("Budget")
    app.multiselect(key="compare_arms").set_value(["edgenes", "deepens"]).run()
    assert "has spent all at" in words(app)
    app.multiselect(key="compare_arms").set_value(["random", "deepens10"]).run()
    assert [line for line in rows_of(app) if "Random" in line]
    assert "cannot reach a p below 0.25" in words(app)
    app.multiselect(key="compare_arms").set_value(["darts"]).run()
    assert "has no curve" in words(app)
    app.multiselect(key="compare_arms").set_value([]).run()
    assert not app.error
