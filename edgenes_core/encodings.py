"""A cell as its paths: the operations met on each way from an input to the output (White, Neiswanger, Savani 2021, BANANAS).

The output concatenates all nodes, so a path ends at any of them, and every kept edge is the last step of at least one path.
As in BANANAS' encoding of this space, cell kinds are told apart and so are the two inputs. Nodes have no names here: cells
that compute the same with their nodes numbered in another order have equal paths, while shared edges tell them apart.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from edgenes_core.architecture import CELL_INPUTS, CELLS, Architecture, ArchitectureError
from edgenes_core.space import MAX_NODES


class OperationPath(NamedTuple):
    """The operations from input 0 or 1 to the output, in the order they are applied; `times` ways of a cell read like this."""

    cell: str
    source: int
    operations: tuple[str, ...]
    times: int


def operation_paths(architecture: Architecture) -> tuple[OperationPath, ...]:
    """Every path once, with its multiplicity: `normal` before `reduce`, by input, the short ones first.

    With k = 1 the times of a cell kind sum to N, one way per node. ArchitectureError for more than 8 nodes, as the number of
    paths grows exponentially with them.
    """
    if architecture.nodes > MAX_NODES:
        raise ArchitectureError(f"Paths are listed for cells of at most {MAX_NODES} nodes, got {architecture.nodes}.")
    found: Counter[tuple[str, int, tuple[str, ...]]] = Counter()
    for cell in architecture.cells:
        ways: dict[int, list[tuple[int, tuple[str, ...]]]] = {source: [(source, ())] for source in range(CELL_INPUTS)}
        for gene in architecture.genes:  # sorted by node: all ways to a parent are known before it is left
            if gene.cell == cell:
                longer = [(source, (*before, gene.operation)) for source, before in ways[gene.parent]]
                ways.setdefault(gene.node, []).extend(longer)
                found.update((cell, *way) for way in longer)
    paths = [OperationPath(*path, times) for path, times in found.items()]
    return tuple(sorted(paths, key=lambda p: (CELLS.index(p.cell), p.source, len(p.operations), p.operations)))


def path_distance(a: Architecture, b: Architecture) -> int:
    """How many paths only one of two cells has: the Hamming distance of the binary path encodings, which ignore multiplicity."""
    left, right = ({path[:3] for path in operation_paths(cell)} for cell in (a, b))
    return len(left ^ right)
