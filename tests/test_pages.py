"""Map, Trade-off and Ensembles without a browser: whole runs, odd runs, damaged runs; numbers against the backend."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import sample_runs
from streamlit.testing.v1 import AppTest
from test_pages_explore import open_page, runs, words  # noqa: F401 - `runs` is a fixture

from edgenes_core import embeddings, ensembles, storage
from edgenes_core.config import SpaceConfig
from edgenes_core.run_folder import Run
from edgenes_core.run_records import Cost, Training
from pages.widgets import scores
from pages.widgets.charts import chosen_in
from pages.widgets.plane import diversity_of

PAGES = ["space.py", "tradeoff.py", "ensembles.py"]


def whole(root: Path, space: SpaceConfig | None = None, flat: bool = False) -> Run:
    """A finished run with its map."""
    run = sample_runs.finished(root, space, flat)
    cells = list({i.architecture.key: i for i in run.lambda_path().intervals}.values())
    encodings = np.stack([run.space.encode(i.architecture) for i in cells])
    base = run.base().architecture
    run.save_embedding(
        keys=np.array([i.architecture.key for i in cells]),
        architectures=np.array([i.architecture.to_json() for i in cells]),
        role=np.array(["base" if i.architecture == base else "path" for i in cells]),
        lam=np.array([(i.lo + i.hi) / 2 for i in cells]),
        shared=np.array([i.shared for i in cells]),
        count=np.ones(len(cells), int),
        pca=embeddings.pca(encodings),
    )
    run.finish_stage("embed", Cost(1.0, 0))
    return run


def untrain(run: Run, keep: int) -> None:
    """Forget all networks but the first few."""
    for training in run.plan()[keep:]:
        (run.folder(training) / "history.json").unlink()
    run.update(stages={k: v for k, v in run.manifest.stages.items() if k not in ("retrain", "select", "embed")})
    for file in (run.path / "ensembles").glob("*.json"):
        file.unlink()


def rows_of(app: AppTest) -> list[str]:
    """Rows of all static tables."""
    return [line for text in app.markdown for line in text.value.splitlines() if line.startswith("|")]


def first(run: Run) -> Training:
    return run.plan()[0]


def shown(page: str, run: Run) -> AppTest:
    app = open_page(page, run)
    assert not app.exception, [e.value for e in app.exception]
    return app


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


def test_a_damaged_ensemble_is_named(runs):  # noqa: F811
    run = whole(runs)
    (run.path / "ensembles" / "selected.json").write_text('{"schema": 1}')
    assert "'selected'" in shown("ensembles.py", run).warning[0].value


def test_the_table_says_the_backends_numbers(runs):  # noqa: F811
    run = whole(runs)
    members = [t.id for t in run.plan()[:3]]
    app = shown("ensembles.py", run)
    app.multiselect(key="ensembles_members").set_value(members).run()
    wanted = ensembles.evaluate(run.val_probabilities(members), run.targets("val"), "val")
    row = next(line for line in rows_of(app) if "**your ensemble**" in line)
    for text in (
        f"{wanted.accuracy:.2%}".replace("%", " %"),
        f"{wanted.nll:.4f}",
        f"{wanted.brier:.4f}",
        f"{wanted.ece:.4f}",
    ):
        assert text in row
    assert "Basket: 3 networks" in str(
        [e.label for e in app.get("page_link")] + [e.proto.label for e in app.get("page_link")]
    )


def test_an_ensemble_ties_with_itself(runs):  # noqa: F811
    run = whole(runs)
    app = shown("ensembles.py", run)
    app.button(key="ensembles_selected").click().run()
    forest = str(app.get("plotly_chart")[1].proto.spec)
    assert "your ensemble: 0.0000 [0.0000, 0.0000], tie" in forest


def test_members_are_kept_once_and_emptied(runs):  # noqa: F811
    run = whole(runs)
    app = shown("ensembles.py", run)
    for _ in range(2):
        app.button(key="ensembles_choose").click().run()
    chosen = app.multiselect(key="ensembles_members").value
    assert len(chosen) == len(set(chosen)) > 0
    app.button(key="ensembles_empty").click().run()
    assert app.multiselect(key="ensembles_members").value == []


@pytest.mark.parametrize("rule", ["exhaustive", "forward", "greedy"])
def test_the_choice_is_the_backends(runs, rule):  # noqa: F811
    run = whole(runs)
    app = shown("ensembles.py", run)
    app.segmented_control(key="ensembles_rule").set_value(rule).run()
    app.segmented_control(key="ensembles_size").set_value(2).run()
    app.button(key="ensembles_choose").click().run()
    pool = [t.id for t in run.plan() if "pool" in t.roles]
    wanted = ensembles.select(run.val_probabilities(pool), run.targets("val"), pool, 2, rule)
    assert app.multiselect(key="ensembles_members").value == list(dict.fromkeys(wanted.members))


def test_looks_at_the_test_set_are_asked_for_counted_and_shown(runs):  # noqa: F811
    run = whole(runs)
    app = shown("ensembles.py", run)
    assert "**0 looks**" in words(app)
    assert "test images" not in words(app)
    app.button(key="ensembles_reveal").click().run()
    assert run.reveals() == 1
    assert "**1 look**" in words(app)
    members = run.ensembles()["selected"]["members"]
    test = ensembles.evaluate(Run(run.path).reveal(members), run.targets("test"), "test")
    assert f"{test.nll:.4f}" in words(app)
    app.run()
    assert run.reveals() == 2, "drawing again is no look (the second one is this test's own)"
    app.multiselect(key="ensembles_members").set_value([first(run).id]).run()
    assert "test images" not in words(app), "another ensemble hides the result again"


def test_an_ensemble_is_saved_and_comes_back(runs):  # noqa: F811
    run = whole(runs)
    app = shown("ensembles.py", run)
    app.multiselect(key="ensembles_members").set_value([first(run).id]).run()
    for name, error in (("selected", "belongs to"), ("no/slash", "letters, digits"), ("mine", "")):
        app.text_input(key="ensembles_name").set_value(name).run()
        app.button(key="ensembles_save").click().run()
        assert not app.exception
        assert (error in app.error[0].value) if error else not app.error
    assert run.ensembles()["mine"]["members"] == [first(run).id]
    assert "mine" in [
        row.split("|")[1].strip(" :[]").removeprefix("small[") for row in rows_of(shown("ensembles.py", run))
    ]


def test_what_cannot_be_written_is_a_sentence_and_the_page_stays(runs, monkeypatch):  # noqa: F811
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    run = whole(runs)
    (run.path / "ensembles" / "mine.json").mkdir()
    app = shown("ensembles.py", run)
    app.button(key="ensembles_selected").click().run()
    app.text_input(key="ensembles_name").set_value("mine").run()
    app.button(key="ensembles_save").click().run()
    assert "Cannot write" in app.error[0].value
    monkeypatch.setattr(os, "open", refuse)
    app.button(key="ensembles_reveal").click().run()
    assert "Cannot append" in app.error[0].value
    assert "test images" not in words(app), "a look that cannot be counted is not given"
    assert not app.exception


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
