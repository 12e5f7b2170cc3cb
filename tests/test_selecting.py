"""Every rule and criterion against a plain loop over whole arrays, and the orderings that hold between them."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core import diversity, metrics, selecting
from edgenes_core.ensembles import combine, select
from edgenes_core.selecting import CRITERIA, SELECTION_RULES, choose, pool_of
from edgenes_core.selecting.criteria import criterion_of
from edgenes_core.selecting.pool import Watch

seeds = st.integers(0, 2**32 - 1)
rules = st.sampled_from(list(SELECTION_RULES))
criteria = st.sampled_from(list(CRITERIA))
gammas = st.sampled_from([0.0, 0.3])
KINDS = ("float64", "float32", "one-hot", "eighths", "copies", "skilled")


def drawn(seed: int, members: int = 8):
    """(N, B, C) predictions of each kind that makes ties, zeros or hard cases; true classes; keys in no order."""
    rng = np.random.default_rng(seed)
    n, b, c = int(rng.integers(1, members)), int(rng.integers(1, 70)), int(rng.integers(2, 9))
    y = rng.integers(0, c, b)
    kind = KINDS[rng.integers(len(KINDS))]
    probs = rng.dirichlet(np.ones(c), (n, b))
    if kind == "float32":
        probs = probs.astype(np.float32)
    elif kind == "one-hot":
        probs = np.eye(c)[rng.integers(0, c, (n, b))]
    elif kind == "eighths":
        probs = rng.multinomial(8, np.ones(c) / c, (n, b)) / 8
    elif kind == "copies":
        probs = probs[rng.integers(0, n, n)]
    elif kind == "skilled":
        probs = 0.6 * probs + 0.4 * np.eye(c)[np.where(rng.uniform(size=(n, b)) < 0.7, y, rng.integers(0, c, b))]
    return probs, y, [f"{key:06d}" for key in rng.choice(10**6, n, replace=False)]


def plain_loss(members: np.ndarray, y: np.ndarray, criterion: str, gamma: float) -> float:
    """What the definitions say, member by member."""
    mean = members.astype(float).mean(0)
    judge = {"nll": metrics.nll, "brier": metrics.brier, "accuracy": lambda p, t: 1 - metrics.accuracy(p, t)}
    return judge[criterion](mean, y) - gamma * diversity.ambiguity(members.astype(float), y).ambiguity


@given(seeds, criteria, gammas, st.data())
def test_exhaustive_is_the_plain_loop(seed, criterion, gamma, data):
    probs, y, keys = drawn(seed)
    size = data.draw(st.integers(1, len(keys)))
    chosen = choose(pool_of(probs, y, keys), size, criterion=criterion, gamma=gamma)
    every = {
        members: plain_loss(probs[[keys.index(key) for key in members]], y, criterion, gamma)
        for members in combinations(sorted(keys), size)
    }
    least = min(every.values())
    ties = [members for members, loss in every.items() if loss <= least + 1e-9]
    assert chosen.members == min(ties)
    assert chosen.loss == pytest.approx(least, abs=1e-12)
    assert (chosen.tied, chosen.evaluated) == (len(ties), len(every))


@given(seeds, criteria, gammas, st.data())
def test_losses_of_all_and_of_some_are_the_plain_ones(seed, criterion, gamma, data):
    """Also with members named twice; infinite only where the loss is worse than the best."""
    probs, y, keys = drawn(seed)
    size = data.draw(st.integers(1, len(keys)))
    judge = criterion_of(pool_of(probs, y, keys), criterion, gamma)
    members = probs[np.argsort(keys)]
    plain = np.array([plain_loss(members[list(s)], y, criterion, gamma) for s in combinations(range(len(keys)), size)])
    every = judge.every(size, Watch())
    finite = np.isfinite(every)
    np.testing.assert_allclose(every[finite], plain[finite], rtol=0, atol=1e-12)
    assert (plain[~finite] > plain.min() + 1e-9).all()
    repeats = np.random.default_rng(seed).integers(0, len(keys), (5, size))
    wanted = [plain_loss(members[row], y, criterion, gamma) for row in repeats]
    np.testing.assert_allclose(judge.losses(repeats), wanted, rtol=0, atol=1e-12)


@given(seeds, rules, criteria, gammas, st.data())
def test_a_choice_is_blind_to_the_order_of_the_pool(seed, rule, criterion, gamma, data):
    probs, y, keys = drawn(seed)
    size = data.draw(st.integers(1, len(keys)))
    order = data.draw(st.permutations(range(len(keys))))
    shuffled = pool_of(probs[order], y, [keys[i] for i in order])
    settings = {"rule": rule, "criterion": criterion, "gamma": gamma, "width": 3}
    assert choose(pool_of(probs, y, keys), size, **settings) == choose(shuffled, size, **settings)


@given(seeds, criteria, gammas, st.integers(1, 6), st.data())
def test_exhaustive_beats_beam_beats_forward(seed, criterion, gamma, width, data):
    """Beam carries forward's own sets along, so this holds at any width; and a wide beam is exhaustive."""
    probs, y, keys = drawn(seed)
    size = data.draw(st.integers(1, len(keys)))
    pool = pool_of(probs, y, keys)

    def by(rule: str, width: int = width) -> selecting.Choice:
        return choose(pool, size, rule, criterion, gamma=gamma, width=width)

    assert by("exhaustive").loss <= by("beam").loss + 1e-12
    assert by("beam").loss <= by("forward").loss + 2e-9  # within TIE, the smaller keys
    assert by("exhaustive").loss <= by("top").loss + 2e-9
    wide = by("beam", math.comb(len(keys), len(keys) // 2))
    assert (wide.members, wide.tied) == (by("exhaustive").members, by("exhaustive").tied)


def test_a_beam_never_loses_the_path_of_forward():
    """Drawn until the two best pairs led away from it: without forward's sets a beam of 2 ends at 0.5356, forward at 0.5344."""
    right = np.random.default_rng(10069).integers(1, 10, (7, 3)) / 10
    pool = pool_of(np.stack([right, 1 - right], axis=-1), np.zeros(3, int), list("abcdefg"))
    beam, forward = (choose(pool, 4, rule, width=2) for rule in ("beam", "forward"))
    assert beam.loss <= forward.loss + 1e-12
    assert forward.loss == pytest.approx(0.5344, abs=1e-4)


def test_members_equal_but_for_rounding_all_tie():
    """More of them than are scored in a round, each a little better than the one of the smaller key."""
    right = 0.5 + np.arange(60)[:, None, None] * 1e-12
    pool = pool_of(np.concatenate([right, 1 - right], axis=2), np.zeros(1, int), [f"{i:02d}" for i in range(60)])
    chosen = choose(pool, 1)
    assert (chosen.members, chosen.tied) == (("00",), 60)


@given(seeds, criteria, gammas)
def test_all_rules_agree_on_one_member(seed, criterion, gamma):
    probs, y, keys = drawn(seed)
    pool = pool_of(probs, y, keys)
    found = {rule: choose(pool, 1, rule, criterion, gamma=gamma) for rule in SELECTION_RULES}
    assert len({(choice.members, round(choice.loss, 12)) for choice in found.values()}) == 1


@given(seeds, criteria, gammas, st.integers(1, 9))
def test_greedy_keeps_the_best_prefix(seed, criterion, gamma, size):
    probs, y, keys = drawn(seed)
    chosen = choose(pool_of(probs, y, keys), size, "greedy", criterion, gamma=gamma)
    assert 1 <= len(chosen.members) == len(chosen.losses) <= size
    assert chosen.loss == chosen.losses[-1] <= min(chosen.losses) + 1e-9
    weights = chosen.weights()
    assert sum(weights.values()) == pytest.approx(1)
    shares = np.array([weights.get(key, 0.0) for key in keys])
    rows = [keys.index(key) for key in chosen.members]
    np.testing.assert_allclose(combine(probs, shares), combine(probs[rows]), atol=1e-9)


@given(seeds, criteria, st.data())
def test_top_takes_the_best_alone(seed, criterion, data):
    probs, y, keys = drawn(seed)
    size = data.draw(st.integers(1, len(keys)))
    alone = {key: plain_loss(probs[i : i + 1], y, criterion, 0) for i, key in enumerate(keys)}
    chosen = choose(pool_of(probs, y, keys), size, "top", criterion).members
    assert max(alone[key] for key in chosen) <= min((alone[k] for k in keys if k not in chosen), default=9e9) + 2e-9
    assert [alone[key] for key in chosen] == pytest.approx(sorted(alone.values())[:size], abs=2e-9)


def test_gamma_buys_ambiguity():
    """A larger γ never chooses an ensemble of less ambiguity, and never one of less NLL: both follow from two inequalities."""
    for seed in range(10):
        probs, y, keys = drawn(seed, members=9)
        pool, size = pool_of(probs, y, keys), (len(keys) + 1) // 2
        found = [choose(pool, size, gamma=gamma).members for gamma in (0.0, 0.5, 2.0, 50.0)]
        rows = [[keys.index(key) for key in members] for members in found]
        spread = [diversity.ambiguity(probs[r], y).ambiguity for r in rows]
        nll = [plain_loss(probs[r], y, "nll", 0) for r in rows]
        assert (np.diff(spread) > -1e-8).all()
        assert (np.diff(nll) > -1e-8).all()


@given(seeds, rules, criteria)
def test_select_is_choose_with_an_evaluation(seed, rule, criterion):
    probs, y, keys = drawn(seed)
    chosen = choose(pool_of(probs, y, keys), 1, rule, criterion)
    selection = select(probs, y, keys, 1, rule, criterion)
    assert (selection.members, selection.evaluated) == (chosen.members, chosen.evaluated)
    assert chosen.loss == pytest.approx(
        1 - selection.val.accuracy if criterion == "accuracy" else getattr(selection.val, criterion), abs=1e-12
    )
