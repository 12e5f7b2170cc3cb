"""Copy as Python for teams: scripts that judge and compare them again, whatever their rule, and choose them again."""

from __future__ import annotations

from collections.abc import Sequence

from edgenes_core.run_folder import Run
from edgenes_core.snippets import literal, snippet
from edgenes_core.team import MEAN, Team

RECORDS = "from edgenes_core.figures.tables import records"


def team_scores(run: Run, teams: Sequence[Team]) -> str:
    """What each team is made of and worth."""
    imports = [RECORDS, "from edgenes_core.team_tables import judged_rows"]
    return script(run, teams, imports, "table = records(judged_rows(networks, teams))")


def team_measures(run: Run, teams: Sequence[Team]) -> str:
    """Every measure of teams side by side."""
    imports = [RECORDS, "from edgenes_core.team_tables import measured, measured_rows"]
    body = "table = records(measured_rows(teams, [measured(networks, team) for team in teams], len(networks.y)))"
    return script(run, teams, imports, body)


def team_differences(run: Run, teams: Sequence[Team], reference: Team) -> str:
    """Each team minus the reference on the same images: one family of simultaneous intervals."""
    imports = [
        "from edgenes_core.figures.forest import Compared",
        "from edgenes_core.figures.tables import difference_rows, records",
        "from edgenes_core.side_by_side import PAIRED, resampled, simultaneous",
        "from edgenes_core.team import combined",
    ]
    body = f"""
reference = {_team(reference)}
drawn, *others = [resampled(combined(networks, team), networks.y) for team in [reference, *teams]]
gaps = simultaneous(others, drawn)
table = records(difference_rows([Compared(t.name, gap) for t, gap in zip(teams, gaps, strict=True)], PAIRED))
"""
    return script(run, teams, imports, body)


def choice_steps(run: Run, pool: Sequence[str], sizes: Sequence[int], rule: str, criterion: str, gamma: float) -> str:
    """What a rule of selection finds at each size."""
    imports = [
        RECORDS,
        "from edgenes_core.selecting import choose, pool_of",
        "from edgenes_core.selecting.steps import steps",
    ]
    body = f"""
ids = {literal(pool)}
pool = pool_of(run.val_probabilities(ids), run.targets("val"), ids)
sizes = {literal(sizes)}
table = records(steps([choose(pool, n, {literal(rule)}, {literal(criterion)}, gamma={literal(gamma)}) for n in sizes]))
"""
    size = str(max(sizes, default=1))
    asked = ["select", "--size", size, "--rule", rule, "--criterion", criterion, "--gamma", str(gamma)]
    return snippet(run, imports, body, asked)


def script(run: Run, teams: Sequence[Team], imports: Sequence[str], body: str) -> str:
    """`networks` and `teams`, then the body; the command is that of the first team."""
    needed = ["from edgenes_core.scored import score_networks", "from edgenes_core.team import Team", *imports]
    listed = "".join(f"    {_team(team)},\n" for team in teams)
    made = (
        f"networks = score_networks(run)\nteams = [\n{listed}]"
        if teams
        else "networks, teams = score_networks(run), []"
    )
    return snippet(run, needed, f"{made}\n{body.strip()}", _command(teams[0]) if teams else ())


def _team(team: Team) -> str:
    weights = f", tuple({literal(team.weights)})" if team.weights else ""
    return f"Team({literal(team.name)}, tuple({literal(team.members)}), {literal(team.combiner)}{weights})"


def _command(team: Team) -> list[str]:
    """The command line judges different members only."""
    if len(set(team.members)) < len(team.members):
        return []
    weights = ["--weights", ",".join(map(str, team.weights))] if team.weights else []
    rule = [] if team.combiner == MEAN or weights else ["--combine", team.combiner]
    return ["evaluate", "--keys", ",".join(team.members), *rule, *weights]
