"""Laws of the figures' numbers, and that every figure draws whatever it is given, nothing included."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core.figures import planes, quality, training
from edgenes_core.figures.theme import ROLE_STYLE
from edgenes_core.plane import Axis, Point, pareto_front, plane_info
from edgenes_core.records import Event
from edgenes_core.space import SearchSpace

SPACE = SearchSpace()
X, Y = Axis("disagreement with α* (%)", "higher", 100, 1), Axis("validation NLL (nats)", "lower", 1, 4)
coarse = st.integers(0, 6).map(float)  # few values, so that ties are common
numbers = st.one_of(coarse, st.just(float("nan")))
clouds = st.lists(st.tuples(numbers, numbers), max_size=30)
better = st.sampled_from(["higher", "lower"])


def beats(a: tuple[float, float], b: tuple[float, float], x: str, y: str) -> bool:
    """Definition, pair by pair: at least as good in both and better in one."""
    dx, dy = (a[0] - b[0]) * (1 if x == "higher" else -1), (a[1] - b[1]) * (1 if y == "higher" else -1)
    return dx >= 0 and dy >= 0 and (dx > 0 or dy > 0)


@given(clouds, better, better)
def test_the_front_is_exactly_the_points_nobody_beats(cloud: list[tuple[float, float]], x: str, y: str) -> None:
    points = np.array(cloud, float).reshape(-1, 2)
    whole = np.isfinite(points).all(-1)
    wanted = [
        bool(ok) and not any(beats(tuple(o), tuple(p), x, y) for o, w in zip(points, whole, strict=True) if w)
        for p, ok in zip(points, whole, strict=True)
    ]
    assert pareto_front(points[:, 0], points[:, 1], x, y).tolist() == wanted


def point(name: str, ys: tuple[float, ...], *, ensemble: bool = False, role: str = "pool") -> Point:
    return Point(name, name, role, tuple(0.1 for _ in ys), ys, ensemble)


def test_spread_needs_two_seeds() -> None:
    info = plane_info([point("one", (0.5,)), point("two", (0.4, 0.6))], X, Y)
    assert np.isnan(info.sd[0])
    assert info.sd[1] == pytest.approx(np.sqrt(0.02))
    assert info.y[1] == pytest.approx(0.5)
    traces = planes.plot_plane(plane_info([point("one", (0.5,))], X, Y), dark=False).data
    assert not any(trace.error_y.visible for trace in traces if trace.name == ROLE_STYLE["pool"].label)


def test_ensembles_do_not_push_cells_off_the_front() -> None:
    info = plane_info([point("cell", (0.5,)), point("e", (0.1,), ensemble=True, role="selected")], X, Y)
    assert info.front.tolist() == [True, False]


@pytest.mark.parametrize("dark", [False, True])
def test_every_point_can_be_clicked_once(dark: bool) -> None:
    points = [point(role, (0.3,), role=role) for role in ROLE_STYLE]
    points += [point(f"e-{role}", (0.2,), ensemble=True, role=role) for role in ("selected", "user", "random")]
    fig = planes.plot_plane(plane_info(points, X, Y), dark=dark)
    clickable = [i for trace in fig.data for i in (trace.customdata if trace.customdata is not None else ())]
    assert sorted(clickable) == sorted(p.id for p in points)
    assert fig.layout.dragmode is None, "a drag mode of our own would switch clicking off"


def test_roles_differ_by_shape_not_by_colour_alone() -> None:
    styles = [
        *(ROLE_STYLE[r] for r in ("base", "pool", "deepens", "random", "deviation")),
        planes.SELECTED,
        planes.USER,
    ]
    assert len({s.symbol for s in styles}) == len(styles)


def test_an_empty_plane_says_so() -> None:
    fig = planes.plot_plane(plane_info([], X, Y), dark=True)
    assert "No network" in fig.layout.annotations[0].text
    assert "better" in fig.layout.yaxis.title.text


def events(stage: str, steps: int, **values: float) -> list[Event]:
    return [Event(stage, step, steps, seconds=step, values=values) for step in range(1, steps + 1)]


def test_curves_are_thinned_but_keep_both_ends_and_drop_what_is_not_a_number() -> None:
    listed = events("darts", 5000, train_loss=1.0, val_loss=float("nan"))
    (curve,) = training.curves_info(listed, "darts", training.LOSSES)
    assert curve.metric == "train_loss"
    assert len(curve.steps) <= training.MOST_POINTS
    assert (curve.steps[0], curve.steps[-1]) == (1, 5000)
    assert (np.diff(curve.steps) > 0).all()


def test_a_resumed_stage_shows_its_latest_attempt() -> None:
    listed = events("darts", 9, train_loss=2.0) + events("darts", 4, train_loss=1.0)
    (curve,) = training.curves_info(listed, "darts", ["train_loss"])
    assert curve.steps.tolist() == [1, 2, 3, 4]
    assert set(curve.values) == {1.0}


def test_the_latest_alpha_that_fits_is_shown() -> None:
    grid = tuple(tuple(float(o) for o in range(7)) for _ in SPACE.edges)
    listed = [Event("darts", 1, 9, alpha=grid), Event("darts", 2, 9), Event("darts", 3, 9, alpha=((1.0,),))]
    info = training.alpha_info(listed, "darts", SPACE)
    assert info is not None
    assert info.step == 1
    assert info.weights.shape == (14, 7)
    assert info.rows[0] == "0 → 2"
    assert training.alpha_info(listed, "hypernet", SPACE) is None


@pytest.mark.parametrize("dark", [False, True])
def test_training_figures_draw_with_and_without_events(dark: bool) -> None:
    empty = training.plot_curves((), "Nothing measured yet.", dark=dark)
    assert empty.layout.annotations[0].text == "Nothing measured yet."
    assert training.plot_alpha(None, dark=dark).layout.annotations
    full = training.plot_curves(
        training.curves_info(events("darts", 3, train_loss=1.0), "darts", training.LOSSES), "", dark=dark
    )
    assert len(full.data) == 1
    assert not full.layout.annotations


def test_reliability_gaps_make_the_ece_and_certainty_lies_on_the_diagonal() -> None:
    y = np.array([0, 1, 1, 0])
    sure = quality.reliability_info("sure", planes.USER, np.eye(2)[y], y)
    assert sure.ece == 0
    assert sure.images.sum() == 4
    wrong = quality.reliability_info("wrong", planes.USER, np.eye(2)[1 - y], y)
    assert wrong.ece == pytest.approx(1)
    assert (sure.signed, wrong.signed) == (0, pytest.approx(1)), "as sure, and only the first one rightly so"
    bars = [trace for trace in quality.plot_reliability([sure, wrong], dark=False).data if trace.type == "bar"]
    assert [sum(bar.y) for bar in bars] == [0, pytest.approx(1)]


@given(st.integers(1, 500), st.floats(0, 1))
def test_a_wilson_interval_holds_the_share_and_stays_a_share(n: int, share: float) -> None:
    low, high = quality.wilson(np.array([share]), np.array([n]))
    assert 0 <= low[0] <= share <= high[0] <= 1
    wider = quality.wilson(np.array([share]), np.array([n / 2]))
    assert wider[1][0] - wider[0][0] >= high[0] - low[0]


def test_the_chosen_size_is_ringed() -> None:
    info = quality.Trajectory("forward", [1, 2, 3, 4], [0.4, 0.3, 0.25, 0.26], 3)
    ring = quality.plot_trajectory(info, dark=False).data[1]
    assert (list(ring.x), list(ring.y)) == ([3], [0.25])
    empty = quality.Trajectory("forward", [], [], 3)
    assert quality.plot_trajectory(empty, dark=False).layout.annotations
