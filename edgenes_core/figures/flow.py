"""An image flowing through a cell: at every node the mean over the channels and the three channels that vary most, as heat maps.

Columns are the nodes in topological order, rows the layers. Arcs above them are the kept edges; each is also named in words
under the node that it enters, so that colour says nothing alone. The maps lie in the SVG as PNGs: one file holds the picture.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edgenes_core.architecture import CELL_INPUTS, Architecture, Gene
from edgenes_core.figures.cells import CELL_WORD, OPERATION, place, word
from edgenes_core.figures.heat import heat, png_uri, span_text
from edgenes_core.figures.theme import OKABE_ITO, Ink, ink

if TYPE_CHECKING:
    from edgenes_core.feature_maps import FeatureMaps, LayerMaps

MARGIN, LEFT, TOP = 8.0, 130.0, 34.0
PHOTO = 112.0  # the image itself, on the left
MAP, BESIDE, GUTTER = 62.0, 10.0, 10.0
COLUMN = 2 * MAP + BESIDE
BOX_H, SPAN, LINE, NOTE = 24.0, 15.0, 16.0, 13.0
TILE = NOTE + MAP + NOTE + 8  # label, map, range
SHOWN_CHANNELS, SHOWN_CLASSES = 3, 5


class NodeRow(NamedTuple):
    """One node in the table beside the picture: the size of its maps, and least, mean and largest number in them."""

    layer: int
    cell: str
    node: str
    inputs: str
    channels: int
    height: int
    width: int
    low: float
    mean: float
    high: float


def table(maps: FeatureMaps) -> list[NodeRow]:
    """The picture as rows, in its order."""
    rows = []
    for index, layer in enumerate(maps.layers):
        for node, values in enumerate(layer.nodes):
            inputs = ", ".join(_inputs(maps.architecture, layer.kind, index, node))
            numbers = (float(f(values)) for f in (np.min, np.mean, np.max))
            rows.append(NodeRow(index + 1, CELL_WORD[layer.kind], place(node), inputs, *values.shape, *numbers))
    return rows


def sentence(maps: FeatureMaps) -> str:
    """What there is to see, for who cannot see it."""
    best, layers = int(maps.probabilities.argmax()), len(maps.layers)
    first, last = maps.layers[0].nodes[0].shape, maps.layers[-1].nodes[-1].shape
    return (
        f"Validation image {maps.image} (class {maps.classes[maps.label]}) in cell {maps.architecture.key} with "
        f"{maps.source}: {layers} layer{'' if layers == 1 else 's'}, from {first[1]} × {first[2]} to "
        f"{last[1]} × {last[2]} pixels; predicted {maps.classes[best]} with {100 * maps.probabilities[best]:.1f} %, "
        f"which is {'right' if best == maps.label else 'wrong'}."
    )


def channels_shown(values: np.ndarray) -> tuple[int, ...]:
    """Of maps (C, H, W), the up to three channels with the largest variance over the pixels, the lower number first in a tie."""
    variance = np.nan_to_num(values.reshape(len(values), -1).var(1))
    return tuple(int(c) for c in np.argsort(-variance, kind="stable")[:SHOWN_CHANNELS])


def flow_svg(maps: FeatureMaps, *, dark: bool = False) -> str:
    """A standalone SVG on the theme's background, 1000 units wide for cells of four nodes; deterministic."""
    tone, columns = ink(dark=dark), len(maps.layers[0].nodes)
    width = 2 * MARGIN + LEFT + columns * COLUMN + (columns - 1) * GUTTER
    title = f"Cell {maps.architecture.key} · {maps.source} · validation image {maps.image} of {maps.images}"
    body, y = [_text(MARGIN, 19, title, tone.muted), *_photo(maps, tone)], TOP
    for index, layer in enumerate(maps.layers):
        drawn, high = _layer(maps, layer, index, tone, dark)
        body.append(f'<g transform="translate({MARGIN + LEFT:g},{y:g})">{drawn}</g>')
        y += high
    said = (
        f"out: nodes {CELL_INPUTS} to {columns - 1} side by side, {len(maps.layers[-1].out)} channels; their means over the "
        "pixels go to the classifier"
    )
    body.append(_text(MARGIN + LEFT, y + 4, said, tone.muted))
    total = max(y + 16, TOP + _photo_height(maps))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {total:g}" width="{width:g}" height="{total:g}" '
        f'font-family="Source Sans Pro, Helvetica, Arial, sans-serif" font-size="13" role="img">'
        f"<title>{escape(sentence(maps))}</title>"
        f'<rect width="100%" height="100%" fill="{tone.paper}"/>{"".join(body)}</svg>\n'
    )


