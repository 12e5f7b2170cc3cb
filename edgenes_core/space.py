"""The search space: which cells exist, counted and sampled exactly.

A cell has 2 inputs and `nodes` intermediate nodes; node n keeps k of its n possible parents and one of
O operations on each. |space| = Π_cells Π_{n=2}^{N+1} C(n, k)·O^k  (288 120 for one cell, k = 1, O = 7).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, pairwise, product
from typing import NamedTuple

import numpy as np

from edgenes_core.architecture import CELL_INPUTS, CELLS, OPERATIONS, Architecture, ArchitectureError, Gene

MAX_NODES = 8


class Edge(NamedTuple):
    """A candidate edge."""

    cell: str
    node: int
    parent: int


@dataclass(frozen=True)
class SearchSpace:
    """N nodes, k inputs per node, the searched cell kinds and the operations, in the order of every logit vector."""

    nodes: int = 4
    inputs_per_node: int = 1
    cells: tuple[str, ...] = ("reduce",)
    operations: tuple[str, ...] = OPERATIONS

    def __post_init__(self) -> None:
        object.__setattr__(self, "cells", tuple(self.cells))
        object.__setattr__(self, "operations", tuple(self.operations))
        if not 1 <= self.nodes <= MAX_NODES:
            raise ArchitectureError(f"A cell has 1 to {MAX_NODES} nodes, got {self.nodes}.")
        if self.inputs_per_node not in (1, 2):
            raise ArchitectureError(f"A node keeps k = 1 or 2 inputs, got k = {self.inputs_per_node}.")
        if self.cells not in (("reduce",), ("normal",), CELLS):
            raise ArchitectureError(f"Cells are ('reduce',), ('normal',) or {CELLS}, got {self.cells}.")
        distinct = set(self.operations)
        if not 2 <= len(distinct) == len(self.operations) or not distinct <= set(OPERATIONS):
            raise ArchitectureError(
                f"Operations must be at least two different ones of {', '.join(OPERATIONS)}, got {self.operations}."
            )

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """Candidate edges in canonical order: by cell, node, parent (E = 14 per cell of 4 nodes)."""
        return tuple(Edge(c, n, p) for c, n in self.slots for p in range(n))

    @cached_property
    def slots(self) -> tuple[tuple[str, int], ...]:
        """(cell, node) pairs: the places that each keep k edges."""
        return tuple(product(self.cells, range(CELL_INPUTS, CELL_INPUTS + self.nodes)))

    @cached_property
    def slices(self) -> tuple[slice, ...]:
        """For each slot, where its edges lie in `edges`."""
        starts = np.cumsum([0] + [node for _, node in self.slots])
        return tuple(slice(int(a), int(b)) for a, b in pairwise(starts))

    @property
    def lambda_max(self) -> int:
        """Λ: the most edges two cells can share, k per node."""
        return len(self.slots) * self.inputs_per_node

    @property
    def logits(self) -> int:
        """S: E·O operation logits followed by E edge logits."""
        return len(self.edges) * (len(self.operations) + 1)

    @property
    def size(self) -> int:
        """How many cells there are, exactly."""
        k, o = self.inputs_per_node, len(self.operations)
        return math.prod(math.comb(node, k) * o**k for _, node in self.slots)

    def contains(self, architecture: Architecture) -> bool:
        """Whether the cell belongs to this space."""
        return (
            architecture.cells == self.cells
            and architecture.nodes == self.nodes
            and architecture.inputs_per_node == self.inputs_per_node
            and {gene.operation for gene in architecture.genes} <= set(self.operations)
        )

    def encode(self, architecture: Architecture) -> np.ndarray:
        """(E, O) float64: 1 where the cell keeps that edge with that operation. ⟨encode(a), encode(b)⟩ = shared edges."""
        if not self.contains(architecture):
            raise ArchitectureError(
                f"Cell {architecture.key} (cells {architecture.cells}, k = {architecture.inputs_per_node}, "
                f"{architecture.nodes} nodes) is not in the space of this run (cells {self.cells}, "
                f"k = {self.inputs_per_node}, {self.nodes} nodes, operations {', '.join(self.operations)})."
            )
        encoded = np.zeros((len(self.edges), len(self.operations)))
        for gene in architecture.genes:
            encoded[self.edges.index(Edge(*gene[:3])), self.operations.index(gene.operation)] = 1.0
        return encoded

    def decode(self, parents: np.ndarray, operations: np.ndarray) -> Architecture:
        """Cell from kept edges (E,) bool and an operation index per edge (E,) int."""
        return Architecture(
            tuple(Gene(*self.edges[e], self.operations[int(operations[e])]) for e in np.flatnonzero(parents))
        )

    def sample(self, rng: np.random.Generator) -> Architecture:
        """A cell drawn uniformly from the whole space."""
        kept = np.zeros(len(self.edges), bool)
        for (_, node), where in zip(self.slots, self.slices, strict=True):
            kept[where][rng.choice(node, self.inputs_per_node, replace=False)] = True
        return self.decode(kept, rng.integers(len(self.operations), size=len(self.edges)))

    def neighbours(self, architecture: Architecture) -> Iterator[Architecture]:
        """All cells one edit away: another operation on a kept edge, or one input moved (with every operation)."""
        self.encode(architecture)
        for gene in architecture.genes:
            rest = tuple(g for g in architecture.genes if g != gene)
            taken = {g.parent for g in rest if g[:2] == gene[:2]}
            for parent, operation in product(set(range(gene.node)) - taken, self.operations):
                other = gene._replace(parent=parent, operation=operation)
                if other != gene:
                    yield Architecture((*rest, other))

    def census(self, base: Architecture) -> tuple[int, ...]:
        """How many cells share exactly 0, 1, …, Λ edges with `base`; sums to `size`."""
        self.encode(base)
        total = np.array([1], dtype=object)
        for _, node in self.slots:
            total = np.convolve(total, np.array(self._slot_census(node), dtype=object))
        return tuple(int(count) for count in total)

    def sample_sharing(self, base: Architecture, shared: int, rng: np.random.Generator) -> Architecture:
        """A cell drawn uniformly among those that share exactly `shared` edges with `base` (random deviation).

        Walks the slots; each takes j shared edges with probability ∝ ways(j here)·ways(rest), so no draw is rejected.
        """
        if not 0 <= shared <= self.lambda_max:
            raise ArchitectureError(f"Shared edges lie between 0 and Λ = {self.lambda_max}, got {shared}.")
        self.encode(base)
        here = [self._slot_census(node) for _, node in self.slots]
        after = [np.array([1], dtype=object)]
        for ways in reversed(here):
            after.insert(0, np.convolve(after[0], np.array(ways, dtype=object)))
        genes: list[Gene] = []
        for index, (cell, node) in enumerate(self.slots):
            rest = after[index + 1]
            weights = [w * rest[shared - j] if 0 <= shared - j < len(rest) else 0 for j, w in enumerate(here[index])]
            keep = int(rng.choice(len(weights), p=np.array(weights, float) / float(sum(weights))))
            slot = {g.parent: g.operation for g in base.genes if g[:2] == (cell, node)}
            options = list(_slot_options(node, slot, keep, self.inputs_per_node, self.operations))
            genes += [Gene(cell, node, p, o) for p, o in options[int(rng.integers(len(options)))]]
            shared -= keep
        return Architecture(tuple(genes))

    def _slot_census(self, node: int) -> list[int]:
        """Ways for one node to share j = 0..k edges with a fixed base: inclusion by parents kept and relabelled."""
        k, o = self.inputs_per_node, len(self.operations)
        return [
            math.comb(k, j)
            * sum(
                math.comb(k - j, r) * (o - 1) ** r * math.comb(node - k, k - j - r) * o ** (k - j - r)
                for r in range(k - j + 1)
            )
            for j in range(k + 1)
        ]


def _slot_options(
    node: int, slot: dict[int, str], keep: int, k: int, operations: tuple[str, ...]
) -> Iterator[tuple[tuple[int, str], ...]]:
    """Every choice of k (parent, operation) pairs of one node that shares exactly `keep` with `slot`."""
    for parents in combinations(range(node), k):
        for chosen in product(operations, repeat=k):
            pairs = tuple(zip(parents, chosen, strict=True))
            if sum(slot.get(parent) == operation for parent, operation in pairs) == keep:
                yield pairs
