"""What the tabs Trust, Shift and Test put beside the team: the reference and its best member; and how their numbers are written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import streamlit as st

from edgenes_core.figures.theme import ROLE_STYLE, Style
from edgenes_core.measures import DIVERSITY, QUALITY
from edgenes_core.run_folder import Run
from edgenes_core.statistics import RESAMPLES
from edgenes_core.team import Team, identity
from pages.widgets import session, team
from pages.widgets.lab_headline import reference, signed
from pages.widgets.markdown import plain
from pages.widgets.scores import Scored, text_of

QUICK = 2000  # images whose intervals are there at once; those of more are asked for
ASKED = "intervals_asked"
BEST = "best member: "
SPARE = tuple(ROLE_STYLE[role] for role in ("pool", "random", "deviation", "base"))
NO_TEAM = "There is no team yet: put a network into the basket, or wait until the run stores an ensemble."


def beside(run: Run, scored: Scored, shown: Team) -> tuple[Team, ...]:
    """The team, the reference, and the team's member of least validation NLL; none of them twice."""
    rows = scored.rows(shown.members)
    best = scored.ids[min(rows, key=lambda row: scored.single[row].nll)]
    other = reference(run, scored, shown)
    teams = (shown, *([other] if other else []), Team(f"{BEST}{scored.name(best)}", (best,)))
    return distinct(teams)


def distinct(teams: Iterable[Team]) -> tuple[Team, ...]:
    """The first of those that are the same in all but their name."""
    found: dict[object, Team] = {}
    for each in teams:
        found.setdefault(identity(each), each)
    return tuple(found.values())


def styles(run: Run, scored: Scored, teams: Sequence[Team]) -> dict[str, Style]:
    """How each is drawn: stored teams and the basket as everywhere, a single member as its cell; never two in one colour."""
    from edgenes_core.figures.planes import cell_style, ensemble_style

    found: dict[str, Style] = {}
    for each in teams:
        stored = each.name == team.YOURS or not each.name.startswith(BEST)
        key = scored.keys[scored.rows(each.members)[0]]
        style = ensemble_style(team.drawn_as(run, each)) if stored else cell_style(scored.role(key))
        taken = {other.color for other in found.values()}
        found[each.name] = style if style.color not in taken else next(s for s in SPARE if s.color not in taken)
    return found


def with_interval(measured: str, value: float, lo: float, hi: float) -> str:
    """`0.0061 [0.0031, 0.0100]`, an interval on one line, the ends in the value's unit; without an interval where there is none."""
    if not np.isfinite(value):
        return "not defined"
    text = minus(text_of(measured, value))
    if not np.isfinite(lo):
        return text
    return bracket(text, *(minus(text_of(measured, end)).removesuffix(" %") for end in (lo, hi)))


def change(measured: str, value: float, lo: float, hi: float) -> str:
    """`−0.0020 [−0.0031, −0.0009]`; shares in points."""
    metric = {**QUALITY, **DIVERSITY}[measured]
    texts = [signed(number * (100 if metric.unit == "%" else 1), metric.digits) for number in (value, lo, hi)]
    return texts[0] if not np.isfinite(lo) else bracket(*texts)


def bracket(value: str, lo: str, hi: str) -> str:
    """A value and its interval, which stays on one line."""
    return f"{value} [{lo},\u00a0{hi}]"


def number(value: float) -> str:
    """Four digits, and no sign before nothing."""
    return minus(f"{value if round(value, 4) else 0.0:.4f}")


def minus(text: str) -> str:
    return text.replace("-", "−")


def intervals_wanted(
    scored: Scored, teams: Sequence[Team], *, key: str, quick: int | None = None, lasts: str = "a few seconds"
) -> bool:
    """Whether intervals are worked out now: at once for few images, for more when asked, once per choice of teams."""
    if len(scored.y) <= (QUICK if quick is None else quick):
        return True
    asked = st.session_state.setdefault(ASKED, set())
    wanted = (scored.digest, tuple(identity(each) for each in teams))
    if wanted not in asked:
        label = f"Work out the 95 % intervals ({RESAMPLES} resamples of {len(scored.y)} images, {lasts})"
        if st.button(label, key=f"{key}_intervals", icon=":material/straighten:"):
            asked.add(wanted)
    return wanted in asked


def source(run: Run, scored: Scored) -> str:
    """n, split and origin, in words that open a caption."""
    return f"Validation, n = {len(scored.y)} images, {session.origin(run)}."


def named(each: Team) -> str:
    """A team's name as Markdown shows it."""
    return plain(each.name)
