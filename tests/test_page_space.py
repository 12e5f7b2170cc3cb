"""Map of cells without a browser: every distance and method on whole and odd runs, the selection, true neighbours, table and script."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import page_runs
import pytest
from page_runs import first, shown, untrain, whole
from streamlit.testing.v1 import AppTest
from test_pages_explore import open_page, runs, words  # noqa: F401 - `runs` is a fixture

from edgenes_core import storage
from edgenes_core.cell_distances import DISTANCES, cells_of
from edgenes_core.cell_map import METHODS, cell_map, map_table, neighbours
from edgenes_core.cell_number import number_of
from edgenes_core.config import SpaceConfig
from edgenes_core.run_folder import Run

DEMO = Path(__file__).parents[1] / "assets" / "demo"


@pytest.fixture
def demo(monkeypatch, tmp_path) -> Run:
    """The bundled run, open."""
    monkeypatch.setenv("EDGENES_RUNS", str(tmp_path))
    return Run(DEMO)


def answer(app: AppTest, **choices: str) -> AppTest:
    """Answer the page's questions one after the other."""
    for name, value in choices.items():
        app.segmented_control(key=f"choice_{name}").set_value(value).run()
        assert not app.exception, [e.value for e in app.exception]
    return app


def offered(app: AppTest) -> list[str]:
    """The kinds of maps that can be chosen."""
    return list(app.segmented_control(key="choice_map_method").options)


def chart(app: AppTest) -> dict[str, Any]:
    """What the map is drawn from."""
    (found,) = app.get("plotly_chart")
    return json.loads(found.proto.spec)


def places(run: Run, distance: str, method: str) -> dict[str, tuple[float, float]]:
    """Where the backend puts each cell."""
    found = cell_map(run, distance, method)
    return dict(zip(found.keys, map(tuple, found.xy.tolist()), strict=True))


def marked(app: AppTest) -> set[str]:
    """Keys that the map marks."""
    return {t["customdata"][at] for t in chart(app)["data"] if t.get("selectedpoints") for at in t["selectedpoints"]}


def near(app: AppTest) -> Any:
    """The list of true neighbours."""
    (found,) = [frame.value for frame in app.dataframe if "map rank" in frame.value]
    return found


def scripts(app: AppTest) -> list[dict[str, Any]]:
    """What the script on the page leaves in `table`."""
    (code,) = app.code
    found: dict[str, Any] = {}
    exec(compile(code.value, "snippet", "exec"), found)  # noqa: S102 - our own text, run as a user would
    return found["table"]


@pytest.mark.parametrize("distance", DISTANCES)
def test_the_bundled_run_shows_every_map(demo, distance):
    app = answer(open_page("space.py"), map_distance=distance)
    expected = [m.title for name, m in METHODS.items() if (distance, name) != ("disagreement", "pca")]
    assert offered(app) == expected
    for method in METHODS:
        if METHODS[method].title in expected:
            answer(app, map_method=method)
            assert not app.error
            assert not app.warning
            said = words(app)
            assert "trust the list of true neighbours" in said
            assert "Trustworthiness 0." in said
            assert "bundled run" in said
            keys = [key for trace in chart(app)["data"] for key in trace.get("customdata", [])]
            assert sorted(keys) == sorted(row["cell"] for row in map_table(demo, distance, method))
    assert ("Noise floor" in words(app)) == (distance == "disagreement")


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("kind", ["whole", "all λ give α*", "k = 2, two cells"])
def test_every_whole_run_has_a_map_by_every_distance(runs, kind, distance):  # noqa: F811
    run = whole(runs, SpaceConfig(2, "normal+reduce") if "two" in kind else None, "all" in kind)
    app = answer(shown("space.py", run), map_distance=distance)
    assert not app.error
    assert chart(app)["data"]
    assert "UMAP" not in offered(app)
    assert "UMAP needs more than" in words(app) or f"edgenes_core embed {run.id}" in words(app), "the reason is said"
    assert "your run" in words(app)


@pytest.mark.parametrize("distance", DISTANCES)
def test_neighbours_and_their_numbers_are_the_backends(demo, distance):
    app = answer(open_page("space.py"), map_distance=distance)
    key = app.selectbox(key="space_pick").value
    assert key == demo.base().architecture.key, "α* until something is chosen"
    unit, found = DISTANCES[distance], neighbours(demo, distance, key, 5)
    table = near(app)
    assert [text[-6:] for text in table["cell"]] == [n.key[:6] for n in found]
    assert list(table[unit.unit]) == [f"{n.apart * unit.factor:.{unit.digits}f}" for n in found]
    assert [float(text) for text in table[unit.unit]] == sorted(float(text) for text in table[unit.unit])


def test_a_cell_chosen_from_the_list_is_selected_and_marked(runs):  # noqa: F811
    run = whole(runs)
    app = shown("space.py", run)
    assert not marked(app)
    assert "Nothing is selected" in words(app)
    key = run.lambda_path().intervals[0].architecture.key
    app.selectbox(key="space_pick").set_value(key).run()
    assert not app.exception
    assert marked(app) == {key}
    assert "1 selected cell" in words(app)
    assert app.query_params["cells"] == key


