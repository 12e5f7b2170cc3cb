"""The Trust tab without a browser: numbers are the backend's, scripts make them again, what is not defined says why."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from awkward_runs import AWKWARD
from lab_tabs import executed, flat, opened, snippets_of
from page_runs import rows_of, whole
from sample_runs import CLASSES
from test_pages_explore import runs, words  # noqa: F401 - `runs` is a fixture

from edgenes_core import diversity, ensembles, metrics, selective, storage
from edgenes_core.measures import DIVERSITY
from edgenes_core.run_folder import Run
from edgenes_core.scored import score_networks
from edgenes_core.team import Team, combined
from edgenes_core.temperature import fit_temperature
from edgenes_core.trust import CALIBRATION
from pages.widgets import lab_beside, lab_doubt, lab_trust


def erring(folder: Path) -> Run:
    """A run whose ensembles make mistakes, too."""
    run, rng = whole(folder), np.random.default_rng(7)
    y = run.targets("val")
    for training in run.plan():
        scores = rng.normal(size=(len(y), CLASSES))
        scores[np.arange(len(y)), y] += 1
        probs = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
        storage.write_array(run.folder(training) / "val.npy", probs.astype(np.float32))
    return run


def members_of(run: Run) -> list[str]:
    """Not those of the selected ensemble."""
    return [run.plan()[place].id for place in (0, 1, 3)]


def row(run_rows: list[str], name: str) -> str:
    return next(line for line in run_rows if line.startswith((f"| :small[{name}", f"| :small[**{name}")))


def test_numbers_are_the_backends(runs):  # noqa: F811
    run = erring(runs)
    members, y = members_of(run), run.targets("val")
    app = opened(run, "Trust", members)
    assert not app.error
    said, lines = ensembles.combine(run.val_probabilities(members)), [flat(line) for line in rows_of(app)]
    wanted = (
        ("ECE", metrics.ece(said, y)),
        ("adaptive ECE", metrics.adaptive_ece(said, y)),
        ("confidence − accuracy", metrics.signed_gap(said, y)),
        ("AURC", selective.aurc(said, y)),
        ("NLL", metrics.nll(said, y)),
    )
    for name, value in wanted:
        assert f"{value:.4f}".replace("-", "−") in row(lines, name)
    found = fit_temperature(said, y)
    assert f"T = {found.value:.3f}, fitted on {len(found.fit_rows)} images" in words(app)
    assert f"{found.judged[1].nll:.4f}" in row(lines, f"your ensemble, judged on {len(found.judge_rows)}")
    probs = run.val_probabilities(members)
    for name, value in (("κ", None), ("JSD", None), ("mutual information", diversity.mutual_information(probs))):
        assert value is None or f"{value:.4f}" in row(lines, name)
    total, own, apart = (float(metric.value) for metric in app.metric[-3:])
    assert total == pytest.approx(own + apart, abs=2e-4)
    assert f"n = {len(y)} images, your run" in words(app)


def test_a_temperature_without_errors_says_nothing(runs):  # noqa: F811
    run = whole(runs)
    app = opened(run, "Trust", run.ensembles()["selected"]["members"])
    assert "T = 0.05 is the end of its range" in words(app)


def test_every_measure_of_diversity_is_there_with_its_source(runs):  # noqa: F811
    lines = [flat(line) for line in rows_of(opened(whole(runs), "Trust"))]
    for metric in DIVERSITY.values():
        assert metric.about in row(lines, metric.name)
        assert metric.source in row(lines, metric.name)


def test_one_member_has_no_pairs_and_no_mutual_information(runs):  # noqa: F811
    run = whole(runs)
    app = opened(run, "Trust", members_of(run)[:1])
    assert not app.error
    assert "not defined: one member: there is no pair" in words(app)
    assert "mutual information of a single network is 0 for every image" in words(app)
    app.segmented_control(key="choice_doubt").set_value("apart").run()
    assert not app.exception
    assert "It is 0 for every image, so it tells nothing apart" in words(app)


def test_a_fitted_rule_is_judged_by_what_it_says(runs):  # noqa: F811
    run = whole(runs)
    app = opened(run, "Trust", members_of(run))
    app.segmented_control(key="choice_combine").set_value("geometric").run()
    said = combined(score_networks(run), Team("", tuple(members_of(run)), "geometric"))
    assert f"{metrics.ece(said, run.targets('val')):.4f}" in row([flat(r) for r in rows_of(app)], "ECE")
    assert "that of the plain mean of the members" in words(app)


@pytest.mark.parametrize("basket", [0, 1, 3])
def test_scripts_make_the_tables_again(runs, basket, monkeypatch):  # noqa: F811
    run = whole(runs)
    tables: list[pd.DataFrame] = []
    for module in (lab_trust, lab_doubt):
        monkeypatch.setattr(module, "view_tools", lambda _, view, **__: tables.append((view.snippet, view.table)))
    app = opened(run, "Trust", members_of(run)[:basket] if basket else None)
    assert not app.error
    drawn = tables[-6:]
    assert len({script for script, _ in drawn}) == 6
    for script, table in drawn:
        pd.testing.assert_frame_equal(pd.DataFrame(executed(script)), table)
        assert len(table)


def test_scripts_stand_under_the_charts(runs):  # noqa: F811
    assert len(snippets_of(opened(whole(runs), "Trust"))) >= 6


def test_many_images_wait_for_their_intervals_to_be_asked_for(runs, monkeypatch):  # noqa: F811
    run = whole(runs)
    monkeypatch.setattr(lab_beside, "QUICK", 10)
    app = opened(run, "Trust", members_of(run))
    line = row([flat(r) for r in rows_of(app)], "ECE")
    assert "[" not in line.replace(":small[", "")
    app.button(key="trust_intervals").click().run()
    assert not app.exception
    assert "[" in row([flat(r) for r in rows_of(app)], "ECE").replace(":small[", "")
    app.run()
    assert "trust_intervals" not in [button.key for button in app.button]


def test_a_temperature_that_cannot_be_fitted_is_a_sentence_and_the_rest_stays(runs):  # noqa: F811
    run = whole(runs)
    y = np.arange(5)
    run.save_targets(y, run.targets("test"))
    for training in run.plan():
        storage.write_array(run.folder(training) / "val.npy", np.full((5, 5), 0.2, np.float32))
    app = opened(run, "Trust", members_of(run))
    assert "needs images to fit and others to judge it" in " ".join(e.value for e in app.error)
    assert "Where does its doubt come from?" in words(app)


def test_names_of_all_measures_of_calibration_are_explained(runs):  # noqa: F811
    app = opened(whole(runs), "Trust")
    help_of = next(m.help for m in app.markdown if m.value == "**In numbers**")
    assert help_of.count("Source:") >= len(CALIBRATION) - 1


@pytest.mark.parametrize("tab", ["Trust", "Shift", "Test"])
@pytest.mark.parametrize("kind", AWKWARD)
def test_odd_runs_have_sentences(runs, kind, tab):  # noqa: F811
    opened(AWKWARD[kind](runs), tab)
