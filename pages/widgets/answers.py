"""What the pages' choices were answered: most answers are kept with the session; how the basket's networks become one is kept with
the basket, of one run, and is undone with it."""

from __future__ import annotations

import streamlit as st

from pages.widgets import session
from pages.widgets.history import Chosen

RULE = "combine"  # the choice that belongs to the basket


def answers() -> dict[str, str]:
    """By the choices' names, where they are not the defaults."""
    rule = session.history().now.rule
    return {**_kept(), **({RULE: rule} if rule != Chosen.rule else {})}


def keep(name: str, value: str, default: str) -> None:
    """Answer a choice."""
    if name == RULE:
        session.choose_cells(rule=value)
    elif value == default:
        _kept().pop(name, None)
    else:
        _kept()[name] = value


def _kept() -> dict[str, str]:
    kept: dict[str, str] = st.session_state.setdefault("choices", {})
    return kept
