"""The picture of a map: every cell once and clickable, parts told apart by shape, nothing that needs more cells than there are."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core.cell_distances import MappedCell
from edgenes_core.cell_map import CellMap
from edgenes_core.figures import maps
from edgenes_core.figures.map_parts import PARTS, RINGS, Marks, covered_numbers, hover_texts, marker_sizes
from edgenes_core.space import SearchSpace

SPACE = SearchSpace()
PLACES = {"spread": 1.0, "all in one place": 0.0}


def shown(
    count: int, on_path: int = 3, spread: float = 1.0, roles: tuple[str, ...] = ("path", "pool", "base")
) -> CellMap:
    """A map of `count` cells: the first few on the path, of these roles in turn, the last of them α*; the rest random."""
    rng = np.random.default_rng(1)
    cells: dict[str, MappedCell] = {}
    while len(cells) < count:
        i, architecture = len(cells), SPACE.sample(rng)
        role = "random" if i >= on_path else roles[-1] if i == min(on_path, count) - 1 else roles[i % (len(roles) - 1)]
        lam = None if i >= on_path else 4.0 * i / max(1, on_path - 1)
        cells.setdefault(architecture.key, MappedCell(architecture, role, int(rng.integers(5)), lam, 1 + i % 3))
    xy = spread * rng.normal(size=(count, 2))
    path, members = tuple(range(min(on_path, count))), frozenset(list(cells)[:2])
    return CellMap("edits", "mds", tuple(cells.values()), xy, path, members, 4, 5, 0.8, 0.9)


def clickable(fig: go.Figure) -> list[str]:
    return [key for trace in fig.data for key in (() if trace.customdata is None else trace.customdata)]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("spread", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize(("count", "on_path"), [(0, 0), (1, 1), (1, 0), (2, 2), (40, 3), (300, 0), (300, 120)])
def test_any_map_draws_and_each_cell_can_be_clicked_once(count: int, on_path: int, spread: float, dark: bool) -> None:
    info = shown(count, on_path, spread)
    fig = maps.plot_map(info, dark=dark)
    assert sorted(clickable(fig)) == sorted(info.keys)
    assert any("No cell" in note.text for note in fig.layout.annotations) == (count == 0)
    assert fig.layout.dragmode is None, "a drag mode of our own would switch clicking off"
    assert fig.layout.yaxis.scaleanchor == "x"


def test_parts_and_rings_differ_by_shape_not_by_colour_alone() -> None:
    symbols = [part.symbol for part in PARTS.values()] + [ring.symbol for ring in RINGS.values()]
    assert len(set(symbols)) == len(symbols)


def test_the_legend_names_what_is_drawn_and_nothing_else() -> None:
    info = shown(40)
    named = {trace.name for trace in maps.plot_map(info, dark=False).data if trace.showlegend is not False}
    assert named == {"λ path 0→Λ", "random cell", "path cell", "candidate", "α*", "member"}
    marks = Marks(frozenset(info.keys[:1]), info.keys[5])
    named = {trace.name for trace in maps.plot_map(info, marks, dark=False).data if trace.showlegend is not False}
    assert {"in basket", "pinned B"} <= named


def test_the_path_is_drawn_in_order_of_lambda_with_an_arrow_in_each_step() -> None:
    info = shown(12, 4)._replace(path=(2, 0, 2, 3))
    (line,) = [trace for trace in maps.plot_map(info, dark=False).data if trace.name == "λ path 0→Λ"]
    points = np.column_stack([line.x, line.y])
    assert points[::2] == pytest.approx(info.xy[[2, 0, 2, 3]])
    assert points[1::2] == pytest.approx((points[:-2:2] + points[2::2]) / 2)
    assert list(np.flatnonzero(line.marker.size)) == [1, 3, 5]
    assert line.marker.angleref == "previous"


def test_chosen_cells_are_marked_and_the_others_stay_readable() -> None:
    info = shown(40)
    chosen = {info.keys[0], info.keys[20], "not on this map"}
    fig = maps.plot_map(info, selected=chosen, dark=False)
    marked = [trace.customdata[at] for trace in fig.data for at in (trace.selectedpoints or ())]
    assert set(marked) == chosen - {"not on this map"}
    cells = [trace for trace in fig.data if trace.customdata is not None]
    assert all(trace.selectedpoints is not None for trace in cells), "all others are faded"
    assert all(0.3 <= trace.unselected.marker.opacity < 0.5 for trace in cells)
    for nothing in ((), ("not on this map",)):
        assert all(t.selectedpoints is None for t in maps.plot_map(info, selected=nothing, dark=False).data)


def test_rings_lie_around_their_cells_and_are_no_cells_themselves() -> None:
    info = shown(40)
    marks = Marks(frozenset({info.keys[4]}), info.keys[7], info.keys[9], 1.25)
    drawn = {
        trace.marker.symbol: trace for trace in maps.plot_map(info, marks, dark=True).data if trace.x[0] is not None
    }
    for name, rows in (("member", [0, 1]), ("basket", [4]), ("pin", [7])):
        ring = drawn[RINGS[name].symbol]
        assert np.column_stack([ring.x, ring.y]) == pytest.approx(info.xy[rows])
        assert ring.customdata is None
        assert ring.hoverinfo == "skip"
    words = {note.text for note in maps.plot_map(info, marks, dark=True).layout.annotations}
    assert words == {"α*, λ = Λ", "λ = 0", "<b>B</b>", "you are at λ = 1.25"}


def test_cells_that_cannot_be_told_apart_say_so() -> None:
    info = shown(4, 2, spread=0.0)
    assert all("3 more in this place" in text for text in hover_texts(info, Marks()))
    apart = info._replace(xy=np.arange(8.0).reshape(4, 2))
    assert not any("more in this place" in text for text in hover_texts(apart, Marks()))


def test_of_numbers_in_one_place_only_the_top_one_is_written() -> None:
    info = shown(9, 9, spread=0.0)
    assert len(covered_numbers(info)) == 8
    assert not covered_numbers(info._replace(xy=np.arange(18.0).reshape(9, 2)))
    fig = maps.plot_map(info, dark=False)
    assert sum(text != "" for trace in fig.data if trace.mode == "markers+text" for text in trace.text) <= 1


@given(st.lists(st.integers(1, 10_000), min_size=1))
def test_more_duplicates_are_never_drawn_smaller(counts: list[int]) -> None:
    sizes = marker_sizes(np.array(sorted(counts)), 5)
    assert (np.diff(sizes) >= 0).all()
    assert sizes.min() >= 5
