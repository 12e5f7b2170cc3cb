"""How the parts that cells play on a map are told apart, and what each cell says of itself."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from edgenes_core.cell_distances import MappedCell
from edgenes_core.cell_map import CellMap

AREA = (520, 380)  # of the plot, about, in pixels
SAME = 3.0  # pixels below which two cells cannot be told apart


class Part(NamedTuple):
    """How the cells of one role are drawn; parts further down lie on top."""

    name: str
    about: str
    symbol: str
    size: int
    numbered: bool = False


PARTS: dict[str, Part] = {
    "random": Part("random cell", "drawn at random from the space", "x-thin", 6),
    "control": Part("control", "retrained control: random, or α* changed at random", "triangle-up", 11),
    "imported": Part("imported", "imported network", "pentagon", 12),
    "path": Part("path cell", "on the λ path, not retrained", "diamond", 16, True),
    "pool": Part("candidate", "candidate: on the λ path, retrained", "circle", 16, True),
    "base": Part("α*", "α*, the base cell", "star", 17),
}


class Ring(NamedTuple):
    """An outline around cells that are in something."""

    name: str
    about: str
    symbol: str
    size: int


RINGS = {
    "member": Ring("member", "member of the selected ensemble", "circle-open", 29),
    "basket": Ring("in basket", "in your basket", "square-open", 30),
    "pin": Ring("pinned B", "pinned as B", "diamond-open", 36),
}


class Marks(NamedTuple):
    """What is chosen at the moment, by architecture key: the basket's cells, the pinned B, the cell at the λ last looked at."""

    basket: frozenset[str] = frozenset()
    pin: str = ""
    at_lam: str = ""
    lam: float = 0.0


NOTHING = Marks()


def role_of(cell: MappedCell) -> str:
    return cell.role if cell.role in PARTS else "random"


def pixels(shown: CellMap) -> np.ndarray:
    """(P, 2) places in pixels of a plot of the usual size, which has one scale for both axes."""
    span = np.ptp(shown.xy, axis=0) if shown.cells else np.zeros(2)
    return (
        shown.xy * min(room / side for room, side in zip(AREA, span, strict=True) if side > 0)
        if span.any()
        else shown.xy
    )


def covered_numbers(shown: CellMap) -> frozenset[int]:
    """Numbered cells with another one drawn over them: two numbers in one place read as a third."""
    order = list(PARTS)
    drawn = [i for i, cell in enumerate(shown.cells) if PARTS[role_of(cell)].numbered or role_of(cell) == "base"]
    drawn.sort(key=lambda i: (order.index(role_of(shown.cells[i])), i))
    places = pixels(shown)[drawn]
    apart = np.hypot(*(places[:, None] - places).transpose(2, 0, 1))
    later = np.triu(apart < PARTS["pool"].size * 1.1, 1).any(1)
    return frozenset(np.array(drawn, int)[later].tolist())


def marker_sizes(copies: np.ndarray, smallest: float) -> np.ndarray:
    """Diameters whose growth is logarithmic in the number of duplicates, at most doubled: never smaller for more."""
    return smallest * np.minimum(2.0, 1 + 0.25 * np.log2(np.maximum(copies, 1)))


def hover_texts(shown: CellMap, marks: Marks) -> list[str]:
    """What each cell says of itself."""
    places = pixels(shown)
    here = (np.hypot(*(places[:, None] - places).transpose(2, 0, 1)) < SAME).sum(1) - 1
    what = "networks" if shown.distance == "disagreement" else "times met"
    told = []
    for cell, others in zip(shown.cells, here.tolist(), strict=True):
        lines = [
            f"<b>{cell.key}</b>",
            PARTS[role_of(cell)].about,
            f"shared edges: {cell.shared}",
            "" if cell.lam is None else f"λ ≈ {cell.lam:.2f}",
            f"{what}: {cell.count}" if cell.count > 1 else "",
            RINGS["member"].about if cell.key in shown.members else "",
            RINGS["basket"].about if cell.key in marks.basket else "",
            RINGS["pin"].about if cell.key == marks.pin else "",
            f"{others} more in this place: draw a box to select all" if others else "",
        ]
        told.append("<br>".join(line for line in lines if line))
    return told
