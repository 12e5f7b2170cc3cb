"""Images × votes as a table whose pictures are buttons: the browser marks the chosen one and tells Python its number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import NamedTuple

import numpy as np
import streamlit as st

from edgenes_core.figures.heat import png_uri
from edgenes_core.instances import Votes

SIDE = 36  # pixels of a picture's longer side

_GRID = st.components.v2.component(
    "edgenes_vote_grid",
    html="<div\nclass='scroll'></div>",
    css="""
.scroll { overflow: auto; max-height: 31rem; font-family: var(--st-font); color: var(--st-text-color); font-size: .85rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .15rem .35rem; text-align: left; white-space: nowrap; border-bottom: 1px solid var(--st-border-color); }
thead th { position: sticky; top: 0; z-index: 1; background: var(--st-background-color); vertical-align: bottom; font-weight: 600; white-space: normal; min-width: 2.6rem; line-height: 1.15; }
tbody th { font-weight: 400; padding-left: 0; }
.name { display: inline-block; max-width: 4.8rem; overflow: hidden; text-overflow: ellipsis; vertical-align: bottom; }
td small { opacity: .8; }
td.wrong { background: color-mix(in srgb, #D55E00 16%, transparent); font-weight: 650; }
td.team { border-right: 2px solid var(--st-border-color); }
td.number { text-align: right; }
button { all: unset; cursor: pointer; display: inline-flex; gap: .45rem; align-items: center; border-radius: 4px; padding: 2px 4px 2px 2px; }
button:hover { background: var(--st-secondary-background-color); }
button:focus-visible { outline: 2px solid var(--st-primary-color); }
button[aria-pressed="true"] { box-shadow: inset 0 0 0 2px var(--st-text-color); }
img { display: block; border-radius: 2px; }
.bar { display: inline-flex; width: 44px; height: 9px; border: 1px solid var(--st-border-color); vertical-align: middle; margin-right: .3rem; }
.bar i { background: #56B4E9; }
.bar b { background: repeating-linear-gradient(45deg, #D55E00 0 2px, transparent 2px 4px); }
""",
    js="""
export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".scroll")
  if (root.lastHtml !== data.html) root.innerHTML = root.lastHtml = data.html
  for (const button of root.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.image) === data.chosen))
  }
  root.onclick = (event) => {
    const button = event.target.closest("button[data-image]")
    if (button) setTriggerValue("image", Number(button.dataset.image))
  }
}
""",
)


class Names(NamedTuple):
    """What members and classes are called."""

    members: Sequence[str]
    classes: Sequence[str]


def vote_grid(html: str, chosen: int | None, on_choose: Callable[[int], None], *, key: str) -> None:
    """Draw `grid_html`; `on_choose` is told the image whose picture is clicked (or Enter is pressed on it)."""

    def told() -> None:
        image = st.session_state[key].get("image")
        if isinstance(image, int):
            on_choose(image)

    _GRID(key=key, data={"html": html, "chosen": -1 if chosen is None else chosen}, on_image_change=told)


def grid_html(found: Votes, rows: np.ndarray, names: Names, pixels: np.ndarray | None) -> str:
    """A row for each image: picture, true class, what the team and each member say, loss, and the split of the entropy."""
    heads = ["image", "true", "team", *names.members, "loss (nats)", "entropy: each + between"]
    head = "".join(f"<th scope='col'>{escape(text)}</th>" for text in heads)
    most = float(np.log(max(2, len(names.classes))))
    body = "".join(_row(found, int(image), names, pixels, most) for image in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _row(found: Votes, image: int, names: Names, pixels: np.ndarray | None, most: float) -> str:
    true = escape(names.classes[found.y[image]], quote=True)
    votes = [
        _vote(named, chance, found.y[image], names.classes)
        for named, chance in zip(found.named[:, image], found.chance[:, image], strict=True)
    ]
    team = _vote(found.team[image], found.team_chance[image], found.y[image], names.classes, "team")
    alone, between = float(found.aleatoric[image]), float(found.epistemic[image])
    bar = f"<span class='bar' aria-hidden='true'><i style='width:{alone / most:.1%}'></i><b style='width:{between / most:.1%}'></b></span>"
    split = f"<td>{bar}{alone:.2f} + {between:.2f}</td>"
    return (
        f"<tr><th scope='row'>{_button(image, true, pixels)}</th><td>{_name(true)}</td>{team}{''.join(votes)}"
        f"<td class='number'>{found.loss[image]:.3f}</td>{split}</tr>"
    )


def _button(image: int, true: str, pixels: np.ndarray | None) -> str:
    picture = "" if pixels is None else picture_html(pixels[image], SIDE, "")
    said = f"Look closer at validation image {image}, class {true}"
    return f"<button data-image='{image}' aria-label='{said}' title='{said}'>{picture}{image}</button>"


def _vote(named: int, chance: float, true: int, classes: Sequence[str], kind: str = "") -> str:
    right = named == true
    glyph = "<span role='img' aria-label='right'>✓</span>" if right else "<span role='img' aria-label='wrong'>✗</span>"
    kinds = " ".join(filter(None, (kind, "" if right else "wrong")))
    return (
        f"<td class='{kinds}'>{glyph} {_name(escape(classes[named], quote=True))} <small>{_share(chance)}</small></td>"
    )


def _name(escaped: str) -> str:
    """A class name that is cut where it is long; resting on it shows all of it."""
    return f"<span class='name' title='{escaped}'>{escaped}</span>"


def _share(chance: float) -> str:
    """Two digits; what is less than certain never reads as certain."""
    return ">.99" if 0.995 <= chance < 1 else f"{chance:.2f}"


def picture_html(pixels: np.ndarray, side: int, alt: str) -> str:
    """One image (H, W, 1 or 3) uint8, drawn so that its longer side has `side` pixels."""
    height, width = (side * size // max(pixels.shape[:2]) for size in pixels.shape[:2])
    return f"<img src='{png_uri(pixels)}' width='{width}' height='{height}' style='image-rendering: pixelated' alt='{escape(alt, quote=True)}'>"
