"""The parts figures are made of: labels that do not collide, small drawings, verdicts, one-step construction."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from copy import deepcopy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core.architecture import CELLS
from edgenes_core.bootstrap import Interval
from edgenes_core.figures import build, forest, gaps, labels, theme
from edgenes_core.figures.forest import Compared, verdict
from edgenes_core.figures.gaps import Gap
from edgenes_core.figures.labels import Offset, place
from edgenes_core.figures.thumbnail import WIDTH, cell_thumbnail, label_place
from edgenes_core.optimism import Optimism
from edgenes_core.records import METRICS
from edgenes_core.space import SearchSpace
from edgenes_core.statistics import Difference

AREA = Offset(620, 340)
coordinates = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=6, unique=True)


def boxes(points: np.ndarray, texts: list[str], offsets: list[Offset]) -> list[tuple[float, float, float, float]]:
    """Where the labels stand, in pixels, y downwards."""
    span = np.where(np.ptp(points, axis=0) > 0, np.ptp(points, axis=0), 1.0)
    found = []
    for (x, y), text, offset in zip((points - points.min(0)) / span, texts, offsets, strict=True):
        cx, cy = x * AREA.x + offset.x, (1 - y) * AREA.y + offset.y
        half = labels.CHAR * len(text) / 2
        found.append((cx - half, cy - labels.LINE / 2, cx + half, cy + labels.LINE / 2))
    return found


@given(coordinates)
def test_few_labels_never_cover_each_other(listed: list[tuple[float, float]]) -> None:
    points = np.array(listed)
    texts = [f"ensemble {i}" for i in range(len(points))]
    drawn = boxes(points, texts, place(range(len(points)), texts, points, points, AREA))
    for i, a in enumerate(drawn):
        for b in drawn[i + 1 :]:
            assert a[2] <= b[0] + 1e-6 or b[2] <= a[0] + 1e-6 or a[3] <= b[1] + 1e-6 or b[3] <= a[1] + 1e-6


def test_a_label_keeps_off_the_points_around_it_if_it_can() -> None:
    points = np.array([[0.5, 0.5], [0.0, 0.0], [1.0, 1.0], *((x, 0.5) for x in np.linspace(0.55, 0.8, 9))])
    (offset,) = place([0], ["crowded"], points, points, AREA)
    assert offset.x <= 0 or offset.y != 0


@pytest.mark.parametrize(("k", "cells"), [(1, ("reduce",)), (2, CELLS)])
def test_every_edge_of_a_small_drawing_has_its_own_place(k: int, cells: tuple[str, ...]) -> None:
    space = SearchSpace(inputs_per_node=k, cells=cells)
    for cell in cells:
        places = [label_place(edge) for edge in space.edges if edge.cell == cell]
        assert len(set(places)) == len(places)
        assert all(x < WIDTH for x, _ in places)


@given(st.integers(0, 100), st.booleans())
def test_a_small_drawing_names_every_kept_operation(seed: int, dark: bool) -> None:
    space, rng = SearchSpace(inputs_per_node=2, cells=CELLS), np.random.default_rng(seed)
    cell, base = space.sample(rng), space.sample(rng)
    root = ET.fromstring(cell_thumbnail(space, cell, base, dark=dark))  # noqa: S314 - our own text
    said = [element.text for element in root.iter() if element.tag.endswith("text")]
    boxes_and_titles = len(space.cells) * (space.nodes + 2) + len(space.cells)
    assert len(said) == boxes_and_titles + len(cell.genes)
    same = [element.text for element in ET.fromstring(cell_thumbnail(space, base, base, dark=dark)).iter()]  # noqa: S314
    assert not any(text and "≠" in text for text in same), "α* does not differ from itself"


@given(st.sampled_from(["accuracy", "nll", "brier"]), st.floats(-1, 1), st.floats(0, 1))
def test_a_verdict_is_a_tie_exactly_when_the_interval_includes_zero(metric: str, mean: float, half: float) -> None:
    found = verdict(metric, Difference(mean, mean - half, mean + half, 10))
    assert (found == "tie") == (mean - half <= 0 <= mean + half)
    if found != "tie":
        mirrored = verdict(metric, Difference(-mean, -mean - half, -mean + half, 10))
        assert {found, mirrored} == {"better", "worse"}
        assert found == ("better" if (mean > 0) == (METRICS[metric].better == "higher") else "worse")


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_a_forest_has_a_point_for_each_row_and_metric(rows: int) -> None:
    metrics = ("accuracy", "nll", "brier")
    listed = [
        Compared(f"e{i}", tuple(Difference(0.01 * i, 0.01 * i - 0.02, 0.01 * i + 0.02, 9) for _ in metrics))
        for i in range(rows)
    ]
    fig = forest.plot_forest(listed, metrics, "selected", dark=False)
    assert sum(len(trace.x) for trace in fig.data) == rows * len(metrics)
    words = [word for trace in fig.data for word in trace.text]
    assert set(words) <= set(forest.VERDICTS)
    assert bool(fig.layout.annotations) == (rows == 0)


def test_gaps_are_joined_within_an_ensemble_only() -> None:
    listed = [
        Gap(
            name,
            (Optimism(Interval(val, val - 0.1, val + 0.1, 9), Interval(test, test - 0.2, test + 0.2, 7), -0.1, 0.2),),
        )
        for name, val, test in (("a", 0.7, 0.6), ("b", 0.5, 0.4))
    ]
    fig = gaps.plot_gaps(listed, ["accuracy"], dark=True)
    assert list(fig.data[0].x) == pytest.approx([70, 60, None, 50, 40, None], nan_ok=True)
    assert [trace.name for trace in fig.data[1:]] == ["validation", "test"]
    assert list(fig.data[2].error_x.array) == pytest.approx([20, 20])
    assert list(fig.layout.yaxis.ticktext) == ["a", "b"]
    assert gaps.plot_gaps([], ["accuracy"], dark=True).layout.annotations


def test_merging_changes_neither_side() -> None:
    base, over = {"a": {"b": 1, "c": [1]}, "d": 2}, {"a": {"b": 3}, "e": 4}
    before = deepcopy((base, over))
    assert build.merged(base, over) == {"a": {"b": 3, "c": [1]}, "d": 2, "e": 4}
    assert (base, over) == before


@pytest.mark.parametrize("dark", [False, True])
def test_figures_share_the_theme_and_not_each_others_settings(dark: bool) -> None:
    first = build.figure([], {"xaxis2": {"domain": [0.5, 1]}, "xaxis": build.title("left"), "height": 99}, dark=dark)
    second = build.figure([], {}, dark=dark, sentence="nothing here")
    tone = theme.ink(dark=dark)
    assert first.layout.font.color == second.layout.font.color == tone.text
    assert first.layout.xaxis.gridcolor == first.layout.xaxis2.gridcolor == tone.grid
    assert second.layout.xaxis.title.text is None
    assert second.layout.height is None
    assert [a.text for a in second.layout.annotations] == ["nothing here"]
