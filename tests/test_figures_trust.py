"""Severity as small multiples, and doubt of right and wrong images: every number is drawn once, names and units are said."""

from __future__ import annotations

import numpy as np
import pytest

from edgenes_core.corruptions import TEST_CORRUPTIONS, VALIDATION_CORRUPTIONS
from edgenes_core.figures import severities, uncertainty
from edgenes_core.figures.theme import ROLE_STYLE
from edgenes_core.severity import DRAWN, severity_points
from edgenes_core.trust import doubt_bins

STYLES = {"a": ROLE_STYLE["pool"], "b": ROLE_STYLE["deepens"]}


def points(names: list[str], levels: list[int]) -> list:
    rng, y = np.random.default_rng(0), np.arange(30) % 3
    found = []
    for ensemble in STYLES:
        said = {(name, level): rng.dirichlet(np.ones(3), 30) for name in names for level in levels}
        found += severity_points(ensemble, said, rng.dirichlet(np.ones(3), 30), y)
    return found


@pytest.mark.parametrize("dark", [False, True])
def test_a_panel_for_each_metric_and_corruption_and_their_mean(dark):
    names, levels = list(VALIDATION_CORRUPTIONS), [1, 3, 5]
    listed = points(names, levels)
    fig = severities.plot_severities(listed, STYLES, DRAWN, dark=dark)
    assert len(fig.data) == len(STYLES) * len(DRAWN) * (len(names) + 1)
    assert sum(trace.showlegend for trace in fig.data) == len(STYLES)
    headings = [a.text for a in fig.layout.annotations]
    assert {VALIDATION_CORRUPTIONS[name].title for name in names} | {"<b>mean</b>"} <= set(headings)
    for trace in fig.data:
        assert list(trace.customdata) == [0, *levels]
    first = next(p for p in listed if (p.ensemble, p.metric, p.severity) == ("a", "accuracy", 0))
    assert fig.data[0].y[0] == pytest.approx(100 * first.value)
    bars = [trace for trace in fig.data if trace.error_y.visible is not False]
    assert len(bars) == len(STYLES) * len(DRAWN), "only means have intervals"
    titles = [axis.title.text for axis in fig.select_yaxes() if axis.title.text]
    assert titles == ["accuracy (%) ↑", "NLL (nats) ↓", "ECE ↓"]


def test_many_corruptions_wrap_and_no_prediction_is_a_sentence():
    listed = [p for p in points(list(TEST_CORRUPTIONS), [5]) if p.metric == "nll"]
    fig = severities.plot_severities(listed, STYLES, ["nll"], dark=False)
    assert len(fig.data) == len(STYLES) * (len(TEST_CORRUPTIONS) + 1)
    tops = {round(axis.domain[1], 6) for axis in fig.select_yaxes()}
    assert len(tops) == 2
    lefts = [axis.domain for axis in fig.select_xaxes()]
    assert all(0 <= left < right <= 1 + 1e-9 for left, right in lefts)
    empty = severities.plot_severities([], {}, DRAWN, dark=False)
    assert "No corrupted images" in empty.layout.annotations[-1].text


@pytest.mark.parametrize("wrong", [0, 1, 5])
def test_doubt_is_drawn_as_shares_of_right_and_wrong_images(wrong):
    doubt, errs = np.linspace(0, 1, 20), np.arange(20) < wrong
    fig = uncertainty.plot_doubt(doubt_bins(doubt, errs), "total entropy", dark=True)
    assert [sum(trace.y[:-1]) for trace in fig.data] == pytest.approx([1] * (1 + bool(wrong)))
    assert fig.data[0].name == f"right: {20 - wrong} images"
    assert {trace.line.dash for trace in fig.data} == {"solid", "dash"} if wrong else {"solid"}
