"""Map and Trade-off without a browser: whole runs, odd runs, damaged runs; the same runs on Ensembles."""

from __future__ import annotations

import numpy as np
import pytest
import sample_runs
from page_runs import first, shown, untrain, whole
from test_pages_explore import runs, words  # noqa: F401 - `runs` is a fixture

from edgenes_core import storage
from edgenes_core.config import SpaceConfig
from pages.widgets.charts import chosen_in

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
