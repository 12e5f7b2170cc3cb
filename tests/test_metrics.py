"""Metrics against scikit-learn and hand-made cases; diversity against its identities."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss

from edgenes_core import diversity, metrics
from edgenes_core.metrics import MetricError

seeds = st.integers(0, 2**32 - 1)


def draw(seed, members=None, images=None, classes=None):
    """Random predictions of uneven sharpness and true classes."""
    rng = np.random.default_rng(seed)
    m, b, c = members or rng.integers(1, 6), images or rng.integers(1, 60), classes or rng.integers(2, 12)
    return rng.dirichlet(np.full(c, rng.choice([0.05, 1.0])), (m, b)), rng.integers(0, c, b)


@given(seeds)
def test_scores_agree_with_scikit_learn(seed):
    probs, y = draw(seed, members=1)
    probs, classes = np.maximum(probs[0], 1e-9), np.arange(probs.shape[2])
    probs /= probs.sum(1, keepdims=True)
    assert metrics.accuracy(probs, y) == accuracy_score(y, probs.argmax(1))
    assert metrics.nll(probs, y) == pytest.approx(log_loss(y, probs, labels=classes), abs=1e-9)
    binary = {"pos_label": 1} if len(classes) == 2 else {}
    expected = brier_score_loss(y, probs[:, 1] if binary else probs, labels=classes, scale_by_half=False, **binary)
    assert metrics.brier(probs, y) == pytest.approx(expected, abs=1e-9)


@given(seeds)
def test_order_of_images_and_precision_do_not_matter(seed):
    probs, y = draw(seed, members=1)
    order = np.random.default_rng(seed).permutation(len(y))
    for metric in (metrics.accuracy, metrics.nll, metrics.brier, metrics.ece):
        assert metric(probs[0][order], y[order]) == pytest.approx(metric(probs[0], y), abs=1e-12)
    for metric in (metrics.nll, metrics.brier):
        assert metric(probs[0].astype(np.float32), y.astype(np.uint8)) == pytest.approx(metric(probs[0], y), rel=1e-4)


def test_a_certain_right_answer_costs_nothing_and_a_wrong_one_is_bounded():
    """Cross-entropy of probabilities taken for logits would score a perfect answer 1.461 (C = 10), not 0."""
    perfect = np.eye(10)
    y = np.arange(10)
    assert (metrics.accuracy(perfect, y), metrics.nll(perfect, y), metrics.brier(perfect, y)) == (1, 0, 0)
    assert metrics.ece(perfect, y) == 0
    wrong = np.roll(y, 1)
    assert metrics.nll(perfect, wrong) == pytest.approx(-np.log(1e-12))
    assert (metrics.brier(perfect, wrong), metrics.ece(perfect, wrong)) == (2, 1)


@given(seeds, st.integers(1, 40))
def test_calibration_is_the_definition(seed, bins):
    probs, y = draw(seed, members=1)
    table = metrics.calibration(probs[0], y, bins)
    confidence, right = probs[0].max(1), probs[0].argmax(1) == y
    total = 0.0
    for k in range(bins):
        inside = (confidence > k / bins) & (confidence <= (k + 1) / bins)  # (lo, hi]
        assert (table.lo[k], table.hi[k], table.count[k]) == (k / bins, (k + 1) / bins, inside.sum())
        if inside.any():
            assert table.accuracy[k] == pytest.approx(right[inside].mean())
            assert table.confidence[k] == pytest.approx(confidence[inside].mean())
            total += abs(right[inside].mean() - confidence[inside].mean()) * inside.mean()
        else:
            assert np.isnan(table.accuracy[k])
            assert np.isnan(table.confidence[k])
    assert table.count.sum() == len(y)
    assert metrics.ece(probs[0], y, bins) == pytest.approx(total)


def test_a_confidence_on_a_border_belongs_below_it():
    for k in range(4, 11):
        probs = np.array([[k / 10, 1 - k / 10, 0, 0]]) if k >= 5 else np.array([[0.4, 0.3, 0.3, 0]])
        assert metrics.calibration(probs, np.array([0]), 10).count[k - 1] == 1


def test_calibrated_predictions_have_no_calibration_error(rng):
    """Exactly: 7 right of 10 at confidence 0.7. In the limit: classes drawn from the stated probabilities."""
    assert metrics.ece(np.tile([0.7, 0.3], (10, 1)), np.array([0] * 7 + [1] * 3)) == pytest.approx(0, abs=1e-12)
    errors = []
    for images in (1_000, 100_000):
        probs = rng.dirichlet(np.ones(5), images)
        y = (probs.cumsum(1) < rng.uniform(size=(images, 1))).sum(1)
        errors.append(metrics.ece(probs, y))
    assert errors[1] < 0.01
    assert errors[1] < errors[0] / 3


GOOD, Y = np.full((3, 2), 0.5), np.array([0, 1, 0])
WRONG = {
    "axes": (GOOD[0], Y),
    "no images": (np.empty((0, 2)), np.empty(0, int)),
    "no classes": (np.empty((3, 0)), Y),
    "nan": (np.where([[True, False]], np.nan, GOOD), Y),
    "logits": (GOOD * 5, Y),
    "negative": (np.array([[1.5, -0.5]] * 3), Y),
    "words": ([["a", "b"]] * 3, Y),
    "ragged": ([[0.5, 0.5], [1.0]], Y),
    "too few labels": (GOOD, Y[:2]),
    "fractions": (GOOD, Y.astype(float)),
    "beyond": (GOOD, Y + 1),
    "below": (GOOD, Y - 1),
}


@pytest.mark.parametrize(("probs", "y"), WRONG.values(), ids=WRONG.keys())
def test_what_cannot_be_judged_is_refused(probs, y):
    for metric in (metrics.accuracy, metrics.nll, metrics.brier, metrics.ece, metrics.calibration):
        with pytest.raises(MetricError):
            metric(probs, y)


def test_sums_may_be_off_by_rounding_only():
    assert metrics.nll(GOOD * 1.0009, Y) > 0
    with pytest.raises(MetricError, match="softmax"):
        metrics.nll(GOOD * 1.0011, Y)
    with pytest.raises(MetricError, match="at least 1 bin"):
        metrics.ece(GOOD, Y, 0)


@given(seeds)
def test_disagreement_is_symmetric_and_averages_pairs(seed):
    probs, _ = draw(seed)
    pairs = diversity.pairwise_disagreement(probs)
    assert np.array_equal(pairs, pairs.T)
    assert not pairs.diagonal().any()
    upper = [pairs[i, j] for i, j in combinations(range(len(probs)), 2)]
    assert diversity.disagreement(probs) == pytest.approx(np.mean(upper) if upper else 0.0)
    assert diversity.disagreement(probs[::-1]) == pytest.approx(diversity.disagreement(probs))


@given(seeds)
def test_brier_score_of_the_average_splits_exactly(seed):
    probs, y = draw(seed)
    parts = diversity.ambiguity(probs, y)
    assert parts.ensemble == pytest.approx(parts.members - parts.ambiguity, abs=1e-6)
    assert parts.ensemble == pytest.approx(metrics.brier(probs.mean(0), y))
    assert parts.members == pytest.approx(np.mean([metrics.brier(p, y) for p in probs]))
    assert parts.ambiguity >= 0


@given(seeds)
def test_oracle_of_a_pair_follows_from_its_parts(seed):
    """Oracle = (acc_i + acc_j + γ − δ) / 2: γ named differently, δ both wrong and differently."""
    probs, y = draw(seed, members=2)
    named = probs.argmax(-1)
    both_wrong_apart = ((named != y).all(0) & (named[0] != named[1])).mean()
    accuracies = [metrics.accuracy(p, y) for p in probs]
    expected = (sum(accuracies) + diversity.disagreement(probs) - both_wrong_apart) / 2
    assert diversity.oracle_accuracy(probs, y) == pytest.approx(expected)
    faults = diversity.double_fault(probs, y)
    assert faults[0, 1] == pytest.approx(1 - diversity.oracle_accuracy(probs, y))
    assert faults.diagonal() == pytest.approx([1 - a for a in accuracies])


@given(seeds)
def test_mutual_information_is_the_mean_divergence_from_the_average(seed):
    probs, _ = draw(seed)
    mean = probs.mean(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(probs > 0, probs * np.log(probs / mean), 0.0)
    value = diversity.mutual_information(probs)
    assert value == pytest.approx(terms.sum(-1).mean(), abs=1e-9)
    assert 0 <= value <= np.log(len(probs)) + 1e-12


def test_one_member_or_copies_do_not_differ(rng):
    one = rng.dirichlet(np.ones(4), (1, 9))
    y = rng.integers(0, 4, 9)
    for probs in (one, np.repeat(one, 3, 0)):
        assert diversity.disagreement(probs) == 0
        assert diversity.mutual_information(probs) == pytest.approx(0, abs=1e-12)
        assert diversity.ambiguity(probs, y).ambiguity == pytest.approx(0, abs=1e-12)
        assert diversity.oracle_accuracy(probs, y) == metrics.accuracy(one[0], y)
    opposite = np.stack([np.eye(2)[[0, 0]], np.eye(2)[[1, 1]]])
    assert (diversity.disagreement(opposite), diversity.mutual_information(opposite)) == (1, pytest.approx(np.log(2)))


@pytest.mark.parametrize("measure", [diversity.oracle_accuracy, diversity.double_fault, diversity.ambiguity])
def test_members_that_cannot_be_judged_are_refused(measure):
    for probs, y in ((GOOD, Y), (GOOD[None], Y[:2]), (GOOD[None] * np.nan, Y), (np.empty((0, 3, 2)), Y)):
        with pytest.raises(MetricError):
            measure(probs, y)
