"""The Compare tab over seeds, without a browser: the page's numbers are the backend's, and one seed is said to be one seed."""

from __future__ import annotations

import pandas as pd
from lab_tabs import executed, flat, opened, retrain
from page_runs import rows_of, whole
from test_pages_explore import runs, words  # noqa: F401 - `runs` is a fixture

from edgenes_core.repeats import judged_recipe
from edgenes_core.scored import score_networks
from edgenes_core.team import Team
from pages.widgets import lab_beside, lab_compare, lab_recipe


def test_with_one_seed_the_page_speaks_of_these_networks_only(runs):  # noqa: F811
    run = whole(runs)
    app = opened(run, "Compare", [run.plan()[1].id])
    assert "These networks only; seeds = 1." in words(app)
    assert "needs 1 network of the cell" in words(app)
    assert "Only these networks, or the recipe?" not in words(app)


def test_the_recipe_is_judged_over_seeds(runs, monkeypatch):  # noqa: F811
    run, views = whole(runs), []
    retrain(run)
    monkeypatch.setattr(lab_recipe, "view_tools", lambda _, view, **__: views.append(view))
    members = tuple(training.id for training in run.plan()[1:3])
    app = opened(run, "Compare", members)
    assert not app.error
    assert "Only these networks, or the recipe?" in words(app)
    scored = score_networks(run)
    team, selected = Team("your ensemble", members), Team("selected", tuple(run.ensembles()["selected"]["members"]))
    wanted = pd.DataFrame(judged_recipe(scored, team, selected))
    pd.testing.assert_frame_equal(views[-1].table, wanted)
    pd.testing.assert_frame_equal(pd.DataFrame(executed(views[-1].snippet)), wanted)
    lines = [flat(line) for line in rows_of(app)]
    assert any("your ensemble, 3 seeds" in line and "selected, 3 seeds" in line for line in lines)
    nll = wanted[wanted.metric == "nll"].iloc[0]
    shown = next(line for line in lines if f"{nll.value:.4f} ± {nll.sd:.4f}" in line)
    bounds = (f"{abs(value):.4f}" for value in (nll["mean"], nll.lo, nll.hi))
    assert all(number in shown for number in (*bounds, f"{nll.freedom:.0f}", nll.verdict))
    assert "6 networks that are the same" in words(app), "two cells of three seeds are in both"


def test_of_many_images_the_recipe_is_judged_when_asked_for(runs, monkeypatch):  # noqa: F811
    run = whole(runs)
    retrain(run)
    monkeypatch.setattr(lab_beside, "QUICK", 0)
    app = opened(run, "Compare", [run.plan()[1].id])
    assert "degrees of freedom" not in words(app)
    app.button(key="recipe_intervals").click().run()
    assert "degrees of freedom" in words(app)


def test_a_deep_ensemble_that_spends_its_seeds_is_these_networks_only(runs):  # noqa: F811
    run = whole(runs)
    retrain(run)
    base = run.base().architecture.key
    deep = [base, f"{base}-1", f"{base}-2"]
    app = opened(run, "Compare", deep)
    assert "your ensemble, 1 seed" in flat(" ".join(rows_of(app)))
    assert (
        f"Of your ensemble these networks only: a repeat of your ensemble needs 3 networks of the cell `{base}`, and the run has 3."
        in words(app)
    )


def test_every_measure_has_its_interval_at_once_or_when_asked_for(runs, monkeypatch):  # noqa: F811
    run = whole(runs)
    app = opened(run, "Compare", [training.id for training in run.plan()[:2]])
    app.session_state["ensembles_measures"] = True
    app.run()
    rows = [flat(line) for line in rows_of(app)]
    assert all(
        "[" in next(line for line in rows if f"small[{name}" in line)
        for name in ("adaptive ECE", "AURC", "double fault")
    )
    assert "[" not in next(line for line in rows if "small[edges shared by members" in line).replace("small[", "")
    monkeypatch.setattr(lab_compare, "QUICK", 0)
    app.run()
    assert "[" not in next(flat(line) for line in rows_of(app) if "small[AURC" in line).replace("small[", "")
    app.button(key="measures_intervals").click().run()
    assert rows == [flat(line) for line in rows_of(app)]
