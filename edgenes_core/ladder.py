"""What averaging brings, as a ladder: the mean member, the best member, the team, and an oracle that picks a member for each image.

For a mixture p̄ = Σ_m w_m p_m the first gap is an identity, not an estimate (`diversity.ambiguity`, with the mixture's weights):

    Brier(p̄) = Σ_m w_m Brier(p_m) − Σ_m w_m ‖p_m − p̄‖²
    NLL(p̄)   = Σ_m w_m NLL(p_m)   − (log p̄_y − Σ_m w_m log p_m,y)

Accuracy has none: averaging can lose as well.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from edgenes_core.bootstrap import Interval, interval
from edgenes_core.diversity import true_class
from edgenes_core.metrics import FLOOR
from edgenes_core.records import METRICS
from edgenes_core.scored import Scored
from edgenes_core.statistics import RESAMPLES, Difference, image_scores, paired_bootstrap
from edgenes_core.team import LINEAR, Team, combined, parts_of

AMBIGUITY = {"brier": "ambiguity", "nll": "log ambiguity"}


class Rung(NamedTuple):
    """One predictor with its metric on n images and a percentile interval of its own; `id` names the best member."""

    name: str
    value: float
    lo: float
    hi: float
    n: int
    id: str = ""


class Ladder(NamedTuple):
    """Rungs in the order mean member, best member, team, oracle. `gain`: mean member − team; `over_best`: best member − team,
    both paired. `ambiguity` is the gain by its own formula, for mixtures judged by NLL or Brier score, else NaN."""

    metric: str
    rungs: tuple[Rung, ...]
    gain: Difference
    over_best: Difference
    ambiguity: float


def ladder(
    scored: Scored, team: Team, metric: str, says: np.ndarray | None = None, resamples: int = RESAMPLES
) -> Ladder:
    """Judge a team's parts and the team by a metric of `marginal.SCORES`; the best member is the best on these same images. `says` is the
    team's `combined`, where the caller has it."""
    parts = parts_of(team)
    ids, shares = tuple(parts), np.array(list(parts.values()), float) / sum(parts.values())
    probs, y = scored.probs[scored.rows(ids)], scored.y
    says = combined(scored, team) if says is None else says
    members = np.stack([getattr(image_scores(member, y), metric) for member in probs])
    whole, mean = getattr(image_scores(says, y), metric), shares @ members
    higher = METRICS[metric].better == "higher"
    best = int((members if higher else -members).mean(1).argmax())
    oracle = members.max(0) if higher else members.min(0)
    named = (
        ("mean member", mean, ""),
        ("best member", members[best], ids[best]),
        ("team", whole, ""),
        ("oracle", oracle, ""),
    )
    rungs = tuple(Rung(name, *_interval(scores, resamples), name_id) for name, scores, name_id in named)
    exact = ambiguity_of(probs, shares, y, says, metric) if team.combiner in LINEAR else float("nan")
    gain, over = (paired_bootstrap(scores, whole, resamples) for scores in (mean, members[best]))
    return Ladder(metric, rungs, gain, over, exact)


def ambiguity_of(probs: np.ndarray, shares: np.ndarray, y: np.ndarray, mixture: np.ndarray, metric: str) -> float:
    """What mixing members (M, B, C) with shares (M,) takes off their mean score; NaN for a metric without such an identity."""
    if metric == "brier":
        apart = [float(np.einsum("bc,bc->", gap, gap)) for gap in (member - mixture for member in probs)]
        return float(shares @ apart) / len(y)
    if metric == "nll":
        logs = np.log(np.maximum(true_class(probs, y), FLOOR)).mean(1)
        return float(np.log(np.maximum(true_class(mixture[None], y), FLOOR)).mean() - shares @ logs)
    return float("nan")


def _interval(scores: np.ndarray, resamples: int) -> Interval:
    return interval(lambda counts: counts @ scores / counts.sum(-1), len(scores), resamples)
