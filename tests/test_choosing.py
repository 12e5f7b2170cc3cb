"""What is chosen on one page is the same on every page: selection, pin, basket, choices, link; undo takes it back."""

from __future__ import annotations

import numpy as np
import pytest
import sample_runs
from page_runs import whole
from test_pages_explore import open_page, runs, words  # noqa: F401 - `runs` is a fixture

from edgenes_core.cell_number import number_of
from edgenes_core.config import SpaceConfig
from edgenes_core.permalink import from_query
from edgenes_core.scored import score_networks
from pages.widgets import link
from pages.widgets.charts import points_in
from pages.widgets.choices import CHOICES
from pages.widgets.history import Chosen


def now(app, run) -> Chosen:
    return app.session_state["histories"][run.id].now


def test_a_link_fills_every_page_and_stays_in_the_address(runs):  # noqa: F811
    run = whole(runs)
    keys = [i.architecture.key for i in run.lambda_path().intervals[:3]]
    member = run.plan()[0].id
    asked = {
        "lam": "1.5",
        "pin": "7",
        "cells": ".".join(keys),
        "basket": member,
        "map_method": "mds",
        "combine": "vote",
    }
    app = open_page("space.py", run, **asked)
    assert not app.warning
    assert now(app, run).selection == tuple(keys)
    assert number_of(run.space, now(app, run).pin) == 7
    assert (now(app, run).basket, now(app, run).rule) == ((member,), "vote")
    assert app.segmented_control(key="choice_map_method").value == "mds"
    for page in ("tradeoff.py", "explore.py", "ensembles.py", "home.py"):
        app.switch_page(page).run()
        assert not app.exception
        assert {name: app.query_params[name] for name in asked} == asked


def test_undo_and_redo_walk_through_what_was_chosen(runs):  # noqa: F811
    run = sample_runs.finished(runs, flat=True)
    app = open_page("explore.py", run)
    assert app.button(key="frame_undo").disabled
    app.button(key="explore_add").click().run()
    first = now(app, run).basket
    app.button(key="explore_add").click().run()
    app.button(key="frame_undo").click().run()
    assert now(app, run).basket == first
    app.button(key="frame_undo").click().run()
    assert now(app, run) == Chosen()
    assert app.button(key="frame_undo").disabled
    app.button(key="frame_redo").click().run()
    assert now(app, run).basket == first


def test_each_run_has_a_selection_of_its_own(runs):  # noqa: F811
    first, second = whole(runs), whole(runs, SpaceConfig(2, "normal+reduce"))
    key = first.lambda_path().intervals[0].architecture.key
    app = open_page("space.py", first, cells=key)
    app.sidebar.selectbox(key="frame_run").set_value(second.id).run()
    assert "cells" not in app.query_params
    app.sidebar.selectbox(key="frame_run").set_value(first.id).run()
    assert now(app, first).selection == (key,)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("cells", "ffffffffffff", "left out"),
        ("pin", "-1", "no cell is pinned"),
        ("map_method", "x", "one of pca"),
        ("seed", "9", "seed 0"),
    ],
)
def test_what_a_link_gets_wrong_is_said_on_the_page(runs, name, text, said):  # noqa: F811
    app = open_page("space.py", whole(runs), **{name: text})
    assert not app.exception
    assert any(said in warning.value for warning in app.warning)


def test_the_selected_cells_scores_are_the_backends(runs):  # noqa: F811
    run = whole(runs)
    base = run.base().architecture
    app = open_page("space.py", run, cells=base.key)
    scored = score_networks(run)
    mine = [100 * e.accuracy for t, e in zip(scored.trainings, scored.single, strict=True) if t.architecture == base]
    row = next(t.value.iloc[0] for t in app.dataframe if "accuracy (%)" in t.value)
    assert row["accuracy (%)"] == f"{np.mean(mine):.2f} ± {np.std(mine, ddof=1):.2f}"
    assert row["seeds"] == len(mine)
    app.button(key="space_selected_basket").click().run()
    assert now(app, run).basket == (base.key,)


def test_a_choice_this_run_cannot_give_is_said_and_not_forgotten(runs):  # noqa: F811
    """The stored run has no UMAP map; another run that is opened next may have one."""
    app = open_page("space.py", whole(runs), map_method="umap")
    assert "UMAP is not to be had here" in words(app)
    assert app.segmented_control(key="choice_map_method").value != "umap"
    assert app.query_params["map_method"] == "umap"


def test_the_full_link_of_a_view_is_that_view(runs):  # noqa: F811
    run = whole(runs)
    keys = tuple(i.architecture.key for i in run.lambda_path().intervals[:2])
    app = open_page("space.py", run, cells=".".join(keys), plane_y="accuracy")
    view, notices = from_query(link.known(run), dict(app.query_params))
    assert notices == ()
    assert view.selection == keys
    assert dict(view.choices)["plane_y"] == "accuracy"


def test_no_choice_is_called_like_another_part_of_a_link():
    parts = {"run", "seed", "lam", "pin", "cells", "basket", "weights", "embed", "embed_options"}
    assert not parts & CHOICES.keys()


@pytest.mark.parametrize(
    ("points", "found"),
    [
        ([], ()),
        ([{"customdata": "a"}, {"customdata": ["b"]}, {"customdata": "a"}], ("a", "b")),
        ([{}, {"customdata": []}, {"customdata": 3}], ()),
    ],
)
def test_chosen_points_are_read_by_id_each_once(points, found):
    assert points_in({"selection": {"points": points}}) == found
