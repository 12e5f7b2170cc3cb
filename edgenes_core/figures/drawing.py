"""The arc diagram: one fixed place for every candidate edge, so that nothing jumps and no two labels meet.

Nodes stand on a line in topological order; the edge p → n is an arc whose label sits at ((p + n) / 2, n − p).
No two edges of a cell share both numbers, so each owns its label slot, whatever is kept.
"""

from __future__ import annotations

from html import escape
from typing import NamedTuple

from edgenes_core.architecture import CELL_INPUTS, Architecture
from edgenes_core.figures.cells import CELL_WORD, OPERATION, Mark, marks
from edgenes_core.figures.theme import Ink, ink
from edgenes_core.space import SearchSpace

WIDTH = 920.0
SIDE = 50.0
NODE_W, NODE_H = 58.0, 26.0
PILL_H = 20.0
RAIL = 20.0
CHAR_W = 6.2
ARROW = 7.0
LEGEND = (
    ("shared", "shared with {}"),
    ("changed", "changed: old → new"),
    ("added", "+ added"),
    ("gone", "− gone, only in {}"),
)
LINE = {"shared": "", "changed": "7 4", "added": "7 4", "gone": "2 5"}


class Box(NamedTuple):
    """A node, centred at (x, y)."""

    x: float
    y: float
    label: str
    role: str


class Arc(NamedTuple):
    """A candidate edge: its curve, the tip of its arrow, the centre of its label."""

    path: str
    tip_x: float
    tip_y: float
    label_x: float
    label_y: float


class Note(NamedTuple):
    """Words at (x, y), a baseline."""

    x: float
    y: float
    text: str


class Sample(NamedTuple):
    """One line of the legend: a stroke of this state from (x, y), its words 32 units further right."""

    x: float
    y: float
    state: str
    text: str


class Picture(NamedTuple):
    """Everything that stays put while λ moves, in user units of a WIDTH × height view box."""

    height: float
    boxes: tuple[Box, ...]
    arcs: tuple[Arc, ...]
    rails: tuple[str, ...]
    titles: tuple[Note, ...]
    notes: tuple[Note, ...]
    legend: tuple[Sample, ...]


def picture(space: SearchSpace, against: str = "α*") -> Picture:
    """Places of all nodes and all candidate edges, in the order of `space.edges`; two cells stand below each other.

    `against` names the cell that another one is compared with, in the legend.
    """
    row = 44.0 if len(space.cells) == 1 else 30.0
    arch = (space.nodes + 1) * row + PILL_H / 2 + 6  # the longest arc joins input 0 to the last node
    band = arch + NODE_H + RAIL + 22
    step = (WIDTH - 2 * SIDE) / (space.nodes + CELL_INPUTS)
    xs = [SIDE + step * i for i in range(space.nodes + CELL_INPUTS + 1)]
    ground = {cell: arch + NODE_H / 2 + i * band for i, cell in enumerate(space.cells)}
    said = f"out = nodes {CELL_INPUTS} to {space.nodes + 1}, concatenated"
    return Picture(
        band * len(space.cells),
        tuple(Box(x, y, *_box(i, len(xs) - 1)) for y in ground.values() for i, x in enumerate(xs)),
        tuple(_arc(xs[e.parent], xs[e.node], ground[e.cell], e.node - e.parent, row) for e in space.edges),
        tuple(_rail(xs, y) for y in ground.values()),
        tuple(Note(WIDTH - 8, i * band + 16, CELL_WORD[cell]) for i, cell in enumerate(space.cells)),
        tuple(Note((xs[CELL_INPUTS] + xs[-1]) / 2, y + NODE_H / 2 + RAIL + 15, said) for y in ground.values()),
        tuple(
            Sample(WIDTH - 156, 38.0 + 19 * i, state, said.format(against)) for i, (state, said) in enumerate(LEGEND)
        ),
    )


def _box(index: int, last: int) -> tuple[str, str]:
    if index < CELL_INPUTS:
        return f"input {index}", "input"
    return ("out", "output") if index == last else (f"node {index}", "node")


def _arc(x0: float, x1: float, y: float, span: int, row: float) -> Arc:
    """Inner arcs leave and arrive nearer to each other than outer ones, so arcs of one node do not overlap."""
    port = NODE_W / 2 - 5 - 5 * (span - 1)
    start, end, top = x0 + port, x1 - port, y - NODE_H / 2
    apex = top - row * span
    control = (apex - top / 4 + ARROW / 8) / 0.75  # puts the curve's midpoint on the apex
    path = f"M{start:.1f},{top:.1f}C{start:.1f},{control:.1f},{end:.1f},{control:.1f},{end:.1f},{top - ARROW:.1f}"
    return Arc(path, round(end, 1), round(top, 1), round((start + end) / 2, 1), round(apex, 1))


