"""Charts whose points can be clicked, and the pure reading of a click."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    import plotly.graph_objects as go

# The drag mode is never set: with lasso or select as drag mode the browser stops reporting clicks.
CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"], "scrollZoom": False}


def show(fig: go.Figure, *, key: str, on_select: Callable[[], None] | None = None) -> None:
    """Draw a figure with our theme; with `on_select` its points can be clicked."""
    choose: dict[str, Any] = {"on_select": on_select, "selection_mode": "points"} if on_select else {}
    st.plotly_chart(fig, key=key, theme=None, config=CONFIG, **choose)


def chosen_in(event: Mapping[str, Any]) -> str | None:
    """The id carried by the clicked point, None after a click that took the selection away."""
    for point in event["selection"]["points"]:
        found = point.get("customdata")
        found = found[0] if isinstance(found, list) and found else found
        if isinstance(found, str):
            return found
    return None
