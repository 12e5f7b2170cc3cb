"""Swaps, the ladder and pairs of members: numbers are those of the team judged anew, and chance is not taken for skill."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import sample_runs
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core import diversity, marginal, metrics, overlaps, pairwise
from edgenes_core.combining import COMBINERS
from edgenes_core.figures.swaps import SwapRow, ladder_sentence, plot_ladder, plot_swaps
from edgenes_core.figures.together import UNDEFINED, plot_pairs
from edgenes_core.ladder import ladder
from edgenes_core.marginal import Swap, changes, swap_scores, swapped, swaps_of
from edgenes_core.records import METRICS
from edgenes_core.scored import Scored, score_networks
from edgenes_core.statistics import image_scores, paired_bootstrap
from edgenes_core.team import Team, combined, evaluation


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Scored:
    return score_networks(sample_runs.finished(tmp_path_factory.mktemp("runs")))


def team_of(scored: Scored, size: int = 3, rule: str = "mean", weights: tuple[int, ...] = ()) -> Team:
    return Team("a team", scored.ids[:size], rule, weights)


def gaps(scored: Scored, team: Team, swap: Swap, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Per-image scores after and before, by the definition."""
    after, before = (image_scores(combined(scored, t), scored.y) for t in (swapped(team, swap), team))
    return getattr(after, metric), getattr(before, metric)


@pytest.mark.parametrize("metric", marginal.SCORES)
@pytest.mark.parametrize("rule", COMBINERS)
def test_every_swap_is_the_swapped_team_judged_anew(scored, rule, metric):
    team = team_of(scored, 3, rule, (3, 1, 2) if rule == "weights" else ())
    found = changes(scored, team, metric)
    assert {change.id for change in found} == set(scored.ids)
    for change in found:
        after, before = gaps(scored, team, Swap(change.id, change.added), metric)
        wanted = paired_bootstrap(after, before)
        np.testing.assert_allclose(change[3:6], wanted[:3], atol=1e-12)
        judged = [getattr(evaluation(scored, t), metric) for t in (swapped(team, Swap(*change[:2])), team)]
        assert change.mean == pytest.approx(judged[0] - judged[1], abs=1e-12)
        assert (change.n, change.comparisons) == (len(scored.y), len(scored.ids))


def test_blocks_of_images_change_nothing(scored, monkeypatch):
    team = team_of(scored)
    whole = [swap_scores(scored, team, swaps_of(scored, team), metric) for metric in marginal.SCORES]
    monkeypatch.setattr(marginal, "BLOCK", 3 * scored.probs.shape[2])
    for metric, wanted in zip(marginal.SCORES, whole, strict=True):
        np.testing.assert_array_equal(swap_scores(scored, team, swaps_of(scored, team), metric), wanted)


def test_a_member_alone_stays_and_one_without_company_too(scored):
    assert all(swap.added for swap in swaps_of(scored, team_of(scored, 1)))
    weighted = team_of(scored, 2, "weights", (1, 0))
    assert Swap(scored.ids[0], False) not in swaps_of(scored, weighted), "nobody with a weight would be left"
    assert Swap(scored.ids[1], False) in swaps_of(scored, weighted)


def test_a_network_named_twice_leaves_with_both_places(scored):
    a, b = scored.ids[:2]
    team = Team("greedy", (a, b, a))
    assert [s for s in swaps_of(scored, team) if not s.added] == [Swap(a, False), Swap(b, False)]
    assert swapped(team, Swap(a, False)).members == (b,)
    found = {c.id: c.mean for c in changes(scored, team, "nll") if not c.added}
    alone, together = (evaluation(scored, Team("", ids)).nll for ids in ((b,), (a, b, a)))
    assert found[a] == pytest.approx(alone - together, abs=1e-12)


def test_a_twin_brings_exactly_nothing(scored):
    """A network that says what the only member says is a tie without any spread, under every metric."""
    probs = scored.probs.copy()
    probs[1] = probs[0]
    twins = Scored(scored.space, scored.base, scored.trainings, probs, scored.y, scored.single)
    for metric in marginal.SCORES:
        twin = next(c for c in changes(twins, team_of(twins, 1), metric) if c.id == twins.ids[1])
        assert twin.mean == twin.all_lo == twin.all_hi == 0
        assert twin.verdict == "tie"


def test_equally_probable_classes_stay_a_tie_when_a_member_leaves(scored):
    """Subtracting a member would leave rounding errors, and the first class would lose its ties."""
    probs = scored.probs.copy()
    probs[1] = 1 / probs.shape[2]
    flat = Scored(scored.space, scored.base, scored.trainings, probs, scored.y, scored.single)
    row = swap_scores(flat, team_of(flat, 2), [Swap(flat.ids[0], False)], "accuracy")[0]
    np.testing.assert_array_equal(row, flat.y == 0)


@pytest.mark.parametrize("metric", marginal.SCORES)
def test_together_is_wider_than_alone_and_the_best_leads(scored, metric):
    found = changes(scored, team_of(scored), metric)
    ranked = marginal.ranked(found)
    assert [c.gain for c in ranked] == sorted((c.gain for c in found), reverse=True)
    best = marginal.best_next(found)
    assert best.added
    assert best.gain == max(c.gain for c in found if c.added)
    sign = 1 if METRICS[metric].better == "higher" else -1
    for c in found:
        assert c.gain == sign * c.mean
        assert c.all_hi - c.all_lo >= 0.9 * (c.hi - c.lo), "percentile and max-T intervals differ in kind, so a little"
        assert c.verdict == ("tie" if c.all_lo <= 0 <= c.all_hi else "better" if c.gain > 0 else "worse")


