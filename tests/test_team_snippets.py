"""Scripts of the Build, Choose and Compare parts: each leaves the page's numbers in `table`, whatever the rule is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from test_snippets import executed, made, run  # noqa: F401 - `made` and `run` are fixtures

from edgenes_core import ensembles, metrics, side_by_side, team_snippets, trust_snippets
from edgenes_core.bootstrap import interval
from edgenes_core.combining import COMBINERS
from edgenes_core.repeats import judged_recipe
from edgenes_core.run_folder import Run
from edgenes_core.scored import Scored, score_networks, stored_ensembles
from edgenes_core.selecting import CRITERIA, SELECTION_RULES, choose, pool_of
from edgenes_core.team import Team, combined, evaluation, stored_teams
from edgenes_core.team_tables import FORECAST, MEASURED, measured
from edgenes_core.weighted import STATISTICS, measure


def teams_of(run: Run, scored: Scored) -> list[Team]:  # noqa: F811
    """The stored ones, and one of every rule."""
    own = [Team(f"it's by\n{rule}", scored.ids[:3], rule, (2, 1, 1) if rule == "weights" else ()) for rule in COMBINERS]
    return [*stored_teams(scored, stored_ensembles(run)[0])[0], *own]


def test_scores_are_the_backends(run):  # noqa: F811
    scored = score_networks(run)
    teams = teams_of(run, scored)
    for row, team in zip(executed(team_snippets.team_scores(run, teams)), teams, strict=True):
        said = combined(scored, team)
        val = ensembles.evaluate(run.val_probabilities(team.members), scored.y, "val", said)
        assert (row["ensemble"], row["rule"]) == (team.name, team.combiner)
        assert (row["members"].split(","), row["networks"]) == (list(team.members), len(set(team.members)))
        for field in ("n", "accuracy", "nll", "brier", "ece", "disagreement", "oracle_accuracy"):
            assert row[field] == pytest.approx(getattr(val, field), abs=1e-7)


def test_differences_are_one_family_and_a_tie_with_oneself(run):  # noqa: F811
    scored = score_networks(run)
    teams = teams_of(run, scored)
    table = executed(team_snippets.team_differences(run, teams, teams[0]))
    drawn = [side_by_side.resampled(combined(scored, team), scored.y) for team in teams]
    wanted = [gap for row in side_by_side.simultaneous(drawn, drawn[0]) for gap in row]
    assert len(table) == len(teams) * len(side_by_side.PAIRED)
    assert all(r["mean"] == r["lo"] == r["hi"] == 0 and r["verdict"] == "tie" for r in table[:4])
    for row, gap in zip(table, wanted, strict=True):
        assert (row["mean"], row["lo"], row["hi"], row["n"]) == gap[:4]
        assert (row["verdict"] == "tie") == gap.tie


def test_a_recipe_is_judged_over_its_seeds(run):  # noqa: F811
    scored = score_networks(run)
    base = scored.base.key
    alone, other = Team("it's α*", (base,)), Team("other", scored.ids[:1])
    rows = executed(team_snippets.team_recipe(run, alone, other))
    assert [row["metric"] for row in rows] == list(side_by_side.PAIRED)
    wanted = [row._asdict() for row in judged_recipe(scored, alone, other)]
    assert pd.DataFrame(rows).equals(pd.DataFrame(wanted))
    assert rows[0]["seeds"] == len(scored.cells()[base]) > 1, "else this tests nothing"


def test_every_measure_is_the_backends(run):  # noqa: F811
    scored = score_networks(run)
    teams = [team for team in teams_of(run, scored) if len(team.members) > 1]
    values = [[one.value for one in measured(scored, team)] for team in teams]
    defined = [team for team, found in zip(teams, values, strict=True) if np.isfinite(found).all()]
    listed = pd.DataFrame(executed(team_snippets.team_measures(run, defined)))
    assert listed[["lo", "hi"]].isna().all(axis=None), "not asked for"
    for team, found in zip(teams, values, strict=True):
        val = evaluation(scored, team)
        for name in ("accuracy", "nll", "brier", "ece", "disagreement", "oracle_accuracy"):
            assert found[MEASURED.index(name)] == pytest.approx(getattr(val, name), abs=1e-9)
        members = scored.probs[scored.rows(team.members)]
        for name in ("kappa", "jsd", "double_fault", "oracle_nll"):
            np.testing.assert_allclose(found[MEASURED.index(name)], measure(name, members, scored.y), atol=1e-12)
        if team in defined:
            assert listed[listed.ensemble == team.name].set_index("metric").value.to_dict() == dict(
                zip(MEASURED, found, strict=True)
            )


def test_every_measure_of_predictions_has_its_interval_when_asked_for(run):  # noqa: F811
    scored = score_networks(run)
    team = Team("three", scored.ids[:3])
    table = pd.DataFrame(executed(team_snippets.team_measures(run, [team], intervals=True))).set_index("metric")
    members = scored.probs[:3]
    for name in STATISTICS:
        found = interval(
            STATISTICS[name](combined(scored, team)[None] if name in FORECAST else members, scored.y), len(scored.y)
        )
        assert table.loc[name, ["value", "lo", "hi", "n"]].tolist() == pytest.approx(list(found), nan_ok=True)
    assert set(table.index) - set(STATISTICS) == {"member_shared", "member_edits"}
    assert table.loc[["member_shared", "member_edits"], "lo"].isna().all(), "cells do not depend on images"
    assert table.loc[["adaptive_ece", "aurc", "kappa", "double_fault"], "lo"].notna().all()


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("rule", SELECTION_RULES)
def test_what_is_best_at_each_size_is_the_selection(run, rule, criterion):  # noqa: F811
    pool = [t.id for t in run.plan() if "pool" in t.roles]
    probs, y = run.val_probabilities(pool), run.targets("val")
    for row in executed(team_snippets.choice_steps(run, pool, [1, 2], rule, criterion, 0.5)):
        found = choose(pool_of(probs, y, pool), row["size"], rule, criterion, gamma=0.5)
        assert (row["loss"], row["tied"], row["evaluated"]) == (found.loss, found.tied, found.evaluated)
        assert row["members"].split(",") == list(found.members)


def test_reliability_adds_up_to_the_ece(run):  # noqa: F811
    scored = score_networks(run)
    teams = teams_of(run, scored)[:2]
    table = pd.DataFrame(executed(trust_snippets.reliability(run, teams)))
    for team in teams:
        bins, probs = table[table.ensemble == team.name], ensembles.combine(run.val_probabilities(team.members))
        assert bins.images.sum() == len(scored.y)
        gap = (abs(bins.accuracy - bins.confidence) * bins.images).sum() / len(scored.y)
        assert gap == pytest.approx(metrics.ece(probs, scored.y))
        assert ((bins.lo <= bins.accuracy) & (bins.accuracy <= bins.hi)).all()
