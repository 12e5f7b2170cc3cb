"""The click that looks at test images: drawn for those who may, counted and stored by what it calls."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from edgenes_core.access import Action
from pages.widgets import access, session


def reveal_button(label: str, look: Callable[[], object], *, key: str) -> None:
    """`look` counts, stores and reads; then the page is drawn anew with what it has shown."""
    if access.refused(Action.REVEAL):
        return
    if st.button(label, key=key, icon=":material/visibility:"):
        with session.guard():
            access.require(Action.REVEAL)
            look()
            st.rerun()
