"""Teams resampled once give the numbers that the metrics, the paired bootstrap and the family of comparisons give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core import bootstrap, comparisons, metrics
from edgenes_core.records import METRICS
from edgenes_core.side_by_side import (
    PAIRED,
    Resampled,
    differences,
    leaders,
    measures,
    resampled,
    simultaneous,
    verdict,
)
from edgenes_core.statistics import StatisticsError, image_scores, paired_bootstrap
from edgenes_core.weighted import STATISTICS

IMAGES, CLASSES = 70, 4


def forecast(seed: int, sure: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    """Forecasts of the same images, better with `sure`."""
    y = np.random.default_rng(0).integers(CLASSES, size=IMAGES)
    logits = np.random.default_rng(seed + 1).normal(size=(IMAGES, CLASSES))
    logits[np.arange(IMAGES), y] += sure
    probs = np.exp(logits)
    return probs / probs.sum(-1, keepdims=True), y


@given(st.integers(0, 10_000), st.floats(-2, 30))
def test_measures_are_the_metrics(seed, sure):
    probs, y = forecast(seed, sure)
    wanted = [metrics.accuracy(probs, y), metrics.nll(probs, y), metrics.brier(probs, y), metrics.ece(probs, y)]
    np.testing.assert_allclose(measures(probs, y), wanted, atol=1e-12)


def test_resamples_are_those_of_the_bootstrap():
    probs, y = forecast(1)
    found = resampled(probs, y, resamples=200, seed=3)
    for k, name in enumerate(PAIRED):
        wanted = bootstrap.values(STATISTICS[name](probs[None], y), IMAGES, 200, 3)
        np.testing.assert_allclose(found.drawn[:, k], wanted, atol=1e-12)
    np.testing.assert_array_equal(found.whole, measures(probs, y))


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_differences_are_the_paired_bootstraps(first, second):
    (a, y), (b, _) = forecast(first), forecast(second, 1.0)
    gaps = differences(resampled(a, y), resampled(b, y))
    ours, theirs = image_scores(a, y), image_scores(b, y)
    for k, name in enumerate(PAIRED[:3]):
        np.testing.assert_allclose(gaps[k], paired_bootstrap(getattr(ours, name), getattr(theirs, name)), atol=1e-12)
    wanted = bootstrap.difference(STATISTICS["ece"](a[None], y), STATISTICS["ece"](b[None], y), IMAGES)
    np.testing.assert_allclose(gaps[3], wanted, atol=1e-12)


def test_a_team_ties_with_itself_exactly():
    drawn = resampled(*forecast(5))
    for gap in (*differences(drawn, drawn), *simultaneous([drawn], drawn)[0]):
        assert (gap.mean, gap.lo, gap.hi, gap.tie) == (0, 0, 0, True)


def test_a_family_is_that_of_comparisons_and_wider_than_one_alone():
    y, seeds = forecast(0)[1], (1, 2, 3)
    reference = resampled(forecast(0)[0], y)
    rows = [resampled(forecast(seed, 1 + seed)[0], y) for seed in seeds]
    found = [gap for row in simultaneous(rows, reference) for gap in row]
    base = {name: STATISTICS[name](forecast(0)[0][None], y) for name in PAIRED}
    pairs = [(STATISTICS[name](forecast(seed, 1 + seed)[0][None], y), base[name]) for seed in seeds for name in PAIRED]
    for ours, wanted in zip(found, comparisons.simultaneous(pairs, IMAGES), strict=True):
        np.testing.assert_allclose(ours, wanted, atol=1e-9)
    alone = [gap for row in rows for gap in differences(row, reference)]
    wider = [g.hi - g.lo >= one.hi - one.lo for g, one in zip(found, alone, strict=True)]
    assert np.mean(wider) > 0.9


@given(st.lists(st.floats(0, 6), min_size=1, max_size=4))
def test_leaders_hold_the_best_and_a_sole_leader_is_really_told_apart(sureness):
    y = forecast(0)[1]
    rows = [resampled(forecast(seed, sure)[0], y) for seed, sure in enumerate(sureness)]
    found = leaders(rows)
    assert found.shape == (len(rows), len(PAIRED))
    for k, name in enumerate(PAIRED):
        values = np.array([row.whole[k] for row in rows])
        best = values.argmax() if METRICS[name].better == "higher" else values.argmin()
        assert found[best, k]
        if found[:, k].sum() == 1:
            others = [differences(row, rows[best])[k] for place, row in enumerate(rows) if place != best]
            assert all(verdict(name, gap) == "worse" for gap in others), "corrected for many, so also alone"


def test_equal_rows_all_lead():
    rows = [resampled(*forecast(2))] * 3
    assert leaders(rows).all()
    assert leaders([]).shape == (0, 4)


def test_other_images_are_refused():
    a = resampled(*forecast(1))
    with pytest.raises(StatisticsError, match="same resamples of the same images"):
        differences(a, Resampled(a.whole, a.drawn, IMAGES - 1))
    with pytest.raises(StatisticsError):
        simultaneous([resampled(*forecast(1), resamples=10)], a)
