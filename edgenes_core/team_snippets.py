"""Copy as Python for teams: scripts that judge and compare them again, whatever their rule, and choose them again."""

from __future__ import annotations

from collections.abc import Sequence

from edgenes_core.run_folder import Run
from edgenes_core.shifted import Condition
from edgenes_core.snippets import literal, snippet
from edgenes_core.team import MEAN, Team

RECORDS = "from edgenes_core.figures.tables import records"


def team_scores(run: Run, teams: Sequence[Team]) -> str:
    """What each team is made of and worth."""
    imports = [RECORDS, "from edgenes_core.team_tables import judged_rows"]
    return script(run, teams, imports, "table = records(judged_rows(networks, teams))", _command(teams))


def team_measures(run: Run, teams: Sequence[Team], intervals: bool = False) -> str:
    """Every measure of teams side by side."""
    imports = [RECORDS, "from edgenes_core.team_tables import measured, measured_rows"]
    asked = ", intervals=True" if intervals else ""
    body = f"table = records(measured_rows(teams, [measured(networks, team{asked}) for team in teams]))"
    return script(run, teams, imports, body, _command(teams))


def team_differences(run: Run, teams: Sequence[Team], reference: Team) -> str:
    """Each team minus the reference on the same images: one family of simultaneous intervals."""
    imports = [
        "from edgenes_core.figures.forest import Compared",
        "from edgenes_core.figures.tables import difference_rows, records",
        "from edgenes_core.side_by_side import PAIRED, resampled, simultaneous",
        "from edgenes_core.team import combined",
    ]
    body = f"""
reference = {team_literal(reference)}
drawn, *others = [resampled(combined(networks, team), networks.y) for team in [reference, *teams]]
gaps = simultaneous(others, drawn)
table = records(difference_rows([Compared(t.name, gap) for t, gap in zip(teams, gaps, strict=True)], PAIRED))
"""
    return script(run, teams, imports, body, _command(teams))


def team_recipe(run: Run, team: Team, reference: Team) -> str:
    """A team's cells minus the reference's, over the seeds that each was retrained with."""
    imports = [RECORDS, "from edgenes_core.repeats import judged_recipe"]
    body = f"""
reference = {team_literal(reference)}
table = records(judged_recipe(networks, teams[0], reference))
"""
    return script(run, [team], imports, body, _command([team]))


def choice_steps(
    run: Run,
    pool: Sequence[str],
    sizes: Sequence[int],
    rule: str,
    criterion: str,
    gamma: float,
    worse: Sequence[Condition] = (),
) -> str:
    """What a rule of selection finds at each size, on validation images as they are or made worse."""
    imports = [
        RECORDS,
        f"from edgenes_core.selecting import choose{'' if worse else ', pool_of'}",
        "from edgenes_core.selecting.steps import steps",
    ]
    made = 'pool_of(run.val_probabilities(ids), run.targets("val"), ids)'
    if worse:
        imports.append("from edgenes_core.shifted_pool import shifted_pool")
        made = f"shifted_pool(run, ids, {literal(list(worse))})"
    body = f"""
ids = {literal(pool)}
pool = {made}
sizes = {literal(sizes)}
table = records(steps([choose(pool, n, {literal(rule)}, {literal(criterion)}, gamma={literal(gamma)}) for n in sizes]))
"""
    size = str(max(sizes, default=1))
    asked = ["select", "--size", size, "--rule", rule, "--criterion", criterion, "--gamma", str(gamma)]
    if worse:
        names, severities = (dict.fromkeys(str(part) for part in side) for side in zip(*worse, strict=True))
        asked += ["--shift", "--corruptions", ",".join(names), "--severities", ",".join(severities)]
    return snippet(run, imports, body, asked)


def script(run: Run, teams: Sequence[Team], imports: Sequence[str], body: str, command: Sequence[str] = ()) -> str:
    """`networks` and `teams`, then the body."""
    listed = "".join(f"    {team_literal(team)},\n" for team in teams)
    made = f"teams = [\n{listed}]" if teams else "teams = []"
    return with_networks(run, imports, f"{made}\n{body.strip()}", command)


def with_networks(run: Run, imports: Sequence[str], body: str, command: Sequence[str] = ()) -> str:
    """A script that has `networks` judged and knows `Team`."""
    needed = ["from edgenes_core.scored import score_networks", "from edgenes_core.team import Team", *imports]
    return snippet(run, needed, f"networks = score_networks(run)\n{body.strip()}", command)


def team_literal(team: Team) -> str:
    """A team as Python text."""
    weights = f", tuple({literal(team.weights)})" if team.weights else ""
    return f"Team({literal(team.name)}, tuple({literal(team.members)}), {literal(team.combiner)}{weights})"


def _command(teams: Sequence[Team]) -> list[str]:
    """The command of the first team; the command line judges different members only."""
    if not teams:
        return []
    team = teams[0]
    if len(set(team.members)) < len(team.members):
        return []
    weights = ["--weights", ",".join(map(str, team.weights))] if team.weights else []
    rule = [] if team.combiner == MEAN or weights else ["--combine", team.combiner]
    return ["evaluate", "--keys", ",".join(team.members), *rule, *weights]
