"""A discrete cell: which edges are kept and which operation each carries.

An `Architecture` is the set of labelled edges E(a) = {(cell, node, parent, operation)}; everything
else (key, distance, graph, JSON) is derived from that set. Nodes 0 and 1 are the cell's inputs.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from edgenes_core import EdgeNESError

if TYPE_CHECKING:
    import networkx as nx

OPERATIONS = ("maxpool", "avgpool", "skipconnect", "sepconv3x3", "sepconv5x5", "dilconv3x3", "dilconv5x5")
CELLS = ("normal", "reduce")
CELL_INPUTS = 2
FORMAT, VERSION = "edgenes-architecture", 1


class ArchitectureError(EdgeNESError):
    """A cell that breaks a rule of the search space, or text that is not a cell."""


class Gene(NamedTuple):
    """One kept edge with its operation."""

    cell: str
    node: int
    parent: int
    operation: str


@dataclass(frozen=True)
class Architecture:
    """A cell (or a normal and a reduction cell) as its sorted tuple of labelled edges.

    Raises `ArchitectureError` if an operation is unknown, an edge would close a cycle, an edge is
    listed twice, or nodes differ in their number of inputs.
    """

    genes: tuple[Gene, ...]

    def __post_init__(self) -> None:
        genes = [Gene(*gene) for gene in self.genes]
        if not genes:
            raise ArchitectureError("A cell needs at least one edge, got none.")
        for gene in genes:  # before sorting: text and numbers cannot be compared
            _check_gene(gene)
        object.__setattr__(self, "genes", tuple(sorted(genes)))
        if len({gene[:3] for gene in self.genes}) != len(self.genes):
            raise ArchitectureError("Each edge may appear once per cell; this cell lists one twice.")
        for cell in self.cells:
            self._check_cell(cell)

    def _check_cell(self, cell: str) -> None:
        counts = Counter(gene.node for gene in self.genes if gene.cell == cell)
        for node in range(CELL_INPUTS, CELL_INPUTS + self.nodes):
            if counts[node] != self.inputs_per_node:
                raise ArchitectureError(
                    f"Every node keeps the same number of inputs ({self.inputs_per_node} here), "
                    f"but node {node} of the {cell} cell has {counts[node]}."
                )

    @cached_property
    def cells(self) -> tuple[str, ...]:
        """Cell kinds present, `normal` before `reduce`."""
        present = {gene.cell for gene in self.genes}
        return tuple(cell for cell in CELLS if cell in present)

    @cached_property
    def nodes(self) -> int:
        """Intermediate nodes per cell (N)."""
        return max(gene.node for gene in self.genes) - CELL_INPUTS + 1

    @cached_property
    def inputs_per_node(self) -> int:
        """k: inputs kept per node, the largest count found."""
        return max(Counter(gene[:2] for gene in self.genes).values())

    @cached_property
    def key(self) -> str:
        """Identity everywhere: the first 12 hex digits of the SHA-256 of the canonical JSON."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:12]

    def to_json(self) -> str:
        """Canonical JSON text: the same cell always gives the same bytes."""
        cells = {c: [list(g[1:]) for g in self.genes if g.cell == c] for c in self.cells}
        return json.dumps({"format": FORMAT, "version": VERSION, "cells": cells}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes) -> Architecture:
        """Read our form or the authors' (`reduce_n2_p0`, `reduce_n2_switch`); ArchitectureError if neither."""
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ArchitectureError(f"An architecture file must be JSON text; this is not: {error}.") from None
        if not isinstance(data, dict):
            raise ArchitectureError(f"An architecture must be a JSON object, got {type(data).__name__}.")
        return cls(tuple(_ours(data) if "format" in data else _authors(data)))

    def to_authors(self, space_operations: tuple[str, ...] = OPERATIONS) -> dict[str, str | list[int]]:
        """The EdgeNES release's flat form; edges that are not kept carry the first operation (they are noise there)."""
        kept = {gene[:3]: gene.operation for gene in self.genes}
        flat: dict[str, str | list[int]] = {}
        for cell in self.cells:
            for node in range(CELL_INPUTS, CELL_INPUTS + self.nodes):
                for parent in range(node):
                    flat[f"{cell}_n{node}_p{parent}"] = kept.get((cell, node, parent), space_operations[0])
                flat[f"{cell}_n{node}_switch"] = [p for p in range(node) if (cell, node, p) in kept]
        return flat

    def graph(self) -> nx.DiGraph:
        """networkx view: nodes (cell, index) with `role`, edges with `operation`; index 'out' is the concatenation."""
        import networkx as nx

        graph = nx.DiGraph(key=self.key)
        for cell in self.cells:
            last = CELL_INPUTS + self.nodes
            for index in range(last):
                graph.add_node((cell, index), role="input" if index < CELL_INPUTS else "node")
            graph.add_node((cell, "out"), role="output")
            for index in range(CELL_INPUTS, last):
                graph.add_edge((cell, index), (cell, "out"), operation="concat")
        for gene in self.genes:
            graph.add_edge((gene.cell, gene.parent), (gene.cell, gene.node), operation=gene.operation)
        return graph


