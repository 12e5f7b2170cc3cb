"""Recipes over seeds: repeats share no network, a deep ensemble spends its seeds, and the numbers are a hand computation."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

from edgenes_core.repeats import in_both, judged_recipe, repeats_of
from edgenes_core.run_records import Training
from edgenes_core.scored import Scored
from edgenes_core.side_by_side import PAIRED
from edgenes_core.space import SearchSpace
from edgenes_core.statistics import RESAMPLES, resampled_counts
from edgenes_core.team import Team

SPACE = SearchSpace()
IMAGES, CLASSES = 40, 3


def scored_of(networks: dict[int, int], images: int = IMAGES, spread: float = 0.3) -> Scored:
    """`networks[cell]` seeds of each cell; what is hard for one network is hard for all."""
    rng = np.random.default_rng(7)
    cells = [SPACE.sample(rng) for _ in networks]
    trainings = [
        Training(cells[c], seed, ("pool",), 0)
        for seed in range(max(networks.values()))
        for c in networks
        if seed < networks[c]
    ]
    y = rng.integers(CLASSES, size=images)
    logits = rng.normal(size=(images, CLASSES)) + np.eye(CLASSES)[y]
    scores = np.exp(logits + spread * rng.normal(size=(len(trainings), images, CLASSES)))
    return Scored(SPACE, cells[0], tuple(trainings), scores / scores.sum(-1, keepdims=True), y, ())


def members_of(scored: Scored, held: dict[int, int]) -> list[str]:
    """The first networks of each cell, the last seed first: a team need not hold seed 0."""
    return [
        scored.ids[row] for cell, rows in enumerate(scored.cells().values()) for row in rows[::-1][: held.get(cell, 0)]
    ]


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=4), st.randoms())
def test_repeats_share_no_network_and_hold_the_same_cells_as_often(pairs, random):
    networks = {cell: max(pair) for cell, pair in enumerate(pairs)}
    held = {cell: min(pair) for cell, pair in enumerate(pairs)}
    scored = scored_of(networks, images=2)
    members = members_of(scored, held)
    random.shuffle(members)
    team = Team("mine", tuple(members), "weights", tuple(range(1, len(members) + 1)))
    found = repeats_of(scored, team)
    assert found.teams[0] == team
    assert len(found.teams) == min(networks[cell] // held[cell] for cell in held) == found.trained // found.needed
    used = Counter(name for repeat in found.teams for name in repeat.members)
    assert max(used.values()) == 1, "no network is in two repeats"
    cells = [[scored.keys[scored.rows([name])[0]] for name in repeat.members] for repeat in found.teams]
    assert all(keys == cells[0] for keys in cells), "member by member, so that each keeps its weight"
    assert {(repeat.combiner, repeat.weights) for repeat in found.teams} == {(team.combiner, team.weights)}


def test_further_seeds_come_in_order():
    scored = scored_of({0: 4, 1: 3})
    first, second = scored.keys[:2]
    found = repeats_of(scored, Team("", (f"{first}-2", second)))
    assert [repeat.members for repeat in found.teams] == [
        (f"{first}-2", second),
        (first, f"{second}-1"),
        (f"{first}-1", f"{second}-2"),
    ]
    assert (found.cell, found.needed, found.trained) == (second, 1, 3)


def test_a_deep_ensemble_spends_its_seeds_and_a_member_named_twice_needs_one():
    scored = scored_of({0: 5})
    deep = repeats_of(scored, Team("deep", scored.ids[:3]))
    assert (len(deep.teams), deep.needed, deep.trained) == (1, 3, 5)
    assert len(repeats_of(scored, Team("pair", scored.ids[:2])).teams) == 2
    twice = repeats_of(scored, Team("twice", (scored.ids[0], scored.ids[0])))
    assert [repeat.members for repeat in twice.teams] == [(name, name) for name in scored.ids]
    assert in_both(deep, twice) == 3


def test_imported_networks_are_of_no_recipe_but_their_own():
    scored = scored_of({0: 3})
    brought = replace(scored.trainings[1], roles=("imported",))
    scored = replace(scored, trainings=(scored.trainings[0], brought, scored.trainings[2]))
    assert [repeat.members for repeat in repeats_of(scored, Team("", scored.ids[:1])).teams] == [
        scored.ids[:1],
        scored.ids[2:],
    ]
    assert len(repeats_of(scored, Team("", scored.ids[1:2])).teams) == 1


def test_the_difference_over_seeds_is_a_hand_computation():
    """Two cells of three seeds against one cell of two, NLL: means of means; the variance of resampled means of resampled seeds, plus
    what a handful of seeds lacks; Welch and Satterthwaite's degrees of freedom."""
    scored = scored_of({0: 3, 1: 3, 2: 2})
    a, b = scored.keys[:2], scored.keys[2]
    row = next(r for r in judged_recipe(scored, Team("two", a), Team("one", (b,))) if r.metric == "nll")
    at = {name: scored.probs[k] for k, name in enumerate(scored.ids)}
    named = [[at[key if seed == 0 else f"{key}-{seed}"] for key in a] for seed in range(3)]
    truth = np.arange(IMAGES), scored.y
    ours = np.array([-np.log(np.mean(pair, 0)[truth]) for pair in named])
    theirs = np.array([-np.log(at[b][truth]), -np.log(at[f"{b}-1"][truth])])
    assert (row.value, row.reference_value) == pytest.approx((ours.mean(), theirs.mean()))
    assert (row.sd, row.reference_sd) == pytest.approx((ours.mean(1).std(ddof=1), theirs.mean(1).std(ddof=1)))
    assert row.mean == pytest.approx(ours.mean() - theirs.mean())
    assert (row.seeds, row.reference_seeds, row.n) == (3, 2, IMAGES)
    counts = np.concatenate(list(resampled_counts(IMAGES)))
    rng = np.random.default_rng((0, IMAGES))
    drawn = [
        np.einsum(
            "rs,rn,sn->r", rng.multinomial(len(s), np.full(len(s), 1 / len(s)), RESAMPLES) / len(s), counts / IMAGES, s
        )
        for s in (ours, theirs)
    ]
    of_seeds = [row.sd**2 / 3, row.reference_sd**2 / 2]
    variance = np.var(drawn[0] - drawn[1]) + of_seeds[0] / 3 + of_seeds[1] / 2
    freedom = min(IMAGES, variance**2 / (of_seeds[0] ** 2 / 2 + of_seeds[1] ** 2))
    half = t.ppf(0.975, freedom) * variance**0.5
    assert (row.freedom, row.lo, row.hi) == pytest.approx((freedom, row.mean - half, row.mean + half))
    assert row.verdict == ("tie" if row.lo <= 0 <= row.hi else "worse" if row.mean > 0 else "better")


def test_the_same_recipe_ties_with_itself_and_swapping_mirrors():
    scored = scored_of({0: 3, 1: 2})
    one, other = Team("one", scored.keys[:1]), Team("other", scored.keys[1:2])
    assert all(row.mean == 0 and row.verdict == "tie" for row in judged_recipe(scored, one, one))
    for there, back in zip(judged_recipe(scored, one, other), judged_recipe(scored, other, one), strict=True):
        assert (back.mean, back.value, back.reference_value) == (-there.mean, there.reference_value, there.value)


def test_one_seed_a_side_has_no_spread():
    scored = scored_of({0: 1, 1: 3})
    rows = judged_recipe(scored, Team("one", scored.keys[:1]), Team("other", scored.keys[1:2]))
    assert [row.metric for row in rows] == list(PAIRED)
    assert all(np.isnan(row.sd) and not np.isnan(row.reference_sd) for row in rows)
    assert {(row.seeds, row.reference_seeds) for row in rows} == {(1, 3)}
