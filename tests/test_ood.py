"""Telling foreign images from own ones, and the figures of what an ensemble does not know."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from test_metrics import draw, seeds

from edgenes_core import ood, selective
from edgenes_core.figures import uncertainty
from edgenes_core.figures.theme import ROLE_STYLE
from edgenes_core.metrics import MetricError

STYLE = ROLE_STYLE["pool"]


@given(seeds, st.integers(1, 6))
def test_auroc_is_that_of_scikit_learn_ties_included(seed, levels):
    rng = np.random.default_rng(seed)
    own, foreign = (rng.integers(0, levels, rng.integers(1, 30)).astype(float) for _ in range(2))
    labels = np.repeat([0, 1], [len(own), len(foreign)])
    found = ood.auroc(own, foreign)
    assert found == pytest.approx(roc_auc_score(labels, np.concatenate([own, foreign])))
    assert ood.auroc(foreign, own) == pytest.approx(1 - found)
    assert found == pytest.approx(np.mean([(f > o) + 0.5 * (f == o) for o in own for f in foreign]))


def test_auroc_at_its_ends():
    low, high = np.array([0.0, 0.1]), np.array([0.5, 0.6, 0.7])
    assert (ood.auroc(low, high), ood.auroc(high, low), ood.auroc(low, low)) == (1, 0, 0.5)
    assert np.isnan(ood.auroc(low, high[:0]))


@given(seeds)
def test_the_mutual_information_of_one_network_says_nothing(seed):
    """It is 0 for every image, own or foreign, so all pairs are tied: exactly one half, with an interval of no width."""
    own, _ = draw(seed, members=1, classes=5)
    foreign, _ = draw(seed + 1, members=1, classes=5)
    for kind in (np.float64, np.float32):
        entropy, information, least = ood.separate(own.astype(kind), foreign.astype(kind))
        assert information.auroc[:3] == (0.5, 0.5, 0.5)
        assert information.note == ood.SINGLE
        assert not entropy.note
        assert not least.note
        assert not ood.scores(own.astype(kind)).mutual_information.any()


@given(seeds)
def test_scores_have_their_range_and_several_members_may_disagree(seed):
    probs, _ = draw(seed)
    found = ood.scores(probs)
    members, _, classes = probs.shape
    assert (found.entropy <= np.log(classes) + 1e-9).all()
    assert (found.mutual_information <= np.minimum(found.entropy, np.log(members)) + 1e-9).all()
    assert (found.one_minus_max <= 1 - 1 / classes + 1e-9).all()
    for score in found:
        assert score.shape == probs.shape[1:2]
        assert (score >= -1e-12).all()


def test_foreign_images_that_members_do_not_agree_on_are_told_apart(rng):
    own = np.repeat(rng.dirichlet(np.full(4, 0.05), (1, 80)), 3, 0)
    foreign = rng.dirichlet(np.full(4, 0.3), (3, 60))
    found = {s.score: s for s in ood.separate(own, foreign)}
    assert found["mutual_information"].auroc.value == 1
    assert all(s.auroc.lo <= s.auroc.value <= s.auroc.hi for s in found.values())
    assert (found["entropy"].own, found["entropy"].foreign, found["entropy"].note) == (80, 60, "")
    for wrong in (foreign[:2], foreign[..., :3], foreign[0]):
        with pytest.raises(MetricError, match="same members and classes"):
            ood.separate(own, wrong)


@pytest.mark.parametrize("dark", [False, True])
@given(seed=seeds)
def test_a_risk_curve_starts_where_enough_images_are_kept_and_ends_at_the_error(dark, seed):
    probs, y = draw(seed, members=1)
    info = uncertainty.risk_info("one", STYLE, probs[0], y)
    whole = selective.risk_coverage(probs[0], y)
    assert info.coverage[-1] == 1
    assert info.risk[-1] == pytest.approx(info.error) == pytest.approx(info.best[-1])
    assert (info.best <= info.risk + 1e-9).all()
    assert (info.aurc, info.n) == (whole.aurc, len(y))
    fig = uncertainty.plot_risk([info], dark=dark)
    assert len(fig.data) == 2
    assert str(len(y)) in fig.data[1].name
    assert uncertainty.plot_risk([], dark=dark).layout.annotations


@pytest.mark.parametrize("dark", [False, True])
@given(seed=seeds)
def test_a_histogram_counts_every_image(dark, seed):
    own, _ = draw(seed, members=2, classes=4)
    foreign, _ = draw(seed + 1, members=2, classes=4)
    separations = ood.separate(own, foreign)
    for found, score in zip(separations, ood.NAMES, strict=True):
        info = uncertainty.foreign_info(
            "noise", getattr(ood.scores(own), score), getattr(ood.scores(foreign), score), found
        )
        assert info.own.sum() == pytest.approx(1)
        assert info.foreign.sum() == pytest.approx(1)
    fig = uncertainty.plot_foreign(info, dark=dark)
    assert {trace.line.dash for trace in fig.data} == {"solid", "dash"}
    assert f"{found.auroc.value:.3f}" in fig.layout.annotations[0].text
