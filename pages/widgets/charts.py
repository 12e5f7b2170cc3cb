"""Charts whose points can be chosen, and the pure reading of what was chosen."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import streamlit as st

from pages.widgets import session

if TYPE_CHECKING:
    import plotly.graph_objects as go

# The drag mode is never set: with lasso or select as the figure's drag mode the browser stops reporting clicks. The buttons
# for them are in the mode bar.
CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"], "scrollZoom": False}
SELECT = {"displaylogo": False, "displayModeBar": True, "modeBarButtonsToRemove": ["autoScale2d"], "scrollZoom": False}

_CHOOSING = st.components.v2.component(
    "edgenes_chart_choosing",
    html="<i\nhidden></i>",
    js=(Path(__file__).parent / "chart_choosing.js").read_text(encoding="utf-8"),
)


class Drawn(NamedTuple):
    """What a chart was last drawn with: its look without a selection, the keys marked in it, those it reported since,
    whether it did so with a box or lasso, and how often it was drawn anew."""

    look: str
    marked: tuple[str, ...]
    reported: tuple[str, ...]
    boxed: bool = False
    turn: int = 0


def show(fig: go.Figure, *, key: str, on_select: Callable[[], None] | None = None, alt: str | None = None) -> None:
    """Draw a figure with our theme; with `on_select` its points can be clicked. `alt` says what it shows without being seen."""
    choose: dict[str, Any] = {"on_select": on_select, "selection_mode": "points"} if on_select else {}
    st.plotly_chart(fig, key=key, theme=None, config=CONFIG, alt=alt, **choose)


def selectable(
    figure_of: Callable[[tuple[str, ...]], go.Figure],
    *,
    key: str,
    keys_of: Callable[[str], tuple[str, ...]] = lambda point: (point,),
    alt: str | None = None,
) -> None:
    """A chart in which click, shift-click, box and lasso choose cells: `session.selection()`, on every page the same.

    `figure_of(keys)` marks these cells; `keys_of` says which cells a point's id (its `customdata`) stands for. A chart is drawn
    anew only when the selection was changed elsewhere: a new figure takes the user's zoom and drag mode away.
    """
    chosen = session.selection()
    look = hashlib.sha256(figure_of(()).to_json().encode()).hexdigest()
    drawn: Drawn | None = st.session_state.get(_drawn(key)) if key in st.session_state else None
    if drawn is None or drawn.look != look or drawn.reported != chosen:
        drawn = Drawn(look, chosen, chosen, turn=drawn.turn + 1 if drawn else 0)
    st.session_state[_drawn(key)] = drawn
    figure = figure_of(drawn.marked)
    with st.container(gap=None):
        st.plotly_chart(
            figure,
            key=key,
            theme=None,
            # The text is never shown, but it makes each turn another chart: the same one would keep what the browser marked.
            config={**SELECT, "linkText": str(drawn.turn)},
            alt=alt,
            on_select=lambda: _take(key, figure, keys_of),
            selection_mode=("points", "box", "lasso"),
        )
        _CHOOSING(key=f"{key}_choosing", data={"chart": key}, on_emptied_change=lambda: _choose(key, ()))
    st.session_state[_heard(key)] = points_in(st.session_state[key])
    if st.session_state.pop(_changed(key), False):
        st.rerun()  # the whole page: the link, the undo buttons and the other views follow


def choose_beside(key: str, keys: tuple[str, ...]) -> None:
    """Cells chosen in what stands beside a chart and follows it. A message that brings a click on the chart is passed over:
    what stands beside it is behind then, as if the user had changed it back."""
    if key not in st.session_state or points_in(st.session_state[key]) == st.session_state.get(_heard(key)):
        _choose(key, keys)


def _take(key: str, figure: go.Figure, keys_of: Callable[[str], tuple[str, ...]]) -> None:
    """The browser reports the points chosen in one panel; what is chosen in the other panels stays."""
    event, drawn = st.session_state[key], st.session_state[_drawn(key)]
    boxed = bool(event["selection"].get("box") or event["selection"].get("lasso"))
    found = dict.fromkeys(k for point in points_in(event) for k in keys_of(point))
    if not found and not boxed:  # also what a chart says that has been replaced meanwhile
        return
    before, elsewhere = session.selection(), _elsewhere(figure, event, keys_of) if found else set()
    kept = [k for k in before if k in found or k in elsewhere]
    keys = (*kept, *(k for k in found if k not in kept))
    _choose(key, keys)
    # A box added to clicked points: the browser chooses all of them but marks those in the box alone, so draw them anew.
    if not (boxed and not drawn.boxed and any(k in found for k in before)):
        st.session_state[_drawn(key)] = drawn._replace(reported=keys, boxed=boxed)


def _choose(key: str, keys: tuple[str, ...]) -> None:
    if keys != session.selection():
        st.session_state[_changed(key)] = True
        session.set_selection(keys)


def _elsewhere(figure: go.Figure, event: Mapping[str, Any], keys_of: Callable[[str], tuple[str, ...]]) -> set[str]:
    """Keys drawn in panels that the event does not speak of."""
    panels = [trace.xaxis or "x" for trace in figure.data]
    spoken = {panels[point["curve_number"]] for point in event["selection"]["points"]}
    others = [trace for trace, panel in zip(figure.data, panels, strict=True) if panel not in spoken]
    ids = [point for trace in others if trace.customdata is not None for point in trace.customdata]
    return {k for point in ids for k in keys_of(point)}


def _drawn(key: str) -> str:
    return f"_{key}_drawn"


def _heard(key: str) -> str:
    return f"_{key}_heard"


def _changed(key: str) -> str:
    return f"_{key}_changed"


def points_in(event: Mapping[str, Any]) -> tuple[str, ...]:
    """The ids carried by the chosen points, each once, in the browser's order."""
    found = (point.get("customdata") for point in event["selection"]["points"])
    flat = (value[0] if isinstance(value, list) and value else value for value in found)
    return tuple(dict.fromkeys(value for value in flat if isinstance(value, str)))


def chosen_in(event: Mapping[str, Any]) -> str | None:
    """The id carried by the clicked point, None after a click that took the selection away."""
    return next(iter(points_in(event)), None)