def test_a_selection_made_elsewhere_is_marked_and_its_last_cell_described(runs):  # noqa: F811
    run = whole(runs)
    keys = [i.architecture.key for i in run.lambda_path().intervals[:2]]
    app = open_page("space.py", run, cells=".".join(keys))
    assert marked(app) == set(keys)
    assert app.selectbox(key="space_pick").value == keys[-1]


def test_what_is_selected_but_not_on_the_map_is_counted(runs):  # noqa: F811
    run = whole(runs)
    trained = {t.architecture.key for t in run.plan()}
    untrained = next(i.architecture.key for i in run.lambda_path().intervals if i.architecture.key not in trained)
    app = open_page("space.py", run, cells=f"{first(run).architecture.key}.{untrained}")
    assert "are not on this map" not in words(app)
    answer(app, map_distance="disagreement")
    assert "1 of the 2 selected cells are not on this map" in words(app)
    assert app.selectbox(key="space_pick").value == first(run).architecture.key


def test_basket_pin_and_lambda_are_marked(runs):  # noqa: F811
    run = whole(runs)
    pin, here = (run.lambda_path().intervals[at] for at in (1, 2))
    lam = (here.lo + here.hi) / 2
    pinned = str(number_of(run.space, pin.architecture))
    app = open_page("space.py", run, basket=first(run).id, lam=str(lam), pin=pinned)
    assert {"member", "in basket", "pinned B"} <= {trace.get("name") for trace in chart(app)["data"]}
    where = places(run, "edits", "pca")
    notes = {note["text"]: (note["x"], note["y"]) for note in chart(app)["layout"]["annotations"]}
    assert notes["<b>B</b>"] == pytest.approx(where[pin.architecture.key])
    assert notes[f"you are at λ = {lam:.2f}"] == pytest.approx(where[here.architecture.key])
    assert notes["α*, λ = Λ"] == pytest.approx(where[run.base().architecture.key])


def test_a_pinned_cell_that_is_not_on_the_map_is_said(runs):  # noqa: F811
    run = whole(runs)
    stranger = run.space.sample(np.random.default_rng(9))
    assert stranger.key not in cells_of(run, "edits").keys
    app = open_page("space.py", run, pin=str(number_of(run.space, stranger)))
    assert "The pinned cell B is not on this map." in words(app)


def test_a_method_that_another_distance_has_not_is_replaced_and_said(demo):
    app = answer(open_page("space.py"), map_distance="jsd", map_method="umap")
    assert app.segmented_control(key="choice_map_method").value == "umap"
    answer(app, map_method="mds", map_distance="disagreement")
    assert app.segmented_control(key="choice_map_method").value == "mds"
    answer(app, map_distance="edits", map_method="umap")
    run = Run(DEMO)
    assert len(cells_of(run, "disagreement").cells) > 15, "so UMAP by disagreement is stored, too"
    assert "UMAP" in offered(answer(app, map_distance="disagreement"))


@pytest.mark.parametrize("distance", DISTANCES)
def test_table_and_script_are_those_of_the_map(runs, distance):  # noqa: F811
    run = whole(runs)
    app = answer(shown("space.py", run), map_distance=distance, map_method="mds")
    rows = map_table(run, distance, "mds")
    assert scripts(app) == rows
    assert {row["cell"] for row in rows} == set(cells_of(run, distance).keys)


def test_the_bundled_runs_script_gives_the_same_table(demo, monkeypatch):
    monkeypatch.chdir(DEMO.parents[1])
    app = answer(open_page("space.py"), map_distance="jsd", map_method="umap")
    assert scripts(app) == map_table(demo, "jsd", "umap")


@pytest.mark.parametrize("distance", DISTANCES)
def test_a_map_without_its_file_is_one_sentence(runs, distance):  # noqa: F811
    run = whole(runs)
    (run.path / "embedding.npz").write_bytes(b"no zip")
    app = answer(shown("space.py", run), map_distance=distance)
    if distance == "disagreement":
        assert chart(app)["data"], "what networks predict needs no stored map"
    else:
        assert "embedding.npz" in app.error[0].value


def test_without_networks_the_map_of_predictions_says_so_and_the_others_are_drawn(runs):  # noqa: F811
    run = whole(runs)
    untrain(run, 0)
    run.finish_stage("embed", page_runs.Cost(1.0, 0))
    app = shown("space.py", run)
    assert chart(app)["data"]
    answer(app, map_distance="disagreement")
    assert "No cell has been placed" in words(app)
    assert not app.get("plotly_chart")


def test_a_damaged_network_is_named_and_the_others_are_placed(runs):  # noqa: F811
    run = whole(runs)
    file = run.folder(first(run)) / "val.npy"
    storage.write_array(file, np.full_like(storage.read_array(file), np.nan))
    app = answer(shown("space.py", run), map_distance="disagreement")
    assert first(run).id in app.warning[0].value
    keys = [key for trace in chart(app)["data"] for key in trace.get("customdata", [])]
    assert set(keys) == {t.architecture.key for t in run.plan()} - {first(run).architecture.key}
