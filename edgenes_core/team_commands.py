"""The commands that judge a team or choose one: `evaluate` and `select`."""

from __future__ import annotations

import argparse
from typing import Any

from edgenes_core import ensembles
from edgenes_core.combining import COMBINERS, load_combiner
from edgenes_core.combining.judging import cross_fit
from edgenes_core.reply import Reply
from edgenes_core.runs import RunStore
from edgenes_core.schema import ConfigError, to_dict
from edgenes_core.selecting import choose, pool_of
from edgenes_core.storage import StorageError
from edgenes_core.team import MEAN, Team

MOST_PARTS = 99


def evaluate(options: argparse.Namespace) -> Reply:
    """Members and a rule, on validation; with --reveal on test, by the rule fitted on all of validation."""
    run, team = RunStore(options.runs).open(options.run), team_of(options)
    fit, fitted = load_combiner(team.combiner, team.shares), COMBINERS[team.combiner].fitted
    split = "test" if options.reveal else "val"
    judged, y = run.reveal(team.members) if options.reveal else run.val_probabilities(team.members), run.targets(split)
    if fitted and not options.reveal:
        combined = cross_fit(fit, judged, y)
    else:
        seen = run.val_probabilities(team.members) if fitted else judged
        combined = fit(seen, run.targets("val") if fitted else y)(judged)
    result = to_dict(ensembles.evaluate(judged, y, split, combined))
    rule = "" if team.combiner == MEAN else f" ({team.combiner})"
    looks = f"\ntest looked at {run.reveals()} times in this run" if options.reveal else ""
    return Reply(result, ensemble_line(" + ".join(team.members) + rule, result) + looks)


def team_of(options: argparse.Namespace) -> Team:
    """What --keys, --combine and --weights say; ConfigError if they cannot be a team."""
    members = tuple(key.strip() for key in options.keys.split(",") if key.strip())
    if not members or len(set(members)) != len(members):
        raise ConfigError(f"--keys needs one or more different members, got {options.keys!r}.")
    if options.weights is None:
        return Team("", members, options.combine or MEAN)
    if options.combine not in (None, "weights"):
        raise ConfigError(f"--weights belong to the rule 'weights', not to {options.combine!r}; leave one of them out.")
    parts = [part.strip() for part in options.weights.split(",")]
    if (
        len(parts) != len(members)
        or not all(p.isdecimal() and int(p) <= MOST_PARTS for p in parts)
        or not any(map(int, parts))
    ):
        raise ConfigError(
            f"--weights needs whole numbers from 0 to {MOST_PARTS}, not all 0, one for each of the {len(members)} members, "
            f"got {options.weights!r}."
        )
    return Team("", members, "weights", tuple(map(int, parts)))


def select(options: argparse.Namespace) -> Reply:
    """The best n of the pool; how good it is, of how many, and how many are as good."""
    run = RunStore(options.runs).open(options.run)
    ids = [i for i, network in run.networks().items() if "pool" in network.training.roles]
    if not ids:
        raise StorageError(
            f"Run {run.id} has no retrained candidates yet; finish it with: python -m edgenes_core resume {run.id}"
        )
    pool = pool_of(run.val_probabilities(ids), run.targets("val"), ids)
    chosen = choose(pool, options.size, options.rule, options.criterion, gamma=options.gamma)
    val = to_dict(ensembles.evaluate(pool.probs[[ids.index(key) for key in chosen.members]], pool.y, "val"))
    told = ("rule", "criterion", "gamma", "size", "evaluated", "tied", "loss", "members")
    data = {name: getattr(chosen, name) for name in told} | {"members": list(chosen.members), "val": val}
    ties = f", {chosen.tied} tie to 1e-9" if chosen.tied > 1 else ""
    return Reply(data, ensemble_line(f"{' + '.join(chosen.members)} ({chosen.evaluated} ensembles scored{ties})", val))


def ensemble_line(title: str, val: dict[str, Any]) -> str:
    """An ensemble's numbers for people."""
    return f"  {title:52} {val['split']} n = {val['n']}: accuracy {100 * val['accuracy']:.2f} %, NLL {val['nll']:.4f}, ECE {val['ece']:.4f}"