def _photo(maps: FeatureMaps, tone: Ink) -> list[str]:
    """On the left: the image, its class, the most probable classes, the colour scale."""
    y = TOP + PHOTO + 18
    parts = [
        _image(MARGIN, TOP, PHOTO, PHOTO, maps.pixels, tone),
        _text(MARGIN, y, f"class {_short(maps.classes[maps.label])}", tone.text, weight="600"),
        _text(MARGIN, y + 24, "predicted", tone.muted),
    ]
    for row, best in enumerate(_classes_shown(maps)):
        share, bottom, right = float(maps.probabilities[best]), y + 44 + 25 * row, best == maps.label
        weight = "600" if right else "400"
        parts += [
            _text(MARGIN, bottom, _short(maps.classes[best]), tone.text, weight=weight),
            _text(MARGIN + PHOTO, bottom, f"{100 * share:.1f} %", tone.text, "end", weight=weight),
            _text(MARGIN + PHOTO + 3, bottom, "✓" if right else "", tone.text),
            f'<rect x="{MARGIN:g}" y="{bottom + 5:g}" width="{PHOTO:g}" height="4" fill="{tone.grid}"/>',
            f'<rect x="{MARGIN:g}" y="{bottom + 5:g}" width="{PHOTO * share:.1f}" height="4" fill="{OKABE_ITO["blue"]}"/>',
        ]
    y = TOP + _photo_height(maps) - 46
    strip = heat(np.linspace(0, 1, 256)[None])
    return [
        *parts,
        _image(MARGIN, y, PHOTO, 8, strip, tone, stretched=True),
        _text(MARGIN, y + 22, "least", tone.muted, size=11),
        _text(MARGIN + PHOTO, y + 22, "largest", tone.muted, "end", 11),
        _text(MARGIN, y + 37, "each map by itself", tone.muted, size=11),
    ]


def _classes_shown(maps: FeatureMaps) -> list[int]:
    """The most probable classes; the true one takes the last place if it is not among them."""
    best = [int(c) for c in np.argsort(-maps.probabilities, kind="stable")[:SHOWN_CLASSES]]
    return best if maps.label in best else [*best[:-1], maps.label]


def _photo_height(maps: FeatureMaps) -> float:
    return PHOTO + 62 + 25 * min(SHOWN_CLASSES, len(maps.classes)) + 58


def _layer(maps: FeatureMaps, layer: LayerMaps, index: int, tone: Ink, dark: bool) -> tuple[str, float]:
    """One cell, drawn from (0, 0), and how high it is."""
    genes = [gene for gene in maps.architecture.genes if gene.cell == layer.kind]
    (channels, *before), after = layer.nodes[0].shape, layer.nodes[-1].shape[1:]
    sizes = " → ".join(f"{h} × {w}" for h, w in dict.fromkeys([tuple(before), after]))
    heading = f"Layer {index + 1} of {len(maps.layers)}"
    boxes = 20 + SPAN * max(gene.node - gene.parent for gene in genes) + 8
    grid = boxes + BOX_H + LINE * maps.architecture.inputs_per_node + 12
    body = [
        _text(0, 12, heading, tone.text, weight="600"),
        _text(88, 12, f"{CELL_WORD[layer.kind]}, {sizes} pixels, {channels} channels at each node", tone.muted),
        *(_arc(gene, boxes, dark) for gene in genes),
    ]
    for node, values in enumerate(layer.nodes):
        x = node * (COLUMN + GUTTER)
        body.append(_box(node, x, boxes, tone))
        entering = [gene for gene in genes if gene.node == node]
        for row, text in enumerate(_inputs(maps.architecture, layer.kind, index, node)):
            body.append(_caption(x, boxes + BOX_H + LINE * (row + 1), text, entering[row : row + 1], tone, dark))
        for tile, (name, shown) in enumerate(_tiles(values)):
            left, top = x + tile % 2 * (MAP + BESIDE), grid + tile // 2 * TILE
            body += [
                _text(left + MAP / 2, top + NOTE - 3, name, tone.muted, "middle", 11),
                _image(left, top + NOTE, MAP, MAP, heat(shown), tone),
                _text(left + MAP / 2, top + 2 * NOTE + MAP - 1, span_text(shown), tone.text, "middle", 11),
            ]
    return "".join(body), grid + 2 * TILE + 22


