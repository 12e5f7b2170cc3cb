"""Copy as Python for trust, shift and test: scripts that judge teams again, by the rules that they combine their members with."""

from __future__ import annotations

from collections.abc import Sequence

from edgenes_core.looks import Look
from edgenes_core.run_folder import Run
from edgenes_core.shifted import Condition
from edgenes_core.snippets import literal
from edgenes_core.team import Team
from edgenes_core.team_snippets import RECORDS, script

COMBINED = "from edgenes_core.team import combined"


def reliability(run: Run, teams: Sequence[Team]) -> str:
    """The bins of a reliability diagram."""
    imports = [
        COMBINED,
        "from edgenes_core.figures.quality import reliability_info",
        "from edgenes_core.figures.tables import records, reliability_rows",
        "from edgenes_core.figures.theme import ROLE_STYLE",
    ]
    body = """
y, style = networks.y, ROLE_STYLE["member"]
infos = [reliability_info(team.name, style, combined(networks, team), y) for team in teams]
table = records(reliability_rows(infos))
"""
    return script(run, teams, imports, body)


def calibration(run: Run, teams: Sequence[Team], intervals: bool) -> str:
    """Every measure of calibration, the first team against the others."""
    imports = [RECORDS, COMBINED, "from edgenes_core.trust import calibrated, drawn"]
    said = f"drawn(combined(networks, team), networks.y, intervals={literal(intervals)})"
    return script(run, teams, imports, f"table = records(calibrated({{team.name: {said} for team in teams}}))")


def temperatures(run: Run, teams: Sequence[Team]) -> str:
    """Temperatures fitted on one half and judged on the other."""
    imports = [RECORDS, COMBINED, "from edgenes_core.trust import tempered_rows"]
    body = "rows = [tempered_rows(team.name, combined(networks, team), networks.y) for team in teams]\n"
    return script(run, teams, imports, f"{body}table = records([row for each in rows for row in each])")


def risks(run: Run, teams: Sequence[Team]) -> str:
    """Risk–coverage curves."""
    imports = [
        RECORDS,
        COMBINED,
        "from edgenes_core.figures.theme import ROLE_STYLE",
        "from edgenes_core.figures.uncertainty import risk_info, risk_points",
    ]
    body = """
style = ROLE_STYLE["member"]
table = records(risk_points([risk_info(t.name, style, combined(networks, t), networks.y) for t in teams]))
"""
    return script(run, teams, imports, body)


def diversity(run: Run, teams: Sequence[Team], intervals: bool) -> str:
    """Every measure of how members differ."""
    body = f"""
table = []
for team in teams:
    rows = networks.rows(team.members)
    cells = [networks.trainings[row].architecture for row in rows]
    table += records(
        diversity_scores(team.name, networks.probs[rows], networks.y, cells, intervals={literal(intervals)})
    )
"""
    return script(run, teams, [RECORDS, "from edgenes_core.trust import diversity_scores"], body)


def doubt(run: Run, team: Team, part: str) -> str:
    """Right and wrong images by their doubt."""
    body = f"""
(team,) = teams
members = networks.probs[networks.rows(team.members)]
found = doubt_of(members, networks.y, combined(networks, team))
table = records(doubt_bins(found.{part}, found.wrong))
"""
    return script(run, [team], [RECORDS, COMBINED, "from edgenes_core.trust import doubt_bins, doubt_of"], body)


def severities(run: Run, teams: Sequence[Team], conditions: Sequence[Condition]) -> str:
    """Metrics on images made worse."""
    body = f"""
conditions = [tuple(each) for each in {literal(conditions)}]
table = records([point for team in teams for point in points_of(run, networks, team, conditions)])
"""
    return script(run, teams, [RECORDS, "from edgenes_core.shift_teams import points_of"], body)


def outside(run: Run, teams: Sequence[Team], source: str) -> str:
    """How foreign images are told apart."""
    body = f"""
found = {{team.name: separations_of(run, networks, team, {literal(source)}) for team in teams}}
table = records([row for name, each in found.items() for row in told(name, each)])
"""
    return script(run, teams, [RECORDS, "from edgenes_core.shift_teams import separations_of, told"], body)


def outcomes(run: Run, look: Look, teams: Sequence[Team], reference: int) -> str:
    """What a look at the test set has shown; run by hand it is no further look."""
    imports = [
        RECORDS,
        "from edgenes_core.looks import looks",
        "from edgenes_core.revealed import differences, judge, outcomes",
    ]
    body = f"""
look = looks(run)[{look.number - 1}]
seen = judge(run, networks, look, teams)
table = records(outcomes(seen, differences(seen, run.targets("test"), {reference})))
"""
    return script(run, teams, imports, body)


def corrupted(run: Run, look: Look, teams: Sequence[Team]) -> str:
    """The same of a look at corrupted test images."""
    imports = [RECORDS, "from edgenes_core.looks import looks", "from edgenes_core.revealed import corrupted_points"]
    body = f"table = records(corrupted_points(run, networks, looks(run)[{look.number - 1}], teams))"
    return script(run, teams, imports, body)
