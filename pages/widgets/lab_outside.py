"""Of the Shift tab: does the team doubt images of another kind more than its own?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from edgenes_core import ood, shift_teams, shifted, trust_snippets
from edgenes_core.ood import NAMES, Separation
from edgenes_core.run_folder import Run
from edgenes_core.shift_teams import OWN, Told, told
from edgenes_core.shifted import STAND_INS
from edgenes_core.team import LINEAR, Team
from pages.widgets import session
from pages.widgets.charts import show
from pages.widgets.choices import CHOICES, choose
from pages.widgets.details import markdown_table
from pages.widgets.lab_beside import named
from pages.widgets.lab_predict import name_of, stamp_of
from pages.widgets.scores import HASH, Scored
from pages.widgets.tools import View, frame, view_tools

if TYPE_CHECKING:
    from edgenes_core.figures.uncertainty import ForeignHistogram

RUN = HASH | {Run: lambda run: str(run.path)}


def outside_section(run: Run, scored: Scored, teams: Sequence[Team]) -> None:
    """AUROC of three scores for each team, and the spread of one of them for the team."""
    from edgenes_core.figures.uncertainty import plot_foreign

    st.markdown("**Does it know what it does not know?**")
    sources = sources_of(run, teams[0])
    if not sources:
        st.info("No foreign images are predicted yet for every member of this team.", icon=":material/info:")
        return
    asked, score = choose("outside", only=tuple(sources)), choose("outside_score")
    file, words = sources[asked], CHOICES["outside"].options[asked]
    drawn = [each for each in teams if asked in sources_of(run, each)]
    found = {each.name: _separated(run, scored, each, file) for each in drawn}
    info = _histogram(run, scored, drawn[0], file, score)._replace(source=words)
    figure = plot_foreign(info, dark=session.dark())
    said = _words(found, score, words)
    show(figure, key="shift_foreign", alt=said)
    st.markdown(markdown_table(["AUROC", *map(named, drawn)], _lines(found)))
    st.caption(_caption(run, drawn, next(iter(found.values()))))
    rows = [row for name, each in found.items() for row in told(name, each)]
    own, foreign = rows[0].own, rows[0].foreign
    caption = f"Own against foreign images ({words}) of {drawn[0].name}, validation n = {own}, foreign n = {foreign}"
    view = View("foreign", caption, said, frame(Told, rows), trust_snippets.outside(run, drawn, file))
    view_tools(run, view, key="shift_foreign_tools", figure=figure)


def sources_of(run: Run, each: Team) -> dict[str, str]:
    """Answers of the choice that can be given for a team, with the name that their files have."""
    stored = shift_teams.common_foreign(run, [each])
    found = {source: source for source in STAND_INS if source in stored}
    if shift_teams.hardest(run, each):
        found[OWN] = OWN
    other = next((name for name in map(name_of, shifted.datasets_like(run)) if name in stored), None)
    return found | ({"dataset": other} if other else {})


def _lines(found: dict[str, tuple[Separation, ...]]) -> list[list[str]]:
    return [
        [words, *(f"{s.auroc.value:.3f} [{s.auroc.lo:.3f}, {s.auroc.hi:.3f}]" for s in row)]
        for words, row in zip(NAMES.values(), zip(*found.values(), strict=True), strict=True)
    ]


def _caption(run: Run, teams: Sequence[Team], first: Sequence[Separation]) -> str:
    """n, what the intervals are, and what one network's mutual information is worth."""
    text = (
        f"{first[0].own} own (validation) and {first[0].foreign} foreign images, {session.origin(run)}. AUROC: how often a foreign "
        "image has the higher score; 0.5 is chance. Bootstrap 95 % over images of both kinds, each by itself."
    )
    if any(each.combiner not in LINEAR or each.weights for each in teams):
        text += " Of the plain mean of the members, whatever the rule that combines them."
    if any(len(each.members) == 1 for each in teams):
        text += f" {ood.SINGLE}"
    return text


def _words(found: dict[str, tuple[Separation, ...]], score: str, words: str) -> str:
    parts = [
        f"{name} {s.auroc.value:.3f} [{s.auroc.lo:.3f}, {s.auroc.hi:.3f}]"
        for name, each in found.items()
        for s in each
        if s.score == score
    ]
    return f"AUROC of {NAMES[score]} against {words}: {'; '.join(parts)}."


def _separated(run: Run, scored: Scored, each: Team, file: str) -> tuple[Separation, ...]:
    return _apart(run, scored, each._replace(name=""), file, stamp_of(run, each.members))


def _histogram(run: Run, scored: Scored, each: Team, file: str, score: str) -> ForeignHistogram:
    return _spread(run, scored, each._replace(name=""), file, score, stamp_of(run, each.members))


@st.cache_data(max_entries=64, show_spinner="Telling images apart…", hash_funcs=RUN)
def _apart(run: Run, scored: Scored, each: Team, file: str, stamp: tuple[int, ...]) -> tuple[Separation, ...]:
    return shift_teams.separations_of(run, scored, each, file)


@st.cache_resource(max_entries=64, show_spinner="Telling images apart…", hash_funcs=RUN)
def _spread(run: Run, scored: Scored, each: Team, file: str, score: str, stamp: tuple[int, ...]) -> ForeignHistogram:
    from edgenes_core.figures.uncertainty import foreign_info

    own = ood.scores(scored.probs[scored.rows(each.members)])
    foreign = ood.scores(shift_teams.foreign_of(run, each, file))
    found = next(s for s in _apart(run, scored, each, file, stamp) if s.score == score)
    return foreign_info(file, getattr(own, score), getattr(foreign, score), found)