def shared_edges(a: Architecture, b: Architecture) -> int:
    """|E(a) ∩ E(b)|: same cell, node, parent and operation."""
    return len(set(a.genes) & set(b.genes))


def edit_distance(a: Architecture, b: Architecture) -> int:
    """Fewest edits from a to b: a kept edge with another operation costs 1, an input moved (with any operation) costs 1."""
    left, right = {g[:3]: g.operation for g in a.genes}, {g[:3]: g.operation for g in b.genes}
    relabelled = sum(left[edge] != right[edge] for edge in left.keys() & right.keys())
    return relabelled + max(len(left.keys() - right.keys()), len(right.keys() - left.keys()))


def _check_gene(gene: Gene) -> None:
    if gene.cell not in CELLS:
        raise ArchitectureError(f"A cell is one of {', '.join(CELLS)}, got {gene.cell!r}.")
    if gene.operation not in OPERATIONS:
        raise ArchitectureError(f"Unknown operation {gene.operation!r}; known are {', '.join(OPERATIONS)}.")
    if type(gene.node) is not int or type(gene.parent) is not int or not 2 <= gene.node < 64 or gene.parent < 0:
        raise ArchitectureError(f"Nodes are whole numbers from 2, parents from 0; got {gene.parent!r} → {gene.node!r}.")
    if gene.parent >= gene.node:
        raise ArchitectureError(
            f"An edge must lead from a lower to a higher node, got {gene.parent} → {gene.node}: that would close a cycle."
        )


def _ours(data: dict[str, Any]) -> list[Gene]:
    if data.get("format") != FORMAT:
        raise ArchitectureError(f"The field 'format' must be {FORMAT!r}, got {data.get('format')!r}.")
    if data.get("version") != VERSION:
        raise ArchitectureError(
            f"This version reads architecture files of version {VERSION}, got {data.get('version')!r}; update EdgeNES Explorer."
        )
    cells = data.get("cells")
    if not isinstance(cells, dict) or not all(isinstance(rows, list) for rows in cells.values()):
        raise ArchitectureError("The field 'cells' must map a cell name to a list of [node, parent, operation].")
    rows = [(cell, row) for cell, listed in cells.items() for row in listed]
    for _, row in rows:
        if not (isinstance(row, list) and len(row) == 3 and isinstance(row[2], str)):
            raise ArchitectureError(f"Each edge must be [node, parent, operation], got {row!r}.")
    return [Gene(cell, *row) for cell, row in rows]


def _authors(data: dict[str, Any]) -> list[Gene]:
    genes = []
    for name, parents in data.items():
        match = re.fullmatch(r"(normal|reduce)_n(\d{1,2})_switch", name)
        if not match:
            if not re.fullmatch(r"(normal|reduce)_n\d{1,2}_p\d{1,2}", name):
                raise ArchitectureError(
                    f"Keys look like 'reduce_n2_p0' or 'reduce_n2_switch', got {name[:40]!r}; this is no EdgeNES cell."
                )
            continue
        if not isinstance(parents, list):
            raise ArchitectureError(f"{name!r} must list the kept parents, got {parents!r}.")
        for parent in parents:
            operation = data.get(f"{match[1]}_n{match[2]}_p{parent}")
            if not isinstance(operation, str):
                raise ArchitectureError(f"{name!r} keeps parent {parent!r}, but that edge has no operation.")
            genes.append(Gene(match[1], int(match[2]), parent, operation))
    return genes
