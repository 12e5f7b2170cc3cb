"""Quality by edges shared with α*: is farther worse, does the hypernetwork beat random deviation, does warming help?"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from edgenes_core.records import METRICS as NAMED
from edgenes_core.reported import BY_SHARED, WARMED, WARMED_2023, Reported
from edgenes_core.study.budget import Test
from edgenes_core.study.by_shared import Farther, Stratum, compared, farther, strata
from edgenes_core.study.folder import Study
from pages.widgets import session
from pages.widgets.charts import show
from pages.widgets.choices import choose
from pages.widgets.compare_pick import dataset_of
from pages.widgets.compare_table import change_of
from pages.widgets.details import markdown_table
from pages.widgets.markdown import plain
from pages.widgets.published_lambda import slope_words
from pages.widgets.published_parts import (
    COMMAND,
    measured_by,
    missing,
    published_panel,
    say_damaged,
    sources,
    strata_panels,
    tested,
    text_of,
    tools,
    verdict,
)

SHARED_TITLE = "edges shared with α*"
CONSTANT = ("as-is", "constant-c", "constant-t", "no-warming")


def farther_tab() -> None:
    """The census: cells drawn uniformly at each number of shared edges, which no search has chosen."""
    metric, arms = choose("published_y"), ("census", "deviation")
    used = measured_by("census")
    used += [study for study in measured_by("edgenes", "deviation") if study not in used]
    if not used:
        missing("census")
        return
    say_damaged(used)
    rows = {study.id: strata(study, arms, metric) for study in used}
    slopes = [row for study in used for row in farther(study, arms, metric)]
    st.markdown(f"**{plain(answer(slopes))}**")
    st.markdown(slope_table(used, slopes))
    words = " ".join([answer(slopes), *slope_words(used, slopes, metric)])
    tools(used, "farther-slopes", words, Farther, slopes, "farther", arms, metric)
    st.markdown("**The networks behind it**")
    said = f"{NAMED[metric].name} by {SHARED_TITLE}, mean over α* with a t interval of 95 %."
    _drawn(used, [], rows, metric, "farther", said, arms)
    st.caption(
        "The seeds claim it (“the further architecture locates the worse accuracy it performs”) and no stored experiment of theirs "
        "measures it. Census: cells drawn uniformly among those that share exactly so many edges. RandomD: one such cell for each "
        "distance. A cell's seeds are averaged, then a repeat's cells; intervals and slopes are over the α*, each with a search of "
        f"its own. Larger: `{COMMAND} census --seeds 20`."
    )


def answer(slopes: Sequence[Farther]) -> str:
    """In one sentence, and no more than the intervals allow."""
    drawn = [row for row in slopes if row.n > 1]
    worse = [row for row in drawn if not row.tie and (row.slope < 0) == (row.metric == "accuracy")]
    better = [row for row in drawn if not row.tie and row not in worse]
    ties = len(drawn) - len(worse) - len(better)
    if not drawn:
        return "Not answered: a slope needs two α* at least."
    said = f"Is farther from α* worse? Of {len(drawn)} samples of unchosen cells, {len(worse)} say yes, {len(better)} say the opposite, {ties} tie."
    return f"{said} Each sample by its own 95 % interval, not corrected for their number."


def slope_table(used: Sequence[Study], slopes: Sequence[Farther]) -> str:
    """A line for each sample of cells."""
    names, heads = (
        {study.id: dataset_of(study) for study in used},
        ["cells", "per edge farther [95 %]", "p", "α*", "networks", "", "detectable"],
    )
    lines = []
    for row in slopes:
        test = Test(row.slope, row.lo, row.hi, row.p, row.detectable, row.n)
        several = row.n > 1
        lines.append([
            plain(f"{names[row.study]}, {row.title}"),
            change_of(row.metric, row.slope, row.lo, row.hi),
            f"{row.p:.3f}" if several else "",
            str(row.n),
            str(row.networks),
            verdict(row.metric, test) if several else "one α*",
            text_of(row.metric, row.detectable) if several else "",
        ])  # fmt: skip
    return markdown_table(heads, lines)


def random_tab() -> None:
    """Cells of the hypernetwork against random deviations of α* with as many shared edges."""
    metric, arms = choose("published_y"), ("edgenes", "deviation")
    used = measured_by(*arms)
    if not used:
        missing("methods")
        return
    say_damaged(used)
    rows = {study.id: strata(study, arms, metric) for study in used}
    words = " ".join(
        f"{dataset_of(study)}, EdgeNES minus random deviation: "
        + "; ".join(f"{m} shared {tested(metric, test)}" for m, test in compared(study, *arms, metric).items())
        + "."
        for study in used
    )
    hyper, deviation = BY_SHARED
    gaps = ", ".join(f"{a - b:+.1f}" for a, b in zip(hyper.value, deviation.value, strict=True)).replace("-", "−")
    words = f"Published differences at 0, 1, 2, 3 shared edges: {gaps} points, each smaller than either spread. {words}"
    _drawn(used, [(hyper, "edgenes"), (deviation, "deviation")], rows, metric, "random", words, arms)
    st.caption(
        "The thesis calls the published differences significant; from its own means and spreads a t test gives p ≥ 0.47 at every "
        "number of shared edges. Ours: t over seeds, each arm and seed with an α* of its own; not corrected for the several places."
    )
    sources(hyper)


def warming_tab() -> None:
    """Weight and temperature of the regulariser constant or warmed."""
    metric = choose("published_y")
    used = measured_by("as-is", "no-warming")
    if not used:
        missing("ablations")
        return
    say_damaged(used)
    rows = {study.id: strata(study, CONSTANT, metric) for study in used}
    parts = []
    for study in used:
        titles = {arm.name: arm.shown for arm in study.config.arms}
        for arm, title in ((arm, titles[arm]) for arm in CONSTANT[1:] if arm in titles):
            found = compared(study, "as-is", arm, metric)
            parts.append(
                f"{dataset_of(study)}, EdgeNES minus {title}: "
                + "; ".join(f"{m} shared {tested(metric, test)}" for m, test in found.items())
                + "."
            )
    on, off = WARMED
    gaps = ", ".join(f"{a - b:+.1f}" for a, b in zip(on.value, off.value, strict=True)).replace("-", "−")
    words = f"Published differences, warmed minus not, at 1, 2, 3 shared edges: {gaps} points. {' '.join(parts)}"
    _drawn(used, [(on, "as-is"), (off, "no-warming")], rows, metric, "warming", words, CONSTANT)
    st.caption(
        "The slides of 2023 show another table, of one training each; its warmed columns are 4 to 10 points higher."
    )
    st.markdown(_table(WARMED_2023))
    sources(on, *WARMED_2023)


def _table(series: Sequence[Reported]) -> str:
    heads = ["λ", *(each.label for each in series)]
    places = series[0].x
    return markdown_table(
        heads, [[f"{x:g}", *(f"{each.value[k]:.1f} %" for each in series)] for k, x in enumerate(places)]
    )


def _drawn(
    used: list[Study], published: Sequence[tuple[Reported, str]], rows: dict[str, list[Stratum]], metric: str,
    name: str, words: str, arms: Sequence[str],
) -> None:  # fmt: skip
    from edgenes_core.figures.beside import plot_beside

    panels = [published_panel("CIFAR-100", published, "test accuracy, %")] if published else []
    panels += strata_panels(used, [row for study in used for row in rows[study.id]], metric)
    figure = plot_beside(panels, SHARED_TITLE, dark=session.dark(), whole=True)
    show(figure, key=f"published_{name}", alt=words)
    every = [row for study in used for row in rows[study.id]]
    tools(used, name, words, Stratum, every, "strata", arms, metric, figure=figure)
