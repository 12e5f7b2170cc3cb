"""The exact walk along λ: where the discretised cell changes, in closed form.

α(λ) is linear between knots, so a node's k best parents (largest β) and an edge's best operation (largest α)
can only change where two logits cross: λ = r_k + (r_{k+1} − r_k)·d₀/(d₀ − d₁) with d₀, d₁ their differences at
both knots. All crossings are collected, the cell between neighbours is read off at the midpoint, and equal
neighbours are merged. Nothing is sampled; float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product
from typing import NamedTuple

import numpy as np

from edgenes_core.architecture import Architecture, ArchitectureError, Gene, shared_edges
from edgenes_core.space import SearchSpace

MIN_WIDTH = 1e-9


class Stretch(NamedTuple):
    """λ in [lo, hi): one cell."""

    lo: float
    hi: float
    architecture: Architecture


@dataclass(frozen=True)
class Interval:
    """λ in [lo, hi): one cell, sharing `shared` edges with α*."""

    lo: float
    hi: float
    architecture: Architecture
    shared: int

    @property
    def width(self) -> float:
        return self.hi - self.lo


@dataclass(frozen=True)
class Knots:
    """The hypernetwork as arrays: positions r (K,) increasing, values a (K, S)."""

    positions: np.ndarray
    values: np.ndarray

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.positions.shape != self.values.shape[:1] or len(self.positions) < 2:
            raise ArchitectureError(
                f"A hypernetwork needs K ≥ 2 positions and (K, S) values, got {self.positions.shape} and {self.values.shape}."
            )
        if not (np.isfinite(self.values).all() and (np.diff(self.positions) > 0).all()):
            raise ArchitectureError("Hypernetwork knots must be finite and their positions strictly increasing.")

    def at(self, lam: np.ndarray | float) -> np.ndarray:
        """α(λ): (..., S) for λ of shape (...), by linear interpolation; λ is clipped to the knots' range."""
        lam = np.clip(np.asarray(lam, float), self.positions[0], self.positions[-1])
        left = np.clip(np.searchsorted(self.positions, lam, side="right") - 1, 0, len(self.positions) - 2)
        lo, hi = self.positions[left], self.positions[left + 1]
        u = ((lam - lo) / (hi - lo))[..., None]
        return (1 - u) * self.values[left] + u * self.values[left + 1]


@dataclass(frozen=True)
class LambdaPath:
    """All distinct stretches of λ from 0 to Λ."""

    lambda_max: int
    intervals: tuple[Interval, ...]

    @cached_property
    def _starts(self) -> np.ndarray:
        return np.array([interval.lo for interval in self.intervals])

    def at(self, lam: float) -> Interval:
        """The interval that holds λ; λ = Λ belongs to the last."""
        if not 0 <= lam <= self.lambda_max:
            raise ArchitectureError(f"λ lies between 0 and Λ = {self.lambda_max}, got {lam}.")
        return self.intervals[max(0, int(np.searchsorted(self._starts, lam, side="right")) - 1)]


