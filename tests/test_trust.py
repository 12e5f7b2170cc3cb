"""Trust in rows: every number is that of the function it is named after, identities hold exactly, halves do not meet."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from edgenes_core import bootstrap, diversity, metrics, selective, severity, trust
from edgenes_core.architecture import Architecture
from edgenes_core.measures import DIVERSITY
from edgenes_core.optimism import optimism
from edgenes_core.space import SearchSpace
from edgenes_core.statistics import image_scores, paired_bootstrap
from edgenes_core.temperature import fit_temperature
from edgenes_core.weighted import STATISTICS, auroc_of, mean_of

seeds = st.integers(0, 10_000)


def draw(seed: int, members: int = 3, images: int = 60, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Members that are mostly right, and true classes of which every class has several."""
    rng = np.random.default_rng(seed)
    y = np.arange(images) % classes
    scores = rng.normal(size=(members, images, classes))
    scores[:, np.arange(images), y] += 1.5
    return np.exp(scores) / np.exp(scores).sum(-1, keepdims=True), y


def cells(count: int) -> list[Architecture]:
    space, rng = SearchSpace(), np.random.default_rng(3)
    base = space.sample(rng)
    return [space.sample_sharing(base, i % space.lambda_max, rng) for i in range(count)]


@given(seed=seeds)
def test_calibration_is_that_of_the_metrics_and_differences_are_paired(seed):
    probs, y = draw(seed)
    said = {"team": probs.mean(0), "one": probs[0]}
    found = {(r.ensemble, r.measure): r for r in trust.calibrated({k: trust.drawn(p, y) for k, p in said.items()})}
    for name, p in said.items():
        risk = selective.risk_coverage(p, y)
        wanted = (metrics.ece(p, y), metrics.adaptive_ece(p, y), metrics.signed_gap(p, y), risk.aurc)
        wanted += (metrics.nll(p, y), metrics.brier(p, y))
        assert [found[name, m].value for m in trust.CALIBRATION] == pytest.approx(wanted)
        nll = found[name, "nll"]
        assert (nll.value, nll.lo, nll.hi, nll.n) == pytest.approx(
            bootstrap.interval(STATISTICS["nll"](p[None], y), 60)
        )
    gap = found["one", "nll"]
    own = paired_bootstrap(*(image_scores(p, y).nll for p in said.values()))
    assert gap.minus == pytest.approx(own.mean)
    assert gap.minus_hi - gap.minus_lo > 0.9 * (own.hi - own.lo), (
        "corrected for six measures: hardly ever narrower than one alone"
    )
    assert np.isnan(found["team", "nll"].minus)
    assert found["one", "nll"].tie == (gap.minus_lo <= 0 <= gap.minus_hi)


def test_without_resamples_the_values_are_the_same_and_nothing_else_is_said():
    probs, y = draw(1)
    said = {"team": probs.mean(0), "one": probs[0]}
    quick = trust.calibrated({k: trust.drawn(p, y, intervals=False) for k, p in said.items()})
    slow = trust.calibrated({k: trust.drawn(p, y) for k, p in said.items()})
    assert [r.value for r in quick] == [r.value for r in slow]
    assert [r.minus for r in quick[6:]] == pytest.approx([r.minus for r in slow[6:]])
    assert np.isnan([[r.lo, r.hi, r.minus_lo, r.minus_hi] for r in quick]).all()


def test_an_ensemble_ties_with_itself():
    probs, y = draw(2)
    rows = trust.calibrated(dict.fromkeys(("a", "b"), trust.drawn(probs.mean(0), y)))
    assert all(row.tie and row.minus == row.minus_lo == row.minus_hi == 0 for row in rows[len(trust.CALIBRATION) :])


@pytest.mark.parametrize("members", [1, 2, 4])
def test_every_measure_of_diversity_has_a_row_and_what_is_not_defined_a_reason(members):
    probs, y = draw(3, members)
    rows = trust.diversity_scores("team", probs, y, cells(members))
    assert [row.measure for row in rows] == list(DIVERSITY)
    values = {row.measure: row.value for row in rows}
    assert values["disagreement"] == pytest.approx(diversity.disagreement(probs))
    assert values["mutual_information"] == pytest.approx(diversity.mutual_information(probs), abs=1e-9)
    quick = trust.diversity_scores("team", probs, y, cells(members), intervals=False)
    np.testing.assert_allclose([r.value for r in quick], [r.value for r in rows])
    for row in rows:
        assert np.isnan(row.lo) if row.measure in trust.STRUCTURAL else not row.lo > row.value + 1e-9
        if np.isnan(row.value):
            assert ("one member" in trust.why_undefined(row.measure, members)) == (members == 1)


