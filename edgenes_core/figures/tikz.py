"""The arc diagram as a TikZ document: the same places as on the screen, set in the fonts of a paper.

TikZ reads the user units of `drawing.picture` directly: x to the right, y down (`y=-…`), so no number is converted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from edgenes_core.architecture import Architecture
from edgenes_core.figures.cells import OPERATION, Mark, marks
from edgenes_core.figures.drawing import ARROW, LINE, NODE_H, NODE_W, WIDTH, Arc, Box, Note, Picture, Sample, picture
from edgenes_core.figures.theme import INK_LIGHT
from edgenes_core.space import SearchSpace
from edgenes_core.tex import escape

UNIT = 0.5  # points: 920 units are 16 cm
HEAD = r"""\documentclass[tikz,border=3pt]{standalone}
\usetikzlibrary{shapes.misc}
\renewcommand{\familydefault}{\sfdefault}
"""


def to_tikz(space: SearchSpace, architecture: Architecture, base: Architecture, caption: str = "") -> str:
    """A standalone document of the cell beside α*, compiled by any LaTeX with TikZ; the caption is a comment. Deterministic."""
    shape = picture(space)
    drawn = sorted(marks(space, architecture, base), key=lambda mark: mark.state != "gone")
    lines = [f"% {line}" for line in (f"Cell {architecture.key} beside alpha* {base.key}", *caption.splitlines())]
    lines += [HEAD + "\n".join(_colors(drawn)), r"\begin{document}"]
    lines += [
        rf"\begin{{tikzpicture}}[x={UNIT}pt, y=-{UNIT}pt, line width=0.8pt,",
        r"  every node/.style={inner sep=0pt, text height=1.5ex, text depth=0.4ex, text=ink, font=\fontsize{6.5}{8}\selectfont}]",
        rf"\path[use as bounding box] (0,0) rectangle {_at(WIDTH, shape.height)};  % else curves count with their handles",
        *_body(shape, drawn),
        r"\end{tikzpicture}",
        r"\end{document}",
    ]
    return "\n".join(lines) + "\n"


def _colors(drawn: list[Mark]) -> Iterator[str]:
    named = {mark.operation: OPERATION[mark.operation].light for mark in drawn}
    for name, color in {"ink": INK_LIGHT.text, "muted": INK_LIGHT.muted, "pale": INK_LIGHT.grid, **named}.items():
        yield rf"\definecolor{{{name}}}{{HTML}}{{{color.removeprefix('#').upper()}}}"


def _body(shape: Picture, drawn: list[Mark]) -> Iterator[str]:
    for mark in drawn:
        yield from _edge(shape.arcs[mark.edge], mark)
    for mark in drawn:
        yield _label(shape.arcs[mark.edge], mark)
    yield from (rf"\draw[muted, line width=0.4pt] {path(rail)};" for rail in shape.rails)
    yield from map(_node, shape.boxes)
    yield from (_words(note, r"anchor=base east, font=\fontsize{6.5}{8}\bfseries\selectfont") for note in shape.titles)
    yield from (_words(note, "anchor=base, text=muted") for note in shape.notes)
    for sample in shape.legend:
        yield from _sample(sample)


def path(svg: str) -> str:
    """A path of `drawing` (commands M, C, H, V, m, l) in TikZ's words; all points absolute."""
    words, x, y = [], 0.0, 0.0
    for command, text in re.findall(r"([MCHVml])([^MCHVml]*)", svg):
        numbers = [float(number) for number in text.split(",")]
        if command in "ml":
            numbers = [numbers[0] + x, numbers[1] + y]
        x = numbers[0] if command == "H" else x if command == "V" else numbers[-2]
        y = numbers[0] if command == "V" else y if command == "H" else numbers[-1]
        if command == "C":
            words.append(f".. controls {_at(*numbers[:2])} and {_at(*numbers[2:4])} .. {_at(x, y)}")
        else:
            words.append(_at(x, y) if command in "Mm" else f"-- {_at(x, y)}")
    return " ".join(words)


def _at(x: float, y: float) -> str:
    return f"({x:g},{y:g})"


def _edge(arc: Arc, mark: Mark) -> Iterator[str]:
    faint = ", opacity=0.55" if mark.state == "gone" else ""
    yield rf"\draw[{mark.operation}{_dash(mark.state)}{faint}] {path(arc.path)};"
    tip = (
        _at(arc.tip_x, arc.tip_y),
        _at(arc.tip_x - 4.5, arc.tip_y - ARROW - 1),
        _at(arc.tip_x + 4.5, arc.tip_y - ARROW - 1),
    )
    yield rf"\fill[{mark.operation}{faint}] {' -- '.join(tip)} -- cycle;"


def _dash(state: str) -> str:
    """The stroke of the drawing, where 1 unit is UNIT points."""
    if not LINE[state]:
        return ""
    on, off = (float(part) * UNIT for part in LINE[state].split())
    return f", dash pattern=on {on:g}pt off {off:g}pt"


def _label(arc: Arc, mark: Mark) -> str:
    look = "text=muted" if mark.state == "gone" else f"draw={mark.operation}, line width=0.4pt"
    style = f"rounded rectangle, fill=white, inner xsep=3pt, inner ysep=1.6pt, {look}"
    return rf"\node[{style}] at {_at(arc.label_x, arc.label_y)} {{{escape(mark.label)}}};"


def _node(box: Box) -> str:
    look = "rounded corners=2pt, fill=pale" if box.role == "input" else "rounded corners=6pt, fill=white"
    size = f"minimum width={NODE_W * UNIT:g}pt, minimum height={NODE_H * UNIT:g}pt"
    return rf"\node[draw=muted, line width=0.6pt, {look}, {size}] at {_at(box.x, box.y)} {{{escape(box.label)}}};"


def _words(note: Note, style: str) -> str:
    return rf"\node[{style}] at {_at(note.x, note.y)} {{{escape(note.text)}}};"


def _sample(sample: Sample) -> Iterator[str]:
    color = "muted" if sample.state == "gone" else "ink"
    start, end = _at(sample.x, sample.y - 4), _at(sample.x + 24, sample.y - 4)
    yield rf"\draw[{color}{_dash(sample.state)}] {start} -- {end};"
    yield _words(Note(sample.x + 32, sample.y, sample.text), "anchor=base west, text=muted")