def _rail(xs: list[float], y: float) -> str:
    """Every node drops onto one rail that leads to `out`."""
    bottom = y + NODE_H / 2
    drops = "".join(f"M{x:.1f},{bottom:.1f}V{bottom + RAIL:.1f}" for x in xs[CELL_INPUTS:-1])
    return f"{drops}M{xs[CELL_INPUTS]:.1f},{bottom + RAIL:.1f}H{xs[-1]:.1f}V{bottom + 1:.1f}m-4,6l4,-6l4,6"


def cell_svg(
    space: SearchSpace, architecture: Architecture, base: Architecture, *, dark: bool = False, against: str = "α*"
) -> str:
    """A standalone SVG of the cell beside α* (or the cell called `against`), on the theme's background; deterministic."""
    shape, tone = picture(space, against), ink(dark=dark)
    drawn = sorted(marks(space, architecture, base), key=lambda mark: mark.state != "gone")
    body = [_curve(shape.arcs[mark.edge], mark, dark) for mark in drawn]
    body += [_pill(shape.arcs[mark.edge], mark, dark) for mark in drawn]
    body += [f'<path d="{rail}" fill="none" stroke="{tone.muted}"/>' for rail in shape.rails]
    body += [_node(box, tone) for box in shape.boxes]
    body += [_text(note, tone.text, "end", "600") for note in shape.titles]
    body += [_text(note, tone.muted) for note in shape.notes]
    body += [_sample(sample, tone) for sample in shape.legend]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {shape.height:g}" width="{WIDTH:g}" '
        f'height="{shape.height:g}" font-family="Source Sans Pro, Helvetica, Arial, sans-serif" font-size="13" role="img">'
        f"<title>Cell {architecture.key} beside {escape(against)} {base.key}</title>"
        f'<rect width="100%" height="100%" fill="{tone.paper}"/>{"".join(body)}</svg>\n'
    )


def _color(mark: Mark, dark: bool) -> str:
    style = OPERATION[mark.operation]
    return style.dark if dark else style.light


def _curve(arc: Arc, mark: Mark, dark: bool) -> str:
    color, faint = _color(mark, dark), ' opacity="0.55"' if mark.state == "gone" else ""
    tip = f"M{arc.tip_x:g},{arc.tip_y:g}l-4.5,{-ARROW - 1:g}h9z"
    return (
        f'<g{faint}><path d="{arc.path}" fill="none" stroke="{color}" stroke-width="2.2" '
        f'stroke-dasharray="{LINE[mark.state]}"/><path d="{tip}" fill="{color}"/></g>'
    )


def _pill(arc: Arc, mark: Mark, dark: bool) -> str:
    tone, gone, width = ink(dark=dark), mark.state == "gone", CHAR_W * len(mark.label) + 16
    border = "none" if gone else _color(mark, dark)
    return (
        f'<rect x="{arc.label_x - width / 2:.1f}" y="{arc.label_y - PILL_H / 2:.1f}" width="{width:.1f}" '
        f'height="{PILL_H:g}" rx="10" fill="{tone.paper}" stroke="{border}"/>'
        + _text(Note(arc.label_x, arc.label_y + 4.5, mark.label), tone.muted if gone else tone.text)
    )


def _node(box: Box, tone: Ink) -> str:
    fill, radius = (tone.grid, 4) if box.role == "input" else (tone.paper, 13)
    return (
        f'<rect x="{box.x - NODE_W / 2:.1f}" y="{box.y - NODE_H / 2:.1f}" width="{NODE_W:g}" height="{NODE_H:g}" '
        f'rx="{radius}" fill="{fill}" stroke="{tone.muted}" stroke-width="1.4"/>'
        + _text(Note(box.x, box.y + 4.5, box.label), tone.text)
    )


def _sample(sample: Sample, tone: Ink) -> str:
    color = tone.muted if sample.state == "gone" else tone.text
    stroke = f'stroke="{color}" stroke-width="2" stroke-dasharray="{LINE[sample.state]}"'
    words = _text(Note(sample.x + 32, sample.y, sample.text), tone.muted, "start")
    return f'<path d="M{sample.x:g},{sample.y - 4:g}h24" {stroke}/>{words}'


def _text(note: Note, color: str, anchor: str = "middle", weight: str = "400") -> str:
    return (
        f'<text x="{note.x:.1f}" y="{note.y:.1f}" fill="{color}" text-anchor="{anchor}" '
        f'font-weight="{weight}">{escape(note.text)}</text>'
    )
