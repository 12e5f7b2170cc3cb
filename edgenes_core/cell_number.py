"""Every cell of a space as a whole number from 0 to |space| − 1, and back: a short name that needs no stored cell.

number = Σ_slots digit(slot) · Π_later slots radix,   radix(node n) = C(n, k)·O^k
digit  = rank of the parents among all k-subsets of the n possible ones · O^k + their operations in base O
"""

from __future__ import annotations

from itertools import combinations

from edgenes_core.architecture import Architecture, ArchitectureError, Gene
from edgenes_core.space import SearchSpace


def number_of(space: SearchSpace, architecture: Architecture) -> int:
    """The cell's number; ArchitectureError if it is not in the space."""
    space.encode(architecture)
    base, number = len(space.operations), 0
    for cell, node in space.slots:
        genes = [gene for gene in architecture.genes if gene[:2] == (cell, node)]  # sorted by parent
        subsets = list(combinations(range(node), space.inputs_per_node))
        digit = subsets.index(tuple(gene.parent for gene in genes))
        for gene in genes:
            digit = digit * base + space.operations.index(gene.operation)
        number = number * len(subsets) * base**space.inputs_per_node + digit
    return number


def cell_of(space: SearchSpace, number: int) -> Architecture:
    """The cell with this number; ArchitectureError if it is not from 0 to |space| − 1."""
    if not 0 <= number < space.size:
        raise ArchitectureError(f"Cells of this space are numbered from 0 to {space.size - 1}, got {number}.")
    base, genes = len(space.operations), []
    for cell, node in reversed(space.slots):
        subsets = list(combinations(range(node), space.inputs_per_node))
        number, digit = divmod(number, len(subsets) * base**space.inputs_per_node)
        operations: list[str] = []
        for _ in range(space.inputs_per_node):
            digit, operation = divmod(digit, base)
            operations.insert(0, space.operations[operation])
        genes += [Gene(cell, node, p, o) for p, o in zip(subsets[digit], operations, strict=True)]
    return Architecture(tuple(genes))