def split_logits(space: SearchSpace, logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(..., S) → operation logits (..., E, O) and edge logits (..., E)."""
    e, o = len(space.edges), len(space.operations)
    return logits[..., : e * o].reshape(*logits.shape[:-1], e, o), logits[..., e * o :]


def discretise(space: SearchSpace, logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Kept edges (B, E) bool and operation per edge (B, E): the k largest β of each node, the largest α of each edge."""
    alpha, beta = split_logits(space, np.atleast_2d(logits))
    kept = np.zeros(beta.shape, bool)
    for where in space.slices:
        order = np.argsort(-beta[:, where], axis=-1, kind="stable")[:, : space.inputs_per_node]
        np.put_along_axis(kept[:, where], order, True, axis=-1)
    return kept, alpha.argmax(-1)


def lambda_path(space: SearchSpace, knots: Knots, base: Architecture) -> LambdaPath:
    """Every cell met while λ runs from 0 to Λ, as exact intervals."""
    met = stretches(space, knots, float(space.lambda_max))
    return LambdaPath(space.lambda_max, tuple(Interval(*each, shared_edges(each.architecture, base)) for each in met))


def stretches(space: SearchSpace, knots: Knots, top: float) -> list[Stretch]:
    """Every cell met while λ runs from 0 to `top`; what is narrower than 1e-9 is absorbed."""
    cuts = np.unique(np.concatenate([[0.0, top], knots.positions, *_crossings(space, knots)]))
    cuts = cuts[(cuts >= 0) & (cuts <= top)]
    cuts = cuts[np.concatenate([[True], np.diff(cuts) > MIN_WIDTH])]
    cuts[-1] = top
    kept, operations = discretise(space, knots.at((cuts[:-1] + cuts[1:]) / 2))
    code = np.where(kept, operations, -1)
    change = np.flatnonzero(np.concatenate([[True], (code[1:] != code[:-1]).any(-1)]))
    ends = np.append(cuts[change[1:]], cuts[-1])
    return [
        Stretch(float(cuts[first]), float(hi), space.decode(kept[first], operations[first]))
        for first, hi in zip(change, ends, strict=True)
    ]


def widest(met: Sequence[Stretch], count: int) -> list[Stretch]:
    """Up to `count` distinct cells in order of λ, each with its widest stretch; those with the widest ones are kept."""
    first: dict[Architecture, Stretch] = {}
    for stretch in sorted(met, key=lambda s: (s.lo - s.hi, s.lo)):
        first.setdefault(stretch.architecture, stretch)
    return sorted(list(first.values())[:count])


def exact_decode(space: SearchSpace, knots: Knots, base: Architecture, shared: int) -> Architecture:
    """The most probable cell under α(λ = shared) among those sharing exactly `shared` edges with `base`.

    Maximises Σ_kept log softmax(β)_p + log softmax(α_p)_o by dynamic programming over nodes; ties go to the first.
    """
    if not 0 <= shared <= space.lambda_max:
        raise ArchitectureError(f"Shared edges lie between 0 and Λ = {space.lambda_max}, got {shared}.")
    space.encode(base)
    alpha, beta = split_logits(space, knots.at(float(shared)))
    edge_score = np.concatenate([_log_softmax(beta[where]) for where in space.slices])
    score = edge_score[:, None] + _log_softmax(alpha)
    best: dict[int, tuple[float, tuple[Gene, ...]]] = {0: (0.0, ())}
    for (cell, node), where in zip(space.slots, space.slices, strict=True):
        slot = {g.parent: g.operation for g in base.genes if g[:2] == (cell, node)}
        here = _best_of_slot(space, score[where], cell, node, slot)
        grown: dict[int, tuple[float, tuple[Gene, ...]]] = {}
        for (total, (value, genes)), (j, (gain, more)) in product(best.items(), here.items()):
            if total + j not in grown or value + gain > grown[total + j][0]:
                grown[total + j] = (value + gain, genes + more)
        best = grown
    return Architecture(best[shared][1])


def lambda_error(path: LambdaPath) -> float:
    """Mean |λ − shared| over λ ∈ [0, Λ], exactly (0.25 is the floor that rounding leaves).

    On a stretch [lo, hi] with m shared edges, ∫|λ − m| is the difference of sign(λ − m)(λ − m)²/2 at its ends.
    """
    total = sum(
        (abs(i.hi - i.shared) * (i.hi - i.shared) - abs(i.lo - i.shared) * (i.lo - i.shared)) / 2
        for i in path.intervals
    )
    return total / path.lambda_max


def choose_pool(space: SearchSpace, knots: Knots, base: Architecture, size: int) -> tuple[Interval, ...]:
    """Up to N distinct cells in order of λ: α*, for each shared count its widest stretch, then the widest of the rest.

    A shared count that no stretch has is filled by `exact_decode`, with the empty stretch [m, m].
    """
    top = float(space.lambda_max)
    widest: dict[Architecture, Interval] = {}
    for interval in sorted(lambda_path(space, knots, base).intervals, key=lambda i: (-i.width, i.lo)):
        widest.setdefault(interval.architecture, interval)
    chosen = {base: widest.get(base, Interval(top, top, base, space.lambda_max))}
    first: dict[int, Interval] = {}
    for interval in widest.values():
        first.setdefault(interval.shared, interval)
    for m in range(space.lambda_max):
        first.setdefault(m, Interval(float(m), float(m), exact_decode(space, knots, base, m), m))
    for interval in [*first.values(), *widest.values()]:
        if len(chosen) < size:
            chosen.setdefault(interval.architecture, interval)
    return tuple(sorted(chosen.values(), key=lambda i: (i.lo, i.hi)))


def _crossings(space: SearchSpace, knots: Knots) -> list[np.ndarray]:
    """λ at which two competing logits (operations of an edge, parents of a node) are equal, per pair and segment."""
    alpha, beta = split_logits(space, knots.values)
    o = range(len(space.operations))
    i, j = np.array(list(combinations(o, 2))).T
    gaps = [(alpha[..., i] - alpha[..., j]).reshape(len(alpha), -1)]
    for where in space.slices:
        i, j = np.array(list(combinations(range(where.stop - where.start), 2))).T
        gaps.append(beta[:, where][:, i] - beta[:, where][:, j])
    gap = np.concatenate(gaps, axis=1)  # (K, pairs)
    start, end = gap[:-1], gap[1:]
    segment, pair = np.nonzero((start > 0) != (end > 0))
    d0, d1 = start[segment, pair], end[segment, pair]
    lo, hi = knots.positions[segment], knots.positions[segment + 1]
    return [lo + (hi - lo) * d0 / (d0 - d1)]


def _best_of_slot(
    space: SearchSpace, score: np.ndarray, cell: str, node: int, slot: dict[int, str]
) -> dict[int, tuple[float, tuple[Gene, ...]]]:
    """For one node, the best k (parent, operation) pairs for each number j of edges shared with the base."""
    match: dict[int, tuple[float, str]] = {}
    differ: dict[int, tuple[float, str]] = {}
    for parent in range(node):
        ranked = sorted(range(len(space.operations)), key=lambda o: -score[parent, o])
        named = [(float(score[parent, o]), space.operations[o]) for o in ranked]
        differ[parent] = next(pair for pair in named if pair[1] != slot.get(parent))
        if parent in slot:
            match[parent] = next(pair for pair in named if pair[1] == slot[parent])
    best: dict[int, tuple[float, tuple[Gene, ...]]] = {}
    for parents in combinations(range(node), space.inputs_per_node):
        for pattern in product((False, True), repeat=len(parents)):
            if any(take and p not in match for p, take in zip(parents, pattern, strict=True)):
                continue
            chosen = [(p, *(match if take else differ)[p]) for p, take in zip(parents, pattern, strict=True)]
            value, j = sum(gain for _, gain, _ in chosen), sum(pattern)
            if j not in best or value > best[j][0]:
                best[j] = (value, tuple(Gene(cell, node, p, o) for p, _, o in chosen))
    return best


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def published_jumps(knots: Knots, lambda_max: float) -> np.ndarray:
    """How far the largest logit jumps at each knot inside (0, Λ) if the two knots' weights are swapped, as in the release.

    The swapped form ends a stretch at its left knot and begins the next one at its right knot: it jumps from a_{k−1} to a_{k+1}.
    """
    inner = [k for k in range(1, len(knots.positions) - 1) if 0 < knots.positions[k] < lambda_max]
    return np.array([np.abs(knots.values[k + 1] - knots.values[k - 1]).max() for k in inner])
