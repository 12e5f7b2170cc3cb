"""How all subsets are scored: chunks, bounds, memory, progress and cancel; and what selection refuses, each in one sentence."""

from __future__ import annotations

import math
import tracemalloc
from itertools import combinations

import numpy as np
import pytest
from test_selecting import drawn

from edgenes_core.selecting import (
    CRITERIA,
    SELECTION_RULES,
    SelectionError,
    StoppedError,
    choose,
    likelihood,
    pool_of,
    rivals,
)
from edgenes_core.selecting import pool as pools
from edgenes_core.selecting.criteria import criterion_of
from edgenes_core.selecting.subsets import branches, listed, pair_sums, subset_at


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("images", [1, 15, 16, 17, 300])
def test_chunks_blocks_and_rounds_change_nothing(monkeypatch, criterion, images):
    rng = np.random.default_rng(images)
    y = rng.integers(0, 5, images)
    probs = rng.dirichlet(np.ones(5), (7, images))
    pool = pool_of(probs, y, list("abcdefg"))
    rows = rng.integers(0, 7, (40, 3))

    def everything() -> tuple:
        judge, choice = criterion_of(pool, criterion, 0.0), choose(pool, 3, criterion=criterion)
        return choice._replace(loss=0.0, losses=()), [choice.loss, *choice.losses, *judge.losses(rows).tolist()]

    exact, values = everything()
    whole = exact, pytest.approx(values, rel=1e-12)  # sums over other lengths round differently
    for constant, value in (("CHUNK_BYTES", 1), ("BLOCK_BYTES", 1)):
        monkeypatch.setattr(pools, constant, value)
        vars(pool).pop("gram", None)
        assert everything() == whole
    monkeypatch.setattr(likelihood, "ROUNDS", 0)
    assert everything() == whole


