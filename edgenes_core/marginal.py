"""What one more or one fewer member changes: every swap of a team judged on the same validation images, and all swaps together.

A mixture of members is a weighted sum, so a candidate costs one addition to the team's running sum, and for the NLL only the true
class of each image is needed: all swaps are one product. A member taken out is summed anew from those that stay, because subtracting
it leaves rounding errors that would break ties between classes. Other rules combine every swapped team again.

What is said of the best of many candidates is too good: the largest of K estimates is partly luck. So each change has two intervals
from the same resamples: its own, and one that holds for all changes of the family at once (`comparisons`); the verdict is the second's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from edgenes_core import comparisons
from edgenes_core.combining import COMBINERS
from edgenes_core.metrics import FLOOR
from edgenes_core.records import METRICS
from edgenes_core.scored import Scored
from edgenes_core.statistics import RESAMPLES, image_scores, resampled_counts
from edgenes_core.team import LINEAR, Team, combined, parts_of

SCORES = ("nll", "accuracy", "brier")
"""Metrics that are means over images, so that a change has one value on each image."""
ROUNDING = 1e-12
BLOCK = 64_000  # probabilities of one network held in the cache while all candidates are added to them
AT_ONCE = 4_000_000  # probabilities that a rule which is not linear may combine while one waits


class Swap(NamedTuple):
    """A network that is added to the team, or taken out of it with all its places."""

    id: str
    added: bool


class Change(NamedTuple):
    """What a swap changes in a metric: team after it − team before, on n images. `lo` and `hi` hold for this change alone (95 %,
    paired percentile bootstrap), `all_lo` and `all_hi` for all `comparisons` changes together; p is adjusted likewise."""

    id: str
    added: bool
    metric: str
    mean: float
    lo: float
    hi: float
    all_lo: float
    all_hi: float
    p: float
    n: int
    comparisons: int

    @property
    def tie(self) -> bool:
        return self.all_lo <= 0 <= self.all_hi

    @property
    def verdict(self) -> str:
        """'tie', or 'better' or 'worse' than the team as it is."""
        if self.tie:
            return "tie"
        return "better" if self.gain > 0 else "worse"

    @property
    def gain(self) -> float:
        """The change, above 0 where the team becomes better."""
        return self.mean if METRICS[self.metric].better == "higher" else -self.mean


def swaps_of(scored: Scored, team: Team) -> tuple[Swap, ...]:
    """Each member out, unless nobody with a weight would stay, then each other network in."""
    parts = parts_of(team)
    out = [Swap(name, False) for name, part in parts.items() if sum(parts.values()) > part]
    return (*out, *(Swap(name, True) for name in scored.ids if name not in parts))


def swapped(team: Team, swap: Swap) -> Team:
    """The team after a swap: who stays keeps its weight, who comes counts once."""
    if swap.added:
        weights = (*team.weights, 1) if team.weights else ()
        return team._replace(members=(*team.members, swap.id), weights=weights)
    kept = [place for place, name in enumerate(team.members) if name != swap.id]
    weights = tuple(team.weights[place] for place in kept) if team.weights else ()
    return team._replace(members=tuple(team.members[place] for place in kept), weights=weights)


def quick(scored: Scored, team: Team, swaps: int) -> bool:
    """Whether the swaps of a team are judged while one waits: always for mixtures; rules that are fitted are fitted five times each."""
    spec, work = COMBINERS[team.combiner], scored.probs[0].size * (len(team.members) + 1) * swaps
    return team.combiner in LINEAR or (not spec.fitted and work <= AT_ONCE)


def swap_scores(scored: Scored, team: Team, swaps: Sequence[Swap], metric: str) -> np.ndarray:
    """(K, B): a metric of SCORES of each image, after each swap."""
    if team.combiner not in LINEAR:
        found = (image_scores(combined(scored, swapped(team, swap)), scored.y) for swap in swaps)
        return np.stack([getattr(scores, metric) for scores in found])
    parts = np.stack([_parts(scored, swapped(team, swap)) for swap in swaps])
    if metric == "nll":
        true = scored.probs[:, np.arange(len(scored.y)), scored.y]
        return -np.log(np.maximum(parts @ true / parts.sum(1, keepdims=True), FLOOR))
    return _whole_scores(scored, _parts(scored, team), parts, swaps, metric)


def changes(
    scored: Scored,
    team: Team,
    metric: str,
    says: np.ndarray | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[Change, ...]:
    """Every swap of a team, in the order of `swaps_of`, with intervals on the same resampled images; `says` is the team's
    `combined`, where the caller has it."""
    swaps, n = swaps_of(scored, team), len(scored.y)
    if not swaps:
        return ()
    before = image_scores(combined(scored, team) if says is None else says, scored.y)
    gaps = swap_scores(scored, team, swaps, metric) - getattr(before, metric)
    gaps[np.abs(gaps) <= ROUNDING] = 0
    drawn = np.concatenate([counts @ gaps.T for counts in resampled_counts(n, resamples, seed)]).T / n
    lo, hi = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=1)
    family = comparisons.judged_together(gaps.mean(1), drawn, n, level)
    return tuple(
        Change(*swap, metric, one.mean, float(low), float(high), one.lo, one.hi, one.p, n, one.comparisons)
        for swap, one, low, high in zip(swaps, family, lo, hi, strict=True)
    )


def ranked(found: Sequence[Change]) -> list[Change]:
    """The change that helps most first; equal ones in the order of their ids."""
    return sorted(found, key=lambda change: (-change.gain, change.id))


def change_record(change: Change) -> dict[str, object]:
    """A change as a row of a table, with its verdict."""
    values = dict(zip(change._fields[2:], change[2:], strict=True))
    return {"network": change.id, "swap": "add" if change.added else "leave out", **values, "verdict": change.verdict}


def best_next(found: Sequence[Change]) -> Change | None:
    """The network that would help most if it were added; None if there is no other."""
    return next((change for change in ranked(found) if change.added), None)


def _parts(scored: Scored, team: Team) -> np.ndarray:
    """(N,): how often each network of the run counts."""
    parts = np.zeros(len(scored.ids))
    for name, part in parts_of(team).items():
        parts[scored.rows([name])] = part
    return parts


def _whole_scores(
    scored: Scored, before: np.ndarray, after: np.ndarray, swaps: Sequence[Swap], metric: str
) -> np.ndarray:
    """Accuracy or Brier score of mixtures with parts (K, N), in blocks of images small enough for the processor's cache."""
    images, classes = scored.probs.shape[1:]
    found, step = np.empty((len(swaps), images)), max(1, BLOCK // classes)
    for start in range(0, images, step):
        here = slice(start, start + step)
        block, y = scored.probs[:, here], scored.y[here]
        running, rows = _summed(before, block), np.arange(len(y))
        for place, swap in enumerate(swaps):
            total = running + block[scored.rows([swap.id])[0]] if swap.added else _summed(after[place], block)
            if metric == "accuracy":
                found[place, here] = total.argmax(-1) == y
            else:
                total /= after[place].sum()
                found[place, here] = np.einsum("bc,bc->b", total, total) - 2 * total[rows, y] + 1
    return found


def _summed(parts: np.ndarray, block: np.ndarray) -> np.ndarray:
    """Σ_m part_m·p_m (b, C) over the networks (N, b, C) that count."""
    used = np.flatnonzero(parts)
    total = block[used[0]] * parts[used[0]]
    for row in used[1:]:
        total += block[row] * parts[row]
    return total
