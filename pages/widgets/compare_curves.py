"""What each method has reached by what it has spent, the area under it, and what so many seeds can show at all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from edgenes_core.records import METRICS as NAMED
from edgenes_core.study import snippets
from edgenes_core.study.budget import AreaRow, Curve, Point, areas, common, points
from edgenes_core.study.worth import DEEP
from pages.widgets import session, studies
from pages.widgets.charts import show
from pages.widgets.choices import choose
from pages.widgets.compare_cost import styles_of
from pages.widgets.compare_pick import Asked, amount
from pages.widgets.compare_table import change_of, spread_of
from pages.widgets.details import markdown_table
from pages.widgets.markdown import plain
from pages.widgets.tools import View, frame, view_tools

SHOWN = ("edgenes", "random", "nes_re")
MOST = 6


def tab(asked: Asked) -> None:
    """Curves of some methods, then their areas."""
    from edgenes_core.figures.methods import plot_budgets

    with st.container(horizontal=True, gap="medium"):
        metric, cost = choose("compare_y"), choose("compare_cost")
    every = studies.curves_of(asked.study, metric, asked.look)
    arms = pick(asked, every)
    found = [each for each in every if each.arm in arms]
    several = [each for each in found if len(each.quality) > 1]
    span = common(several, cost)
    figure = plot_budgets(found, styles_of(asked), metric, cost, span, dark=session.dark())
    words = in_words(asked, found, metric, cost)
    show(figure, key="compare_budget", alt=words)
    st.caption(
        f"{asked.where}. The ensemble after each training, its members chosen on validation among those trained so far. Thin: one seed each; thick: "
        "their mean, with a band of ± 1 sd, where all seeds have begun and none has ended (one seed has no band). "
        "Shaded: the budget all have in common. Logarithmic."
    )
    view = View(
        "budget",
        f"{asked.where}",
        words,
        frame(Point, points(found)),
        snippets.curves(asked.study, asked.look, metric, arms),
    )
    view_tools(asked.study, view, key="compare_budget_tools", figure=figure)
    area_section(asked, several, metric, cost, span)


def pick(asked: Asked, every: Sequence[Curve]) -> list[str]:
    """The methods drawn: the reference and the best known ones, until others are chosen."""
    known = list(dict.fromkeys(each.arm for each in every))
    longer = DEEP if asked.reference == "deepens" and DEEP in known else asked.reference  # the same, with more networks
    first = [arm for arm in dict.fromkeys((longer, *SHOWN, *known)) if arm in known]
    chosen: list[str] = st.multiselect(
        "Methods", known, first[: min(4, MOST)], format_func=asked.title, key="compare_arms", max_selections=MOST
    )
    return [arm for arm in known if arm in chosen]


def area_section(
    asked: Asked, found: Sequence[Curve], metric: str, cost: str, span: tuple[float, float] | None
) -> None:
    """The areas over the common budget with the paired test of the seeds."""
    st.markdown("**Area under the curve over the common budget, and the paired test of the seeds**")
    if span is None:
        st.caption(f":material/info: {plain(nothing_common(asked, found, cost))}")
        return
    arms = list(dict.fromkeys(each.arm for each in found))
    reference = next(arm for arm in (asked.reference, DEEP, *arms) if arm in arms)
    rows, beside = areas(asked.study, found, reference, cost), f"minus {plain(asked.title(reference))} [95 %]"
    heads = ["", "n", f"mean {NAMED[metric].name}", beside, "p", "p (all)", "detectable", ""]
    st.markdown(markdown_table(heads, [_line(reference, row, metric) for row in rows]))
    words = area_words(asked.title(reference), rows, metric)
    st.caption(
        f"{asked.where}, {amount(span[0])} to {amount(span[1])} {cost}, mean on a logarithmic axis. Paired t over seeds; intervals hold for "
        "all methods here together (Bonferroni), and so does p (all), which is below 0.05 exactly where there is no tie. Detectable: the difference that so many pairs "
        "with this spread find four times in five."
    )
    view = View(
        "areas",
        asked.where,
        words,
        frame(AreaRow, rows),
        snippets.areas(asked.study, asked.look, metric, cost, arms, reference),
    )
    view_tools(asked.study, view, key="compare_area_tools")


def nothing_common(asked: Asked, found: Sequence[Curve], cost: str) -> str:
    """Which two methods have no budget in common."""
    if not found:
        return "A method of one network has no curve; choose others."
    late = max(found, key=lambda each: getattr(each, cost)[0])
    early = min(found, key=lambda each: getattr(each, cost)[-1])
    return (
        f"No budget in common: {asked.title(early.arm)} has spent all at {amount(getattr(early, cost)[-1])} {cost}, before "
        f"{asked.title(late.arm)} has trained its first network at {amount(getattr(late, cost)[0])}. Leave one of them out."
    )


def _line(reference: str, row: AreaRow, metric: str) -> list[str]:
    factor, digits = (100, 2) if NAMED[metric].unit == "%" else (1, 4)
    own = row.arm == reference
    tested = row.pairs > 1
    return [
        plain(row.title),
        str(row.n),
        spread_of(row.area, row.sd, metric),
        "" if own else change_of(metric, row.mean, row.lo, row.hi),
        f"{row.p:.3f}" if tested else "",
        f"{row.p_adjusted:.3f}" if tested else "",
        f"{row.detectable * factor:.{digits}f}" if tested else "",
        "◆" if own else _verdict(row, metric) if tested else "no test",
    ]


def _verdict(row: AreaRow, metric: str) -> str:
    if row.tie:
        return "tie"
    return "better" if (row.mean > 0) == (NAMED[metric].better == "higher") else "worse"


def area_words(reference: str, rows: Sequence[AreaRow], metric: str) -> str:
    """What the test says, and what it could have said."""
    tested = [row for row in rows if row.pairs > 1]
    if not tested:
        return "A paired test needs two seeds that both methods have."
    said = [f"{row.title} {_verdict(row, metric)} (p = {row.p_adjusted:.3f})" for row in tested]
    n = min(row.pairs for row in tested)
    least = 2 / 2**n
    sign = (
        f"With {n} seeds a test of signs or ranks (Wilcoxon) cannot reach a p below {least:.3g}, so it cannot call any difference significant at 5 %."
        if least > 0.05
        else f"With {n} seeds a test of signs or ranks (Wilcoxon) can reach a p of {least:.3g} at best."
    )
    return f"Against {reference}, p for all methods here together: {', '.join(said)}. {sign}"


def in_words(asked: Asked, found: Sequence[Curve], metric: str, cost: str) -> str:
    """Where each method begins and ends."""
    factor, digits = (100, 2) if NAMED[metric].unit == "%" else (1, 4)
    parts = []
    for arm in dict.fromkeys(each.arm for each in found):
        mine = [each for each in found if each.arm == arm]
        spent, ends = (
            [float(np.mean([values[k] for values in table])) for k in (0, -1)]
            for table in ([getattr(e, cost) for e in mine], [e.quality for e in mine])
        )
        seeds = f"{len(mine)} seed{'' if len(mine) == 1 else 's'}"
        parts.append(
            f"{asked.title(arm)} ({seeds}) from {ends[0] * factor:.{digits}f} at {amount(spent[0])} to {ends[1] * factor:.{digits}f} at {amount(spent[1])}"
        )
    return f"{NAMED[metric].name} by {cost}: {'; '.join(parts) or 'no method is chosen'}."
