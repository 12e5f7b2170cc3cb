"""The lab without a browser: page, command line and numpy say the same, and bad input is a sentence."""

from __future__ import annotations

import json

import numpy as np
import pytest
import sample_runs
from page_runs import rows_of, shown, whole
from streamlit.testing.v1 import AppTest
from test_pages_explore import runs, words  # noqa: F401 - `runs` is a fixture

from edgenes_core import storage
from edgenes_core.cli import main
from edgenes_core.combining import COMBINERS
from edgenes_core.run_folder import Run


def ids_of(run: Run) -> list[str]:
    return [training.id for training in run.plan()]


def opened(run: Run, basket: list[str], rule: str = "mean") -> AppTest:
    app = shown("ensembles.py", run)
    app.multiselect(key="ensembles_members").set_value(basket).run()
    return by(app, rule)


def by(app: AppTest, rule: str) -> AppTest:
    """Combine by another rule."""
    app.segmented_control(key="choice_combine").set_value(rule).run()
    assert not app.exception, [e.value for e in app.exception]
    return app


def basket(app: AppTest) -> list[str]:
    return app.multiselect(key="ensembles_members").value


def command(capsys: pytest.CaptureFixture[str], run: Run, *arguments: str) -> dict:
    assert main([arguments[0], str(run.path), *arguments[1:], "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def headline(app: AppTest) -> list[str]:
    return [metric.value for metric in app.metric]


def written(val: dict) -> list[str]:
    return [f"{100 * val['accuracy']:.2f} %", *(f"{val[name]:.4f}" for name in ("nll", "brier", "ece"))]


@pytest.mark.parametrize("rule", COMBINERS)
def test_page_and_command_say_the_same(runs, capsys, rule):  # noqa: F811
    run = whole(runs)
    ids = ids_of(run)[:3]
    app = opened(run, ids, rule)
    weights: list[str] = []
    if rule == "weights":
        app.number_input(key=f"ensembles_part_{ids[0]}").set_value(5).run()
        weights = ["--weights", "5,1,1"]
    val = command(capsys, run, "evaluate", "--keys", ",".join(ids), *(weights or ["--combine", rule]))
    assert headline(app) == written(val)
    assert COMBINERS[rule].formula in words(app)
    assert ("which has not seen it" in words(app)) == COMBINERS[rule].fitted
    beside = [line for line in rows_of(app) if "the same members by mean" in line]
    mean = command(capsys, run, "evaluate", "--keys", ",".join(ids))
    assert bool(beside) == (rule != "mean"), "every other rule stands beside the simple mean"
    assert all(number in line.replace("\u00a0", " ") for line in beside for number in written(mean))


def test_the_headline_is_a_hand_computation(runs):  # noqa: F811
    run = whole(runs)
    ids = ids_of(run)[1:3]
    app = opened(run, ids)
    y, probs = run.targets("val"), run.val_probabilities(ids).astype(float).mean(0)
    right = probs[np.arange(len(y)), y]
    hot = np.eye(sample_runs.CLASSES)[y]
    hits, sure = probs.argmax(1) == y, probs.max(1)
    ece = sum(
        abs((hits[inside] - sure[inside]).sum()) / len(y)
        for k in range(15)
        if (inside := (sure > k / 15) & (sure <= (k + 1) / 15)).any()
    )
    assert headline(app) == [
        f"{100 * hits.mean():.2f} %",
        f"{-np.log(right).mean():.4f}",
        f"{((probs - hot) ** 2).sum(1).mean():.4f}",
        f"{ece:.4f}",
    ]
    selected = run.val_probabilities(run.ensembles()["selected"]["members"]).astype(float).mean(0)
    gap = -np.log(right).mean() + np.log(selected[np.arange(len(y)), y]).mean()
    assert f"{gap:+.4f}".replace("-", "−") in words(app)
    assert f"n = {len(y)} images, your run" in words(app)


def test_weights_are_undone_in_steps_and_never_all_zero(runs):  # noqa: F811
    run = whole(runs)
    ids = ids_of(run)[:2]
    app = opened(run, ids, "weights")
    parts = [f"ensembles_part_{name}" for name in ids]
    app.number_input(key=parts[0]).set_value(0).run()
    before = headline(app)
    app.number_input(key=parts[1]).set_value(0).run()
    assert "must not all be 0" in app.error[0].value
    assert [app.number_input(key=key).value for key in parts] == [0, 1]
    assert headline(app) == before
    app.button(key="frame_undo").click().run()
    assert [app.number_input(key=key).value for key in parts] == [1, 1]
    app.button(key="frame_undo").click().run()
    assert app.segmented_control(key="choice_combine").value == "mean"
    app.button(key="frame_undo").click().run()
    assert basket(app) == []
    for _ in range(3):
        app.button(key="frame_redo").click().run()
    assert headline(app) == before
    app.multiselect(key="ensembles_members").set_value(ids[:1]).run()
    assert "Give at least one member a part" in " ".join(e.value for e in app.error), (
        "only a member of weight 0 is left"
    )
    assert not app.exception


def test_ties_are_marked_and_four_stand_side_by_side(runs):  # noqa: F811
    run = whole(runs)
    ids = ids_of(run)
    app = opened(run, ids[:2])
    app.button(key="ensembles_save").click().run()
    row = next(line for line in rows_of(app) if "**your ensemble**" in line)
    kept = next(line for line in rows_of(app) if "small[A]" in line)
    assert "**" not in kept, "the same team twice cannot be better than itself"
    assert row.count("≈") == kept.count("≈") > 0
    app.session_state["ensembles_measures"] = True
    app.run()
    measures = next(line for line in rows_of(app) if "double fault" in line)
    assert measures.count("|") == 4, "the team and A"
    assert "max-T (simultaneous over all comparisons shown)" in words(app)


def test_the_reference_is_the_users_choice(runs):  # noqa: F811
    run = whole(runs)
    app = opened(run, ids_of(run)[:2])
    assert app.selectbox(key="ensembles_reference").options == ["selected", "single_base", "best network alone"]
    app.selectbox(key="ensembles_reference").set_value("single_base").run()
    assert "minus single\\_base on the same images" in words(app)
    assert "Against single\\_base on" in words(app)
    app.button(key="ensembles_empty").click().run()
    assert "**selected**: 3 networks" in words(app)
    assert app.selectbox(key="ensembles_reference_own").options == ["single_base", "best network alone"]
    assert "minus single\\_base" in words(app), "nothing is compared with itself"


def test_one_member_and_twins_are_named(runs):  # noqa: F811
    run = whole(runs)
    ids = ids_of(run)
    storage.write_array(run.folder(run.plan()[1]) / "val.npy", run.val_probabilities(ids[:1])[0])
    app = opened(run, ids[:1])
    assert "One member: this is a single network" in words(app)
    app.multiselect(key="ensembles_members").set_value(ids[:2]).run()
    assert "predict exactly the same on all images" in words(app)
    base = run.base().architecture.key
    app.multiselect(key="ensembles_members").set_value([name for name in ids if name.startswith(base)]).run()
    assert f"3 are networks of one cell, `{base}`" in words(app)
    assert not app.error


def test_a_member_that_is_not_a_number_is_left_out_of_everything(runs):  # noqa: F811
    run = whole(runs)
    bad = run.plan()[0]
    storage.write_array(run.folder(bad) / "val.npy", np.full((sample_runs.IMAGES, sample_runs.CLASSES), np.nan))
    app = shown("ensembles.py", run)
    assert bad.id not in app.multiselect(key="ensembles_members").options
    assert any(bad.id in warning.value and "NaN" in warning.value for warning in app.warning)
    assert "ensembles of a pool of" in words(app)
    assert not app.error
