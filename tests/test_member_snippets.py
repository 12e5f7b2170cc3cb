"""Scripts of the Members and Images tabs: each leaves the page's numbers in `table`, whatever the rule is."""

from __future__ import annotations

from pathlib import Path

import pytest
import sample_runs
from test_snippets import executed

from edgenes_core import instances, marginal, member_snippets, overlaps, snippets
from edgenes_core.combining import COMBINERS
from edgenes_core.instances import Ask
from edgenes_core.ladder import ladder
from edgenes_core.run_folder import Run
from edgenes_core.runs import RunStore
from edgenes_core.scored import score_networks
from edgenes_core.team import Team, combined

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return sample_runs.finished(tmp_path_factory.mktemp("runs"))


@pytest.fixture
def run(made: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("EDGENES_RUNS", str(made.path.parent))
    return RunStore(made.path.parent).open(made.id)


@pytest.mark.parametrize("rule", COMBINERS)
def test_scripts_make_the_tables_again(run, rule):
    scored = score_networks(run)
    team = Team('it\'s a "team"', scored.ids[:3], rule, (2, 1, 1) if rule == "weights" else ())
    names, rows = [scored.name(name) for name in team.members], scored.rows(team.members)
    found = instances.votes(scored.probs[rows], combined(scored, team), scored.y)
    changes = marginal.ranked(marginal.changes(scored, team, "nll"))
    assert executed(member_snippets.team_changes(run, team, "nll")) == [*map(marginal.change_record, changes)]
    assert executed(member_snippets.team_ladder(run, team, "brier")) == [
        rung._asdict() for rung in ladder(scored, team, "brier").rungs
    ]
    assert executed(member_snippets.team_patterns(run, team)) == instances.pattern_table(
        instances.patterns(found.wrong), names, len(scored.y)
    )
    ask = Ask("split_right", None, int(found.y[instances.SHOWS["split_right"](found)][0]), None)
    shown_rows = instances.chosen(found, ask, "loss")
    assert executed(member_snippets.team_images(run, team, ask, "loss")) == instances.as_records(
        instances.columns(found, shown_rows, names)
    )
    pattern = Ask(pattern=instances.patterns(found.wrong)[0].wrong)
    assert len(executed(member_snippets.team_images(run, team, pattern, "image"))) == len(
        instances.chosen(found, pattern)
    )
    counts = instances.confusion(found.y, found.team, scored.probs.shape[2])
    assert executed(member_snippets.team_confusion(run, team)) == instances.confusion_table(counts)


@pytest.mark.parametrize("measure", ["double_fault", "jsd", "member_shared"])
def test_the_script_of_pairs_makes_the_table_again(run, measure):
    scored = score_networks(run)
    members = overlaps.members_of(scored, scored.ids[:3])
    rows = overlaps.pair_rows(measure, members.names, overlaps.pair_matrix(measure, members))
    table = executed(member_snippets.team_pairs(run, Team("", scored.ids[:3]), measure))
    assert table == [row._asdict() for row in rows]


def test_the_script_of_the_bundled_run_runs(monkeypatch):
    monkeypatch.chdir(ROOT)
    run = RunStore(ROOT / "runs").open(str(snippets.BUNDLED))
    members = tuple(run.ensembles()["selected"]["members"])
    assert len(executed(member_snippets.team_changes(run, Team("", members), "accuracy"))) == len(run.trainings())