def test_nobody_left_to_add_is_said(scored):
    everyone = team_of(scored, len(scored.ids))
    found = changes(scored, everyone, "nll")
    assert marginal.best_next(found) is None
    assert not any(c.added for c in found)


@pytest.mark.parametrize("metric", marginal.SCORES)
@pytest.mark.parametrize("weights", [(), (3, 1, 2)])
def test_the_ladder_is_an_identity(scored, metric, weights):
    team = team_of(scored, 3, "weights" if weights else "mean", weights)
    found = ladder(scored, team, metric)
    mean, best, whole, oracle = (rung.value for rung in found.rungs)
    singles = np.array([getattr(scored.single[row], metric) for row in range(3)])
    shares = np.array(weights or (1, 1, 1)) / sum(weights or (1, 1, 1))
    assert mean == pytest.approx(shares @ singles)
    assert best == pytest.approx(singles.max() if METRICS[metric].better == "higher" else singles.min())
    assert whole == pytest.approx(getattr(evaluation(scored, team), metric))
    sign = 1 if METRICS[metric].better == "higher" else -1
    assert sign * oracle >= sign * best
    assert found.gain.mean == pytest.approx(mean - whole)
    if metric == "accuracy":
        assert np.isnan(found.ambiguity)
        assert "no identity" in ladder_sentence(found)
    else:
        assert found.ambiguity == pytest.approx(mean - whole, abs=1e-12)
        assert "exactly" in ladder_sentence(found)
    if not weights and metric != "accuracy":
        split = {"brier": diversity.ambiguity, "nll": diversity.log_ambiguity}[metric](scored.probs[:3], scored.y)
        assert (found.ambiguity, mean) == pytest.approx((split.ambiguity, split.members))


def test_the_oracle_is_the_known_one(scored):
    probs, y, team = scored.probs[:3], scored.y, team_of(scored)
    assert ladder(scored, team, "nll").rungs[3].value == pytest.approx(diversity.oracle_nll(probs, y))
    assert ladder(scored, team, "accuracy").rungs[3].value == pytest.approx(diversity.oracle_accuracy(probs, y))


def test_no_identity_is_claimed_for_other_rules(scored):
    found = ladder(scored, team_of(scored, 3, "geometric"), "nll")
    assert np.isnan(found.ambiguity)
    assert "no identity" in ladder_sentence(found)


@pytest.mark.parametrize("measure", overlaps.OVERLAPS)
def test_pairs_are_those_of_the_pair_alone(scored, measure):
    members = overlaps.members_of(scored, scored.ids[:4])
    matrix = overlaps.pair_matrix(measure, members)
    rows = overlaps.pair_rows(measure, members.names, matrix)
    assert len(rows) == 6
    for row, (i, j) in zip(rows, combinations(range(4), 2), strict=True):
        two = overlaps.pair_matrix(measure, overlaps.members_of(scored, (scored.ids[i], scored.ids[j])))
        assert (row.a, row.b) == (members.names[i], members.names[j])
        np.testing.assert_allclose([row.value, matrix[j, i]], two[0, 1])


def test_a_pair_that_defines_no_measure_is_not_zero(scored):
    probs = np.eye(scored.probs.shape[2])[scored.y][None].repeat(2, 0)
    members = overlaps.members_of(scored, scored.ids[:2])._replace(probs=probs)
    matrix = overlaps.pair_matrix("error_correlation", members)
    assert np.isnan(matrix[0, 1])
    assert "not defined" in str(plot_pairs(["a", "b"], matrix, "error_correlation", dark=True).layout.annotations)
    three = np.array([[1, np.nan, 0.2], [np.nan, 1, 0.1], [0.2, 0.1, 1]])
    assert UNDEFINED in str(plot_pairs(["a", "b", "c"], three, "error_correlation", dark=False).data[1].text)
    assert pairwise.over_pairs(three) == pytest.approx(0.15)


@given(st.integers(0, 14), st.sampled_from(sorted(overlaps.OVERLAPS)), st.booleans())
def test_every_matrix_draws(members, measure, dark):
    values = np.random.default_rng(members).random((members, members))
    fig = plot_pairs([f"m{i}" for i in range(members)], values, measure, dark=dark)
    if members > 1:
        assert np.isfinite(fig.data[0].z).sum() == members * (members - 1) / 2


@pytest.mark.parametrize("dark", [False, True])
def test_every_change_is_drawn_once_with_its_verdict(scored, dark):
    found = marginal.ranked(changes(scored, team_of(scored), "brier"))
    fig = plot_swaps([SwapRow(scored.name(c.id), c) for c in found], "brier", dark=dark)
    inner = [trace for trace in fig.data if trace.customdata is not None][1::2]
    assert sorted(name for trace in inner for name in trace.customdata) == sorted(c.id for c in found)
    assert all(
        c.verdict in text
        for c in found
        for t in inner
        for text, i in zip(t.hovertext, t.customdata, strict=True)
        if i == c.id
    )
    assert "nobody" not in str(fig.layout.annotations)
    assert "cannot be left out" in str(plot_swaps([], "brier", dark=dark).layout.annotations)
    assert len(plot_ladder(ladder(scored, team_of(scored), "brier"), dark=dark).data) == 4


def test_scores_of_a_team_are_its_metrics(scored):
    """The scores that swaps are compared with are those whose means the page shows elsewhere."""
    says = combined(scored, team_of(scored))
    means = [scores.mean() for scores in image_scores(says, scored.y)]
    assert means == pytest.approx([metric(says, scored.y) for metric in (metrics.accuracy, metrics.nll, metrics.brier)])
