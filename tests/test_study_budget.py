"""Laws of areas over a budget, of the paired test of seeds, and of what a method is worth in plain networks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_studies import ARMS, CLASSES, named, stored
from scipy import stats

from edgenes_core import metrics
from edgenes_core.study.budget import Curve, area, areas, at, common, curve, curves, paired
from edgenes_core.study.chosen import ALL, Mode
from edgenes_core.study.folder import Study
from edgenes_core.study.store import BUNDLED
from edgenes_core.study.table import judge
from edgenes_core.study.worth import DEEP, Worth, calibrated_nll, deep_curve, worth, worths

EVERYTHING = Mode(ALL)
falling = st.lists(st.floats(0.01, 3), min_size=2, max_size=8, unique=True).map(lambda v: sorted(v, reverse=True))


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Study:
    return stored(tmp_path_factory.mktemp("runs"))


def test_the_area_of_a_constant_curve_is_the_constant(study):
    flat = Curve("a", 0, np.array([1.0, 5.0, 9.0]), np.array([10, 20, 30]), np.full(3, 0.7))
    assert area(flat, 2, 8) == pytest.approx(0.7)
    step = flat._replace(quality=np.array([1.0, 0.0, 0.0]))
    assert area(step, 1, 9) == pytest.approx(np.log(5) / np.log(9))
    assert area(step, 1, 5) == 1
    with pytest.raises(ValueError, match="no area"):
        area(flat, 0.5, 8)
    np.testing.assert_array_equal(at(flat, np.array([0.5, 1, 100])), [np.nan, 0.7, 0.7])


@given(st.lists(st.floats(0.1, 50), min_size=2, max_size=6, unique=True), st.data())
def test_areas_add_up_and_lie_between_the_extremes(spent, data):
    quality = data.draw(st.lists(st.floats(0, 5), min_size=len(spent), max_size=len(spent)))
    of = Curve("a", 0, np.sort(spent), np.arange(len(spent)), np.array(quality))
    low, high = float(of.seconds[0]), float(of.seconds[-1]) * 2
    middle = (low * high) ** 0.5
    whole = area(of, low, high)
    assert whole == pytest.approx((area(of, low, middle) + area(of, middle, high)) / 2, abs=1e-9)
    assert min(quality) - 1e-9 <= whole <= max(quality) + 1e-9


def test_a_curve_ends_where_the_table_stands(study):
    table = {(j.arm, j.seed): j for j in judge(study, EVERYTHING).judged}
    for each in curves(study):
        repeat = named(study, f"{each.arm}-s{each.seed}")
        assert len(each.quality) == len(repeat.candidates)
        assert each.quality[-1] == pytest.approx(metrics.nll(table[each.arm, each.seed].said, study.y))
        assert (np.diff(each.seconds) > 0).all()
    best = curve(named(study, "edgenes-s0"), study.y, 1)
    assert (np.diff(best.quality) <= 1e-12).all(), "the best of more is no worse"


def test_areas_over_the_common_budget(study):
    every = curves(study)
    found = [each for each in every if each.arm in ("deepens", "random")]
    for cost in ("seconds", "images"):
        low, high = common(found, cost)
        assert low == max(getattr(each, cost)[0] for each in found)
        assert high == min(getattr(each, cost)[-1] for each in found)
        table = {row.arm: row for row in areas(study, found, "deepens", cost)}
        mine, theirs = ([area(e, low, high, cost) for e in found if e.arm == arm] for arm in ("random", "deepens"))
        assert table["random"].area == pytest.approx(np.mean(mine))
        assert table["random"].p == table["random"].p_adjusted == pytest.approx(stats.ttest_rel(mine, theirs).pvalue)
        assert table["random"].pairs == 3
        assert np.isnan(table["deepens"].mean)
    assert common(every) is None, "a single network has no curve"
    assert areas(study, every, "deepens") == []
    assert common([]) is None


def test_the_adjusted_p_says_what_the_interval_says():
    arms = ("edgenes", "random", "nes_rs", "deepens10")
    study = Study(BUNDLED / "digits-methods")
    rows = [row for row in areas(study, curves(study, arms=arms), "deepens10") if row.pairs]
    assert len(rows) > 1
    for row in rows:
        assert (row.p_adjusted < 0.05) == (not row.tie)
        assert row.p_adjusted == pytest.approx(min(1, len(rows) * row.p))


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=2, max_size=8))
def test_a_paired_test_is_the_t_test(pairs):
    a, b = zip(*pairs, strict=True)
    found, other = paired(a, b), paired(b, a)
    assert found.mean == pytest.approx(-other.mean)
    assert found.p == pytest.approx(other.p)
    gap = np.subtract(a, b)
    if np.ptp(gap) > 1e-6:
        assert found.p == pytest.approx(stats.ttest_rel(a, b).pvalue, abs=1e-9)
        assert found.tie == (found.p >= 0.05)
        assert found.detectable > (found.hi - found.lo) / 2
    assert paired(a, a).p == 1
    assert paired(a, a).tie


@given(falling)
def test_dee_of_a_deep_ensemble_is_its_size(deep):
    for m, value in enumerate(deep, 1):
        assert worth(value, deep) == pytest.approx(Worth(m))
    assert worth(deep[0] + 0.1, deep) == (1.0, "<")
    assert worth(deep[-1] - 0.001, deep) == (len(deep), ">")
    values = np.linspace(deep[-1], deep[0], 20)
    found = [worth(value, deep).members for value in values]
    assert found == sorted(found, reverse=True), "a lower NLL is never worth less"


def test_a_curve_that_rises_again_is_made_to_fall():
    assert worth(0.5, [1.0, 0.5, 0.7, 0.4]) == (2.0, "")
    assert worth(0.45, [1.0, 0.5, 0.7, 0.4]).members == pytest.approx(3.5)


def test_worths_of_a_study(study):
    seen = judge(study, EVERYTHING)
    deep, found = deep_curve(study, seen), {row.arm: row for row in worths(study, seen)}
    assert len(deep) == 6
    assert found[DEEP].members == pytest.approx(6, abs=1e-6) or found[DEEP].bound == ">"
    assert found["random"].bound == "<", "worse than one network"
    assert found["random"].n == 3
    small = judge(study, EVERYTHING)
    assert (
        worths(study, small._replace(judged=tuple(j for j in small.judged if j.arm == "edgenes")))[0].arm == "edgenes"
    )


def test_no_deep_ensemble_no_worth(tmp_path):
    study = stored(tmp_path, 2, ARMS[:2])
    assert worths(study, judge(study, EVERYTHING)) == []


def test_calibration_is_never_judged_where_it_is_fitted(rng):
    y = rng.integers(CLASSES, size=4000)
    scores = rng.normal(size=(4000, CLASSES))
    scores[np.arange(4000), y] += 1.5
    probs = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    sure = probs**3 / (probs**3).sum(-1, keepdims=True)
    assert calibrated_nll(sure, y) == pytest.approx(calibrated_nll(probs, y), abs=2e-3)
    assert calibrated_nll(sure, y) < metrics.nll(sure, y)
    half = slice(2000, None)
    assert calibrated_nll(sure[half], y[half], sure[:2000], y[:2000]) == pytest.approx(
        calibrated_nll(sure[half], y[half]), abs=5e-3
    )
