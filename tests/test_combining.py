"""Laws of the combining rules, with scipy as the oracle, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core import metrics
from edgenes_core.combining import COMBINERS, bayes, gate, load_combiner, stacking
from edgenes_core.combining.average import geometric_mean, majority_vote
from edgenes_core.combining.errors import CombiningError
from edgenes_core.combining.judging import cross_fit, judge
from edgenes_core.ensembles import combine

seeds = st.integers(0, 2**32 - 1)


def forecasts(seed: int, members: int | None = None, images: int | None = None):
    """(M, B, C) forecasts of members that know something, some more than others, and true classes."""
    rng = np.random.default_rng(seed)
    m, b, c = members or int(rng.integers(1, 6)), images or int(rng.integers(10, 80)), int(rng.integers(2, 6))
    y = rng.integers(0, c, b)
    probs = rng.dirichlet(np.ones(c), (m, b)) + rng.uniform(0, 1.5, (m, b, 1)) * np.eye(c)[y]
    return probs / probs.sum(-1, keepdims=True), y


def fitted(name: str, members: int):
    return load_combiner(name, np.full(members, 1 / members) if name == "weights" else None)


@given(seeds, st.sampled_from(list(COMBINERS)))
def test_every_rule_gives_distributions_whatever_the_order_of_the_members(seed, name):
    probs, y = forecasts(seed)
    order = np.random.default_rng(seed).permutation(len(probs))
    once = fitted(name, len(probs))(probs, y)(probs)
    assert metrics.distributions(once, "BC").shape == probs.shape[1:]
    turned = fitted(name, len(probs))(probs[order], y)(probs[order])
    np.testing.assert_allclose(turned, once, atol=2e-3 if name == "gate" else 1e-6)  # L-BFGS stops near its optimum


@given(seeds, st.sampled_from(list(COMBINERS)))
def test_all_rules_leave_one_member_as_it_is(seed, name):
    """The vote keeps its class only: half a vote, half its probabilities."""
    probs, y = forecasts(seed, members=1)
    alone = fitted(name, 1)(probs, y)(probs)
    assert (alone.argmax(-1) == probs[0].argmax(-1)).all()
    if name != "vote":
        np.testing.assert_allclose(alone, probs[0], atol=1e-9)


@given(seeds, st.sampled_from(list(COMBINERS)))
def test_identical_members_count_alike(seed, name):
    probs, y = forecasts(seed, members=1)
    same = np.repeat(probs, 4, axis=0)
    rule = fitted(name, 4)(same, y)
    if name != "vote":
        np.testing.assert_allclose(rule(same), probs[0], atol=1e-6)
    assert (rule(same).argmax(-1) == probs[0].argmax(-1)).all()
    if name in ("stacking", "bma", "tempered_bma"):
        fit = {"stacking": stacking.fit, "bma": bayes.fit, "tempered_bma": bayes.fit_tempered}[name]
        np.testing.assert_allclose(fit(same, y).weights, 0.25, atol=1e-9)


@given(seeds)
def test_geometric_mean_is_the_softmax_of_mean_logits(seed):
    from scipy.special import softmax

    logits = np.random.default_rng(seed).normal(0, 2, (4, 30, 5))
    np.testing.assert_allclose(geometric_mean(softmax(logits, -1)), softmax(logits.mean(0), -1), atol=1e-12)


@given(seeds)
def test_a_vote_of_certain_members_is_their_share(seed):
    rng = np.random.default_rng(seed)
    named = rng.integers(0, 4, (5, 40))
    shares = np.stack([(named == c).mean(0) for c in range(4)], axis=-1)
    np.testing.assert_allclose(majority_vote(np.eye(4)[named]), shares, atol=1e-12)


@given(seeds)
def test_a_vote_follows_the_most_votes_then_the_mean(seed):
    probs, _ = forecasts(seed)
    votes = np.stack([np.bincount(v, minlength=probs.shape[2]) for v in probs.argmax(-1).T])
    won = majority_vote(probs).argmax(-1)
    mean = probs.mean(0)
    for image, winner in enumerate(won):
        tied = np.flatnonzero(votes[image] == votes[image].max())
        assert winner == tied[mean[image, tied].argmax()]


@given(seeds)
def test_stacking_climbs_within_the_simplex(seed):
    probs, y = forecasts(seed)
    found = stacking.fit(probs, y)
    assert (np.diff(found.nll) <= 1e-12).all()
    assert found.weights.sum() == pytest.approx(1)
    assert (found.weights >= 0).all()
    assert found.nll[0] == pytest.approx(metrics.nll(probs.mean(0), y), abs=1e-9)
    assert found.nll[-1] == pytest.approx(metrics.nll(found.combine(probs), y), abs=1e-9)


@given(seeds)
def test_stacking_is_what_scipy_finds(seed):
    """The optimum's conditions: no member would gain weight, mean_x p_m/p̄ ≤ 1; and SLSQP is not better."""
    from scipy.optimize import minimize

    probs, y = forecasts(seed, members=3, images=60)
    true = stacking.true_class(probs, y)
    found = stacking.fit(probs, y, steps=20_000)
    assert (true / (found.weights @ true)).mean(1).max() < 1 + 1e-3
    oracle = minimize(
        lambda w: -np.log(np.maximum(w @ true, 1e-12)).mean(),
        np.full(3, 1 / 3),
        bounds=[(0, 1)] * 3,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
    )
    assert found.nll[-1] <= oracle.fun + 1e-5


