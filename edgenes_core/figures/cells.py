"""A cell in words and marks: what each candidate edge does beside α*, said once for the screen, the table and the files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from edgenes_core.architecture import CELL_INPUTS, Architecture, Gene, shared_edges
from edgenes_core.figures.theme import OKABE_ITO
from edgenes_core.space import SearchSpace


class Operation(NamedTuple):
    """How an operation is named, coloured and explained; darker in the light theme where the palette's own tone is too pale."""

    word: str
    light: str
    dark: str
    about: str


OPERATION: dict[str, Operation] = {
    "maxpool": Operation(
        "max pool", "#B87400", OKABE_ITO["orange"], "keeps the largest value of each 3×3 window; it has no weights."
    ),
    "avgpool": Operation(
        "avg pool",
        OKABE_ITO["vermillion"],
        "#F08A4B",
        "takes the mean of each 3×3 window, which blurs; it has no weights.",
    ),
    "skipconnect": Operation(
        "skip", "#6B7480", "#A3ADBA", "passes the maps on as they are, only halved where the cell shrinks them."
    ),
    "sepconv3x3": Operation(
        "sep 3×3",
        OKABE_ITO["blue"],
        "#3D9BDB",
        "filters each channel with 3×3 taps, then mixes the channels, twice in a row: it sees 5×5 pixels.",
    ),
    "sepconv5x5": Operation(
        "sep 5×5",
        "#2A8BC4",
        "#8ACBF2",
        "filters each channel with 5×5 taps, then mixes the channels, twice in a row: it sees 9×9 pixels.",
    ),
    "dilconv3x3": Operation(
        "dil 3×3",
        "#00845F",
        "#1FBF92",
        "filters each channel with 3×3 taps two pixels apart, then mixes the channels, once: it sees 5×5 pixels with few weights.",
    ),
    "dilconv5x5": Operation(
        "dil 5×5",
        "#A9487F",
        OKABE_ITO["purple"],
        "filters each channel with 5×5 taps two pixels apart, then mixes the channels, once: it sees 9×9 pixels.",
    ),
}
CELL_WORD = {"normal": "normal cell", "reduce": "reduction cell"}
SHOWN_CHANGES = 3


class Mark(NamedTuple):
    """What is drawn on one candidate edge (`edge` indexes `SearchSpace.edges`).

    state: 'shared' (as in α*), 'changed' (kept, another operation), 'added' (not in α*), 'gone' (only in α*).
    """

    edge: int
    state: str
    operation: str
    label: str


class Row(NamedTuple):
    """One edge in the table beside the drawing."""

    cell: str
    node: str
    parent: str
    operation: str
    versus_base: str


def marks(space: SearchSpace, architecture: Architecture, base: Architecture) -> tuple[Mark, ...]:
    """Every edge that the cell or α* keeps, in the order of `space.edges`; ArchitectureError if not in the space."""
    space.encode(architecture)
    new = {gene[:3]: gene.operation for gene in architecture.genes}
    old = {gene[:3]: gene.operation for gene in base.genes}
    drawn = [_mark(index, new.get(edge), old.get(edge)) for index, edge in enumerate(space.edges)]
    return tuple(mark for mark in drawn if mark)


def _mark(edge: int, new: str | None, old: str | None) -> Mark | None:
    if new is None and old is None:
        return None
    if new is None:
        return Mark(edge, "gone", str(old), f"− {word(old)}")
    if old is None:
        return Mark(edge, "added", new, f"+ {word(new)}")
    if new != old:
        return Mark(edge, "changed", new, f"{word(old)} → {word(new)}")
    return Mark(edge, "shared", new, word(new))


def word(operation: str | None) -> str:
    """Short plain name of an operation."""
    return OPERATION[operation].word if operation else ""


def place(node: int) -> str:
    """Plain name of a place in the cell: 0 and 1 are its inputs."""
    return f"input {node}" if node < CELL_INPUTS else f"node {node}"


