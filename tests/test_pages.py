"""Map and Trade-off without a browser: whole runs, odd runs, damaged runs; the same runs on Ensembles."""

from __future__ import annotations

import numpy as np
import pytest
import sample_runs
from page_runs import first, shown, untrain, whole
from test_pages_explore import runs, words  # noqa: F401 - `runs` is a fixture

from edgenes_core import storage
from edgenes_core.config import SpaceConfig
from pages.widgets import scores
from pages.widgets.charts import chosen_in
from pages.widgets.plane import diversity_of

PAGES = ["space.py", "tradeoff.py", "ensembles.py"]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("kind", ["whole", "all λ give α*", "k = 2, two cells"])
def test_every_whole_run_is_drawn(runs, page, kind):  # noqa: F811
    run = whole(runs, SpaceConfig(2, "normal+reduce") if "two" in kind else None, "all" in kind)
    app = shown(page, run)
    assert not app.error
    assert not app.warning
    assert app.get("plotly_chart")
    assert "validation images" in words(app) or page == "space.py"
    assert "your run" in words(app), "every number says where it comes from"


@pytest.mark.parametrize("page", PAGES)
def test_a_run_that_has_not_begun_says_what_is_missing(runs, page):  # noqa: F811
    app = shown(page, sample_runs.created(runs))
    assert "Nothing to show yet" in words(app)
    assert not app.get("plotly_chart")


@pytest.mark.parametrize("page", ["tradeoff.py", "ensembles.py"])
@pytest.mark.parametrize("keep", [0, 1])
def test_none_or_one_network(runs, page, keep):  # noqa: F811
    run = whole(runs)
    untrain(run, keep)
    app = shown(page, run)
    assert not app.error
    assert ("Nothing to show yet" in words(app)) == (keep == 0)
    if keep and page == "tradeoff.py":
        assert "One seed each, so no bars." in words(app)


@pytest.mark.parametrize("page", ["tradeoff.py", "ensembles.py"])
@pytest.mark.parametrize("damage", ["nan", "torn", "short", "history"])
def test_a_damaged_network_is_named_and_the_others_are_shown(runs, page, damage):  # noqa: F811
    run = whole(runs)
    folder = run.folder(first(run))
    predictions = storage.read_array(folder / "val.npy")
    if damage == "nan":
        storage.write_array(folder / "val.npy", np.full_like(predictions, np.nan))
    elif damage == "torn":
        (folder / "val.npy").write_bytes((folder / "val.npy").read_bytes()[:70])
    elif damage == "short":
        storage.write_array(folder / "val.npy", predictions[:5])
    else:
        (folder / "history.json").write_text('{"schema": 1, "hist')
    app = shown(page, run)
    assert app.get("plotly_chart")
    named = [w.value for w in app.warning if first(run).id in w.value]
    assert bool(named) == (damage != "history"), "a history that no page here needs does not take the network away"


def test_the_chosen_point_is_described_and_can_be_added(runs):  # noqa: F811
    run = whole(runs)
    app = shown("tradeoff.py", run)
    assert "selected" in words(app), "the selected ensemble is described until something is clicked"
    app.selectbox(key="tradeoff_pick").set_value(first(run).id).run()
    assert f"`{first(run).architecture.key}`" in words(app)
    app.button(key="tradeoff_basket").click().run()
    assert not app.exception
    assert app.button(key="tradeoff_basket").label == "Take out of the basket"


@pytest.mark.parametrize("x", ["shared", "base", "pool"])
@pytest.mark.parametrize("y", ["accuracy", "nll", "brier"])
def test_every_pair_of_axes_draws(runs, x, y):  # noqa: F811
    app = shown("tradeoff.py", whole(runs))
    app.segmented_control(key="tradeoff_x").set_value(x).run()
    app.segmented_control(key="tradeoff_y").set_value(y).run()
    assert not app.exception
    assert not app.error


def test_diversity_of_alpha_star_from_itself_is_zero_and_no_other_is_undefined(runs):  # noqa: F811
    run = whole(runs)
    scored = scores.scored_of(run)
    assert diversity_of(scored, "base")[scored.rows([scored.base.key])[0]] == 0
    for x in ("shared", "base", "pool"):
        assert np.isfinite(diversity_of(scored, x)).all()


def test_the_maps_cell_and_its_neighbours(runs):  # noqa: F811
    run = whole(runs)
    app = shown("space.py", run)
    keys = [i.architecture.key for i in run.lambda_path().intervals]
    app.selectbox(key="space_pick").set_value(keys[0]).run()
    assert not app.exception
    table = app.dataframe[-1].value
    assert list(table["edits"]) == sorted(table["edits"])
    assert "trust the list of true neighbours" in words(app)


def test_a_map_without_its_file_is_one_sentence(runs):  # noqa: F811
    run = whole(runs)
    (run.path / "embedding.npz").write_bytes(b"no zip")
    app = shown("space.py", run)
    assert "embedding.npz" in app.error[0].value


@pytest.mark.parametrize(
    ("points", "found"),
    [
        ([], None),
        ([{"customdata": "a"}], "a"),
        ([{"customdata": ["b"]}], "b"),
        ([{}, {"customdata": "c"}], "c"),
        ([{"customdata": []}], None),
    ],
)
def test_a_click_is_read_by_id(points, found):
    assert chosen_in({"selection": {"points": points}}) == found