def test_members_that_never_err_leave_measures_of_errors_undefined():
    y = np.arange(40) % 4
    probs = np.stack([np.eye(4)[y] * 0.9 + 0.025, np.eye(4)[y] * 0.8 + 0.05])
    rows = {r.measure: r for r in trust.diversity_scores("team", probs, y, cells(2))}
    for measured in ("q_statistic", "error_correlation", "normalised_disagreement"):
        assert np.isnan(rows[measured].value)
        assert measured in trust.UNDEFINED
    assert rows["disagreement"].value == 0


@given(seed=seeds)
def test_a_temperature_is_judged_where_it_was_not_fitted(seed):
    probs, y = draw(seed)
    said = probs.mean(0)
    fitted, judged = trust.tempered_rows("team", said, y)
    found = fit_temperature(said, y)
    assert (fitted.temperature, fitted.n + judged.n) == (found.value, len(y))
    assert (judged.nll, judged.nll_tempered) == (found.judged[0].nll, found.judged[1].nll)
    assert fitted.nll_tempered <= fitted.nll
    assert judged.change == pytest.approx(judged.nll_tempered - judged.nll)


@given(seed=seeds, members=st.integers(1, 4))
def test_doubt_splits_exactly_and_every_image_is_in_one_bin(seed, members):
    probs, y = draw(seed, members)
    found = trust.doubt_of(probs, y, probs.mean(0))
    np.testing.assert_allclose(found.total, found.own + found.apart, atol=1e-9)
    assert (found.apart == 0).all() == (members == 1)
    for part in found[:3]:
        bins = trust.doubt_bins(part, found.wrong)
        assert (sum(b.wrong for b in bins), sum(b.right for b in bins)) == (found.wrong.sum(), (~found.wrong).sum())
        assert all(a.up_to == b.above for a, b in pairwise(bins))
    if 0 < found.wrong.sum() < len(y):
        told = bootstrap.whole(auroc_of(found.total, found.wrong), len(y))
        assert told == pytest.approx(roc_auc_score(found.wrong, found.total))


@given(seed=seeds)
def test_severity_points_are_means_over_corruptions(seed):
    clean, y = draw(seed, 4)
    said = {("spatter", 1): clean[1], ("spatter", 3): clean[2], ("gaussian_blur", 1): clean[3]}
    points = severity.severity_points("team", said, clean[0], y)
    by = {(p.corruption, p.severity, p.metric): p for p in points}
    assert by["clean", 0, "nll"].value == pytest.approx(metrics.nll(clean[0], y))
    assert by["spatter", 3, "accuracy"].value == pytest.approx(metrics.accuracy(clean[2], y))
    mean = by["mean", 1, "ece"]
    assert mean.value == pytest.approx(np.mean([metrics.ece(clean[k], y) for k in (1, 3)]))
    assert mean.corruptions == 2
    assert ("mean", 3, "ece") not in by, "one corruption lacks that severity"
    one = image_scores(clean[1], y).nll + image_scores(clean[3], y).nll
    wanted = bootstrap.interval(mean_of(one / 2), len(y))
    assert by["mean", 1, "nll"][4:7] == pytest.approx(wanted[:3])
    assert all(np.isnan(p.lo) for p in points if p.corruption not in ("mean", "clean"))


def test_validation_and_test_are_resampled_independently(rng):
    val, test = rng.normal(size=200), rng.normal(size=300) + 0.1
    found = optimism(mean_of(val), 200, mean_of(test), 300)
    assert found.gap == pytest.approx(val.mean() - test.mean())
    assert (found.val.n, found.test.n) == (200, 300)
    spread = (val.var() / 200 + test.var() / 300) ** 0.5
    assert (found.hi - found.lo) / 2 == pytest.approx(1.96 * spread, rel=0.1)
    same = optimism(mean_of(val), 200, mean_of(val), 200)
    assert same.hi > same.lo, "the same numbers as two sets of images are not paired"
    assert same.tie
