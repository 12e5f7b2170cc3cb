"""Charts of methods and of what was published: every method is named once, and every axis can be read as a scale."""

from __future__ import annotations

import numpy as np
import pytest

from edgenes_core.figures import forest
from edgenes_core.figures.beside import Line, Panel, plot_beside
from edgenes_core.figures.labels import CHAR, LINE
from edgenes_core.figures.log_axis import FEWEST, log_axis
from edgenes_core.figures.methods import PLOT, method_style, plot_budgets, plot_costs
from edgenes_core.statistics import Difference
from edgenes_core.study.budget import Curve, common
from edgenes_core.study.plane import CostPoint

STYLES = {name: method_style(k, name) for k, name in enumerate("abcdefghij")}


def curve(arm: str, seed: int, *seconds: float) -> Curve:
    spent = np.array(seconds)
    return Curve(arm, seed, spent, spent * 100, 1 / (1 + spent + seed))


OVERLAPPING = [curve("a", 0, 1, 2, 3), curve("a", 1, 1.5, 2.5, 3.5)]
APART = [curve("b", 0, 1, 2), curve("b", 1, 4, 5)]
SINGLE = [curve("c", 0, 2.0), curve("c", 1, 3.0)]


@pytest.mark.parametrize("cost", ["seconds", "images"])
def test_every_method_is_in_the_legend_once_with_or_without_a_mean(cost):
    found = [*OVERLAPPING, *APART, *SINGLE]
    fig = plot_budgets(found, STYLES, "nll", cost, common(found, cost), dark=False)
    listed = [trace for trace in fig.data if trace.showlegend is not False]
    assert [trace.name for trace in listed] == ["a", "b", "c"]
    assert [trace.line.width for trace in listed] == [3, 1, 1], "a thin line stands for a method without a mean"
    drawn = sum(len(trace.text) for trace in fig.data if trace.text is not None)
    assert drawn == sum(len(each.quality) for each in found)


@pytest.mark.parametrize("seed", range(30))
def test_a_logarithmic_axis_has_ticks_where_something_is_drawn(seed):
    rng = np.random.default_rng(seed)
    low = 10 ** rng.uniform(-3, 7)
    high = low * 10 ** rng.choice([rng.uniform(0.005, 0.1), rng.uniform(0.1, 4)])
    axis = log_axis([low, high])
    inside = [tick for tick in axis["tickvals"] if low <= tick <= high]
    assert len(inside) >= FEWEST
    words = dict(zip(axis["tickvals"], axis["ticktext"], strict=True))
    assert len({words[tick] for tick in inside}) == len(inside), "no two ticks are written alike"


def test_an_axis_of_one_cost_or_of_none_is_an_axis():
    assert 10 in log_axis([12.0])["tickvals"]
    assert log_axis([0.0]) == log_axis([]) == {"type": "log"}


@pytest.mark.parametrize("n", [1, 5])
def test_names_of_methods_that_cost_the_same_do_not_meet(n):
    points = [
        CostPoint(name, f"method {name} of ten", 12 + 0.05 * k, 0.8, 0.025 + 0.0003 * k, 0.004, n, k == 0)
        for k, name in enumerate(STYLES)
    ]
    fig = plot_costs(points, STYLES, "nll", "seconds", dark=False)
    names = fig.layout.annotations
    assert [name.text for name in names] == [point.title for point in points]
    bars = n > 1
    across = np.log10([12 - 0.8 * bars, 12 + 0.45 + 0.8 * bars])
    up = np.array([0.025 - 0.004 * bars, 0.0277 + 0.004 * bars])
    boxes = [
        ((name.x - across[0]) / np.ptp(across) * PLOT.x + name.ax, (name.y - up[0]) / np.ptp(up) * PLOT.y - name.ay)
        for name in names
    ]
    width = CHAR * len(points[0].title)
    for k, (x, y) in enumerate(boxes):
        assert all(abs(x - a) >= width - 1e-6 or abs(y - b) >= LINE - 1e-6 for a, b in boxes[k + 1 :])


@pytest.mark.parametrize("reach", [3e-4, 0.0049, 0.0099, 0.02, 0.3, 1.0])
def test_every_panel_of_a_forest_has_a_tick_beside_zero(reach):
    metrics = ("accuracy", "nll")
    gap = Difference(reach / 2, -reach / 4, reach, 9)
    fig = forest.plot_forest([forest.Compared("x", (gap, gap))], metrics, "y", dark=False)
    for axis, factor in ((fig.layout.xaxis, 100), (fig.layout.xaxis2, 1)):
        assert axis.dtick <= factor * reach < 2 * axis.dtick + 1e-12
        assert axis.tick0 == 0


@pytest.mark.parametrize("words", [1, 4, 30])
def test_names_of_a_forest_fit_their_rows(words):
    gap = Difference(0.1, 0.0, 0.2, 9)
    rows = [forest.Compared(" ".join(["regulariser"] * words), (gap,)) for _ in range(6)]
    fig = forest.plot_forest(rows, ("nll",), "y", dark=False)
    lines = max(text.count("<br>") + 1 for text in fig.layout.yaxis.ticktext)
    assert (fig.layout.height - 140) / len(rows) >= forest.LINE * lines


def lines(label: str, count: int) -> list[Line]:
    nan = (float("nan"),) * 3
    return [
        Line(label, STYLES["a"], (0, 1, 2), (5, 6, 7), (4, 5, 6), (7, 8, 9)),
        Line("bare", STYLES["b"], (0, 1, 2), (1, 2, 3), nan, nan, joined=False),
    ][:count]


@pytest.mark.parametrize("whole", [True, False])
def test_panels_show_every_value_with_its_bar_on_one_scale_of_places(whole):
    panels = [Panel("theirs", "source", "y", lines("both", 2)), Panel("<b>", "n", "y", lines("both", 1))]
    fig = plot_beside(panels, "x", dark=True, whole=whole)
    assert [list(trace.y) for trace in fig.data] == [[5, 6, 7], [1, 2, 3], [5, 6, 7]]
    assert list(fig.data[0].error_y.array) == [2, 2, 2]
    assert list(fig.data[0].error_y.arrayminus) == [1, 1, 1]
    assert fig.data[1].error_y.array is None, "no bar where none is published"
    assert [trace.showlegend for trace in fig.data] == [True, True, False]
    assert fig.layout.xaxis.range == fig.layout.xaxis2.range
    assert fig.layout.xaxis.domain[1] < fig.layout.xaxis2.domain[0]
    assert "<b><b>" not in fig.layout.annotations[1].text
    places = [np.mean([trace.x[k] for trace in fig.data[:2]]) for k in range(3)]
    np.testing.assert_allclose(places, [0, 1, 2], atol=1e-12)


def test_identity_and_nothing():
    fig = plot_beside([Panel("a", "b", "y", lines("one", 1))], "x", dark=False, identity=True)
    assert list(fig.data[0].x) == list(fig.data[0].y)
    assert "Nothing is stored" in plot_beside([], "x", dark=False).layout.annotations[0].text
