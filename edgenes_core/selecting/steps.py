"""How much work a choice is, before it is made; and what rules find at each size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from edgenes_core.selecting import Choice


class Step(NamedTuple):
    """What is chosen for `size` members after `evaluated` ensembles: its loss, how many tie with it, and the members' keys."""

    size: int
    loss: float
    evaluated: int
    tied: int
    members: str


def steps(found: Sequence[Choice]) -> list[Step]:
    """One row for each choice."""
    return [Step(c.size, c.loss, c.evaluated, c.tied, ",".join(c.members)) for c in found]


def ensembles_of(rule: str, members: int, size: int, width: int) -> int:
    """Ensembles that a rule compares in a pool of N, at most; times the images it is a measure of the work."""
    if rule == "exhaustive":
        return math.comb(members, size)
    if rule == "top":
        return members + 1
    one_by_one = members * size
    return one_by_one * (1 + width) if rule == "beam" else one_by_one
