"""Teams: weights, rules and repeated members obey their laws; a fitted rule never sees the image it predicts."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import sample_runs
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core import ensembles, metrics
from edgenes_core import team as teams
from edgenes_core.combining import COMBINERS
from edgenes_core.combining.errors import CombiningError
from edgenes_core.run_folder import Run
from edgenes_core.scored import Scored, StoredEnsemble, score_networks, stored_ensembles
from edgenes_core.team import Team

FITTED = [name for name, spec in COMBINERS.items() if spec.fitted]
parts = st.lists(st.integers(0, 99), min_size=3, max_size=3).filter(any)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return sample_runs.finished(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def scored(run: Run) -> Scored:
    return score_networks(run)


def of(scored: Scored, rule: str = "mean", weights: tuple[int, ...] = (), size: int = 3) -> Team:
    return Team("a team", scored.ids[:size], rule, weights)


@given(weights=parts, times=st.integers(1, 5))
def test_a_mixture_is_the_weighted_sum_whatever_the_unit(scored, weights, times):
    said = teams.combined(scored, of(scored, "weights", tuple(weights)))
    wanted = np.average(scored.probs[:3], axis=0, weights=weights)
    np.testing.assert_allclose(said, wanted, atol=1e-12)
    more = tuple(times * part for part in weights)
    np.testing.assert_allclose(teams.combined(scored, of(scored, "weights", more)), said, atol=1e-12)
    assert teams.identity(of(scored, "weights", more)) == teams.identity(of(scored, "weights", tuple(weights)))


@pytest.mark.parametrize("part", [1, 7])
def test_equal_weights_are_the_mean(scored, part):
    equal, mean = of(scored, "weights", (part,) * 3), of(scored)
    np.testing.assert_allclose(teams.combined(scored, equal), teams.combined(scored, mean), atol=1e-15)
    assert teams.identity(equal) == teams.identity(mean)
    np.testing.assert_array_equal(teams.combined(scored, mean), ensembles.combine(scored.probs[:3]))


@pytest.mark.parametrize("rule", COMBINERS)
def test_every_rule_is_judged_as_its_forecast_is(scored, rule):
    team = of(scored, rule, (2, 0, 1) if rule == "weights" else ())
    said = metrics.distributions(teams.combined(scored, team), "BC")
    found, wanted = teams.evaluation(scored, team), ensembles.evaluate(scored.probs[:3], scored.y, "val", said)
    assert (found.split, found.n) == (wanted.split, wanted.n)
    for field in ("accuracy", "nll", "brier", "ece", "disagreement", "oracle_accuracy"):
        assert getattr(found, field) == pytest.approx(getattr(wanted, field), abs=1e-12)


@pytest.mark.parametrize("rule", COMBINERS)
def test_the_order_of_members_does_not_count(scored, rule):
    team = of(scored, rule, (3, 1, 2) if rule == "weights" else ())
    turned = team._replace(members=team.members[::-1], weights=team.weights[::-1])
    assert teams.identity(turned) == teams.identity(team)
    np.testing.assert_allclose(teams.combined(scored, turned), teams.combined(scored, team), atol=1e-5)


@pytest.mark.parametrize("rule", FITTED)
def test_a_fitted_rule_never_sees_the_image_it_predicts(scored, rule):
    """Whatever the truth of an image is said to be, its own forecast stays; the forecasts of others do not."""
    team = of(scored, rule)
    before, changed = teams.combined(scored, team), 0
    for image in range(0, len(scored.y), 7):
        y = scored.y.copy()
        y[image] = (y[image] + 1) % sample_runs.CLASSES
        after = teams.combined(dataclasses.replace(scored, y=y), team)
        np.testing.assert_array_equal(after[image], before[image])
        changed += int(not np.array_equal(after, before))
    assert changed, "a rule that is fitted depends on the truth of the others"


@pytest.mark.parametrize("rule", COMBINERS)
def test_only_fitted_rules_have_weights_of_their_own(scored, rule):
    shares = teams.fitted_shares(scored, of(scored, rule, (1, 1, 1) if rule == "weights" else ()))
    assert (shares is not None) == COMBINERS[rule].fitted
    if shares is not None:
        assert shares.shape == (3,)
        assert (shares >= 0).all()
        assert shares.sum() == pytest.approx(1)


def test_stacking_is_no_worse_than_the_mean_where_it_was_fitted(scored):
    mixed = np.tensordot(teams.fitted_shares(scored, of(scored, "stacking")), scored.probs[:3], 1)
    assert metrics.nll(mixed, scored.y) <= metrics.nll(scored.probs[:3].mean(0), scored.y) + 1e-9


def test_a_member_named_twice_counts_twice(scored):
    a, b = scored.ids[:2]
    twice, weighted = Team("", (a, a, b)), Team("", (a, b), "weights", (2, 1))
    np.testing.assert_allclose(teams.combined(scored, twice), teams.combined(scored, weighted), atol=1e-12)
    assert teams.identity(twice) == teams.identity(weighted)
    assert teams.identity(twice) != teams.identity(Team("", (a, b)))


@pytest.mark.parametrize("rule", COMBINERS)
def test_what_is_stored_comes_back(run, scored, rule):
    team = of(scored, rule, (5, 0, 99) if rule == "weights" else ())
    val = teams.evaluation(scored, team)
    run.save_ensemble("mine", teams.fields_of(team, "user", "by hand", val))
    found, missing = teams.stored_teams(scored, stored_ensembles(run)[0])
    assert team in found
    assert not missing
    (stored,) = (ensemble for ensemble in stored_ensembles(run)[0] if ensemble.name == "mine")
    assert (stored.val, stored.role) == (val, "user")
    run.remove_ensemble("mine")
    assert "mine" not in run.ensembles()


@pytest.mark.parametrize(
    ("members", "rule", "weights", "said"),
    [
        ((), "mean", (), "at least one member"),
        (("0", "1"), "luck", (), "A combining rule is one of mean"),
        (("0", "1"), "weights", (0, 0), "not all 0"),
        (("0", "1"), "weights", (1,), "one for each member"),
        (("0", "1"), "weights", (1, -1), "parts from 0"),
        (("0", "nobody"), "mean", (), "usable predictions"),
    ],
)
def test_a_stored_team_that_cannot_be_is_named(scored, members, rule, weights, said):
    ids = tuple(scored.ids[int(name)] if name.isdecimal() else name for name in members)
    val = teams.evaluation(scored, of(scored))
    found, missing = teams.stored_teams(scored, [StoredEnsemble("x", "odd one", "user", "", ids, val, rule, weights)])
    assert found == []
    (sentence,) = missing
    assert "'odd one' is left out" in sentence
    assert said in sentence


def test_weights_that_are_none_are_refused_where_they_are_used(scored):
    with pytest.raises(CombiningError, match="Give at least one member a part"):
        teams.combined(scored, of(scored, "weights", (0, 0, 0)))


def test_networks_that_predict_the_same_have_the_same_print(scored):
    probs = scored.probs.copy()
    probs[1] = probs[0]
    twins = dataclasses.replace(scored, probs=probs)
    assert twins.prints[0] == twins.prints[1] == scored.prints[0]
    assert len(set(scored.prints)) == len(scored.ids)
    assert twins.digest != scored.digest


def test_a_team_cannot_be_removed_outside_of_its_folder(run: Run, tmp_path: Path) -> None:
    from edgenes_core.storage import StorageError

    for name in ("../run", "nothing"):
        with pytest.raises(StorageError):
            run.remove_ensemble(name)
    assert (run.path / "run.json").exists()
