"""Draw everything anew when the machine turns to its dark or light theme: Streamlit itself recolours all but pictures and charts."""

from __future__ import annotations

import streamlit as st

_DAYLIGHT = st.components.v2.component(
    "edgenes_daylight",
    html="<i\nhidden></i>",
    js="""
export default function ({ setTriggerValue }) {
  const dark = matchMedia("(prefers-color-scheme: dark)")
  const turned = () => setTimeout(() => setTriggerValue("turned", true)) // once the page has its new colours
  dark.addEventListener("change", turned)
  return () => dark.removeEventListener("change", turned)
}
""",
)


def daylight() -> None:
    """Watch the theme of the machine; belongs into the frame, so that the whole page follows."""
    _DAYLIGHT(key="frame_daylight", on_turned_change=lambda: None)
