"""Intervals of every measure: counts stand for repeated images, pairs share their resamples, intervals cover as promised."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from test_metrics import draw, seeds

from edgenes_core import bootstrap, diversity, metrics, pairwise, selective, statistics
from edgenes_core.bootstrap import SeedDifference, difference, interval, resampled_rows, seed_difference, values
from edgenes_core.comparisons import simultaneous
from edgenes_core.pairwise import over_pairs
from edgenes_core.records import METRICS
from edgenes_core.statistics import StatisticsError, image_scores, paired_bootstrap
from edgenes_core.weighted import STATISTICS, auroc_of, ece_of, mean_of, measure

DIRECT = {
    "accuracy": lambda p, y: metrics.accuracy(p.mean(0), y),
    "nll": lambda p, y: metrics.nll(p.mean(0), y),
    "brier": lambda p, y: metrics.brier(p.mean(0), y),
    "ece": lambda p, y: metrics.ece(p.mean(0), y),
    "adaptive_ece": lambda p, y: metrics.adaptive_ece(p.mean(0), y),
    "signed_gap": lambda p, y: metrics.signed_gap(p.mean(0), y),
    "aurc": lambda p, y: selective.aurc(p.mean(0), y),
    "oracle_accuracy": diversity.oracle_accuracy,
    "oracle_nll": diversity.oracle_nll,
    "disagreement": lambda p, y: diversity.disagreement(p),
    "right_disagreement": lambda p, y: over_pairs(pairwise.right_disagreement(pairwise.overlap(p, y))),
    "normalised_disagreement": lambda p, y: over_pairs(pairwise.normalised_disagreement(p, y)),
    "double_fault": lambda p, y: over_pairs(diversity.double_fault(p, y)),
    "q_statistic": lambda p, y: over_pairs(pairwise.q_statistic(pairwise.overlap(p, y))),
    "error_correlation": lambda p, y: over_pairs(pairwise.error_correlation(pairwise.overlap(p, y))),
    "residual_correlation": lambda p, y: over_pairs(pairwise.residual_correlation(p, y)),
    "kappa": lambda p, y: over_pairs(pairwise.kappa(p)),
    "jsd": lambda p, y: over_pairs(diversity.pairwise_jsd(p)),
    "mutual_information": lambda p, y: diversity.mutual_information(p),
    "ambiguity": lambda p, y: diversity.ambiguity(p, y).ambiguity,
    "log_ambiguity": lambda p, y: diversity.log_ambiguity(p, y).ambiguity,
}


def test_every_measure_is_described_and_can_be_resampled():
    assert set(STATISTICS) == set(DIRECT)
    assert set(STATISTICS) <= set(METRICS)


@pytest.mark.parametrize("name", DIRECT)
@given(seed=seeds)
def test_counts_of_one_are_the_measure_and_counts_are_repeated_images(name, seed):
    probs, y = draw(seed)
    statistic, metric = STATISTICS[name](probs, y), METRICS[name]
    assert measure(name, probs, y) == pytest.approx(DIRECT[name](probs, y), abs=1e-9, nan_ok=True)
    rows = np.random.default_rng(seed).integers(len(y), size=(3, len(y)))
    counts = np.stack([np.bincount(row, minlength=len(y)) for row in rows]).astype(float)
    repeated = [DIRECT[name](probs[:, row], y[row]) for row in rows]
    tolerance = 1e-4 if name == "residual_correlation" else 1e-7  # of variances near the least that counts
    assert statistic(counts) == pytest.approx(repeated, abs=tolerance, nan_ok=True)
    finite = [value for value in repeated if np.isfinite(value)]
    assert all(metric.low - 1e-9 <= value <= metric.high + 1e-9 for value in finite)


@given(seeds, st.integers(1, 5))
def test_the_area_under_the_curve_counts_pairs(seed, levels):
    rng = np.random.default_rng(seed)
    outside = np.r_[True, False, rng.integers(0, 2, rng.integers(0, 40)).astype(bool)]
    score = rng.integers(0, levels + 1, len(outside)).astype(float)
    found = auroc_of(score, outside)
    rows = np.r_[0, 1, rng.integers(len(outside), size=len(outside) - 2)]
    assert found(np.ones((1, len(score))))[0] == pytest.approx(roc_auc_score(outside, score))
    counts = np.bincount(rows, minlength=len(score)).astype(float)[None]
    assert found(counts)[0] == pytest.approx(roc_auc_score(outside[rows], score[rows]))
    assert auroc_of(-score, outside)(counts) == pytest.approx(1 - found(counts))
    assert auroc_of(np.exp(score), outside)(counts) == pytest.approx(found(counts)), "only the order counts"
    assert np.isnan(auroc_of(score, np.ones_like(outside))(counts)).all(), "no own image: not defined"


@given(seeds)
def test_a_mean_has_the_interval_it_always_had(seed):
    probs, y = draw(seed, members=2)
    a, b = (image_scores(p, y).nll for p in probs)
    assert difference(mean_of(a), mean_of(b), len(y)) == pytest.approx(paired_bootstrap(a, b), abs=1e-9)


def test_resamples_are_known_from_three_numbers(monkeypatch):
    first, again = (np.concatenate(list(resampled_rows(50, 30, 7))) for _ in range(2))
    assert first.shape == (30, 50)
    assert np.array_equal(first, again)
    counts = np.concatenate(list(statistics.resampled_counts(50, 30, 7)))
    assert np.array_equal(counts, [np.bincount(row, minlength=50) for row in first])
    assert not np.array_equal(first, np.concatenate(list(resampled_rows(50, 30, 8))))
    monkeypatch.setattr(statistics, "LARGEST", 200)
    assert [len(chunk) for chunk in resampled_rows(50, 30, 7)] == [4] * 7 + [2]


@pytest.mark.parametrize("name", ["ece", "aurc", "kappa", "disagreement"])
@given(seed=seeds)
def test_the_same_predictor_ties_and_swapping_mirrors(name, seed):
    (a, y), (b, _) = draw(seed, members=3, images=30, classes=4), draw(seed + 1, members=3, images=30, classes=4)
    one, other = STATISTICS[name](a, y), STATISTICS[name](b, y)
    same = difference(one, one, 30, 100)
    assert (same.mean, same.lo, same.hi, same.tie) == (0, 0, 0, True)
    there, back = difference(one, other, 30, 100), difference(other, one, 30, 100)
    assert (back.mean, back.lo, back.hi) == pytest.approx((-there.mean, -there.hi, -there.lo))
    both = simultaneous([(one, other), (other, one), (one, one)], 30, 100)
    assert (both[1].mean, both[1].lo, both[1].hi) == pytest.approx((-both[0].mean, -both[0].hi, -both[0].lo))
    assert both[0].p == both[1].p
    assert (both[2].mean, both[2].lo, both[2].hi, both[2].p, both[2].tie) == (0, 0, 0, 1, True)


def test_a_measure_that_is_not_defined_has_no_interval():
    probs, y = draw(1, members=1)
    found = interval(STATISTICS["q_statistic"](probs, y), len(y), 50)
    assert np.isnan([found.value, found.lo, found.hi]).all()
    with pytest.raises(StatisticsError, match="leave out the others"):
        simultaneous([(STATISTICS["kappa"](probs, y),) * 2], len(y), 50)


def test_intervals_of_measures_that_are_no_means_cover_the_truth_about_as_often_as_they_say():
    """AUROC of two normal scores, one shifted by 1: Φ(1/√2) = 0.7602."""
    rng, covered = np.random.default_rng(0), []
    for i in range(150):
        outside = np.repeat([False, True], 60)
        found = interval(auroc_of(rng.normal(size=120) + outside, outside), 120, 200, seed=i)
        covered.append(found.lo <= 0.7602 <= found.hi)
    assert 0.87 <= np.mean(covered) <= 0.99


def recipe(rng, quality, seeds_, noise, images=200):
    """Per-image scores of networks whose quality varies from seed to seed; what is hard for one is hard for all."""
    return [mean_of(quality + rng.normal(0, noise) + rng.normal(0, 0.3, images)) for _ in range(seeds_)]


def test_seeds_are_resampled_too_or_the_interval_is_far_too_narrow():
    rng, covered, ignored = np.random.default_rng(0), [], []
    for i in range(120):
        a, b = recipe(rng, 0.5, 4, 0.1), recipe(rng, 0.4, 4, 0.1)
        found = seed_difference(a, b, 200, 100, seed=i)
        covered.append(found.lo <= 0.1 <= found.hi)
        first = difference(a[0], b[0], 200, 100, seed=i)
        ignored.append(first.lo <= 0.1 <= first.hi)
    assert 0.88 <= np.mean(covered) <= 1
    assert np.mean(ignored) < 0.6, "one seed each says little about the recipes"


def test_one_seed_speaks_of_images_only_and_agrees_with_the_paired_interval():
    rng = np.random.default_rng(3)
    a, b = recipe(rng, 0.5, 1, 0.1), recipe(rng, 0.45, 1, 0.1)
    found, plain = seed_difference(a, b, 200, 2000), difference(a[0], b[0], 200, 2000)
    assert found.units == "images"
    assert (found.mean, found.lo, found.hi) == pytest.approx((plain.mean, plain.lo, plain.hi), abs=0.01)
    several = seed_difference(a, recipe(rng, 0.45, 5, 0.1), 200)
    assert (several.units, several.seeds) == ("seeds and images", (1, 5))
    assert several == seed_difference(a, several_again(), 200)


def several_again():
    rng = np.random.default_rng(3)
    recipe(rng, 0.5, 1, 0.1), recipe(rng, 0.45, 1, 0.1)
    return recipe(rng, 0.45, 5, 0.1)


def test_recipes_swap_sides_with_their_sign():
    rng = np.random.default_rng(4)
    a, b = recipe(rng, 0.6, 3, 0.02), recipe(rng, 0.4, 5, 0.02)
    there, back = seed_difference(a, b, 200, 500), seed_difference(b, a, 200, 500)
    assert isinstance(there, SeedDifference)
    assert not there.tie
    assert back.mean == pytest.approx(-there.mean)
    assert (back.lo, back.hi) == pytest.approx((-there.hi, -there.lo), abs=0.02)
    same = seed_difference(a, a, 200, 500)
    assert same.mean == 0
    assert same.tie
    with pytest.raises(StatisticsError, match="at least one seed"):
        seed_difference([], b, 200)


def test_a_family_of_equal_predictors_rarely_has_a_winner():
    """Twenty comparisons of equals: singly, one of them is often decided; together, in about 5 % of the cases."""
    rng, together, singly = np.random.default_rng(0), [], []
    for i in range(80):
        reference = mean_of(rng.normal(size=100))
        rivals = [mean_of(rng.normal(size=100)) for _ in range(20)]
        pairs = [(rival, reference) for rival in rivals]
        together.append(any(not found.tie for found in simultaneous(pairs, 100, 400, seed=i)))
        singly.append(any(not difference(*pair, 100, 400, seed=i).tie for pair in pairs))
    assert np.mean(together) <= 0.13
    assert np.mean(singly) > 0.25


@given(seeds, st.integers(1, 6))
def test_more_comparisons_never_narrow_an_interval(seed, others):
    rng = np.random.default_rng(seed)
    pairs = [(mean_of(rng.normal(size=25)), mean_of(rng.normal(size=25))) for _ in range(others + 1)]
    few, many = simultaneous(pairs[:1], 25, 200), simultaneous(pairs, 25, 200)
    assert many[0].hi - many[0].lo >= few[0].hi - few[0].lo - 1e-12
    assert many[0].p >= few[0].p
    assert (many[0].mean, many[0].comparisons) == (few[0].mean, others + 1)
    assert simultaneous([], 25) == ()
    for found in many:
        assert found.lo <= found.mean <= found.hi
        assert 0 < found.p <= 1


def test_a_constant_shift_is_decided_however_many_are_compared():
    a = np.random.default_rng(1).normal(size=40)
    found = simultaneous([(mean_of(a + 0.5), mean_of(a)), (mean_of(a), mean_of(-a))], 40, 200)[0]
    assert (found.mean, found.lo, found.hi) == pytest.approx((0.5, 0.5, 0.5))
    assert not found.tie
    assert found.p == pytest.approx(1 / 201)


def test_memory_is_bounded_by_the_chunks(monkeypatch):
    monkeypatch.setattr(statistics, "LARGEST", 400)
    probs, y = draw(2, members=2, images=40)
    sizes = []

    def watched(counts):
        sizes.append(counts.size)
        return ece_of(probs.mean(0), y)(counts)

    assert len(values(watched, 40, 95)) == 95
    assert max(sizes) <= 400
    assert bootstrap.whole(watched, 40) == pytest.approx(metrics.ece(probs.mean(0), y))
