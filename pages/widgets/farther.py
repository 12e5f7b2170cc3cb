"""Is farther from α* worse? A fitted slope with its interval, in a sentence that does not promise more than it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from edgenes_core import farther, tradeoff
from edgenes_core.records import METRICS
from edgenes_core.run_folder import Run
from edgenes_core.scored import Scored
from edgenes_core.snippets import literal
from edgenes_core.snippets import snippet as whole
from edgenes_core.statistics import SLOPE_RESAMPLES, StatisticsError
from pages.widgets import session
from pages.widgets.charts import selectable
from pages.widgets.choices import choose
from pages.widgets.scores import HASH
from pages.widgets.tools import View, view_tools

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from edgenes_core.figures.slopes import SlopeInfo

CAVEATS = {
    "all": "All cells of this run. Those along λ were chosen by the hypernetwork, which looks for good cells; random cells and "
    "deviations were not. The slope describes this mixture.",
    "pool": "Cells along λ were chosen by the hypernetwork to be good at their distance: the slope says what following α(λ) "
    "costs, not what distance costs a cell in general.",
    "drawn": "Random cells and random deviations of α\\*: no search chose them, so the slope says what distance costs a cell drawn "
    "blindly. α\\* itself, which a search did choose, is not among them.",
}


def panel(run: Run, scored: Scored, y: str) -> None:
    """Which cells, the chart, and the answer in words."""
    st.subheader("Is farther from α* worse?", anchor=False)
    cells = choose("slope_cells")
    chart, side = st.columns([0.62, 0.38], gap="medium")
    info = slope_info(scored, y, cells)
    answer = in_words(info, y)
    with chart:
        selectable(
            lambda keys: figure(scored, y, cells, keys, session.dark()),
            key="tradeoff_slope",
            keys_of=lambda point: tuple(point.split("+")),
            alt=summary(info),
        )
    with side:
        st.markdown(answer)
        st.caption(
            f"{counted(run, scored, info)}  \n{CAVEATS[cells]} One run, one α\\*: another seed may find another slope. Not corrected for trying several choices."
        )
        view = View(
            "farther",
            f"Validation, n = {len(scored.y)} images",
            summary(info),
            pd.DataFrame(farther.distance_table(scored, farther.distances(scored, y, cells), y)),
            snippet(run, y, cells),
        )
        view_tools(
            run, view, key="tradeoff_slope_tools", figure=figure(scored, y, cells, session.selection(), session.dark())
        )


@st.cache_resource(max_entries=32, show_spinner=False, hash_funcs=HASH)
def slope_info(scored: Scored, y: str, cells: str) -> SlopeInfo:
    """The networks and, where there are enough of them, the slope."""
    from edgenes_core.figures.slopes import SlopeInfo

    found = farther.distances(scored, y, cells)
    try:
        slope = farther.distance_slope(scored, found)
    except StatisticsError:
        slope = None
    keys = tuple(scored.keys[row] for row in found.rows)
    return SlopeInfo(
        scored.space.lambda_max,
        tradeoff.axes(scored, "shared", "base", y)[1],
        found.distance,
        found.quality,
        tuple(scored.role(key) for key in keys),
        keys,
        tuple(scored.name(scored.ids[row]) for row in found.rows),
        slope,
    )


@st.cache_resource(max_entries=32, show_spinner=False, hash_funcs=HASH)
def figure(scored: Scored, y: str, cells: str, marked: tuple[str, ...], dark: bool) -> go.Figure:
    from edgenes_core.figures.slopes import plot_slope

    return plot_slope(slope_info(scored, y, cells), dark=dark, marked=marked)


def in_words(info: SlopeInfo, y: str) -> str:
    """Worse, better, or no slope that can be told from zero; a sentence where there is too little for a slope."""
    found, places = info.slope, len(set(info.distance.tolist()))
    if found is None:
        return f"**No answer:** a slope needs at least 4 cells at 3 different distances; here are {len(set(info.keys))} at {places}."
    metric = METRICS[y]
    if found.lo == found.hi == 0:
        return f"**A tie:** every network has the same {metric.name}."
    change = (
        f"{signed(y, found.slope)} per edge of distance (95 % interval {signed(y, found.lo)} to {signed(y, found.hi)})"
    )
    detectable = signed(y, found.detectable).lstrip("+")
    power = f"A slope of {detectable} per edge either way would be found here four times in five."
    said = f"{metric.name[0].upper()}{metric.name[1:]} changes by {change}. {power}"
    if found.tie:
        return f"**A tie: no slope that can be told from zero.** {said}"
    worse = (found.slope > 0) == (metric.better == "lower")
    return f"**Yes, farther is worse.** {said}" if worse else f"**No, farther is better.** {said}"


def signed(y: str, value: float) -> str:
    """A change of a quality with its sign and unit: shares in points of per cent."""
    metric = METRICS[y]
    factor, unit = (100, " points") if metric.unit == "%" else (1, f" {metric.unit}" if metric.unit else "")
    return f"{factor * value:+.{metric.digits}f}{unit}".replace("-", "−")


def counted(run: Run, scored: Scored, info: SlopeInfo) -> str:
    """n of networks, cells and images, and how the interval is made."""
    how = (
        f" Least squares, every network counted once; interval from {SLOPE_RESAMPLES} resamples of whole cells, since seeds of one "
        "cell are not independent."
    )
    return (
        f"n = {len(info.keys)} networks of {len(set(info.keys))} cells, {len(scored.y)} validation images, "
        f"{session.origin(run)}.{how if info.slope else ''}"
    )


def summary(info: SlopeInfo) -> str:
    """For a reader who cannot see the chart: mean quality at each distance."""
    up = info.y_axis
    means = [
        f"{distance:.0f}: {up.text(info.quality[info.distance == distance].mean())} "
        f"({int((info.distance == distance).sum())})"
        for distance in sorted(set(info.distance.tolist()))
    ]
    return (
        f"Mean {up.title} by distance, number of networks in brackets: {', '.join(means)}."
        if means
        else "No network of these cells is trained."
    )


def snippet(run: Run, y: str, cells: str) -> str:
    """Python that makes the table again, and the slope where there is one."""
    imports = ["from edgenes_core import farther", "from edgenes_core.scored import score_networks"]
    body = f"""
networks = score_networks(run)
found = farther.distances(networks, y={literal(y)}, cells={literal(cells)})
table = farther.distance_table(networks, found, y={literal(y)})
# farther.distance_slope(networks, found) is the slope; it needs 4 cells at 3 different distances
"""
    return whole(run, imports, body)
