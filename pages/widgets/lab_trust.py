"""The Trust tab: is the team as sure as it is right, what a temperature mends, what it gains by not answering, and its doubt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from edgenes_core import trust_snippets
from edgenes_core.comparisons import METHOD
from edgenes_core.measures import QUALITY
from edgenes_core.metrics import BINS
from edgenes_core.run_folder import Run
from edgenes_core.team import Team
from edgenes_core.temperature import SPAN
from edgenes_core.trust import CALIBRATION, Calibrated, Drawn, Tempered, calibrated, drawn, tempered_rows
from pages.widgets import session, team
from pages.widgets.charts import show
from pages.widgets.details import markdown_table
from pages.widgets.lab_beside import (
    NO_TEAM,
    beside,
    change,
    intervals_wanted,
    named,
    number,
    source,
    styles,
    with_interval,
)
from pages.widgets.lab_doubt import diversity_section, doubt_section
from pages.widgets.markdown import plain
from pages.widgets.scores import HASH, Scored, text_of
from pages.widgets.tools import View, frame, view_tools


def tab(run: Run, scored: Scored, shown: Team | None) -> None:
    """Each part stands on its own: one that this team does not allow is a sentence, and the others go on."""
    if shown is None:
        st.info(NO_TEAM, icon=":material/info:")
        return
    teams = beside(run, scored, shown)
    intervals = intervals_wanted(scored, teams, key="trust")
    with session.guard():
        reliability_section(run, scored, teams[:2])
    with session.guard():
        calibration_section(run, scored, teams[:2], intervals)
    with session.guard():
        temperature_section(run, scored, teams[:2])
    with session.guard():
        risk_section(run, scored, teams)
    with session.guard():
        diversity_section(run, scored, teams, intervals)
    with session.guard():
        doubt_section(run, scored, shown)


def reliability_section(run: Run, scored: Scored, teams: Sequence[Team]) -> None:
    """Confidence against accuracy in bins, for the team and the reference."""
    from edgenes_core.figures.quality import plot_reliability, reliability_info
    from edgenes_core.figures.tables import Bin, reliability_rows

    look = styles(run, scored, teams)
    infos = [reliability_info(t.name, look[t.name], team.combined(scored, t), scored.y) for t in teams]
    st.markdown("**Is it as sure as it is right?**")
    figure = plot_reliability(infos, dark=session.dark())
    said = "; ".join(
        f"{info.name}: ECE {info.ece:.4f} and {_sureness(info.signed)}, surer than right in "
        f"{int((info.confidence > info.accuracy).sum())} of {len(info.accuracy)} filled bins"
        for info in infos
    )
    show(figure, key="trust_reliability", alt=said)
    caption = f"Reliability, {BINS} equal-width bins, Wilson 95 % of each bin's accuracy, validation n = {len(scored.y)} images"
    view = View(
        "reliability",
        caption,
        f"{BINS} bins of equal width, {len(scored.y)} images; bars: Wilson 95 % of each bin's accuracy. {said}.",
        frame(Bin, reliability_rows(infos)),
        trust_snippets.reliability(run, teams),
    )
    view_tools(run, view, key="trust_reliability_tools", figure=figure)


def _sureness(signed: float) -> str:
    word = "too sure" if signed > 0 else "not sure enough" if signed < 0 else "as sure as right"
    return f"on average {word} by {abs(signed):.4f}" if signed else f"on average {word}"


def risk_section(run: Run, scored: Scored, teams: Sequence[Team]) -> None:
    """Error among the images answered, when the least sure ones are not."""
    from edgenes_core.figures.uncertainty import RiskPoint, plot_risk, risk_info, risk_points

    look = styles(run, scored, teams)
    curves = [risk_info(t.name, look[t.name], team.combined(scored, t), scored.y) for t in teams]
    st.markdown("**What does it gain by not answering?**", help=_help("aurc"))
    figure = plot_risk(curves, dark=session.dark())
    said = "; ".join(
        f"{c.name}: AURC {c.aurc:.4f}, {text_of('accuracy', c.error)} wrong if all are answered" for c in curves
    )
    show(figure, key="trust_risk", alt=said)
    view = View(
        "risk-coverage",
        f"Risk against coverage, surest first, validation n = {len(scored.y)} images",
        f"{said}. Dotted: what the same errors could reach in the best order. n = {len(scored.y)} validation images.",
        frame(RiskPoint, risk_points(curves)),
        trust_snippets.risks(run, teams),
    )
    view_tools(run, view, key="trust_risk_tools", figure=figure)


def calibration_section(run: Run, scored: Scored, teams: Sequence[Team], intervals: bool) -> None:
    """Every measure of calibration, with intervals, the team against the others."""
    found = calibrated({each.name: _drawn(scored, each._replace(name=""), intervals) for each in teams})
    by_name = {each.name: [row for row in found if row.ensemble == each.name] for each in teams}
    first, *others = teams
    heads = ["", named(first), *(head for t in others for head in (named(t), "Δ"))]
    lines = []
    for k, measured in enumerate(CALIBRATION):
        mine = by_name[first.name][k]
        line = [QUALITY[measured].name, with_interval(measured, mine.value, mine.lo, mine.hi)]
        for other in others:
            theirs = by_name[other.name][k]
            line += [with_interval(measured, theirs.value, theirs.lo, theirs.hi), _verdict(theirs)]
        lines.append(line)
    st.markdown("**In numbers**", help="\n\n".join(_help(measured) for measured in CALIBRATION))
    st.markdown(markdown_table(heads, lines))
    corrected = (
        f"Each with its own bootstrap 95 % interval. Δ: {first.name} minus it, paired and corrected, {METHOD}. "
        * intervals
    )
    clear = [r for r in found if intervals and r.ensemble != first.name and not r.tie and _better(r)]
    words = "; ".join(f"{QUALITY[r.measure].name} {_better(r)} than {r.ensemble}" for r in clear)
    said = (f"{first.name}: {words}; all else is a tie." if words else f"{first.name}: ties only.") if intervals else ""
    view = View(
        "calibration",
        f"Calibration of {first.name} beside {' and '.join(t.name for t in others)}, validation n = {len(scored.y)} images",
        f"{source(run, scored)} {corrected}{said}",
        frame(Calibrated, found),
        trust_snippets.calibration(run, teams, intervals),
    )
    view_tools(run, view, key="trust_calibration_tools")


def _verdict(row: Calibrated) -> str:
    """The difference, and whether it is one."""
    text = change(row.measure, row.minus, row.minus_lo, row.minus_hi)
    if "[" not in text:
        return text
    return f"{text} **{'tie' if row.tie else _better(row) or 'differs'}**"


def _better(row: Calibrated) -> str:
    """'better' or 'worse' for the first team; nothing where neither end is good."""
    good = QUALITY[row.measure].better
    return "" if good == "neither" else "better" if (row.minus > 0) == (good == "higher") else "worse"


def temperature_section(run: Run, scored: Scored, teams: Sequence[Team]) -> None:
    """T fitted on one half of validation, after the members are combined, and judged on the other half."""
    st.markdown(
        "**Would a temperature mend it?**", help="softmax(log p̄ / T) after combining (Rahaman and Thiery 2021)."
    )
    found = [row for each in teams for row in _tempered(scored, each)]
    st.markdown(" ".join(sentence(row, other) for row, other in zip(found[:2:2], found[1:2:2], strict=True)))
    heads = ["", "T", "NLL at T = 1", "with T", "change", "ECE at T = 1", "with T"]
    st.markdown(markdown_table(heads, [_tempered_line(row) for row in found]))
    view = View(
        "temperature",
        f"Temperature scaling after combining, halves of n = {found[0].n} and {found[1].n} validation images",
        f"T is fitted on {found[0].n} validation images and judged on the other {found[1].n} (the same for every team), "
        f"{session.origin(run)}. Only the half where it is judged says whether it helps; changes in NLL are paired, each with "
        "its own bootstrap 95 % interval.",
        frame(Tempered, found),
        trust_snippets.temperatures(run, teams),
    )
    view_tools(run, view, key="trust_temperature_tools")


def sentence(fitted: Tempered, judged: Tempered) -> str:
    """What T means, and whether it helps where it was not fitted."""
    t = fitted.temperature
    if abs(np.log(t)) > SPAN - 0.001:
        return (
            f"T = {t:.2f} is the end of its range: on the {fitted.n} images where it is fitted, no error limits it, so it says "
            f"nothing. On the {judged.n} others the NLL goes from {number(judged.nll)} to {number(judged.nll_tempered)}."
        )
    means = "no other temperature does better where it is fitted, so nothing changes"
    if t > 1:
        means = "the team is too sure of itself, and T > 1 spreads its probabilities"
    elif t < 1:
        means = "the team is not sure enough, as averages of members often are, and T < 1 sharpens its probabilities"
    word = "a tie" if judged.lo <= 0 <= judged.hi else "an improvement" if judged.change < 0 else "a loss"
    return (
        f"T = {t:.3f}, fitted on {fitted.n} images: {means}. Which class is named never changes. On the {judged.n} images that T "
        f"has not seen, the NLL goes from {number(judged.nll)} to {number(judged.nll_tempered)}: {word}."
    )


def _tempered_line(row: Tempered) -> list[str]:
    word = "" if row.half == "fitted" else " **tie**" if row.lo <= 0 <= row.hi else ""
    gap = change("nll", row.change, row.lo, row.hi) + word
    nll, ece = (
        (number(value) for value in pair) for pair in ((row.nll, row.nll_tempered), (row.ece, row.ece_tempered))
    )
    return [f"{plain(row.ensemble)}, {row.half} on {row.n}", f"{row.temperature:.3f}", *nll, gap, *ece]


def _help(measured: str) -> str:
    metric = QUALITY[measured]
    return f"**{metric.name}**: {metric.about}." + (f" Source: {metric.source}." if metric.source else "")


def _tempered(scored: Scored, each: Team) -> list[Tempered]:
    return [row._replace(ensemble=each.name) for row in _fitted(scored, each._replace(name=""))]


@st.cache_resource(max_entries=64, show_spinner="Resampling…", hash_funcs=HASH)
def _drawn(scored: Scored, each: Team, intervals: bool) -> Drawn:
    return drawn(team.combined(scored, each), scored.y, intervals=intervals)


@st.cache_data(max_entries=64, show_spinner="Fitting a temperature…", hash_funcs=HASH)
def _fitted(scored: Scored, each: Team) -> list[Tempered]:
    return tempered_rows(each.name, team.combined(scored, each), scored.y)
