"""The paired bootstrap and the clustered slope: symmetric, exact where it must be, covering as promised, the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edgenes_core import metrics, statistics
from edgenes_core.statistics import StatisticsError, image_scores, paired_bootstrap, slope

scores = hnp.arrays(float, st.integers(1, 40), elements=st.floats(-10, 10))


def simplex(rng: np.random.Generator, images: int, classes: int = 4) -> np.ndarray:
    return rng.dirichlet(np.ones(classes), images)


@given(scores)
def test_a_predictor_ties_with_itself(a: np.ndarray) -> None:
    found = paired_bootstrap(a, a)
    assert (found.mean, found.lo, found.hi, found.n) == (0, 0, 0, len(a))
    assert found.tie


@given(scores, st.floats(0.1, 5))
def test_a_constant_shift_is_found_exactly(a: np.ndarray, shift: float) -> None:
    found = paired_bootstrap(a + shift, a)
    assert found.mean == pytest.approx(shift)
    assert found.lo == pytest.approx(shift)
    assert found.hi == pytest.approx(shift)
    assert not found.tie


@given(scores, st.integers(0, 5))
def test_swapping_the_predictors_mirrors_the_interval(a: np.ndarray, seed: int) -> None:
    b = np.roll(a, 1)
    there, back = paired_bootstrap(a, b, seed=seed), paired_bootstrap(b, a, seed=seed)
    assert (back.mean, back.lo, back.hi) == pytest.approx((-there.mean, -there.hi, -there.lo))


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    draws = [paired_bootstrap(rng.normal(0.3, 1, 60), np.zeros(60), resamples=300, seed=i) for i in range(200)]
    covered = np.mean([d.lo <= 0.3 <= d.hi for d in draws])
    assert 0.88 <= covered <= 0.985


def test_pairing_narrows_the_interval_when_images_are_hard_for_both() -> None:
    rng = np.random.default_rng(1)
    hard = rng.normal(0, 1, 300)
    a, b = hard + rng.normal(0.1, 0.1, 300), hard + rng.normal(0, 0.1, 300)
    paired = paired_bootstrap(a, b)
    unpaired = paired_bootstrap(a, rng.permutation(b))
    assert paired.hi - paired.lo < 0.3 * (unpaired.hi - unpaired.lo)
    assert not paired.tie


def test_many_images_are_drawn_in_pieces_with_the_same_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    a = np.random.default_rng(2).normal(size=50)
    whole = paired_bootstrap(a, np.zeros(50), resamples=4000)
    monkeypatch.setattr(statistics, "LARGEST", 7000)
    pieces = paired_bootstrap(a, np.zeros(50), resamples=4000)
    assert (pieces.lo, pieces.hi) == pytest.approx((whole.lo, whole.hi), abs=0.03)
    assert pieces == paired_bootstrap(a, np.zeros(50), resamples=4000), "the same seed gives the same interval"


@pytest.mark.parametrize(("a", "b"), [([], []), ([1.0], [1.0, 2.0]), ([[1.0]], [[1.0]]), ([np.nan], [0.0])])
def test_what_cannot_be_compared_is_refused(a: list, b: list) -> None:
    with pytest.raises(StatisticsError, match="paired comparison"):
        paired_bootstrap(np.array(a), np.array(b))


def test_image_scores_of_a_sure_and_right_predictor_are_perfect() -> None:
    y = np.array([0, 2, 1])
    found = image_scores(np.eye(3)[y], y)
    assert found.accuracy.tolist() == [1, 1, 1]
    assert found.nll == pytest.approx(0)
    assert found.brier == pytest.approx(0)


def test_image_scores_of_ignorance_and_of_a_sure_mistake() -> None:
    y = np.array([0, 1])
    assert image_scores(np.full((2, 4), 0.25), y).nll == pytest.approx(np.log(4))
    wrong = image_scores(np.eye(4)[[1, 0]], y)
    assert wrong.brier == pytest.approx(2)
    assert np.isfinite(wrong.nll).all()


@given(st.integers(0, 100))
def test_image_scores_average_to_the_metrics(seed: int) -> None:
    rng = np.random.default_rng(seed)
    probs, y = simplex(rng, 7), rng.integers(4, size=7)
    found = image_scores(probs, y)
    assert found.accuracy.mean() == pytest.approx(metrics.accuracy(probs, y))
    assert found.nll.mean() == pytest.approx(metrics.nll(probs, y))
    assert found.brier.mean() == pytest.approx(metrics.brier(probs, y))


def clustered(rng: np.random.Generator, truth: float, cells: int = 12, seeds: int = 3) -> tuple[np.ndarray, ...]:
    """x, y and group of `seeds` networks of each cell, with noise between cells and within them."""
    groups = np.repeat(np.arange(cells), seeds)
    x = (np.arange(cells) % 5).astype(float)[groups]
    return x, truth * x + rng.normal(0, 1, cells)[groups] + rng.normal(0, 0.7, cells * seeds), groups


@given(st.floats(-3, 3), st.integers(0, 50))
def test_a_planted_slope_is_recovered_exactly_without_noise(truth: float, seed: int) -> None:
    x, _, groups = clustered(np.random.default_rng(seed), 0)
    found = slope(x, truth * x + 7, groups, resamples=200)
    assert (found.slope, found.lo, found.hi) == pytest.approx((truth, truth, truth), abs=1e-9)
    assert found.detectable == pytest.approx(0, abs=1e-9)
    assert (found.groups, found.n) == (12, 36)
    np.testing.assert_allclose(found.mid, truth * found.x + 7, atol=1e-9)


@given(st.floats(-100, 100), st.integers(4, 30))
def test_equal_values_are_a_tie_and_not_a_slope_of_rounding_errors(value: float, cells: int) -> None:
    x, _, groups = clustered(np.random.default_rng(0), 0, cells)
    found = slope(x, np.full(len(x), value), groups, resamples=100)
    assert (found.slope, found.lo, found.hi, found.detectable) == (0, 0, 0, 0)
    assert found.tie


@given(st.integers(0, 50), st.floats(-100, 100))
def test_neither_order_nor_a_constant_changes_a_slope_and_a_mirror_mirrors_it(seed: int, constant: float) -> None:
    rng = np.random.default_rng(seed)
    x, y, groups = clustered(rng, 0.3)
    found, order = slope(x, y, groups, resamples=200), rng.permutation(len(x))
    numbers = pytest.approx((found.slope, found.lo, found.hi, found.detectable))
    for other in (slope(x[order], y[order], groups[order], resamples=200), slope(x, y + constant, groups, 200)):
        assert (other.slope, other.lo, other.hi, other.detectable) == numbers
    assert slope(x + constant, y, groups, 200)[:4] == pytest.approx(found[:4])
    mirrored = slope(-x, y, groups, resamples=200)
    assert (-mirrored.slope, -mirrored.hi, -mirrored.lo, mirrored.detectable) == numbers
    assert (found.band_lo <= found.band_hi).all()


@pytest.mark.parametrize(("cells", "seeds"), [(8, 3), (12, 1), (20, 2)])
def test_the_slopes_interval_covers_the_truth_about_as_often_as_it_says(cells: int, seeds: int) -> None:
    """300 repetitions: 95 % ± 4 points (three standard errors), and on the safe side for few cells, so up to all."""
    rng = np.random.default_rng(cells)
    draws = [slope(*clustered(rng, 0.3, cells, seeds), resamples=400, seed=i) for i in range(300)]
    assert 0.91 <= np.mean([d.lo <= 0.3 <= d.hi for d in draws]) <= 1
    assert np.mean([d.tie for d in draws]) > 0.3, "an interval that covers by being endless would say nothing"
    assert np.mean([d.hi - d.lo for d in draws]) < 3


def test_taking_seeds_for_cells_would_promise_too_much() -> None:
    """The reason for resampling whole cells: networks taken for independent give a narrower interval that covers less."""
    rng = np.random.default_rng(5)
    naive, whole = [], []
    for i in range(100):
        x, y, groups = clustered(rng, 0.3, 12, 5)
        whole.append(slope(x, y, groups, resamples=300, seed=i))
        naive.append(slope(x, y, np.arange(len(x)), resamples=300, seed=i))
    covered = [np.mean([d.lo <= 0.3 <= d.hi for d in draws]) for draws in (naive, whole)]
    assert covered[0] < 0.8 < 0.9 < covered[1]


def test_a_slope_of_the_detectable_size_is_mostly_found() -> None:
    rng = np.random.default_rng(6)
    size = np.mean([slope(*clustered(rng, 0, 20), resamples=300, seed=i).detectable for i in range(50)])
    found = np.mean([not slope(*clustered(rng, size, 20), resamples=300, seed=i).tie for i in range(150)])
    assert 0.7 <= found <= 0.93


@pytest.mark.parametrize(
    ("x", "y", "groups", "sentence"),
    [
        ([0, 1, 2, 3], [0, 1, 2, 3], [0, 0, 1, 1], "got 2 at 4"),
        ([0, 1, 1, 0], [0, 1, 2, 3], [0, 1, 2, 3], "got 4 at 2"),
        ([0, 1, 2, 3], [0, np.nan, 2, 3], [0, 1, 2, 3], "finite"),
        ([0, 1, 2], [0, 1], [0, 1, 2], "group for each"),
        ([], [], [], "got 0 at 0"),
    ],
)
def test_what_has_no_slope_is_refused(x: list, y: list, groups: list, sentence: str) -> None:
    with pytest.raises(StatisticsError, match=sentence):
        slope(np.array(x, float), np.array(y, float), np.array(groups))
