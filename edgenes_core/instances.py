"""Images one by one: who says what about each, which of them to look at, who is wrong together, and what is taken for what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from edgenes_core import diversity, metrics
from edgenes_core.diversity import entropy


class Votes(NamedTuple):
    """What M members and their team say about B images of true classes `y`.

    `named` (M, B) and `team` (B,) are classes, `chance` and `team_chance` the probabilities given to them. `loss` (B,) is the team's
    −log p(true class) in nats. The entropy of the members' mean is `aleatoric` (their mean entropy: what each is unsure of)
    plus `epistemic` (mutual information: what they do not agree on), both (B,) in nats. `apart` (B,) is the share of pairs of members
    that name different classes.
    """

    y: np.ndarray
    named: np.ndarray
    chance: np.ndarray
    team: np.ndarray
    team_chance: np.ndarray
    loss: np.ndarray
    aleatoric: np.ndarray
    epistemic: np.ndarray
    apart: np.ndarray

    @property
    def wrong(self) -> np.ndarray:
        """(M, B) bool."""
        return np.asarray(self.named != self.y)

    @property
    def team_wrong(self) -> np.ndarray:
        """(B,) bool."""
        return np.asarray(self.team != self.y)


class Ask(NamedTuple):
    """Which images to show: those of a name in SHOWS that also have this error pattern (the members who are wrong, and no others),
    true class and predicted class of the team; None asks for nothing."""

    show: str = "all"
    pattern: tuple[int, ...] | None = None
    true: int | None = None
    named: int | None = None


class Pattern(NamedTuple):
    """`wrong` members (rows, ascending), and no others, are wrong on `count` images."""

    wrong: tuple[int, ...]
    count: int  # type: ignore[assignment]  # images; hides tuple.count, which nobody needs here


class Confused(NamedTuple):
    """`count` of the `of` images of class `true` are taken for class `named`."""

    true: int
    named: int
    count: int  # type: ignore[assignment]
    of: int

    @property
    def rate(self) -> float:
        return self.count / self.of


SHOWS: dict[str, Callable[[Votes], np.ndarray]] = {
    "all": lambda v: np.ones(len(v.y), bool),
    "wrong": lambda v: v.team_wrong,
    "split_right": lambda v: (v.apart > 0) & ~v.team_wrong,
    "split_wrong": lambda v: (v.apart > 0) & v.team_wrong,
    "agree_right": lambda v: (v.apart == 0) & ~v.team_wrong,
    "agree_wrong": lambda v: (v.apart == 0) & v.team_wrong,
    "all_wrong": lambda v: np.asarray(v.wrong.all(0)),
}
"""Masks (B,). The four of split/agree and right/wrong part the images: each is in exactly one of them."""

SORTS: dict[str, Callable[[Votes], np.ndarray]] = {
    "apart": lambda v: -v.apart,
    "loss": lambda v: -v.loss,
    "epistemic": lambda v: -v.epistemic,
    "image": lambda v: np.zeros(len(v.y)),
}
"""What comes first has the least; equal ones by loss (but for "image"), then by their number."""


def votes(probs: np.ndarray, combined: np.ndarray, y: np.ndarray) -> Votes:
    """From members (M, B, C), what the team makes of them (B, C), and true classes (B,)."""
    probs = metrics.probabilities(probs, "MBC")
    rows, named, team = np.arange(len(y)), probs.argmax(-1), combined.argmax(-1)
    own = np.mean([entropy(member.astype(float)) for member in probs], axis=0)
    return Votes(
        y,
        named,
        np.take_along_axis(probs, named[..., None], -1)[..., 0],
        team,
        combined[rows, team],
        -np.log(np.maximum(combined[rows, y], metrics.FLOOR)),
        own,
        diversity.image_information(probs),
        diversity.image_disagreement(probs),
    )


def chosen(found: Votes, ask: Ask, sort: str = "image") -> np.ndarray:
    """Numbers (K,) of the images asked for, in the order of SORTS."""
    mask = SHOWS[ask.show](found)
    if ask.pattern is not None:
        wanted = np.isin(np.arange(len(found.named)), ask.pattern)
        mask = mask & (found.wrong == wanted[:, None]).all(0)
    if ask.true is not None:
        mask = mask & (found.y == ask.true)
    if ask.named is not None:
        mask = mask & (found.team == ask.named)
    rows = np.flatnonzero(mask)
    second = np.zeros(len(rows)) if sort == "image" else -found.loss[rows]
    return rows[np.lexsort((rows, second, SORTS[sort](found)[rows]))]


def patterns(wrong: np.ndarray) -> tuple[Pattern, ...]:
    """Who is wrong together, from (M, B) bool: the most frequent first, then fewer members; also the pattern of nobody."""
    kinds, counts = np.unique(wrong.T, axis=0, return_counts=True)
    found = [Pattern(tuple(np.flatnonzero(kind).tolist()), int(n)) for kind, n in zip(kinds, counts, strict=True)]
    return tuple(sorted(found, key=lambda p: (-p.count, len(p.wrong), p.wrong)))


def confusion(y: np.ndarray, named: np.ndarray, classes: int) -> np.ndarray:
    """(C, C): images of the true class (row) that are taken for a class (column)."""
    return np.bincount(y * classes + named, minlength=classes**2).reshape(classes, classes)


def rates(counts: np.ndarray) -> np.ndarray:
    """(C, C): shares of each true class; NaN for a class without images."""
    total = counts.sum(1, keepdims=True)
    return np.divide(counts, total, out=np.full(counts.shape, np.nan), where=total > 0)


def confusions(counts: np.ndarray) -> list[Confused]:
    """The mistakes, the most frequent first, then the larger share of its class, then by class."""
    off = counts * ~np.eye(len(counts), dtype=bool)
    found = [
        Confused(int(i), int(j), int(counts[i, j]), int(counts[i].sum())) for i, j in zip(*off.nonzero(), strict=True)
    ]
    return sorted(found, key=lambda c: (-c.count, -c.rate, c.true, c.named))


def columns(found: Votes, rows: np.ndarray, names: Sequence[str]) -> dict[str, np.ndarray]:
    """The votes on some images as columns of a table; `names` are the members'."""
    said: dict[str, np.ndarray] = {"image": rows, "true": found.y[rows], "team": found.team[rows]}
    said |= {
        "team_probability": found.team_chance[rows],
        "team_right": ~found.team_wrong[rows],
        "loss": found.loss[rows],
    }
    said |= {"aleatoric": found.aleatoric[rows], "epistemic": found.epistemic[rows], "disagreement": found.apart[rows]}
    for name, named, chance in zip(names, found.named, found.chance, strict=True):
        said |= {name: named[rows], f"{name} probability": chance[rows]}
    return said


def as_records(table: dict[str, np.ndarray]) -> list[dict[str, object]]:
    """Columns as one dict for each image."""
    return [dict(zip(table, line, strict=True)) for line in zip(*(c.tolist() for c in table.values()), strict=True)]


def pattern_table(found: Sequence[Pattern], names: Sequence[str], n: int) -> list[dict[str, object]]:
    """Patterns as rows of a table: a column for each member says whether it is wrong."""
    return [
        {name: row in pattern.wrong for row, name in enumerate(names)}
        | {"wrong": len(pattern.wrong), "images": pattern.count, "share": pattern.count / n}
        for pattern in found
    ]


def confusion_table(counts: np.ndarray) -> list[dict[str, object]]:
    """Cells of the matrix with images as rows of a table, by true class."""
    share = rates(counts)
    cells = zip(*counts.nonzero(), strict=True)
    return [
        {"true": int(i), "named": int(j), "images": int(counts[i, j]), "rate": float(share[i, j])} for i, j in cells
    ]
