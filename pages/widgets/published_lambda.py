"""What λ controls, and whether accuracy depends on it: the thesis's two figures beside our measurements."""

from __future__ import annotations

import numpy as np
import streamlit as st

from edgenes_core.reported import FIXED, ONE_CELL, SHARED
from edgenes_core.study.by_shared import Control, Farther, Network, control, farther, networks
from edgenes_core.study.folder import Study
from pages.widgets import session
from pages.widgets.charts import show
from pages.widgets.choices import choose
from pages.widgets.compare_pick import dataset_of
from pages.widgets.lab_headline import signed
from pages.widgets.published_parts import (
    factor_of,
    measured_by,
    missing,
    points_panel,
    published_panel,
    say_damaged,
    sources,
    tools,
    value_title,
)


def shared_tab() -> None:
    """λ against edges shared with α*."""
    from edgenes_core.figures.beside import plot_beside

    used = list(dict.fromkeys([*measured_by("as-is", "swapped")[:1], *measured_by("edgenes")]))[:2]
    if not used:
        missing("ablations", "methods")
        return
    say_damaged(used)
    arms = ("as-is", "swapped", "edgenes")
    panels = [published_panel("Thesis", [(SHARED, "edgenes")], "edges shared with α*", joined=False)]
    panels += [points_panel(study, networks(study, arms), "shared", "edges shared with α*") for study in used]
    figure = plot_beside(panels, "λ", dark=session.dark(), identity=True)
    rows = [row for study in used for row in control(study, arms)]
    words = control_words(used, rows)
    show(figure, key="published_shared", alt=words)
    st.caption(
        "Each point: a cell that was retrained, at the middle of its stretch of λ. Dotted: as many shared edges as λ asks for. A "
        "number between two whole ones cannot be met, so a quarter of an edge is left on average even by a perfect map. A pool holds one cell for each number of shared edges first, so the "
        "jumps of the swapped formula hardly show in it: Explore λ draws them."
    )
    sources(SHARED)
    found = [each for study in used for each in networks(study, arms)]
    tools(used, "lambda-shared", words, Network, found, "networks", arms, figure=figure)


def control_words(used: list[Study], rows: list[Control]) -> str:
    """Error and falls, published and ours."""
    values, places = np.array(SHARED.value), np.array(SHARED.x)
    falls = int((np.diff(values) < 0).sum())
    said = [
        f"Published: shared edges differ from λ by {np.abs(values - places).mean():.2f} on average and fall {falls} time"
        f"{'' if falls == 1 else 's'} as λ grows (one map, {len(values)} values)."
    ]
    names = {study.id: dataset_of(study) for study in used}
    for row in rows:
        ends = "" if row.n < 2 else f" [{row.lo:.2f}, {row.hi:.2f}]"
        said.append(
            f"{names[row.study]}, {row.title}: {row.error:.2f}{ends}, {row.falls:.1f} falls a map "
            f"({row.n} maps, {row.networks} cells)."
        )
    return " ".join(said)


def accuracy_tab() -> None:
    """Accuracy (or another quality) of the cells along λ."""
    from edgenes_core.figures.beside import plot_beside

    metric, arms = choose("published_y"), ("edgenes", "fixed_lambda")
    used = measured_by("edgenes")
    if not used:
        missing("methods")
        return
    say_damaged(used)
    panels = [published_panel("Fixed λ, k = 2", [(FIXED, "fixed_lambda")], "test accuracy, %", joined=False)]
    found = {study.id: networks(study, arms) for study in used}
    panels += [points_panel(study, found[study.id], metric, value_title(metric)) for study in used]
    figure = plot_beside(panels, "λ", dark=session.dark())
    rows = [row for study in used for row in farther(study, arms, metric)]
    spread = float(np.std(ONE_CELL.value, ddof=1))
    words = (
        f"Published: the seven accuracies of the figure come from one cell ({min(ONE_CELL.value):.2f} to "
        f"{max(ONE_CELL.value):.2f} %, sd {spread:.2f}), so they measure the seed and not λ. "
        + " ".join(slope_words(used, rows, metric))
    )
    show(figure, key="published_accuracy", alt=words)
    sources(ONE_CELL, FIXED)
    every = [each for study in used for each in found[study.id]]
    tools(used, "lambda-accuracy", words, Network, every, "networks", arms, metric="", figure=figure)


def slope_words(used: list[Study], rows: list[Farther], metric: str) -> list[str]:
    """A sentence for each slope: what one edge farther from α* changes, and what could have been found."""
    names, up = {study.id: dataset_of(study) for study in used}, factor_of(metric)
    digits, unit, said = (3, " points", []) if up == 100 else (4, "", [])
    for row in rows:
        head = f"{names[row.study]}, {row.title}: an edge farther from α* changes it by {signed(row.slope * up, digits)}{unit}"
        if row.n < 2:
            said.append(f"{head} (one α*: no interval).")
            continue
        ends = f"[{signed(row.lo * up, digits)}, {signed(row.hi * up, digits)}], p = {row.p:.3f}"
        least = (
            f"; a slope of {row.detectable * up:.{digits}f} would have been found four times in five" if row.tie else ""
        )
        said.append(
            f"{head} {ends}, {'a tie' if row.tie else 'not a tie'} ({row.n} α*, {row.networks} networks{least})."
        )
    return said
