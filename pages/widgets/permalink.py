"""The link to what is on the screen: to copy, and as a QR code for whoever sits in the room."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

import streamlit as st

from pages.widgets.picture import picture

ONLY_HERE = (
    ":material/info: This link opens on this machine only. To let a class open it, start the app with "
    "`.venv/bin/streamlit run app.py --server.address 0.0.0.0` and visit it under this machine's name."
)


def share_panel(link: str, *, key: str) -> None:
    """What stands under "Share": the link with its copy button, its QR code, and who can open it."""
    code, words = st.columns([0.45, 0.55], gap="medium")
    with code:
        if svg := qr_svg(link):
            picture(svg, key=f"{key}_qr")
        else:
            st.caption(
                f"No QR code: the link has {len(link.encode())} bytes, and a code holds about 2 900. "
                "Copy the link, or choose fewer cells."
            )
    with words:
        st.code(link, language=None, wrap_lines=True)
        if only_here(link):
            st.caption(ONLY_HERE)


@st.cache_data(max_entries=32, show_spinner=False)
def qr_svg(link: str) -> str:
    """A QR code, dark on white with its quiet zone in either theme; empty if the link is too long for one (about 2 900 bytes)."""
    import segno

    try:
        code = segno.make(link, error="l", micro=False)  # raised to a safer level where that costs no room
    except segno.DataOverflowError:
        return ""
    drawn: str = code.svg_inline(
        border=4, dark="#000", light="#fff", omitsize=True, svgclass=None, lineclass=None, title="QR code of the link"
    )
    return drawn.replace("<svg", '<svg role="img" shape-rendering="crispEdges"', 1)


def only_here(link: str) -> bool:
    """Whether a link leads to this machine's own address, which no other machine can open."""
    host = urlsplit(link).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host in ("", "localhost")