def _tiles(values: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Names and maps (H, W) to draw of one node's maps (C, H, W)."""
    return [("mean", values.mean(0)), *((f"channel {c}", values[c]) for c in channels_shown(values))]


def _inputs(architecture: Architecture, kind: str, index: int, node: int) -> list[str]:
    """What enters a node, in words: the kept edges, or for an input where it comes from."""
    if node < CELL_INPUTS:
        layer = index + node - 1  # input 0 is the layer before the last one, input 1 the last one
        return ["from the stem" if layer < 1 else f"from layer {layer}"]
    genes = [gene for gene in architecture.genes if gene[:2] == (kind, node)]
    return [f"{place(gene.parent)} via {word(gene.operation)}" for gene in genes]


def _arc(gene: Gene, y: float, dark: bool) -> str:
    """From the top of one box to the top of another, higher the farther they are apart; none meet at their feet."""
    pitch, span = COLUMN + GUTTER, gene.node - gene.parent
    port = COLUMN / 2 - 8 - 9 * (span - 1)
    start, end = gene.parent * pitch + COLUMN / 2 + port, gene.node * pitch + COLUMN / 2 - port
    top, tip = y - SPAN * span / 0.75, y - 7
    style = OPERATION[gene.operation]
    color = style.dark if dark else style.light
    path = f"M{start:.1f},{y:g}C{start:.1f},{top:.1f},{end:.1f},{top:.1f},{end:.1f},{tip:g}"
    return (
        f'<path d="{path}" fill="none" stroke="{color}" stroke-width="2.2"/>'
        f'<path d="M{end:.1f},{y:g}l-4.5,-8h9z" fill="{color}"/>'
    )


def _box(node: int, x: float, y: float, tone: Ink) -> str:
    fill, radius = (tone.grid, 4) if node < CELL_INPUTS else (tone.paper, 12)
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{COLUMN:g}" height="{BOX_H:g}" rx="{radius}" fill="{fill}" '
        f'stroke="{tone.muted}"/>' + _text(x + COLUMN / 2, y + 16.5, place(node), tone.text, "middle")
    )


def _caption(x: float, y: float, text: str, entering: list[Gene], tone: Ink, dark: bool) -> str:
    """`input 0 via sep 5×5` behind a stroke in the arc's colour; centred, as is where an input comes from."""
    if not entering:
        return _text(x + COLUMN / 2, y, text, tone.muted, "middle", 12)
    style = OPERATION[entering[0].operation]
    stroke = f'<path d="M{x + 2:g},{y - 4:g}h10" stroke="{style.dark if dark else style.light}" stroke-width="3"/>'
    return stroke + _text(x + 17, y, text, tone.text, size=12)


def _image(x: float, y: float, w: float, h: float, pixels: np.ndarray, tone: Ink, stretched: bool = False) -> str:
    ratio = ' preserveAspectRatio="none"' if stretched else ""
    return (
        f'<image x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" href="{png_uri(pixels)}"{ratio} '
        f'style="image-rendering:pixelated"/>'
        f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" fill="none" stroke="{tone.muted}" stroke-opacity="0.5"/>'
    )


def _short(name: str) -> str:
    return name if len(name) <= 10 else name[:9] + "…"


def _text(x: float, y: float, text: str, color: str, anchor: str = "start", size: int = 13, weight: str = "400") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{color}" text-anchor="{anchor}" font-size="{size}" '
        f'font-weight="{weight}">{escape(text)}</text>'
    )