def change_sentence(architecture: Architecture, base: Architecture, against: str = "α*") -> str:
    """How a cell differs from α* (or the cell called `against`), in one sentence that names the first changes and counts the rest."""
    count = len(base.genes) - shared_edges(architecture, base)
    if not count:
        return f"This is {against} itself: all {len(base.genes)} edges are shared."
    changes = list(_changes(architecture, base))
    listed = "; ".join(changes[:SHOWN_CHANGES])
    more = f"; and {len(changes) - SHOWN_CHANGES} more" if len(changes) > SHOWN_CHANGES else ""
    return f"{count} edge{'' if count == 1 else 's'} differ{'s' if count == 1 else ''} from {against}: {listed}{more}."


def counts_sentence(drawn: tuple[Mark, ...], against: str = "α*") -> str:
    """The states of a comparison counted in words: `2 edges shared with α*, 1 changed, 1 added, 1 gone`."""
    counts = Counter(mark.state for mark in drawn)
    shared = f"{counts['shared']} edge{'' if counts['shared'] == 1 else 's'} shared with {against}"
    words = {"changed": "with another operation", "added": "added", "gone": "gone"}
    return ", ".join([shared, *(f"{counts[state]} {said}" for state, said in words.items() if counts[state])])


def _changes(architecture: Architecture, base: Architecture) -> Iterator[str]:
    """One clause per changed edge: same parent first, then moved inputs paired in order of parent."""
    for cell in base.cells:
        name = f"{cell} " if len(base.cells) > 1 else ""
        for node in range(CELL_INPUTS, CELL_INPUTS + base.nodes):
            new, old = _inputs(architecture, cell, node), _inputs(base, cell, node)
            for parent in sorted(new.keys() & old.keys()):
                if new[parent] != old[parent]:
                    yield f"{name}node {node} applies {word(new[parent])} instead of {word(old[parent])} to {place(parent)}"
            for here, there in zip(sorted(new.keys() - old.keys()), sorted(old.keys() - new.keys()), strict=True):
                yield (
                    f"{name}node {node} takes {place(here)} ({word(new[here])}) "
                    f"instead of {place(there)} ({word(old[there])})"
                )


def _inputs(architecture: Architecture, cell: str, node: int) -> dict[int, str]:
    return {gene.parent: gene.operation for gene in architecture.genes if gene[:2] == (cell, node)}


def table(space: SearchSpace, architecture: Architecture, base: Architecture, against: str = "α*") -> list[Row]:
    """The drawing as rows: kept edges and, marked as gone, those only α* (or the cell called `against`) has."""
    said = {"shared": "same", "added": "added", "gone": f"gone (only in {against})"}
    rows = []
    for mark in marks(space, architecture, base):
        edge = space.edges[mark.edge]
        versus = said.get(mark.state) or f"was {mark.label.split(' → ')[0]}"
        rows.append(Row(CELL_WORD[edge.cell], place(edge.node), place(edge.parent), word(mark.operation), versus))
    return rows


def to_dot(architecture: Architecture) -> str:
    """Graphviz text of the cell's graph, without a Graphviz installation; deterministic."""
    graph = architecture.graph()
    lines = [f'digraph "{architecture.key}" {{', "  rankdir=LR;", "  node [shape=box, style=rounded];"]
    lines += [f'  "{_name(n)}" [label="{n[1]}", role="{role}"];' for n, role in graph.nodes(data="role")]
    lines += [
        f'  "{_name(a)}" -> "{_name(b)}" [label="{operation}"];' for a, b, operation in graph.edges(data="operation")
    ]
    return "\n".join([*lines, "}", ""])


def to_graphml(architecture: Architecture) -> str:
    """GraphML of the cell's graph: nodes `normal/2` with `role`, edges with `operation`."""
    import networkx as nx

    graph = nx.relabel_nodes(architecture.graph(), _name)
    return "\n".join(nx.generate_graphml(graph)) + "\n"


def _name(node: tuple[str, int | str]) -> str:
    return f"{node[0]}/{node[1]}"


def genes_of(space: SearchSpace, drawn: tuple[Mark, ...]) -> tuple[Gene, ...]:
    """The kept edges a drawing shows: the inverse of `marks`."""
    return tuple(Gene(*space.edges[mark.edge], mark.operation) for mark in drawn if mark.state != "gone")
