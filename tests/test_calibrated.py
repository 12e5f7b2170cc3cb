"""Calibration in its variants, temperature and selective prediction: identities, oracles, and nothing that depends on order."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from sklearn.calibration import calibration_curve
from test_metrics import draw, seeds

from edgenes_core import diversity, metrics, selective
from edgenes_core.metrics import MetricError
from edgenes_core.temperature import best_temperature, fit_temperature, temper


def average_of(seed, **sizes):
    probs, y = draw(seed, **sizes)
    return probs.mean(0), y


@given(seeds, st.integers(1, 40))
def test_signed_gap_bounds_every_calibration_error(seed, bins):
    probs, y = average_of(seed)
    gap = metrics.signed_gap(probs, y)
    for table in (metrics.calibration(probs, y, bins), metrics.adaptive_calibration(probs, y, bins)):
        assert table.signed == pytest.approx(gap, abs=1e-12)
        assert abs(gap) - 1e-12 <= table.ece <= 1
        assert table.count.sum() == len(y)
    assert metrics.ece(probs, y, 1) == pytest.approx(abs(gap)) == pytest.approx(metrics.adaptive_ece(probs, y, 1))


def test_the_gap_says_in_which_direction():
    sure, unsure = np.tile([0.99, 0.01], (10, 1)), np.tile([0.6, 0.4], (10, 1))
    half, most = np.array([0, 1] * 5), np.array([0] * 9 + [1])
    assert metrics.signed_gap(sure, half) == pytest.approx(0.49)
    assert metrics.signed_gap(unsure, most) == pytest.approx(-0.3)
    table = metrics.calibration(sure, half)
    assert table.gap[-1] == pytest.approx(0.49)
    assert np.isnan(table.gap[0])


@given(seeds, st.sampled_from([1, 2, 5, 10]), st.integers(1, 8))
def test_bins_are_those_of_scikit_learn(seed, bins, each):
    probs, y = average_of(seed, images=bins * each)
    confidence, right = probs.max(1), probs.argmax(1) == y
    share, mean = calibration_curve(right, confidence, n_bins=bins, strategy="quantile")
    table = metrics.adaptive_calibration(probs, y, bins)
    if len(share) == bins and len(set(confidence)) == len(y):
        assert table.accuracy == pytest.approx(share)
        assert table.confidence == pytest.approx(mean)
    share, mean = calibration_curve(right, confidence, n_bins=bins)
    filled = metrics.calibration(probs, y, bins)
    keep = filled.count > 0
    if len(share) == keep.sum():
        assert filled.accuracy[keep] == pytest.approx(share)
        assert filled.confidence[keep] == pytest.approx(mean)


@given(seeds, st.integers(1, 30))
def test_bins_of_equal_size_are_in_order_and_ties_do_not_depend_on_storage(seed, bins):
    probs, y = average_of(seed)
    probs = np.round(probs, 1)
    probs[:, 0] += 1 - probs.sum(1)
    probs = np.abs(probs) / np.abs(probs).sum(1, keepdims=True)
    table = metrics.adaptive_calibration(probs, y, bins)
    assert np.ptp(table.count) <= 1
    assert len(table.count) == min(bins, len(y))
    assert (np.diff(table.lo) >= 0).all()
    assert (table.lo <= table.confidence + 1e-12).all()
    assert (table.confidence <= table.hi + 1e-12).all()
    order = np.random.default_rng(seed).permutation(len(y))
    assert metrics.adaptive_ece(probs[order], y[order], bins) == pytest.approx(metrics.adaptive_ece(probs, y, bins))
    assert selective.aurc(probs[order], y[order]) == pytest.approx(selective.aurc(probs, y))


@given(seeds, st.floats(0.05, 20))
def test_a_temperature_never_changes_the_named_class(seed, t):
    probs, y = average_of(seed)
    scaled = temper(probs, t)
    assert np.array_equal(scaled.argmax(-1), probs.argmax(-1))
    assert scaled.sum(-1) == pytest.approx(np.ones(len(y)))
    more = diversity.entropy(scaled) - diversity.entropy(probs)
    assert ((more if t >= 1 else -more) >= -1e-9).all(), "a higher temperature is less sure"
    assert temper(probs, 1.0) is probs


def test_classes_that_rounding_would_tie_keep_their_order():
    close = np.array([[0.5 - 2**-53, 0.5, 2**-53]])
    assert (temper(close, 20.0).argmax(-1), temper(close, 0.06).argmax(-1)) == (1, 1)


@given(seeds)
def test_a_fitted_temperature_lowers_the_loss_it_was_fitted_to_and_is_the_best(seed):
    probs, y = average_of(seed)
    t = best_temperature(probs, y)
    assert metrics.nll(temper(probs, t), y) <= metrics.nll(probs, y)
    other = minimize_scalar(lambda x: metrics.nll(temper(probs, np.exp(x)), y), bounds=(-3, 3), method="bounded")
    assert metrics.nll(temper(probs, t), y) <= other.fun + 1e-6


@pytest.mark.parametrize("true_t", [0.5, 1.0, 2.5])
def test_the_temperature_that_made_the_predictions_is_found_again(rng, true_t):
    honest = rng.dirichlet(np.ones(6), 20_000)
    y = (honest.cumsum(1) < rng.uniform(size=(20_000, 1))).sum(1)
    stated = temper(honest, 1 / true_t)  # too sure where true_t > 1
    found = fit_temperature(stated, y)
    assert found.value == pytest.approx(true_t, rel=0.05)
    (raw, scaled) = found.judged
    assert scaled.nll <= raw.nll + 1e-3
    assert raw.n + found.fitted[0].n == 20_000
    if true_t != 1:
        assert scaled.nll < raw.nll
        assert scaled.ece < raw.ece


@given(seeds)
def test_fitting_and_judging_use_different_images_whatever_the_predictions(seed):
    probs, y = average_of(seed, images=40)
    try:
        found = fit_temperature(probs, y)
    except MetricError:
        assert np.bincount(y).max() == 1, "every class has one image, which goes to fitting"
        return
    assert not set(found.fit_rows) & set(found.judge_rows)
    assert sorted({*found.fit_rows, *found.judge_rows}) == list(range(40))
    assert np.array_equal(found.fit_rows, fit_temperature(temper(probs, 2.0), y).fit_rows)
    assert found.fitted[1].nll <= found.fitted[0].nll
    rest = np.random.default_rng(seed).integers(0, probs.shape[1], 40)
    rest[found.fit_rows] = y[found.fit_rows]
    assert best_temperature(probs[found.fit_rows], rest[found.fit_rows]) == found.value, "the other half has no say"


@pytest.mark.parametrize("t", [0, -1, np.nan, np.inf])
def test_what_is_no_temperature_is_refused(t):
    with pytest.raises(MetricError, match="above 0"):
        temper(np.full((2, 2), 0.5), t)


def test_too_few_images_to_judge_on_are_refused():
    with pytest.raises(MetricError, match="others to judge"):
        fit_temperature(np.full((2, 2), 0.5), np.array([0, 1]))


@given(seeds)
def test_risk_is_the_error_among_the_surest(seed):
    probs, y = average_of(seed)
    found, confidence, wrong = selective.risk_coverage(probs, y), probs.max(1), probs.argmax(1) != y
    if len(set(confidence)) == len(y):
        order = np.argsort(-confidence)
        assert found.risk == pytest.approx([wrong[order[:k]].mean() for k in range(1, len(y) + 1)])
    assert found.risk[-1] == pytest.approx(found.error) == pytest.approx(1 - metrics.accuracy(probs, y))
    assert found.coverage[-1] == 1
    assert 0 <= found.best - 1e-12 <= found.aurc <= 1
    assert found.best <= found.error + 1e-12


def test_ties_are_worth_the_mean_of_all_their_orders():
    right = np.array([True, False, False, True, False])
    probs, y = np.tile([0.7, 0.3], (5, 1)), np.where(right, 0, 1)
    curves = [np.cumsum(order) / np.arange(1, 6) for order in permutations(~right)]
    assert selective.risk_coverage(probs, y).risk == pytest.approx(np.mean(curves, axis=0))
    assert selective.aurc(probs, y) == pytest.approx(0.6)


def test_a_perfect_order_reaches_the_best_and_the_reverse_does_not():
    confidence = np.linspace(0.9, 0.6, 10)
    probs = np.stack([confidence, 1 - confidence], 1)
    surest_right, surest_wrong = np.array([0] * 6 + [1] * 4), np.array([1] * 4 + [0] * 6)
    good, bad = (selective.risk_coverage(probs, y) for y in (surest_right, surest_wrong))
    assert good.excess == 0
    assert bad.excess > 0.2
    assert good.error == bad.error == 0.4


@given(seeds)
def test_the_log_loss_of_the_average_splits_exactly(seed):
    probs, y = draw(seed)
    probs = np.maximum(probs, 1e-6)
    probs /= probs.sum(-1, keepdims=True)
    parts = diversity.log_ambiguity(probs, y)
    assert parts.ensemble == pytest.approx(parts.members - parts.ambiguity, abs=1e-9)
    assert parts.ensemble == pytest.approx(metrics.nll(probs.mean(0), y))
    assert parts.members == pytest.approx(np.mean([metrics.nll(p, y) for p in probs]))
    assert parts.ambiguity >= -1e-12
    assert diversity.oracle_nll(probs, y) <= min(metrics.nll(p, y) for p in probs) + 1e-12


@given(seeds)
def test_two_members_differ_by_their_mutual_information(seed):
    probs, _ = draw(seed, members=2)
    assert diversity.pairwise_jsd(probs)[0, 1] == pytest.approx(diversity.mutual_information(probs), abs=1e-9)
    assert diversity.image_information(probs).mean() == pytest.approx(diversity.mutual_information(probs), abs=1e-9)
    assert diversity.image_jsd(probs) == pytest.approx(diversity.image_information(probs), abs=1e-9)


@given(seeds)
def test_half_precision_of_storage_changes_the_fifth_digit_at_most(seed):
    probs, y = draw(seed)
    small = probs.astype(np.float32)
    for measure in (
        lambda p: diversity.mutual_information(p),
        lambda p: diversity.pairwise_jsd(p).max(),
        lambda p: diversity.ambiguity(p, y).ambiguity,
        lambda p: metrics.brier(metrics.average(p), y),
    ):
        assert measure(small) == pytest.approx(measure(probs), abs=1e-5)
    for single in (small[:1], np.repeat(small[:1], 3, 0)):
        assert diversity.mutual_information(single) == 0
        assert not diversity.image_information(single).any(), "members that say the same know nothing of each other"
        assert diversity.ambiguity(single, y).ambiguity == 0
