"""Key numbers of the team in front of the tabs, each beside a reference: better, worse, or a tie."""

from __future__ import annotations

import streamlit as st

from edgenes_core.measures import QUALITY
from edgenes_core.run_folder import Run
from edgenes_core.side_by_side import PAIRED, differences, verdict
from edgenes_core.statistics import RESAMPLES, Difference
from edgenes_core.team import Team, identity
from pages.widgets import session, team
from pages.widgets.markdown import plain
from pages.widgets.scores import Scored, text_of

REFERENCE = "ensembles_reference"
ALONE, BY_MEAN = "best network alone", "the same members by mean"
LOOKS = {"better": ("green", "▲"), "worse": ("red", "▼"), "tie": ("gray", "=")}


def headline(run: Run, scored: Scored, shown: Team | None) -> None:
    """Accuracy, NLL, Brier and ECE of the team, and what they are more or less than the reference's."""
    if shown is None:
        st.info(
            "Nothing is chosen and this run stores no ensemble yet: choose members on the left.", icon=":material/info:"
        )
        return
    name = f"**{plain(shown.name)}**{team.words(scored, shown)}"
    empty = "" if team.current(scored) else " Your basket is empty, so the run's own ensemble is shown."
    left, right = st.columns([0.58, 0.42], gap="small", vertical_alignment="bottom")
    beside = pick_reference(run, scored, shown, right)
    left.markdown(f"{name}: {count(shown)}.{empty}")
    val, places = team.evaluation(scored, shown), []
    for column, metric in zip(st.columns(len(PAIRED), gap="small"), PAIRED, strict=True):
        arrow = "↑" if QUALITY[metric].better == "higher" else "↓"
        places.append(column.container(gap=None))
        places[-1].metric(
            f"{QUALITY[metric].name} {arrow}", text_of(metric, getattr(val, metric)), help=QUALITY[metric].about
        )
    if beside:  # after the numbers, which need not wait for the resamples
        gaps = differences(team.resampled(scored, shown), team.resampled(scored, beside))
        for place, metric, gap in zip(places, PAIRED, gaps, strict=True):
            place.caption(said(metric, gap))
    st.caption(source(run, scored, beside))


def pick_reference(run: Run, scored: Scored, shown: Team, place: st.delta_generator.DeltaGenerator) -> Team | None:
    """What the user compares with, the selected ensemble until told; never what is shown itself."""
    known = references(run, scored, shown)
    if not known:
        return None
    name = place.selectbox(
        "Compared with", list(known), key=_key(shown), help="In these numbers and in the tab Compare."
    )
    return known[name]


def reference(run: Run, scored: Scored, shown: Team) -> Team | None:
    """What `pick_reference` has found."""
    return references(run, scored, shown).get(st.session_state.get(_key(shown), ""))


def references(run: Run, scored: Scored, shown: Team) -> dict[str, Team]:
    """By name: the stored ensembles, the same members by the simple mean where another rule is used, and the network that is best
    alone (by validation NLL); none that is what is shown."""
    best = min(zip(scored.single, scored.ids, strict=True), key=lambda each: (each[0].nll, each[1]))
    known = [*team.stored_teams(run, scored)[0], *by_mean(shown), Team(ALONE, (best[1],))]
    return {
        each.name: each for each in known if each.name != shown.name and (each.name != ALONE or not same(each, shown))
    }


def by_mean(shown: Team) -> tuple[Team, ...]:
    """What any other rule must be compared with."""
    mean = Team(BY_MEAN, tuple(dict.fromkeys(shown.members)))
    return () if same(mean, shown) else (mean,)


def same(a: Team, b: Team) -> bool:
    """Whether two teams are made of the same."""
    return identity(a) == identity(b)


def _key(shown: Team) -> str:
    """What an ensemble of the run is compared with while the basket is empty does not stay when it is filled."""
    return REFERENCE if shown.name == team.YOURS else f"{REFERENCE}_own"


def count(shown: Team) -> str:
    """How many networks are asked for an image."""
    networks = len(set(shown.members))
    return f"{networks} network{'' if networks == 1 else 's'}"


def said(metric: str, gap: Difference) -> str:
    """`▲ better: +0.35 [+0.00, +1.05]`, in points for shares."""
    word = verdict(metric, gap)
    color, mark = LOOKS[word]
    factor, digits = (100, 2) if QUALITY[metric].unit == "%" else (1, 4)
    mean, lo, hi = (signed(value * factor, digits) for value in (gap.mean, gap.lo, gap.hi))
    return f":{color}[{mark} **{word}**] {mean}  \n[{lo}, {hi}]"


def signed(value: float, digits: int) -> str:
    """+0.35, −0.35, and 0.00 without a sign."""
    text = f"{abs(value):.{digits}f}"
    return text if not float(text) else f"{'+' if value > 0 else '−'}{text}"


def source(run: Run, scored: Scored, beside: Team | None) -> str:
    """n, split, origin, and what the intervals are."""
    known = f"Validation, n = {len(scored.y)} images, {session.origin(run)}."
    if beside is None:
        return f"{known} There is nothing to compare with."
    return (
        f"{known} Below each number: minus {plain(beside.name)} on the same images, paired bootstrap 95 % ({RESAMPLES} resamples), "
        "accuracy in points; a tie includes 0. Not corrected for four measures; Compare corrects for all."
    )
