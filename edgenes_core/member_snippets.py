"""Copy as Python for a team's members and images: scripts that judge every swap, every pair and every image again."""

from __future__ import annotations

from collections.abc import Sequence

from edgenes_core.instances import Ask
from edgenes_core.run_folder import Run
from edgenes_core.snippets import literal
from edgenes_core.team import Team
from edgenes_core.team_snippets import RECORDS, team_literal, with_networks

VOTES = """
rows = networks.rows(dict.fromkeys(team.members))
names = [networks.name(networks.ids[row]) for row in rows]
found = votes(networks.probs[rows], combined(networks, team), networks.y)
"""


def team_changes(run: Run, team: Team, metric: str) -> str:
    """Every member left out, every other network added."""
    body = f"table = [*map(change_record, ranked(changes(networks, team, {literal(metric)})))]"
    return _script(run, team, ["from edgenes_core.marginal import change_record, changes, ranked"], body)


def team_ladder(run: Run, team: Team, metric: str) -> str:
    """Mean member, best member, team, oracle."""
    imports = [RECORDS, "from edgenes_core.ladder import ladder"]
    return _script(run, team, imports, f"table = records(ladder(networks, team, {literal(metric)}).rungs)")


def team_pairs(run: Run, team: Team, measure: str) -> str:
    """One measure of each pair of members."""
    imports = [
        RECORDS,
        "from edgenes_core.overlaps import members_of, pair_matrix, pair_rows",
    ]
    body = f"""
members = members_of(networks, team.members)
table = records(pair_rows({literal(measure)}, members.names, pair_matrix({literal(measure)}, members)))
"""
    return _script(run, team, imports, body)


def team_patterns(run: Run, team: Team) -> str:
    """Which members are wrong on the same images."""
    body = f"{VOTES}table = pattern_table(patterns(found.wrong), names, len(networks.y))"
    return _script(run, team, _voting("pattern_table, patterns, votes"), body)


def team_images(run: Run, team: Team, ask: Ask, sort: str) -> str:
    """The votes on the images asked for, in this order."""
    pattern = "None" if ask.pattern is None else f"tuple({literal(ask.pattern)})"
    body = f"""{VOTES}
ask = Ask({literal(ask.show)}, {pattern}, {literal(ask.true)}, {literal(ask.named)})
table = as_records(columns(found, chosen(found, ask, {literal(sort)}), names))
"""
    return _script(run, team, _voting("Ask, as_records, chosen, columns, votes"), body)


def team_confusion(run: Run, team: Team) -> str:
    """How many images of each class are taken for which."""
    body = f"{VOTES}table = confusion_table(confusion(networks.y, found.team, networks.probs.shape[2]))"
    return _script(run, team, _voting("confusion, confusion_table, votes"), body)


def _voting(names: str) -> list[str]:
    return [f"from edgenes_core.instances import {names}", "from edgenes_core.team import combined"]


def _script(run: Run, team: Team, imports: Sequence[str], body: str) -> str:
    """`networks` and `team`, then the body."""
    return with_networks(run, imports, f"team = {team_literal(team._replace(name='team'))}\n{body.strip()}")
