"""An honest protocol: a rule is judged only on images that it was not fitted on, beside the mean on the same images."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_combining import fitted, forecasts

from edgenes_core import metrics
from edgenes_core.combining import COMBINERS, gate, load_combiner
from edgenes_core.combining.judging import cross_fit, fold_of, judge
from edgenes_core.ensembles import evaluate
from edgenes_core.statistics import image_scores, paired_bootstrap

FITTED = [name for name, spec in COMBINERS.items() if spec.fitted]
seeds = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("name", FITTED)
def test_no_rule_sees_the_fold_that_it_predicts(name):
    """Other labels, in one fold only: what is predicted there stays the same to the bit, what is predicted elsewhere does not."""
    probs, y = forecasts(1, members=3, images=60)
    fold = fold_of(60, 5)
    other = np.where(fold == 2, (y + 1) % probs.shape[2], y)
    one, two = (cross_fit(load_combiner(name), probs, labels) for labels in (y, other))
    assert np.array_equal(one[fold == 2], two[fold == 2])
    assert not np.array_equal(one[fold != 2], two[fold != 2])


@pytest.mark.parametrize("name", FITTED)
def test_the_judged_half_is_not_fitted(name):
    probs, y = forecasts(1, members=3, images=60)
    second = fold_of(60, 2) == 1
    other = np.where(second, (y + 1) % probs.shape[2], y)
    one, two = (judge(name, probs, labels, protocol="half") for labels in (y, other))
    assert np.array_equal(one.combined, two.combined)
    assert np.array_equal(one.rows, np.flatnonzero(second))
    assert one.judged.nll != two.judged.nll


def test_permuted_labels_teach_nothing_out_of_fold():
    """In its own images the gate finds what is not there; out of fold it is no better than the mean, and no better than chance."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 120)
    probs = rng.dirichlet(np.ones(4), (6, 120))
    mean = metrics.nll(probs.mean(0), y)
    assert metrics.nll(gate.fit(probs, y, 0.1).combine(probs), y) < mean - 0.05
    for fit in (lambda p, t: gate.fit(p, t, 0.1).combine, load_combiner("gate")):
        out = cross_fit(fit, probs, y)
        gap = paired_bootstrap(image_scores(out, y).nll, image_scores(probs.mean(0), y).nll)
        assert gap.hi > 0
        assert metrics.nll(out, y) > np.log(4)
        assert metrics.accuracy(out, y) < 0.25 + 3 * np.sqrt(0.25 * 0.75 / 120)


@given(seeds, st.sampled_from(list(COMBINERS)), st.sampled_from(["cross", "half"]))
def test_judged_beside_the_mean_on_the_same_images(seed, name, protocol):
    probs, y = forecasts(seed)
    weights = np.full(len(probs), 1 / len(probs)) if name == "weights" else None
    found = judge(name, probs, y, protocol=protocol, weights=weights)
    rows = found.rows
    assert found.judged.n == found.mean.n == found.nll.n == len(rows) == len(found.combined)
    assert found.mean == evaluate(probs[:, rows], y[rows], "val")
    assert found.judged.nll == pytest.approx(metrics.nll(found.combined, y[rows]))
    assert found.nll.mean == pytest.approx(found.judged.nll - found.mean.nll, abs=1e-9)
    assert len(rows) == (len(y) if protocol == "cross" else len(y) // 2)
    on_others = int(len(y) - np.ceil(len(y) / 5)) if protocol == "cross" else len(y) - len(rows)
    assert found.fitted_on == (on_others if COMBINERS[name].fitted else 0)
    if not COMBINERS[name].fitted:
        np.testing.assert_allclose(found.combined, fitted(name, len(probs))(probs, y)(probs)[rows], atol=1e-12)


def test_folds_part_the_images_evenly_by_seed():
    assert sorted(np.bincount(fold_of(23, 5, seed=1))) == [4, 4, 5, 5, 5]
    assert not np.array_equal(fold_of(23, 5, seed=1), fold_of(23, 5, seed=2))