def test_bma_becomes_one_hot_as_images_grow_and_t_slows_it():
    probs, y = forecasts(3, members=3, images=20)
    best = stacking.true_class(probs, y).prod(1).argmax()
    share = []
    for times in (1, 4, 16, 64):
        repeated, labels = np.tile(probs, (1, times, 1)), np.tile(y, times)
        share.append(bayes.fit(repeated, labels).weights[best])
        once = bayes.fit_tempered(repeated, labels).weights
        np.testing.assert_allclose(once, bayes.fit_tempered(probs, y).weights)  # one observation, however many images
        np.testing.assert_allclose(bayes.fit(repeated, labels, 1 / times).weights, bayes.fit(probs, y).weights)
    assert share == sorted(share)
    assert share[-1] > 1 - 1e-6
    assert bayes.fit(probs, y, power=0).weights == pytest.approx(1 / 3)
    np.testing.assert_allclose(bayes.fit(probs, y, 0, np.array([0.5, 0.3, 0.2])).weights, [0.5, 0.3, 0.2])


@given(seeds)
def test_bma_is_the_softmax_of_minus_t_n_nll(seed):
    from scipy.special import softmax

    probs, y = forecasts(seed)
    nll = np.array([metrics.nll(member, y) for member in probs])
    np.testing.assert_allclose(bayes.fit(probs, y, 0.3).weights, softmax(-0.3 * len(y) * nll), atol=1e-9)
    np.testing.assert_allclose(bayes.fit_tempered(probs, y).weights, softmax(-nll), atol=1e-9)
    np.testing.assert_allclose(bayes.fit(probs, y).nll, nll)


def test_the_gate_learns_whom_to_trust_and_is_pulled_to_the_mean():
    """Two members, each sure where it knows and vague where it does not: the sure one should get the weight."""
    rng = np.random.default_rng(0)
    y, knows = rng.integers(0, 3, 400), rng.integers(0, 2, 400)
    vague = rng.dirichlet(np.full(3, 2.0), (2, 400))
    sure = 0.9 * np.eye(3)[y] + 0.1 / 3
    probs = np.where((np.arange(2)[:, None] == knows)[:, :, None], sure, vague)
    out = cross_fit(load_combiner("gate"), probs, y)
    assert metrics.nll(out, y) < metrics.nll(probs.mean(0), y) - 0.1
    assert metrics.nll(out, y) < metrics.nll(cross_fit(load_combiner("stacking"), probs, y), y)
    weights = gate.fit(probs, y).weights(probs)
    assert weights.sum(0) == pytest.approx(1)
    assert np.mean(weights.argmax(0) == knows) > 0.9
    np.testing.assert_allclose(gate.fit(probs, y, 1e9).combine(probs), probs.mean(0), atol=1e-4)
    losses = [metrics.nll(gate.fit(probs, y, penalty).combine(probs), y) for penalty in (1e4, 100, 1)]
    assert losses == sorted(losses, reverse=True)


def test_the_gate_stands_at_a_minimum():
    """No small step in any direction lowers the penalised loss."""
    probs, y = forecasts(2, members=3, images=80)
    found = gate.fit(probs, y)

    def loss(coefficients: np.ndarray) -> float:
        nll = metrics.nll(found._replace(coefficients=coefficients).combine(probs), y)
        return len(y) * nll + gate.PENALTY / 2 * (coefficients**2).sum()

    rng = np.random.default_rng(0)
    steps = 1e-2 * rng.normal(size=(50, *found.coefficients.shape))
    assert min(loss(found.coefficients + step) for step in steps) > loss(found.coefficients)
    assert loss(found.coefficients) < loss(np.zeros_like(found.coefficients)) - 1e-3


def test_weights_of_one_member_are_that_member():
    probs, y = forecasts(0, members=3)
    assert np.array_equal(load_combiner("weights", np.array([1.0, 0, 0]))(probs, y)(probs), probs[0])
    assert np.array_equal(load_combiner("mean")(probs, y)(probs), combine(probs))


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda p, y: load_combiner("median"), r"one of mean, geometric, .*, gate, got 'median'\."),
        (lambda p, y: load_combiner("weights"), r"'weights' needs a weight for each member .* got 'weights'\."),
        (lambda p, y: load_combiner("mean", np.ones(1)), r"no other rule takes any, got 'mean'\."),
        (lambda p, y: judge("gate", p, y, protocol="all"), r"protocol cross or half, got 'all'\."),
        (lambda p, y: judge("gate", p, y, folds=1), r"2 to 12 folds of these 12 images, got 1\."),
        (lambda p, y: judge("stacking", p, y, folds=13), r"2 to 12 folds of these 12 images, got 13\."),
        (lambda p, y: bayes.fit(p, y, -1), r"T, .*, is a number from 0, got -1\."),
        (lambda p, y: bayes.fit(p, y, 1, np.array([1.0, 0, 0])), r"3 numbers above 0 that sum to 1"),
        (lambda p, y: gate.fit(p, y, 0), r"penalty ℓ is a number above 0, got 0; a large one gives the simple mean\."),
        (lambda p, y: gate.fit(p, y).combine(p[:2]), r"fitted on 3 members, got 2\."),
    ],
)
def test_impossible_requests_are_one_sentence(call, sentence):
    probs, y = forecasts(0, members=3, images=12)
    with pytest.raises(CombiningError, match=sentence):
        call(probs, y)


@pytest.mark.parametrize("name", COMBINERS)
def test_the_list_is_complete_and_broken_forecasts_are_refused(name):
    spec = COMBINERS[name]
    assert spec.name == name
    assert all((spec.about, spec.formula, spec.cite))
    probs, y = forecasts(0, members=2)
    probs[1, 3, 0] = np.nan
    with pytest.raises(metrics.MetricError, match="finite"):
        fitted(name, 2)(probs, y)(probs)
