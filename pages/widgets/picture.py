"""A drawing of our own shown in the page's font and colours (st.html drops SVG, st.image cannot use the page's font)."""

from __future__ import annotations

import streamlit as st

_PICTURE = st.components.v2.component(
    "edgenes_picture",
    html="<div\nclass='picture'></div>",
    css=".picture svg { display: block; width: 100%; height: auto;\nfont-family: var(--st-font); }",
    js="""
export default function ({ data, parentElement }) {
  parentElement.querySelector(".picture").innerHTML = data.svg
}
""",
)


def picture(svg: str, *, key: str) -> None:
    """Show SVG text made by `edgenes_core.figures`; never pass text that a user typed or a file holds."""
    _PICTURE(key=key, data={"svg": svg})
