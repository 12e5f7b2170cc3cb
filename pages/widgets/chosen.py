"""The selected cells as a table, and what can be done with them: into the basket, onto the pin, away."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import streamlit as st

from edgenes_core import EdgeNESError
from edgenes_core.architecture import Architecture, shared_edges
from edgenes_core.run_folder import Run
from pages.widgets import data, session
from pages.widgets.known import cells_of
from pages.widgets.scores import Scored, scored_of


class Row(NamedTuple):
    """A selected cell: λ of the middle of its stretch, and validation scores over its seeds (NaN where there are none)."""

    key: str
    shared: int
    lam: float
    seeds: int
    accuracy: float
    accuracy_sd: float
    nll: float
    nll_sd: float


def rows_of(run: Run, keys: tuple[str, ...], scored: Scored | None) -> list[Row]:
    """One row per cell that the run knows, in the order chosen."""
    cells, base, networks = cells_of(run), _base(run), scored.cells() if scored else {}
    found = []
    for key in keys:
        if key in cells:
            mine = [scored.single[i] for i in networks.get(key, ())] if scored else []
            accuracy, nll = ([getattr(judged, m) for judged in mine] for m in ("accuracy", "nll"))
            shared = shared_edges(cells[key], base) if base else -1
            found.append(Row(key, shared, _lam(run, key), len(mine), *_spread(accuracy), *_spread(nll)))
    return found


def selection_panel(run: Run, *, key: str) -> None:
    """The selected cells, and buttons that put their networks into the basket, pin the first as B, or clear the selection."""
    scored = _scored(run)
    rows = rows_of(run, session.selection(), scored)
    if not rows:
        st.caption(
            ":material/ads_click: Nothing is selected. Click a point, Shift-click more, or draw a box or lasso (buttons at the "
            "chart's top right); the selection follows you to the other pages."
        )
        return
    st.markdown(f"**{len(rows)} selected cell{'' if len(rows) == 1 else 's'}**")
    st.dataframe([_shown(row) for row in rows], hide_index=True, key=f"{key}_selected", height=_height(len(rows)))
    seeds, images = sum(row.seeds for row in rows), len(scored.y) if scored else 0
    st.caption(
        f"Mean ± sd over training seeds on {images} validation images, {session.origin(run)}; no sd for one seed."
    )
    with st.container(horizontal=True, gap="small"):
        into = st.button(
            "Networks into the basket",
            key=f"{key}_selected_basket",
            icon=":material/add_shopping_cart:",
            disabled=not seeds,
            help="The seed-0 network of each selected cell that was retrained.",
        )
        pinned = st.button("Pin the first as B", key=f"{key}_selected_pin", icon=":material/keep:")
        cleared = st.button("Clear", key=f"{key}_selected_clear", icon=":material/close:")
    if into:
        _into_basket(run, rows)
    if pinned:
        session.set_pin(cells_of(run)[rows[0].key])
    if cleared:
        session.set_selection(())
    if into or pinned or cleared:
        st.rerun()  # the whole page: link, basket and undo buttons stand outside this panel's fragment


def _into_basket(run: Run, rows: list[Row]) -> None:
    trained = [t.id for t in run.trainings() if run.is_trained(t)]
    first = {}
    for training in trained:
        first.setdefault(training.split("-")[0], training)
    session.set_basket((*session.basket(), *(first[row.key] for row in rows if row.key in first)))


def _spread(values: list[float]) -> tuple[float, float]:
    """Mean and sd, NaN where they are not defined."""
    return (
        float(np.mean(values)) if values else np.nan,
        float(np.std(values, ddof=1)) if len(values) > 1 else np.nan,
    )


def _lam(run: Run, key: str) -> float:
    try:
        found = [i for i in data.path_of(run).intervals if i.architecture.key == key]
    except EdgeNESError:
        return np.nan
    widest = max(found, key=lambda i: i.width, default=None)
    return (widest.lo + widest.hi) / 2 if widest else np.nan


def _shown(row: Row) -> dict[str, str | int]:
    """As it is written: `98.95 ± 0.12 %`, and a dash where nothing was measured."""
    return {
        "cell": row.key,
        "λ ≈": "–" if np.isnan(row.lam) else f"{row.lam:.2f}",
        "shared": row.shared,
        "seeds": row.seeds,
        "accuracy (%)": _with_spread(100 * row.accuracy, 100 * row.accuracy_sd, 2),
        "NLL (nats)": _with_spread(row.nll, row.nll_sd, 4),
    }


def _with_spread(mean: float, sd: float, digits: int) -> str:
    if np.isnan(mean):
        return "–"
    return f"{mean:.{digits}f}" + ("" if np.isnan(sd) else f" ± {sd:.{digits}f}")


def _height(rows: int) -> int | str:
    """All rows of a short table; a long one scrolls."""
    return "content" if rows <= 6 else 248


def _scored(run: Run) -> Scored | None:
    try:
        return scored_of(run)
    except EdgeNESError:  # nothing retrained yet
        return None


def _base(run: Run) -> Architecture | None:
    try:
        return data.base_of(run).architecture
    except EdgeNESError:
        return None
