"""A team: members and how their predictions become one; judged on validation images, honestly for fitted rules too.

A rule that is fitted on validation images predicts each of them by a fit on the other folds (combining/judging.py), so every team
is judged on all images and none on an image that its rule has seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import gcd
from typing import Any, NamedTuple

import numpy as np

from edgenes_core.combining import COMBINERS, fitted_weights, load_combiner
from edgenes_core.combining.errors import CombiningError
from edgenes_core.combining.judging import cross_fit
from edgenes_core.records import Evaluation
from edgenes_core.schema import to_dict
from edgenes_core.scored import Scored, StoredEnsemble
from edgenes_core.side_by_side import measures

MEAN = "mean"
LINEAR = (MEAN, "weights")
"""Rules that are weighted sums of the members' probabilities."""


class Team(NamedTuple):
    """Members (training ids), the name of a rule of COMBINERS, and for the rule `weights` one part for each member."""

    name: str
    members: tuple[str, ...]
    combiner: str = MEAN
    weights: tuple[int, ...] = ()

    @property
    def shares(self) -> np.ndarray | None:
        """Weights (M,) that sum to 1, for the rule that takes them."""
        if self.combiner != "weights":
            return None
        parts = np.array(self.weights or (1,) * len(self.members), float)
        if len(parts) != len(self.members) or not ((parts >= 0).all() and parts.any()):
            raise CombiningError(
                f"Weights are {len(self.members)} parts from 0, one for each member and not all 0, got {parts.astype(int).tolist()}. "
                "Give at least one member a part, or choose another rule."
            )
        return parts / parts.sum()

    def swapped(self, members: Sequence[str]) -> Team:
        """The same rule over other members, who count alike."""
        return self._replace(members=tuple(members), weights=())


def combined(scored: Scored, team: Team, worse: np.ndarray | None = None) -> np.ndarray:
    """(B, C): what the team says about each validation image; CombiningError if its rule cannot be applied.

    `worse` (M, B, C): members' predictions of the same images made worse, to be combined instead; a fitted rule is then, too,
    one that has not seen the image.
    """
    rows = scored.rows(team.members)
    if worse is None and team.combiner in LINEAR:
        return _mixture(scored, rows, team.shares)
    fit, probs = load_combiner(team.combiner, team.shares), scored.probs[rows]
    if COMBINERS[team.combiner].fitted:
        return cross_fit(fit, probs, scored.y, worse=worse)
    return fit(probs, scored.y)(probs if worse is None else worse)


def combined_others(scored: Scored, team: Team, others: np.ndarray) -> np.ndarray:
    """(B', C): what the team says about other images than those of validation, on which its rule is fitted, from members'
    probabilities (M, B', C) of them."""
    fit = load_combiner(team.combiner, team.shares)
    return fit(scored.probs[scored.rows(team.members)], scored.y)(others)


def evaluation(scored: Scored, team: Team, found: np.ndarray | None = None) -> Evaluation:
    """The team judged on validation, as `ensembles.evaluate` does, from what is known of each network; `found` (4,) are its
    `side_by_side.measures`, where the caller has them."""
    accuracy, nll, brier, ece = (measures(combined(scored, team), scored.y) if found is None else found).tolist()
    rows = scored.rows(team.members)
    apart, pairs = scored.disagreement[np.ix_(rows, rows)], len(rows) * (len(rows) - 1)
    oracle = float(scored.right[rows].any(0).mean())
    return Evaluation("val", len(scored.y), accuracy, nll, brier, ece, float(apart.sum() / max(1, pairs)), oracle)


def fitted_shares(scored: Scored, team: Team) -> np.ndarray | None:
    """(M,) weights that a fitted rule gives the members on all of validation, for images it has not seen; None for other rules."""
    if not COMBINERS[team.combiner].fitted:
        return None
    return fitted_weights(team.combiner, scored.probs[scored.rows(team.members)], scored.y)


def identity(team: Team) -> tuple[str, frozenset[tuple[str, int]]]:
    """Rule and the parts of each member, in lowest terms; equal weights are the mean."""
    parts = parts_of(team)
    unit = gcd(*parts.values()) or 1
    rule = MEAN if team.combiner in LINEAR else team.combiner
    return rule, frozenset((member, part // unit) for member, part in parts.items())


def parts_of(team: Team) -> dict[str, int]:
    """How often each network counts, in order of the team; a member named twice counts twice."""
    if team.combiner == "weights" and team.weights:
        return dict(zip(team.members, team.weights, strict=True))
    return dict(Counter(team.members))


def fields_of(team: Team, role: str, rule: str, val: Evaluation) -> dict[str, Any]:
    """What `Run.save_ensemble` stores of a team; `scored.stored_ensembles` and `stored_teams` give it back."""
    known = {"title": team.name, "role": role, "rule": rule, "members": list(team.members), "combiner": team.combiner}
    return {**known, "weights": list(team.weights), "val": to_dict(val)}


def stored_teams(scored: Scored, stored: Sequence[StoredEnsemble]) -> tuple[list[Team], list[str]]:
    """Teams kept with a run, and a sentence for each whose members cannot be used."""
    known, found, missing = set(scored.ids), [], []
    for ensemble in stored:
        team = Team(ensemble.title, ensemble.members, ensemble.combiner, ensemble.weights)
        try:
            check(team)
        except CombiningError as error:
            missing.append(f"{ensemble.title!r} is left out: {error}")
            continue
        if set(ensemble.members) <= known:
            found.append(team)
        else:
            missing.append(f"{ensemble.title!r} is left out: not all of its members have usable predictions.")
    return found, missing


def check(team: Team) -> None:
    """CombiningError if nothing could be predicted by such a team, whatever its members say."""
    if not team.members:
        raise CombiningError("A team needs at least one member.")
    if team.combiner not in COMBINERS:
        raise CombiningError(f"A combining rule is one of {', '.join(COMBINERS)}, got {team.combiner[:40]!r}.")
    team.shares  # noqa: B018 - refuses weights that are none


def _mixture(scored: Scored, rows: Sequence[int], shares: np.ndarray | None) -> np.ndarray:
    """As `ensembles.combine`, but members that were checked when they were read are neither checked again nor copied."""
    total = np.zeros(scored.probs.shape[1:])
    if shares is None:
        for row in rows:
            total += scored.probs[row]
        total /= len(rows)
        return total
    for row, share in zip(rows, shares, strict=True):
        if share:
            total += share * scored.probs[row]
    return total
