"""Selection is exact, deterministic, blind to the order of the pool, and says what it cannot do."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core import diversity, metrics
from edgenes_core.ensembles import SELECTION_RULES, SelectionError, combine, evaluate, select

seeds = st.integers(0, 2**32 - 1)


def pool(seed, members=None, images=None, copies=False):
    """(N, B, C) predictions, true classes and distinct keys; with `copies` some members predict the same."""
    rng = np.random.default_rng(seed)
    n, b = members or int(rng.integers(1, 9)), images or int(rng.integers(1, 50))
    y = rng.integers(0, 4, b)
    probs = rng.dirichlet(np.ones(4), (n, b)) + rng.uniform(0, 2, (n, 1, 1)) * np.eye(4)[y]
    probs = (probs / probs.sum(-1, keepdims=True)).astype(np.float32)
    if copies:
        probs = probs[rng.integers(0, n, n)]
    return probs, y, [f"{key:012x}" for key in rng.choice(10**6, n, replace=False)]


def nll_of(members, probs, y, keys):
    return metrics.nll(combine(probs[[keys.index(key) for key in members]]), y)


@given(seeds)
def test_combine_is_the_mean_and_a_mixture(seed):
    probs, _, _ = pool(seed)
    rng = np.random.default_rng(seed)
    assert combine(probs) == pytest.approx(probs.mean(0), abs=1e-6)
    assert combine(probs, np.full(len(probs), 1 / len(probs))) == pytest.approx(combine(probs))
    weights = rng.dirichlet(np.ones(len(probs)))
    assert combine(probs, weights) == pytest.approx(sum(w * p for w, p in zip(weights, probs, strict=True)))
    one_hot = np.eye(len(probs))[0]
    assert np.array_equal(combine(probs, one_hot), probs[0].astype(float))


@pytest.mark.parametrize("weights", [[1.0], [0.5, 0.6], [1.5, -0.5], [np.nan, 1.0], [[0.5, 0.5]]])
def test_weights_that_are_no_mixture_are_refused(weights):
    with pytest.raises(SelectionError, match="sum to 1"):
        combine(pool(0, members=2)[0], np.array(weights))


@given(seeds)
def test_evaluate_collects_the_metrics_of_the_average(seed):
    probs, y, _ = pool(seed)
    result, mean = evaluate(probs, y, "val"), combine(probs)
    assert (result.split, result.n) == ("val", len(y))
    for name in ("accuracy", "nll", "brier", "ece"):
        assert getattr(result, name) == getattr(metrics, name)(mean, y)
    assert result.disagreement == diversity.disagreement(probs)
    assert result.oracle_accuracy == diversity.oracle_accuracy(probs, y) >= max(metrics.accuracy(p, y) for p in probs)
    assert all(type(getattr(result, name)) is float for name in ("accuracy", "nll", "ece", "disagreement"))


@given(seeds, st.booleans(), st.data())
def test_exhaustive_is_the_best_of_a_plain_loop(seed, copies, data):
    probs, y, keys = pool(seed, copies=copies)
    size = data.draw(st.integers(1, len(keys)))
    chosen = select(probs, y, keys, size)
    every = {members: nll_of(members, probs, y, keys) for members in combinations(sorted(keys), size)}
    least = min(every.values())
    assert chosen.members == min(members for members, nll in every.items() if nll <= least + 1e-9)
    assert chosen.evaluated == len(every) == math.comb(len(keys), size)


@given(seeds, st.booleans(), st.sampled_from(list(SELECTION_RULES)), st.data())
def test_selection_is_blind_to_the_order_of_the_pool(seed, copies, rule, data):
    probs, y, keys = pool(seed, copies=copies)
    size = data.draw(st.integers(1, len(keys)))
    order = data.draw(st.permutations(range(len(keys))))
    assert select(probs, y, keys, size, rule) == select(probs[order], y, [keys[i] for i in order], size, rule)


@given(seeds, st.sampled_from(list(SELECTION_RULES)), st.data())
def test_val_is_the_evaluation_of_the_members(seed, rule, data):
    probs, y, keys = pool(seed)
    size = data.draw(st.integers(1, len(keys)))
    chosen = select(probs, y, keys, size, rule)
    assert chosen.val == evaluate(probs[[keys.index(key) for key in chosen.members]], y, "val")
    assert (chosen.rule, chosen.size) == (rule, size)


@given(seeds, st.data())
def test_rules_are_ordered_and_agree_for_one_member(seed, data):
    probs, y, keys = pool(seed)
    size = data.draw(st.integers(1, len(keys)))
    exhaustive, forward, greedy = (select(probs, y, keys, size, rule) for rule in ("exhaustive", "forward", "greedy"))
    first = forward.members[:1]
    assert exhaustive.val.nll <= forward.val.nll + 1e-9
    assert greedy.val.nll <= nll_of(first, probs, y, keys) + 1e-9
    assert greedy.members[:1] == first == select(probs, y, keys, 1).members
    assert len(set(forward.members)) == len(forward.members) == size
    assert 1 <= len(greedy.members) <= size
    assert forward.evaluated == sum(len(keys) - step for step in range(size))
    assert greedy.evaluated == len(keys) * size


@given(seeds, st.data())
def test_forward_adds_the_member_that_helps_most(seed, data):
    probs, y, keys = pool(seed)
    chosen = select(probs, y, keys, data.draw(st.integers(1, len(keys))), "forward").members
    for step, added in enumerate(chosen):
        rivals = [key for key in keys if key not in chosen[:step]]
        least = min(nll_of((*chosen[:step], key), probs, y, keys) for key in rivals)
        assert nll_of((*chosen[:step], added), probs, y, keys) == pytest.approx(least, abs=1e-9)


def test_greedy_may_repeat_and_stop_early():
    """A confident member beside a useless one: more weight for the better, and nothing beyond the best prefix."""
    y = np.zeros(20, int)
    good, bad = np.tile([0.9, 0.1], (20, 1)), np.tile([0.1, 0.9], (20, 1))
    assert select(np.stack([bad, good]), y, ["bad", "good"], 2, "greedy").members == ("good",)
    rng = np.random.default_rng(0)
    left = np.where(rng.uniform(size=(90, 1)) < 2 / 3, [[0.9, 0.1]], [[0.2, 0.8]])
    y = np.zeros(90, int)
    three = select(np.stack([left, np.full((90, 2), 0.5)]), y, ["left", "half"], 3, "greedy")
    assert set(three.members) == {"left", "half"}
    assert len(three.members) == 3


def test_equal_members_go_by_key():
    probs, y, _ = pool(3, members=1, images=37)
    same = np.repeat(probs, 5, axis=0)
    keys = ["e", "b", "d", "a", "c"]
    assert select(same, y, keys, 3).members == ("a", "b", "c")
    assert select(same, y, keys, 3, "forward").members == ("a", "b", "c")
    assert select(same, y, keys, 3, "greedy").members == ("a",)
    hardly_worse = np.array([[[0.5 - 1e-13, 0.5 + 1e-13]], [[0.5, 0.5]]])  # within rounding: still the smaller key
    assert all(select(hardly_worse, np.array([0]), ["a", "b"], 1, rule).members == ("a",) for rule in SELECTION_RULES)


def test_impossible_answers_do_not_break_the_score():
    """Probability 0 for every true class: the floor of 1e-12, block products far below 1, still no infinity."""
    probs = np.tile([0.0, 1.0], (3, 200, 1))
    chosen = select(probs, np.zeros(200, int), ["a", "b", "c"], 2)
    assert chosen.members == ("a", "b")
    assert chosen.val.nll == pytest.approx(-math.log(1e-12))


@pytest.mark.parametrize("rule", SELECTION_RULES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, 5.0])
def test_a_broken_member_is_named(rule, bad):
    probs, y, keys = pool(1, members=4)
    probs[2, 0, 0] = bad
    with pytest.raises(SelectionError, match=f"Member {keys[2]} cannot be used"):
        select(probs, y, keys, 2, rule)


def test_too_many_subsets_are_refused_with_a_way_out():
    probs, y, keys = pool(0, members=60, images=2)
    with pytest.raises(SelectionError, match=r"C\(60, 6\) = 50,063,860 .* 'forward' or 'greedy'"):
        select(probs, y, keys, 6)
    assert len(select(probs, y, keys, 6, "forward").members) == 6


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"rule": "best"}, "one of exhaustive, forward, greedy, beam, top, got 'best'"),
        ({"size": 0}, "between 1 and the pool's N = 3, got 0"),
        ({"size": 4}, "between 1 and the pool's N = 3, got 4"),
        ({"keys": ["a", "b"]}, "distinct key"),
        ({"keys": ["a", "b", "a"]}, "distinct key"),
        ({"probs": np.ones((3, 4))}, "distinct key"),
        ({"y": np.array([9])}, "True classes"),
    ],
)
def test_impossible_requests_are_refused(change, sentence):
    probs, y, _ = pool(0, members=3)
    request = {"probs": probs, "y": y, "keys": ["a", "b", "c"], "size": 2, **change}
    with pytest.raises((SelectionError, metrics.MetricError), match=sentence):
        select(**request)
