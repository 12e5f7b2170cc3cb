"""The commands that judge a team or choose one: `evaluate` and `select`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from edgenes_core import ensembles
from edgenes_core.combining import COMBINERS, load_combiner
from edgenes_core.combining.judging import cross_fit
from edgenes_core.reply import Reply
from edgenes_core.run_folder import Run
from edgenes_core.runs import RunStore
from edgenes_core.schema import ConfigError, to_dict
from edgenes_core.selecting import choose, pool_of
from edgenes_core.shift_report import listed, severities_of
from edgenes_core.shifted import Condition
from edgenes_core.shifted_pool import conditions_of, in_words, shifted_pool
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
    """The best n of the pool; how good it is, of how many, and how many are as good. With --shift the criterion is its mean over
    validation images made worse; `val` is always of the images as they are."""
    run = RunStore(options.runs).open(options.run)
    ids = [i for i, network in run.networks().items() if "pool" in network.training.roles]
    if not ids:
        raise StorageError(
            f"Run {run.id} has no retrained candidates yet; finish it with: python -m edgenes_core resume {run.id}"
        )
    probs, y, conditions = run.val_probabilities(ids), run.targets("val"), _conditions(run, ids, options)
    pool = shifted_pool(run, ids, conditions) if conditions else pool_of(probs, y, ids)
    chosen = choose(pool, options.size, options.rule, options.criterion, gamma=options.gamma)
    val = to_dict(ensembles.evaluate(probs[[ids.index(key) for key in chosen.members]], y, "val"))
    told = ("rule", "criterion", "gamma", "size", "evaluated", "tied", "loss", "images")
    data = {name: getattr(chosen, name) for name in told} | {"members": list(chosen.members), "val": val}
    data["judged_on"] = [{"corruption": name, "severity": severity} for name, severity in conditions]
    ties = f", {chosen.tied} tie to 1e-9" if chosen.tied > 1 else ""
    line = ensemble_line(f"{' + '.join(chosen.members)} ({chosen.evaluated} ensembles scored{ties})", val)
    worse = f"\n  chosen on these images with {in_words(conditions)}: loss {chosen.loss:.4f}" if conditions else ""
    return Reply(data, line + worse)


def _conditions(run: Run, ids: Sequence[str], options: argparse.Namespace) -> tuple[Condition, ...]:
    """What --shift, --corruptions and --severities say; none for images as they are."""
    if options.shift:
        asked = severities_of(options.severities) if options.severities is not None else ()
        return conditions_of(run, ids, listed(options.corruptions), asked)
    if options.corruptions is not None or options.severities is not None:
        raise ConfigError(
            "--corruptions and --severities say how images are made worse; add --shift, or leave them out."
        )
    return ()


def ensemble_line(title: str, val: dict[str, Any]) -> str:
    """An ensemble's numbers for people."""
    return f"  {title:52} {val['split']} n = {val['n']}: accuracy {100 * val['accuracy']:.2f} %, NLL {val['nll']:.4f}, ECE {val['ece']:.4f}"
