"""Trade-off without a browser: what is chosen is described, every view draws on odd runs, tables and scripts agree."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sample_runs
from lab_tabs import executed
from page_runs import first, shown, whole
from streamlit.testing.v1 import AppTest
from test_pages_explore import open_page, runs, words  # noqa: F401 - `runs` is a fixture

from edgenes_core import farther, storage, tradeoff
from edgenes_core.architecture import shared_edges
from edgenes_core.config import SpaceConfig
from edgenes_core.records import METRICS
from edgenes_core.run_folder import Run
from edgenes_core.run_records import Cost, Training
from edgenes_core.scored import score_networks
from pages.widgets import farther as panel
from pages.widgets import plane, session
from pages.widgets.choices import CHOICES

DEMO = Run(Path(__file__).parents[1] / "assets" / "demo")


def answer(app: AppTest, **choices: str) -> AppTest:
    """Answer the page's questions one after the other."""
    for name, value in choices.items():
        app.segmented_control(key=f"choice_{name}").set_value(value).run()
        assert not app.exception, [e.value for e in app.exception]
    return app


def charts(app: AppTest) -> list[str]:
    """What each chart is drawn from, as text."""
    specs = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    return [json.dumps(spec, ensure_ascii=False) for spec in specs]


def drawn_cells(run: Run, cells: int, seeds: int = 1, alike: bool = False) -> Run:
    """The stored networks replaced by random cells of every distance; `alike`: all predict the same."""
    rng, base = np.random.default_rng(5), run.base().architecture
    chosen = [run.space.sample_sharing(base, i % (run.space.lambda_max + 1), rng) for i in range(cells)]
    plan = [
        Training(c, s, ("spread" if s else "pool",), shared_edges(c, base), 0.5)
        for c in dict.fromkeys(chosen)
        for s in range(seeds)
    ]
    run.save_plan(plan)
    for file in (run.path / "ensembles").glob("*.json"):
        file.unlink()
    fixed = sample_runs.probabilities(run.targets("val"), rng)
    for training in plan:
        val = fixed if alike else sample_runs.probabilities(run.targets("val"), rng)
        run.save_network(training, {"w": np.zeros(1, np.float32)}, val, val, {"val_loss": [1.0]})
    return run


def test_the_chosen_point_is_described_selected_and_can_be_added(runs):  # noqa: F811
    run = whole(runs)
    app = shown("tradeoff.py", run)
    assert "selected" in words(app), "the selected ensemble is described until something is clicked"
    assert app.session_state["tradeoff_pick"] == "ensemble:selected"
    key = first(run).architecture.key
    app.selectbox(key="tradeoff_pick").set_value(key).run()
    assert f"`{key}`" in words(app)
    assert "1 selected cell" in words(app)
    app.button(key="tradeoff_basket").click().run()
    assert not app.exception
    assert app.button(key="tradeoff_basket").label == "Take out of the basket"
    app.button(key="tradeoff_selected_clear").click().run()
    assert "Nothing is selected" in words(app)
    assert app.selectbox(key="tradeoff_pick").value == key, "the list keeps what is described"


def test_a_selection_made_elsewhere_is_marked_and_described(runs):  # noqa: F811
    run = whole(runs)
    key = run.plan()[1].architecture.key
    app = open_page("tradeoff.py", run, cells=key)
    assert app.selectbox(key="tradeoff_pick").value == key
    for spec in charts(app):
        assert '"selectedpoints": [' in spec
    members = run.ensembles()["selected"]["members"]
    app = open_page("tradeoff.py", run, cells=".".join(members))
    assert app.selectbox(key="tradeoff_pick").value == "ensemble:selected", "these cells together are an ensemble"


@pytest.mark.parametrize("x", list(CHOICES["plane_x"].options))
def test_every_question_draws(runs, x):  # noqa: F811
    app = answer(shown("tradeoff.py", whole(runs)), plane_x=x, plane_cloud="on", slope_cells="pool")
    for against, about in tradeoff.ABOUT.items():
        for y in CHOICES["plane_y"].options:
            answer(app, plane_against=against, plane_y=y)
            assert not app.error
            assert not app.warning
            plane_spec, slope_spec = charts(app)
            assert METRICS[y].name in plane_spec
            assert METRICS[y].name in slope_spec
            assert about in plane_spec
            assert tradeoff.MEASURES[x].name in plane_spec
            assert "all ensembles of 3 of the pool" in plane_spec
    answer(app, plane_facets="on")
    headings = [note["text"] for note in json.loads(charts(app)[0])["layout"]["annotations"]]
    assert sum("shared</b>" in text for text in headings) > 1
    assert "drawn in the single panel only" in words(app)


def test_all_ensembles_are_counted_and_one_can_fill_the_basket(runs):  # noqa: F811
    run = drawn_cells(whole(runs), 8)
    app = answer(shown("tradeoff.py", run), plane_cloud="on")
    pool = [t.id for t in run.plan() if "pool" in t.roles]
    total = len(pool) * (len(pool) - 1) * (len(pool) - 2) // 6
    assert f"{total} ensembles of 3 of the {len(pool)} in the pool" in words(app)
    assert "optimistic" in words(app)
    pick = app.selectbox(key="tradeoff_pick")
    member_lists = [o for o in pick.options if o.count(" + ") == 2]
    assert member_lists, "the front of all ensembles can be reached without a pointer"
    cloud = plane.cloud_of(run, plane.Asked("disagreement", "base", "nll", False, True))
    point = cloud.ids[cloud.labels.index(member_lists[0])]
    pick.set_value(point).run()
    assert f"One of the {total} ensembles of 3 of the pool" in words(app)
    assert "3 selected cells" in words(app)
    app.button(key="tradeoff_take").click().run()
    assert not app.exception
    assert sorted(app.session_state["histories"][run.id].now.basket) == sorted(plane.cells_behind(cloud, None, point))


