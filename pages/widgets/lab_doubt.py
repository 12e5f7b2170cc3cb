"""Of the Trust tab: every measure of how the members differ, and where the team's doubt comes from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from edgenes_core import bootstrap, trust_snippets
from edgenes_core.bootstrap import Interval
from edgenes_core.measures import DIVERSITY
from edgenes_core.run_folder import Run
from edgenes_core.team import LINEAR, Team
from edgenes_core.trust import (
    Doubt,
    DoubtBin,
    Score,
    diversity_scores,
    doubt_bins,
    doubt_of,
    why_undefined,
)
from edgenes_core.weighted import auroc_of
from pages.widgets import session, team
from pages.widgets.charts import show
from pages.widgets.choices import CHOICES, choose
from pages.widgets.details import markdown_table
from pages.widgets.lab_beside import named, source, with_interval
from pages.widgets.scores import HASH, Scored
from pages.widgets.tools import View, frame, view_tools


def diversity_section(run: Run, scored: Scored, teams: Sequence[Team], intervals: bool) -> None:
    """All measures of DIVERSITY of the team beside those of the reference, if that has two members."""
    shown = [t for k, t in enumerate(teams) if not k or len(set(t.members)) > 1]
    found = [row for each in shown for row in _diversity(scored, each, intervals)]
    st.markdown(
        "**How do its members differ?**", help="Neither end is good: members also differ when one of them is bad."
    )
    lines = []
    for k, metric in enumerate(DIVERSITY.values()):
        cells = [_cell(found[k + i * len(DIVERSITY)], each) for i, each in enumerate(shown)]
        cited = f" ({metric.source})" if metric.source else ""
        lines.append([f"**{metric.name}**: :gray[{metric.about}{cited}]", *cells])
    st.markdown(markdown_table(["", *map(named, shown)], lines))
    view = View(
        "diversity",
        f"Diversity of the members of {' and '.join(t.name for t in shown)}, validation n = {len(scored.y)} images",
        f"{source(run, scored)} {'Bootstrap 95 % intervals over images, each by itself. ' * intervals}"
        "What members are built of has none. All members count alike here, whatever their weights.",
        frame(Score, found),
        trust_snippets.diversity(run, shown, intervals),
    )
    view_tools(run, view, key="trust_diversity_tools")


def _cell(row: Score, each: Team) -> str:
    if not np.isfinite(row.value):
        return f"not defined: {why_undefined(row.measure, len(each.members))}"
    return with_interval(row.measure, row.value, row.lo, row.hi)


def doubt_section(run: Run, scored: Scored, shown: Team) -> None:
    """Total entropy as what each member doubts by itself and what members do not agree on."""
    from edgenes_core.figures.uncertainty import plot_doubt

    found = _doubt(scored, shown._replace(name=""))
    total, own, apart = (float(part.mean()) for part in found[:3])
    st.markdown("**Where does its doubt come from?**", help="Depeweg et al. 2018: exact, image by image.")
    for column, (label, value) in zip(
        st.columns(3),
        {"total, H(p̄)": total, "= own, mean H(p_m)": own, "+ mutual information": apart}.items(),
        strict=True,
    ):
        column.metric(label, f"{value:.4f}")
    st.caption(_words(scored, shown, total, apart))
    part = choose("doubt")
    of, about = getattr(found, part), CHOICES["doubt"].options[part]
    bins = doubt_bins(of, found.wrong)
    figure = plot_doubt(bins, about, dark=session.dark())
    said = _told(of, found.wrong, about)
    show(figure, key="trust_doubt", alt=said)
    view = View(
        "doubt",
        f"{about} of {shown.name} on right and wrong images, validation n = {len(scored.y)} images",
        f"{source(run, scored)} {said}",
        frame(DoubtBin, bins),
        trust_snippets.doubt(run, shown, part),
    )
    view_tools(run, view, key="trust_doubt_tools", figure=figure)


def _words(scored: Scored, shown: Team, total: float, apart: float) -> str:
    """What the three numbers say of this team."""
    text = f"Means over {len(scored.y)} validation images, in nats."
    if len(set(shown.members)) == 1:
        return (
            f"{text} The mutual information of a single network is 0 for every image: it has no one to disagree with."
        )
    if total:
        text += f" {100 * apart / total:.0f} % of the doubt is that the members do not agree."
    if shown.combiner not in LINEAR or shown.weights:
        text += " The split is that of the plain mean of the members, whatever the rule that combines them."
    return text


def _told(of: np.ndarray, wrong: np.ndarray, about: str) -> str:
    """Whether wrong images are doubted more than right ones."""
    right, errors = int((~wrong).sum()), int(wrong.sum())
    counts = f"{right} images are named rightly, {errors} wrongly."
    if not errors or not right:
        return f"{counts} Without some of both there is nothing to tell apart."
    if not of.any():
        return f"{counts} It is 0 for every image, so it tells nothing apart."
    value, lo, hi, n = _errors_told(of, wrong)
    few = f" So few ({errors}) are better looked at one by one, in the tab Images." if errors < 10 else ""
    return (
        f"{counts} A wrong one has the higher {about} with probability {value:.3f} [{lo:.3f}, {hi:.3f}] "
        f"(AUROC, bootstrap 95 %, n = {n}).{few}"
    )


@st.cache_data(max_entries=64, show_spinner=False)
def _errors_told(of: np.ndarray, wrong: np.ndarray) -> Interval:
    return bootstrap.interval(auroc_of(of, wrong), len(of))


def _diversity(scored: Scored, each: Team, intervals: bool) -> list[Score]:
    return [row._replace(ensemble=each.name) for row in _differ(scored, each._replace(name=""), intervals)]


@st.cache_data(max_entries=64, show_spinner="Comparing the members…", hash_funcs=HASH)
def _differ(scored: Scored, each: Team, intervals: bool) -> list[Score]:
    rows = scored.rows(each.members)
    cells = [scored.trainings[row].architecture for row in rows]
    return diversity_scores(each.name, scored.probs[rows], scored.y, cells, intervals=intervals)


@st.cache_resource(max_entries=64, show_spinner="Splitting the doubt…", hash_funcs=HASH)
def _doubt(scored: Scored, each: Team) -> Doubt:
    return doubt_of(scored.probs[scored.rows(each.members)], scored.y, team.combined(scored, each))
