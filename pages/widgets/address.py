"""The browser's address bar: always a link to the present view, and where a link that was opened arrives."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from edgenes_core import EdgeNESError
from edgenes_core.permalink import ViewState, to_query
from edgenes_core.run_folder import Run
from pages.widgets import session, studies
from pages.widgets.answers import answers


def view_state(run: Run) -> ViewState:
    """All that a link to the present view holds."""
    chosen = session.history().now
    return ViewState(
        "" if run.id == session.DEMO.name else run.id,
        run.config.seed,
        session.lam_of(run),
        chosen.pin if chosen.pin and run.space.contains(chosen.pin) else None,
        chosen.selection,
        chosen.basket,
        tuple(sorted(answers().items())),
        "dark" if session.dark() else "light",
        chosen.weights,
        *studies.asked(),
    )


def publish() -> None:
    """Write the present view into the address bar; the theme is the browser's own there."""
    try:
        run = session.current_run()
    except EdgeNESError:  # no run is open, so there is nothing to say
        return
    query = to_query(run.space, replace(view_state(run), theme=""))
    st.session_state["published"] = query
    if st.query_params.to_dict() != query:
        st.query_params.from_dict(query)


def news() -> dict[str, str]:
    """Parameters that this session did not write itself: a link was opened, or the back button pressed."""
    published = st.session_state.get("published", {})
    return {name: text for name, text in st.query_params.items() if published.get(name) != text}