@pytest.mark.parametrize(
    "case", ["one cell, 3 seeds", "one network", "all alike", "pool of 1", "k = 2, two cells", "17 cells"]
)
@pytest.mark.parametrize("facets", ["off", "on"])
def test_odd_runs_draw_and_say_what_they_cannot_answer(runs, case, facets):  # noqa: F811
    space = SpaceConfig(2, "normal+reduce") if "two" in case or "17" in case else None
    run = whole(runs, space)
    cells = {"one cell, 3 seeds": 1, "one network": 1, "pool of 1": 1, "17 cells": 34}.get(case, 6)
    drawn_cells(run, cells, seeds=3 if "seeds" in case else 1, alike="alike" in case)
    app = shown("tradeoff.py", run)
    answer(app, plane_cloud="on", plane_facets=facets, plane_y="accuracy", plane_x="shared")
    answer(app, plane_against="team")
    assert not app.error
    assert len(charts(app)) == 2
    if cells == 1:
        assert "No answer:" in words(app)
        assert "nothing to be compared with" in words(app)
        if facets == "off":
            assert "Ensembles of the pool are not drawn: The ensemble's size n lies between 1 and" in words(app)
    elif "alike" in case:
        assert "every network has the same accuracy" in words(app)
    else:
        assert any(said in words(app) for said in ("A tie:", "farther is worse", "farther is better"))


def test_a_hundred_classes(runs, monkeypatch):  # noqa: F811
    monkeypatch.setattr(sample_runs, "CLASSES", 100)
    run = drawn_cells(whole(runs), 8)
    app = answer(shown("tradeoff.py", run), plane_cloud="on", plane_x="jsd", plane_against="team")
    assert not app.error
    assert "56 ensembles of 3 of the 8 in the pool" in words(app)


def test_networks_without_usable_predictions_are_left_out_with_a_sentence(runs):  # noqa: F811
    run = whole(runs)
    for training in run.plan():
        file = run.folder(training) / "val.npy"
        storage.write_array(file, np.full_like(storage.read_array(file), np.nan))
    app = shown("tradeoff.py", run)
    assert len(app.warning) == len(run.plan())
    assert "No network of this run" in charts(app)[0]
    assert "No answer:" in words(app)


def test_without_alpha_star_retrained_only_shared_edges_have_a_place(runs):  # noqa: F811
    run = whole(runs)
    run.save_plan([t for t in run.plan() if t.architecture != run.base().architecture])
    app = shown("tradeoff.py", run)
    assert "No network of this run" in charts(app)[0]
    answer(app, plane_x="shared")
    assert "No network of this run" not in charts(app)[0]
    assert not app.error


@pytest.mark.parametrize("y", ["nll", "accuracy", "brier"])
@pytest.mark.parametrize("cells", farther.CELLS)
def test_the_answer_in_words_is_the_slopes(y, cells):
    scored = score_networks(DEMO)
    info = panel.slope_info(scored, y, cells)
    said, found = panel.in_words(info, y), farther.distance_slope(scored, farther.distances(scored, y, cells))
    assert found[:6] == info.slope[:6]
    assert ("A tie" in said) == found.tie
    if not found.tie:
        assert ("worse" in said) == ((found.slope > 0) == (y != "accuracy"))
    for value in (found.slope, found.lo, found.hi):
        assert panel.signed(y, value) in said
    assert f"n = {found.n} networks of {found.groups} cells" in panel.counted(DEMO, scored, info)


@pytest.mark.parametrize("kind", ["bundled", "made"])
@pytest.mark.parametrize("cloud", [False, True])
def test_the_scripts_make_the_tables_of_the_page(runs, monkeypatch, kind, cloud):  # noqa: F811
    monkeypatch.chdir(DEMO.path.parents[1])
    run = DEMO if kind == "bundled" else whole(runs)
    assert os.environ["EDGENES_RUNS"] == str(runs)
    scored = score_networks(run)
    for x, against, y in (("disagreement", "base", "nll"), ("jsd", "team", "accuracy"), ("shared", "team", "brier")):
        view = plane.view_of(run, plane.Asked(x, against, y, False, cloud))
        pd.testing.assert_frame_equal(pd.DataFrame(executed(view.snippet)), view.table)
        assert len(view.table) > len(scored.cells())
        table = pd.DataFrame(farther.distance_table(scored, farther.distances(scored, y, "pool"), y))
        pd.testing.assert_frame_equal(pd.DataFrame(executed(panel.snippet(run, y, "pool"))), table)


def test_the_summary_names_the_best_cell_and_the_numbers_are_the_tables():
    view = plane.view_of(DEMO, plane.Asked("disagreement", "base", "nll", False, False))
    cells = view.table[view.table["kind"] != "ensemble"]
    assert cells.iloc[0]["what"] in view.summary
    assert f"{cells.iloc[0]['validation NLL (nats)']:.4f}" in view.summary
    assert len(cells) == len(score_networks(DEMO).cells())
    assert (cells["sd over seeds"].isna() == (cells["seeds"] == 1)).all()
    assert session.origin(DEMO) == "bundled run"


def test_a_run_in_the_making_shows_what_it_has(runs):  # noqa: F811
    run = whole(runs)
    keep = run.plan()[:2]
    for training in run.plan()[2:]:
        (run.folder(training) / "history.json").unlink()
    run.finish_stage("retrain", Cost(1.0, 1))
    app = shown("tradeoff.py", run)
    assert not app.error
    assert f"2 cells, {len(keep)} networks" in words(app)
