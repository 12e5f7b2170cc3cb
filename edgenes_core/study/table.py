"""Methods × metrics: each arm's ensemble judged over its seeds, and against a reference.

value        mean over seeds of the measure of the seed's ensemble; sd with n − 1; t interval over the seeds (none for one seed)
difference   arm − reference, seeds and images resampled, crossed (`bootstrap.over_seeds`); the seeds of both sides independently,
             so an interval is rather too wide where they have much in common. All arms compared hold together at 95 % in each
             metric by itself (Bonferroni).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from edgenes_core.bootstrap import SeedDifference
from edgenes_core.repeats import recipe_differences
from edgenes_core.search import SEARCHERS
from edgenes_core.side_by_side import PAIRED, measures, resampled, verdict
from edgenes_core.study.chosen import ALL, POOL, SAMPLES, SECONDS, Mode, check_mode, choose, combined, paid
from edgenes_core.study.folder import Look, StoredRepeat, Study

METRICS = PAIRED
LEVEL = 0.95


class Judged(NamedTuple):
    """What one repeat's ensemble says (B, C) on the images judged and on validation, of how many members, chosen among how many
    networks, and what it has cost: seconds of the search, of the trainings and of the choice, and images passed."""

    arm: str
    seed: int
    said: np.ndarray
    val: np.ndarray
    members: int
    networks: int
    search_seconds: float
    train_seconds: float
    select_seconds: float
    samples: int

    @property
    def seconds(self) -> float:
        return self.search_seconds + self.train_seconds + self.select_seconds


class Seen(NamedTuple):
    """A study's ensembles on one split: true classes (B,) there and on validation; repeats whose search alone costs more than
    the budget; and a sentence for each damaged one."""

    judged: tuple[Judged, ...]
    y: np.ndarray
    y_val: np.ndarray
    split: str
    mode: Mode
    unpaid: tuple[tuple[str, int], ...] = ()
    damaged: tuple[str, ...] = ()

    def of(self, arm: str) -> list[Judged]:
        """An arm's, by seed."""
        return [each for each in self.judged if each.arm == arm]

    @property
    def arms(self) -> tuple[str, ...]:
        """Those with something to show."""
        return tuple(dict.fromkeys(each.arm for each in self.judged))


class Row(NamedTuple):
    """One arm in one metric over n seeds and `images` images; sd, lo, hi are NaN for one seed. `difference` is to the reference,
    with its simultaneous 95 % t interval and what that says. Members, networks and costs are means over the seeds."""

    arm: str
    title: str
    metric: str
    value: float
    sd: float
    lo: float
    hi: float
    n: int
    images: int
    difference: float
    difference_lo: float
    difference_hi: float
    verdict: str
    members: float
    networks: float
    search_seconds: float
    train_seconds: float
    select_seconds: float
    seconds: float
    samples: float


COSTS = Row._fields[13:]


def default_reference(study: Study) -> str:
    """A deep ensemble of α* if the study has one, else its first arm."""
    names = [arm.name for arm in study.config.arms]
    return next((name for name in ("deepens", "as-is") if name in names), names[0])


def mode_of(study: Study, kind: str, reference: str, limit: float | None = None) -> Mode:
    """A mode by its name. Without a limit the equal pool is the study's N, and a budget what the reference's dearest repeat costs."""
    if kind == ALL:
        return Mode(ALL)
    if limit is None and kind == POOL:
        limit = study.config.base.ensemble.pool
    if limit is None and kind in (SECONDS, SAMPLES):
        bills = [repeat.bill for repeat in study.repeats()[0] if repeat.arm.name == reference]
        spent = [float((bill.seconds if kind == SECONDS else bill.images)[-1]) for bill in bills]
        limit = max(spent, default=float("nan"))
    return check_mode(Mode(kind, float("nan") if limit is None else float(limit)))


def judge(study: Study, mode: Mode, look: Look | None = None) -> Seen:
    """Every stored repeat's ensemble, members chosen on validation; judged there, or on test if a stored look was at them."""
    repeats, damaged = study.repeats()
    sizes = {arm.name: study.config.config(arm, 0).ensemble.size for arm in study.config.arms}
    judged, unpaid = list[Judged](), list[tuple[str, int]]()
    for repeat in repeats:
        size = sizes[repeat.arm.name]
        if count := paid(repeat.bill, mode, size):
            judged.append(_judged(study, repeat, count, size, look))
        else:
            unpaid.append((repeat.arm.name, repeat.seed))
    y = study.y if look is None else study.test_y(look)
    split = "val" if look is None else "test"
    return Seen(tuple(judged), y, study.y, split, mode, tuple(unpaid), tuple(damaged))


def rows(study: Study, seen: Seen, reference: str) -> list[Row]:
    """Every arm with something to show in every metric, in the study's order."""
    found, gaps, nan = [], differences(seen, reference), float("nan")
    for arm in seen.arms:
        mine = seen.of(arm)
        values = np.stack([measures(each.said, seen.y) for each in mine])
        costs = [float(np.mean([getattr(each, name) for each in mine])) for name in COSTS]
        for k, metric in enumerate(METRICS):
            gap = gaps[arm][k] if arm in gaps else None
            said = (
                (nan, nan, nan, "reference" if arm == reference else "")
                if gap is None
                else (*gap[:3], verdict(metric, gap))
            )
            over = over_seeds(values[:, k])
            found.append(Row(arm, study.config.arm(arm).shown, metric, *over, len(mine), len(seen.y), *said, *costs))
    return found


def differences(seen: Seen, reference: str) -> dict[str, tuple[SeedDifference, ...]]:
    """Each other arm − the reference in the order of METRICS; nothing without a reference."""
    others = [arm for arm in seen.arms if arm != reference]
    if reference not in seen.arms:
        return {}
    drawn = {arm: [resampled(each.said, seen.y) for each in seen.of(arm)] for arm in seen.arms}
    level = 1 - (1 - LEVEL) / max(1, len(others))
    return {arm: recipe_differences(drawn[arm], drawn[reference], level) for arm in others}


def over_seeds(values: Sequence[float] | np.ndarray, level: float = LEVEL) -> tuple[float, float, float, float]:
    """Mean, standard deviation and t interval; NaN for one value."""
    from scipy.stats import t

    mean, n = float(np.mean(values)), len(values)
    if n < 2:
        return mean, float("nan"), float("nan"), float("nan")
    sd = float(np.std(values, ddof=1))
    half = float(t.ppf((1 + level) / 2, n - 1)) * sd / n**0.5
    return mean, sd, mean - half, mean + half


def _judged(study: Study, repeat: StoredRepeat, count: int, size: int, look: Look | None) -> Judged:
    members = choose(SEARCHERS[repeat.arm.searcher].members, repeat.val[:count], study.y, size)
    val = combined(repeat.val, members)
    said = val if look is None else combined(study.test(repeat, look), members)
    return Judged(
        repeat.arm.name,
        repeat.seed,
        said,
        val,
        len(members),
        count,
        repeat.search.seconds,
        sum(repeat.seconds[:count]),
        repeat.select.seconds,
        int(repeat.bill.images[count - 1]) + repeat.select.samples * count // len(repeat.candidates),
    )
