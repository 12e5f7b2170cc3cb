"""Charts and drawings as files for a paper: SVG, PNG and PDF, with a caption that says where the numbers come from.

A chart becomes an SVG first, the caption is written under it here, and PNG and PDF are printed from that: so all three
look alike, and the PDF stays vectors with its fonts inside.
"""

from __future__ import annotations

import base64
import re
import textwrap
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from edgenes_core.figures import chrome
from edgenes_core.figures.theme import ink

if TYPE_CHECKING:
    import plotly.graph_objects as go

KINDS = ("svg", "png", "pdf")
WIDTH, HEIGHT = 900, 420  # pixels of a chart that does not say its own
SCALE = 3  # of a PNG: 2700 pixels, 300 per inch on a page 9 inches wide
FONT = (
    "Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif"  # what is on most machines; the last two have α, λ, −
)
SIZE, LINE, SIDE, CHAR = 11.0, 15.0, 12.0, 5.3  # of the caption: font, line, margin, width of an average letter


class Size(NamedTuple):
    """Of a picture, in pixels."""

    width: float
    height: float


def render(figure: go.Figure, kind: str, caption: str, *, dark: bool = False) -> bytes:
    """A chart as svg, png or pdf on the theme's background; ExportError without a browser (see `chrome`)."""
    _check(kind)
    layout = figure.layout
    size = Size(layout.width or WIDTH, layout.height or HEIGHT)
    drawn = {**figure.to_plotly_json(), "layout": {**layout.to_plotly_json(), "font": {}}}
    drawn["layout"]["font"] = {**layout.font.to_plotly_json(), "family": FONT}

    async def job(browser: Any) -> bytes:
        plain = await browser.calc_fig(drawn, {"format": "svg", **size._asdict()})
        svg = captioned(plain.decode(), caption, dark=dark)
        return svg.encode() if kind == "svg" else await _printed(browser, svg, kind)

    return chrome.run(job)


def render_svg(svg: str, kind: str, caption: str, *, dark: bool = False) -> bytes:
    """A drawing of ours as svg (no browser needed), png or pdf on the theme's background."""
    _check(kind)
    whole = captioned(svg, caption, dark=dark)
    return whole.encode() if kind == "svg" else chrome.run(lambda browser: _printed(browser, whole, kind))


def captioned(svg: str, caption: str, *, dark: bool = False) -> str:
    """The drawing on the theme's background, the caption in lines below; its size is read from its first tag."""
    size, tone = size_of(svg), ink(dark=dark)
    lines = textwrap.wrap(_printable(caption), max(20, int((size.width - 2 * SIDE) / CHAR)))
    height = size.height + (LINE * len(lines) + 2 * SIDE if lines else 0)
    rows = "".join(
        f'<tspan x="{SIDE:g}" y="{size.height + LINE * (i + 1) + SIDE / 2:g}">{escape(line)}</tspan>'
        for i, line in enumerate(lines)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="0 0 {size.width:g} {height:g}" width="{size.width:g}" height="{height:g}">'
        f'<rect width="100%" height="100%" fill="{tone.paper}"/>{svg.strip()}'
        f'<text fill="{tone.muted}" font-family="{FONT}" font-size="{SIZE:g}">{rows}</text></svg>\n'
    )


def size_of(svg: str) -> Size:
    """Width and height of an SVG text."""
    tag = re.match(r"\s*<svg\b[^>]*>", svg)
    found = [re.search(rf'\b{name}="([\d.]+)"', tag[0]) if tag else None for name in Size._fields]
    if not all(found):
        raise chrome.ExportError(
            "A drawing must begin with an <svg> tag that has a width and a height; this one does not."
        )
    return Size(*(float(match[1]) for match in found if match))


async def _printed(browser: Any, svg: str, kind: str) -> bytes:
    """The SVG as the only image of an empty chart: kaleido prints charts."""
    source = "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
    whole = {"xref": "paper", "yref": "paper", "x": 0, "y": 1, "sizex": 1, "sizey": 1, "sizing": "stretch"}
    axis = {"visible": False, "range": [0, 1]}
    layout = {"margin": dict.fromkeys("lrtb", 0), "xaxis": axis, "yaxis": axis, "images": [{"source": source, **whole}]}
    options = {"format": kind, "scale": SCALE if kind == "png" else 1, **size_of(svg)._asdict()}
    printed: bytes = await browser.calc_fig({"data": [], "layout": layout}, options)
    return printed


def _check(kind: str) -> None:
    if kind not in KINDS:
        raise chrome.ExportError(f"A picture is saved as one of {', '.join(KINDS)}, got {kind!r}.")


def _printable(text: str) -> str:
    """Without control characters, which no XML may hold."""
    return "".join(c if c.isprintable() else " " for c in text)
