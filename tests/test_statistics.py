"""The paired bootstrap: symmetric, exact where it must be, covering as promised, the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edgenes_core import metrics, statistics
from edgenes_core.statistics import StatisticsError, image_scores, paired_bootstrap

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