def test_bounds_are_bounds_also_where_the_floor_acts():
    for seed in range(20):
        probs, y, keys = drawn(seed)
        judge = likelihood.NLL(pool_of(probs, y, keys))
        subsets = np.vstack(list(listed(len(keys), (len(keys) + 1) // 2)))
        mixtures = np.random.default_rng(seed).dirichlet(np.ones(len(keys)), 4)
        assert (judge._bounds(mixtures, subsets) <= judge.losses(subsets) + 1e-12).all()


def test_rivals_drop_classes_and_images():
    """On images that a good pool agrees on nothing is left to compare, and that is most of them."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 50, 400)
    probs = 0.7 * np.eye(50)[np.where(rng.uniform(size=(6, 400)) < 0.9, y, 0)] + 0.3 * rng.dirichlet(
        np.ones(50), (6, 400)
    )
    (contest,) = rivals.contests(pool_of(probs, y, list("abcdef")), 3)
    compared = sum(group.limit.size for group in contest.groups)
    assert contest.images == 400
    assert compared < 0.05 * 400 * 49


@pytest.mark.parametrize(("members", "size"), [(2, 2), (3, 2), (5, 3), (6, 6), (7, 4)])
def test_branches_walk_the_subsets_in_order(members, size):
    values = np.random.default_rng(0).normal(size=(members, 3))
    pairs, found = pair_sums(values), np.full((math.comb(members, size), 3), np.nan)
    for total, pair, subsets in branches(values, size):
        found[subsets] = total + pairs[pair:]
    every = list(combinations(range(members), size))
    np.testing.assert_allclose(found, [values[list(subset)].sum(0) for subset in every])
    assert [subset_at(members, size, i) for i in range(len(every))] == every


def test_memory_stays_within_its_budget():
    """All C(16, 5) on 3000 × 10: whole arrays would take 4368 × 3000 × 10 × 8 bytes = 1 GB."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 10, 3000)
    pool = pool_of(rng.dirichlet(np.ones(10), (16, 3000)), y, [f"{i:02d}" for i in range(16)])
    for criterion in CRITERIA:
        tracemalloc.start()
        choose(pool, 5, criterion=criterion)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < pools.BLOCK_BYTES + 8 * pools.CHUNK_BYTES


@pytest.mark.parametrize("rule", SELECTION_RULES)
@pytest.mark.parametrize("criterion", CRITERIA)
def test_progress_rises_to_the_end_and_cancel_stops(rule, criterion):
    rng = np.random.default_rng(0)
    pool = pool_of(rng.dirichlet(np.ones(4), (9, 60)), rng.integers(0, 4, 60), list("abcdefghi"))
    told: list[tuple[int, int]] = []
    choose(pool, 4, rule, criterion, progress=lambda done, total: told.append((done, total)))
    done = [a / b for a, b in told]
    assert done == sorted(done)
    assert told[-1][0] == told[-1][1]
    with pytest.raises(StoppedError, match=r"stopped at \d+ %; nothing was chosen"):
        choose(pool, 4, rule, criterion, cancel=lambda: True)
    asked: list[int] = []
    if rule == "exhaustive" and criterion == "accuracy":
        with pytest.raises(StoppedError):
            choose(pool, 4, rule, criterion, cancel=lambda: asked.append(1) or len(asked) > 5)
        assert len(asked) == 6


def test_only_one_member_and_only_one_image():
    for criterion in CRITERIA:
        for rule in SELECTION_RULES:
            one = pool_of(np.array([[[0.2, 0.8]]]), np.array([1]), ["only"])
            assert choose(one, 1, rule, criterion).members == ("only",)


def test_identical_members_tie_and_go_by_key():
    probs = np.repeat(np.random.default_rng(0).dirichlet(np.ones(3), (1, 30)), 5, axis=0)
    pool = pool_of(probs, np.zeros(30, int), list("ebdac"))
    for criterion in CRITERIA:
        chosen = choose(pool, 3, criterion=criterion)
        assert chosen.members == ("a", "b", "c")
        assert chosen.tied == math.comb(5, 3)
        assert choose(pool, 3, "beam", criterion, width=1).members == ("a", "b", "c")
        assert choose(pool, 3, "top", criterion).tied == 5


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"rule": "best"}, r"one of exhaustive, forward, greedy, beam, top, got 'best'\."),
        ({"criterion": "ece"}, r"one of nll, brier, accuracy, got 'ece'\."),
        ({"gamma": -1.0}, r"γ, the weight of the ambiguity, is a number from 0, got -1\.0\."),
        ({"gamma": math.nan}, r"a number from 0, got nan\."),
        ({"size": 4}, r"between 1 and the pool's N = 3, got 4\."),
        (
            {"rule": "beam", "width": 0},
            r"beam is 1 to 666,666 sets wide .* got 0; the rule 'forward' is the narrowest\.",
        ),
        ({"rule": "beam", "width": 10**6}, r"got 1000000; the rule 'forward'"),
    ],
)
def test_impossible_requests_are_one_sentence(settings, sentence):
    pool = pool_of(np.full((3, 4, 2), 0.5), np.zeros(4, int), list("abc"))
    with pytest.raises(SelectionError, match=sentence) as refused:
        choose(pool, **{"size": 2, **settings})
    assert str(refused.value).count(". ") == 0


def test_an_empty_pool_and_a_broken_member_are_named():
    with pytest.raises(SelectionError, match="pool is empty"):
        pool_of(np.zeros((0, 3, 2)), np.zeros(3, int), [])
    with pytest.raises(SelectionError, match=r"Member b cannot be used: .* Retrain it or leave it out"):
        pool_of(np.stack([np.full((3, 2), 0.5), np.full((3, 2), np.nan)]), np.zeros(3, int), ["a", "b"])


def test_every_rule_says_what_it_does_and_whom_to_cite():
    for name, spec in SELECTION_RULES.items():
        assert spec.name == name
        assert any(char.isdigit() for char in spec.cite)
        assert spec.exact == (name == "exhaustive")
