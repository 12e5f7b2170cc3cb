"""The plane of cost and quality: what a better number costs, and which methods none beats in both."""

from __future__ import annotations

import streamlit as st

from edgenes_core.records import METRICS as NAMED
from edgenes_core.study import snippets
from edgenes_core.study.plane import CostPoint, cost_points
from pages.widgets import session
from pages.widgets.charts import show
from pages.widgets.choices import choose
from pages.widgets.compare_pick import Asked, amount
from pages.widgets.tools import View, frame, view_tools


def styles_of(asked: Asked) -> dict:  # type: ignore[type-arg]
    """How each method is drawn, in every chart of the study the same."""
    from edgenes_core.figures.methods import method_style

    return {arm.name: method_style(k, arm.shown) for k, arm in enumerate(asked.study.config.arms)}


def tab(asked: Asked) -> None:
    """Every method as a point with its spread."""
    from edgenes_core.figures.methods import plot_costs

    with st.container(horizontal=True, gap="medium"):
        metric, cost = choose("compare_y"), choose("compare_cost")
    points = cost_points(asked.study, asked.seen, metric, cost)
    figure = plot_costs(points, styles_of(asked), metric, cost, dark=session.dark())
    words = in_words(points, metric, cost)
    show(figure, key="compare_plane", alt=words)
    st.caption(
        f"{asked.where}. Means over seeds, bars ± 1 sd. Cost is that of everything: search, trainings, choice; logarithmic. "
        "Rings: the front, by means alone; a step of it may be a tie (see Differences)."
    )
    view = View(
        "cost-quality",
        f"{asked.where}; {asked.mode.words}",
        words,
        frame(CostPoint, points),
        snippets.plane(asked.study, asked.mode, asked.look, metric, cost),
    )
    view_tools(asked.study, view, key="compare_plane_tools", figure=figure)


def in_words(points: list[CostPoint], metric: str, cost: str) -> str:
    """The front, from cheap to good."""
    front = sorted((point for point in points if point.front), key=lambda point: point.cost)
    factor, digits = (100, 2) if NAMED[metric].unit == "%" else (1, 4)
    said = [f"{point.title} ({amount(point.cost)} {cost}, {point.value * factor:.{digits}f})" for point in front]
    return f"By their means, no method is both cheaper and better in {NAMED[metric].name} than: {', '.join(said) or 'none'}."
