"""A cell drawn small: nodes in a column, inputs arching in from the right. The arc diagram turned, for narrow places.

As there, the edge p → n has its label at ((p + n) / 2, n − p), a place that no other edge of the cell shares.
"""

from __future__ import annotations

from html import escape

from edgenes_core.architecture import CELL_INPUTS, Architecture
from edgenes_core.figures.cells import CELL_WORD, OPERATION, Mark, marks, place, word
from edgenes_core.figures.drawing import LINE
from edgenes_core.figures.theme import Ink, ink
from edgenes_core.space import Edge, SearchSpace

WIDTH, ROW, TITLE = 320, 42, 22
BOX_W, BOX_H = 66, 24
COLUMN = 6 + BOX_W  # right edge of the nodes, where arcs leave and arrive
REACH = 36  # how much further right the arc of one more node of span bulges


def cell_thumbnail(space: SearchSpace, architecture: Architecture, base: Architecture, *, dark: bool) -> str:
    """An inline SVG in the page's font, 320 units wide: solid arcs are shared with α*, dashed ones changed or added, dotted ones only in α*."""
    tone, drawn = ink(dark=dark), marks(space, architecture, base)
    high = TITLE + ROW * (space.nodes + CELL_INPUTS)
    body = []
    for index, cell in enumerate(space.cells):
        here = [(space.edges[mark.edge], mark) for mark in drawn if space.edges[mark.edge].cell == cell]
        here.sort(key=lambda pair: pair[1].state != "gone")
        body += [f'<g transform="translate(0,{index * high})">', _text(COLUMN + 8, 14, CELL_WORD[cell], tone.muted)]
        body += [_arc(edge, mark, dark) for edge, mark in here]
        body += [_box(node, tone) for node in range(space.nodes + CELL_INPUTS)]
        body += [_label(edge, mark, tone, dark) for edge, mark in here if mark.state != "gone"]
        body.append("</g>")
    total = high * len(space.cells)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {total}" width="{WIDTH}" height="{total}" '
        f'font-size="13" role="img" style="max-width:100%;font-family:inherit">'
        f"<title>Cell {architecture.key} beside α* {base.key}</title>{''.join(body)}</svg>"
    )


def label_place(edge: Edge) -> tuple[float, float]:
    """Centre of an edge's label."""
    return COLUMN + REACH * (edge.node - edge.parent), (_middle(edge.parent) + _middle(edge.node)) / 2


def _middle(node: int) -> float:
    return TITLE + ROW * node + ROW / 2


def _arc(edge: Edge, mark: Mark, dark: bool) -> str:
    """Arcs leave below the middle of a node and arrive above it, so that both can be told apart."""
    start, end = _middle(edge.parent) + 5, _middle(edge.node) - 5
    control = (8 * label_place(edge)[0] - 2 * COLUMN) / 6  # puts the curve's midpoint under the label
    color, faint = _color(mark, dark), ' opacity="0.5"' if mark.state == "gone" else ""
    path = f"M{COLUMN},{start:g}C{control:.1f},{start:g},{control:.1f},{end:g},{COLUMN + 7},{end:g}"
    return (
        f'<g{faint}><path d="{path}" fill="none" stroke="{color}" stroke-width="2" '
        f'stroke-dasharray="{LINE[mark.state]}"/><path d="M{COLUMN},{end:g}l8,-4.5v9z" fill="{color}"/></g>'
    )


def _label(edge: Edge, mark: Mark, tone: Ink, dark: bool) -> str:
    (x, y), text = label_place(edge), ("" if mark.state == "shared" else "≠ ") + word(mark.operation)
    width = 6.3 * len(text) + 12
    return (
        f'<rect x="{x - width / 2:.1f}" y="{y - 9:.1f}" width="{width:.1f}" height="18" rx="9" fill="{tone.paper}" '
        f'stroke="{_color(mark, dark)}"/>' + _text(x, y + 4.5, text, tone.text, "middle")
    )


def _box(node: int, tone: Ink) -> str:
    fill, radius = (tone.grid, 4) if node < CELL_INPUTS else (tone.paper, 12)
    return (
        f'<rect x="{COLUMN - BOX_W}" y="{_middle(node) - BOX_H / 2:g}" width="{BOX_W}" height="{BOX_H}" rx="{radius}" '
        f'fill="{fill}" stroke="{tone.muted}"/>'
        + _text(COLUMN - BOX_W / 2, _middle(node) + 4.5, place(node), tone.text, "middle")
    )


def _color(mark: Mark, dark: bool) -> str:
    style = OPERATION[mark.operation]
    return style.dark if dark else style.light


def _text(x: float, y: float, text: str, color: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{color}" text-anchor="{anchor}">{escape(text)}</text>'
