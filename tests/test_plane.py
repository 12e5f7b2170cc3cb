"""The plane as numbers: ranges that do not dramatise, panels that lose no cell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core.plane import PANELS, Axis, Point, axis_range, plane_info, shared_groups

values = st.lists(st.one_of(st.floats(-1e3, 1e3), st.just(float("nan"))), max_size=20)


@given(values, st.floats(1e-3, 10), st.sampled_from([1.0, 100.0]))
def test_a_range_holds_all_numbers_and_is_never_shorter_than_promised(
    listed: list[float], least: float, factor: float
) -> None:
    array = np.array(listed, float)
    found = axis_range(Axis("x", "higher", factor, least=least), array)
    finite = array[np.isfinite(array)] * factor
    assert (found is None) == (len(finite) == 0)
    if found is not None:
        assert found[0] < finite.min()
        assert finite.max() < found[1]
        assert found[1] - found[0] >= least * factor


def test_equal_values_lie_in_the_middle_of_a_range_that_does_not_magnify() -> None:
    low, high = axis_range(Axis("accuracy (%)", "higher", 100, least=0.02), np.full(9, 0.98)) or (0, 0)
    assert (low + high) / 2 == pytest.approx(98)
    assert high - low >= 2


@given(st.lists(st.integers(0, 16)))
def test_panels_hold_every_count_once_in_order_and_are_few(counts: list[int]) -> None:
    groups = shared_groups(counts)
    assert [count for group in groups for count in group] == sorted(set(counts))
    assert len(groups) <= PANELS
    assert all(groups)
    if len(set(counts)) <= PANELS:
        assert all(len(group) == 1 for group in groups)


def test_spread_is_that_of_the_seeds_on_both_axes() -> None:
    point = Point("key", "cell", "pool", (0.1, 0.3), (0.5, 0.7), False, ("key",), 2)
    info = plane_info([point, Point("one", "cell", "pool", (0.2,), (0.4,))], Axis("x", "higher"), Axis("y", "lower"))
    assert [info.sd[0], info.x_sd[0]] == pytest.approx([np.sqrt(0.02)] * 2)
    assert np.isnan([info.sd[1], info.x_sd[1]]).all()
    assert info.seeds.tolist() == [2, 1]
