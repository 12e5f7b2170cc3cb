"""Looks at the test set: counted before anything is given, found again by what was looked at, nothing read before."""

from __future__ import annotations

import numpy as np
import pytest
import sample_runs

from edgenes_core import ensembles, looks, revealed, storage
from edgenes_core.corruptions import TEST_CORRUPTIONS
from edgenes_core.run_folder import Run
from edgenes_core.scored import Scored, score_networks
from edgenes_core.shifted import file_of, name_of
from edgenes_core.side_by_side import PAIRED
from edgenes_core.storage import StorageError
from edgenes_core.team import Team, combined, combined_others


@pytest.fixture
def run(tmp_path) -> Run:
    return sample_runs.finished(tmp_path)


@pytest.fixture
def teams(run) -> list[Team]:
    ids = [t.id for t in run.plan()[:4]]
    return [Team("a", tuple(ids[:3])), Team("b", tuple(ids[1:4])), Team("c", (ids[0],))]


def members(run: Run, team: Team) -> np.ndarray:
    trained = {t.id: t for t in run.trainings()}
    return np.stack([storage.read_array(run.folder(trained[m]) / "test.npy") for m in team.members])


def test_a_look_is_counted_and_found_again_by_its_teams(run, teams):
    assert looks.looks(run) == ()
    assert looks.latest(run, teams) is None
    look = looks.look(run, teams)
    assert (look.number, run.reveals()) == (1, 1)
    assert look.teams == tuple(teams)
    renamed = [team._replace(name=f"new {team.name}") for team in reversed(teams)]
    assert looks.latest(run, renamed) == look, "whatever they are called, in whatever order"
    assert looks.latest(run, teams[:2]) is None, "fewer teams are other teams"
    assert looks.latest(run, [*teams[:2], teams[2]._replace(combiner="vote")]) is None
    assert looks.latest(run, teams, corrupted=True) is None
    again = looks.again(run, look)
    assert run.reveals() == 1, "what was seen may be seen again"
    np.testing.assert_array_equal(again[[look.members.index(m) for m in teams[0].members]], members(run, teams[0]))


def test_weights_are_part_of_a_team(run, teams):
    weighted = Team("w", teams[0].members, "weights", (2, 1, 1))
    look = looks.look(run, [weighted])
    assert looks.latest(run, [weighted._replace(weights=(4, 2, 2))]) == look, "the same shares"
    assert looks.latest(run, [weighted._replace(weights=(1, 2, 1))]) is None


def test_a_look_on_the_command_line_counts_but_stands_for_no_team(run, teams):
    run.reveal(teams[0].members)
    (look,) = looks.looks(run)
    assert (look.members, look.teams) == (teams[0].members, ())
    assert looks.latest(run, [teams[0]]) is None


def test_what_was_never_looked_at_is_not_read(run, teams):
    look = looks.look(run, teams[:1])
    for forged in (look._replace(members=teams[1].members), look._replace(number=2)):
        with pytest.raises(StorageError, match="no such look"):
            looks.again(run, forged)


def test_no_look_without_test_predictions(run, teams):
    (run.folder(run.plan()[0]) / "test.npy").unlink()
    with pytest.raises(StorageError, match="imported without test predictions"):
        looks.look(run, teams)
    assert run.reveals() == 0


def test_a_line_that_cannot_be_read_is_still_a_look(run, teams):
    looks.look(run, teams)
    storage.append_line(run.path / "reveals.jsonl", {"time": "yesterday", "members": 3})
    assert [look.number for look in looks.looks(run)] == [1, 2] == list(range(1, run.reveals() + 1))


def scored_of(run: Run) -> Scored:
    return score_networks(run)


@pytest.mark.parametrize("rule", ["mean", "vote", "stacking"])
def test_outcomes_are_those_of_the_test_images(run, teams, rule):
    scored, y = scored_of(run), run.targets("test")
    teams = [team._replace(combiner=rule) for team in teams]
    look = looks.look(run, teams)
    seen = revealed.judge(run, scored, look, teams)
    gaps = revealed.differences(seen, y, 1)
    rows = revealed.outcomes(seen, gaps)
    assert set(gaps) == {0, 2}
    for place, team in enumerate(teams):
        says = combined_others(scored, team, members(run, team))
        test = ensembles.evaluate(members(run, team), y, "test", says)
        val = ensembles.evaluate(scored.probs[scored.rows(team.members)], scored.y, "val", combined(scored, team))
        for row, metric in zip(rows[place * len(PAIRED) :], PAIRED, strict=False):
            assert (row.ensemble, row.metric) == (team.name, metric)
            assert row.test == pytest.approx(getattr(test, metric))
            assert row.val == pytest.approx(getattr(val, metric))
            assert row.gap == pytest.approx(row.val - row.test)
            assert row.gap_lo <= row.gap_hi
            assert (row.n_val, row.n_test) == (len(scored.y), len(y))
            assert np.isnan(row.minus) == (place == 1)
            assert place == 1 or row.minus == pytest.approx(row.test - rows[len(PAIRED) + PAIRED.index(metric)].test)


def test_a_fitted_rule_has_not_seen_what_it_judges(run, teams):
    scored = scored_of(run)
    team = teams[0]._replace(combiner="stacking")
    rows = scored.rows(team.members)
    np.testing.assert_array_equal(combined(scored, team, scored.probs[rows]), combined(scored, team))
    worse = scored.probs[rows][:, :, ::-1]
    np.testing.assert_allclose(combined(scored, team, worse), combined(scored, team)[:, ::-1])


def test_corrupted_test_images_have_looks_of_their_own(run, teams):
    scored, conditions = scored_of(run), [(name, 5) for name in TEST_CORRUPTIONS][:2]
    with pytest.raises(StorageError, match="shift"):
        looks.look_corrupted(run, teams, conditions)
    assert run.reveals() == 0, "what is not there cannot be looked at"
    for training in run.plan()[:4]:
        for k, condition in enumerate(conditions):
            test = storage.read_array(run.folder(training) / "test.npy")
            storage.write_array(file_of(run, training, name_of(*condition, "test")), np.roll(test, k + 1, 1))
    look = looks.look_corrupted(run, teams, conditions)
    assert (look.conditions, run.reveals()) == (tuple(conditions), 1)
    assert looks.latest(run, teams, corrupted=True) == look
    assert looks.latest(run, teams) is None, "one kind of look is not the other"
    points = revealed.corrupted_points(run, scored, look, teams)
    assert run.reveals() == 1
    clean = next(p for p in points if (p.ensemble, p.severity, p.metric) == ("a", 0, "nll"))
    wanted = ensembles.evaluate(members(run, teams[0]), run.targets("test"), "test")
    assert clean.value == pytest.approx(wanted.nll)
    rolled = ensembles.evaluate(np.roll(members(run, teams[0]), 2, 2), run.targets("test"), "test")
    second = next(p for p in points if (p.ensemble, p.corruption, p.metric) == ("a", conditions[1][0], "accuracy"))
    assert second.value == pytest.approx(rolled.accuracy)
