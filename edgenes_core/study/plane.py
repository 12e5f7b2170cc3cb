"""Methods by what they cost and how good they are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from edgenes_core.plane import pareto_front
from edgenes_core.records import METRICS as NAMED
from edgenes_core.side_by_side import measures
from edgenes_core.study.folder import Study
from edgenes_core.study.table import METRICS, Seen, over_seeds


class CostPoint(NamedTuple):
    """A method's cost and quality, mean and sd over n seeds (NaN for one); on the front if no other method's means are as cheap
    and better, or as good and cheaper."""

    arm: str
    title: str
    cost: float
    cost_sd: float
    value: float
    sd: float
    n: int
    front: bool


def cost_points(study: Study, seen: Seen, metric: str, cost: str) -> list[CostPoint]:
    """Every method; `cost` is seconds or images, of everything: search, trainings and choice."""
    spread = {}
    for arm in seen.arms:
        mine = seen.of(arm)
        values = [float(measures(each.said, seen.y)[METRICS.index(metric)]) for each in mine]
        costs = [float(each.seconds if cost == "seconds" else each.samples) for each in mine]
        spread[arm] = (*over_seeds(costs)[:2], *over_seeds(values)[:2], len(mine))
    x, y = (np.array([found[k] for found in spread.values()]) for k in (0, 2))
    front = pareto_front(x, y, "lower", NAMED[metric].better)
    return [
        CostPoint(arm, study.config.arm(arm).shown, *found, bool(leads))
        for (arm, found), leads in zip(spread.items(), front, strict=True)
    ]
