"""The plane, its panels and the slope drawn: marks follow the selection, no cell is lost, equal networks are counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core import farther, tradeoff
from edgenes_core.cloud import all_ensembles
from edgenes_core.figures import facets, planes, slopes
from edgenes_core.plane import Axis, PlaneInfo, Point, plane_info
from edgenes_core.run_folder import Run
from edgenes_core.scored import score_networks, stored_ensembles
from edgenes_core.statistics import slope

DEMO = Run(Path(__file__).parents[1] / "assets" / "demo")
SCORED, (STORED, _) = score_networks(DEMO), stored_ensembles(DEMO)
KEYS = list(SCORED.cells())
INFO = tradeoff.plane(SCORED, STORED, "disagreement", "accuracy")
CLOUD = tradeoff.cloud_plane(
    SCORED, all_ensembles(SCORED.probs[SCORED.pool()], SCORED.y, 3), "disagreement", "accuracy"
)
X, Y = Axis("x", "higher"), Axis("y", "lower")


def ids_of(fig: go.Figure, marked: bool = False) -> list[str]:
    """Ids of all points that can be clicked, or of the marked ones only."""
    found = []
    for trace in fig.data:
        if trace.customdata is not None:
            places = trace.selectedpoints if marked else range(len(trace.customdata))
            found += [trace.customdata[i] for i in places or ()]
    return found


@given(st.sets(st.sampled_from(KEYS)))
def test_marked_cells_stand_out_with_every_ensemble_made_of_them_alone(keys: set[str]) -> None:
    fig = planes.plot_plane(INFO, dark=False, marked=tuple(keys), cloud=CLOUD, cloud_name="all")
    both = [*zip(INFO.ids, INFO.cells, strict=True), *zip(CLOUD.ids, CLOUD.cells, strict=True)]
    assert sorted(ids_of(fig)) == sorted(i for i, _ in both)
    assert sorted(ids_of(fig, marked=True)) == sorted(i for i, cells in both if set(cells) <= keys)
    if not keys:
        assert all(trace.selectedpoints is None for trace in fig.data), "no selection dims nothing"


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("x", list(tradeoff.MEASURES))
@pytest.mark.parametrize("against", ["base", "team"])
def test_all_points_and_bars_lie_inside_the_axes(x: str, against: str, dark: bool) -> None:
    info = tradeoff.plane(SCORED, STORED, x, "nll", against)
    fig = planes.plot_plane(info, dark=dark)
    low, high = fig.layout.yaxis.range
    bars = np.nan_to_num(info.sd)
    assert low < (info.y - bars).min()
    assert (info.y + bars).max() < high
    assert "lower is better" in fig.layout.yaxis.title.text
    assert tradeoff.ABOUT[against] in fig.layout.xaxis.title.text
    assert fig.layout.dragmode is None


def test_equal_accuracies_do_not_look_different() -> None:
    """One image more or less is a fifth of the axis at most."""
    _, up = tradeoff.axes(SCORED, "shared", "base", "accuracy")
    points = [Point(f"k{i}", "cell", "pool", (float(i),), (0.98,), False, (f"k{i}",), i) for i in range(4)]
    low, high = planes.plot_plane(plane_info(points, X, up), dark=False).layout.yaxis.range
    assert high - low > 100 * 5 / len(SCORED.y)
    assert (high + low) / 2 == pytest.approx(98)


def test_every_role_has_a_shape_of_its_own() -> None:
    cells = [planes.cell_style(role) for role in ("base", "pool", "random", "deviation", "imported")]
    styles = [*cells, *(planes.ensemble_style(role) for role in ("selected", "user", "deepens"))]
    assert len({style.symbol for style in styles}) == len(styles)


def test_a_title_from_a_file_cannot_become_markup() -> None:
    evil = Point("e", "<a href='x'>here</a>", "selected", (0.1,), (0.1,), True, ("k",), 1)
    fig = planes.plot_plane(plane_info([evil], X, Y), dark=False)
    shown = [fig.layout.annotations[0].text, *(text for t in fig.data if t.hovertext for text in t.hovertext)]
    assert len(shown) == 2
    assert all("&lt;a" in text and "<a" not in text for text in shown)


@pytest.mark.parametrize("dark", [False, True])
def test_every_cell_is_in_one_panel_on_the_same_axes_and_no_ensemble_is(dark: bool) -> None:
    fig = facets.plot_facets(INFO, dark=dark)
    assert sorted(ids_of(fig)) == sorted(KEYS)
    counts = {int(shared) for shared in INFO.shared[~INFO.ensemble]}
    for trace in fig.data:
        if trace.customdata is not None:
            assert len({INFO.shared[INFO.ids.index(i)] for i in trace.customdata}) == 1
    headings = [a.text for a in fig.layout.annotations if "shared</b>" in a.text]
    assert len(headings) == len(counts)
    assert f"<b>4 shared</b><br>1 cell, {len(SCORED.cells()[SCORED.base.key])} networks" in headings
    drawn = fig.layout.to_plotly_json()
    for letter in "xy":
        ranges = {tuple(axis["range"]) for name, axis in drawn.items() if name.startswith(f"{letter}axis")}
        assert len(ranges) == 1
    marked = facets.plot_facets(INFO, dark=dark, marked=(KEYS[0],))
    assert ids_of(marked, marked=True) == [KEYS[0]]


@given(st.lists(st.integers(0, 16), max_size=40))
def test_panels_are_few_and_name_their_counts(counts: list[int]) -> None:
    points = [Point(str(i), "c", "pool", (0.1,), (0.2,), False, (str(i),), n) for i, n in enumerate(counts)]
    fig = facets.plot_facets(plane_info(points, X, Y), dark=False)
    assert sorted(ids_of(fig)) == sorted(p.id for p in points)
    headings = [a.text for a in fig.layout.annotations if "shared</b>" in a.text]
    assert len(headings) == min(6, len(set(counts)))
    assert bool(counts) != any("No network" in a.text for a in fig.layout.annotations)


def slope_info(distance: list[int], quality: list[float], keys: list[str], fitted: bool = True) -> slopes.SlopeInfo:
    x, y = np.array(distance, float), np.array(quality, float)
    found = slope(x, y, np.array(keys)) if fitted else None
    return slopes.SlopeInfo(4, Y, x, y, ("pool",) * len(x), tuple(keys), tuple(keys), found)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2).map(float), st.sampled_from("abc")), max_size=30))
def test_networks_on_one_spot_are_one_mark_with_their_number(listed: list[tuple[int, float, str]]) -> None:
    info = slope_info(*([row[i] for row in listed] for i in range(3)), fitted=False)
    marks = slopes.places(info, "pool")
    assert sum(len(mark.rows) for mark in marks) == len(listed)
    assert len({(mark.x, mark.y) for mark in marks}) == len(marks)
    fig = slopes.plot_slope(info, dark=True, marked=("a",))
    for trace in fig.data:
        assert [text or "×1" for text in trace.text] == [f"×{len(mark.rows)}" for mark in marks]
        chosen = [i for i, key in enumerate(trace.customdata) if "a" in key.split(slopes.SEPARATOR)]
        assert list(trace.selectedpoints or ()) == chosen
    assert bool(listed) != bool(fig.layout.annotations)


@pytest.mark.parametrize("dark", [False, True])
def test_the_line_and_the_points_are_inside_and_a_tie_is_dashed(dark: bool) -> None:
    for cells in farther.CELLS:
        found = farther.distances(SCORED, "accuracy", cells)
        fitted = farther.distance_slope(SCORED, found)
        keys = tuple(SCORED.keys[row] for row in found.rows)
        roles = tuple(SCORED.role(key) for key in keys)
        info = slopes.SlopeInfo(4, INFO.y_axis, found.distance, found.quality, roles, keys, keys, fitted)
        fig = slopes.plot_slope(info, dark=dark)
        low, high = fig.layout.yaxis.range
        assert low < 100 * min(found.quality.min(), fitted.mid.min())
        assert high > 100 * max(found.quality.max(), fitted.mid.max())
        (line,) = [trace for trace in fig.data if trace.name.startswith("fitted line")]
        assert line.line.dash == ("dash" if fitted.tie else "solid")
        assert sum(len(trace.x) for trace in fig.data if trace.customdata is not None) <= len(keys)


def test_an_empty_plane_and_an_empty_cloud_say_so() -> None:
    empty: PlaneInfo = plane_info([], X, Y)
    assert "No network" in planes.plot_plane(empty, dark=True, cloud=empty).layout.annotations[0].text
    assert "No network" in facets.plot_facets(empty, dark=True).layout.annotations[0].text
