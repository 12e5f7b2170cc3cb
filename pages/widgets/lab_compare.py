"""Teams side by side on the same validation images: differences with simultaneous intervals, and every number with its ties."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import streamlit as st

from edgenes_core import team_snippets
from edgenes_core.comparisons import METHOD
from edgenes_core.records import METRICS
from edgenes_core.run_folder import Run
from edgenes_core.side_by_side import PAIRED, leaders, simultaneous, verdict
from edgenes_core.statistics import RESAMPLES
from edgenes_core.team import Team
from edgenes_core.team_tables import MEASURED, Measured, TeamRow, measured_rows, team_rows
from pages.widgets import session, team
from pages.widgets.charts import show
from pages.widgets.details import markdown_table
from pages.widgets.lab_beside import intervals_wanted, with_interval
from pages.widgets.lab_headline import by_mean, reference
from pages.widgets.lab_recipe import recipe_section
from pages.widgets.markdown import plain
from pages.widgets.scores import Scored, stored_of, text_of
from pages.widgets.tools import View, frame, view_tools

if TYPE_CHECKING:
    from edgenes_core.figures.forest import Compared

BESIDE, MOST_BESIDE = "ensembles_beside", 3
NUMBERS = (*PAIRED, "disagreement")
QUICK = 500  # images on which every measure has its interval at once
CLAIM = (
    "**Bold**: better than every other row, also when corrected for all comparisons of this table. ≈: not told apart from the best "
    "of its column. Disagreement is not ranked."
)


class Sides(NamedTuple):
    """The team and up to three that the user put beside it; and all rows, with the other ensembles of the run."""

    chosen: tuple[Team, ...]
    rows: tuple[Team, ...]


def tab(run: Run, scored: Scored, shown: Team | None) -> None:
    """Differences against the reference, then every number."""
    if shown is None:
        st.caption("Nothing to compare yet.")
        return
    sides = pick(run, scored, shown)
    beside = reference(run, scored, shown)
    if beside is None:
        st.info("There is nothing to compare with: choose more members, or keep another team.", icon=":material/info:")
    else:
        _differences(run, scored, [each for each in sides.rows if each.name != beside.name], beside)
        with session.guard():
            recipe_section(run, scored, shown, beside)
    _numbers(run, scored, sides.rows)
    with st.expander("Every measure, side by side", key="ensembles_measures", on_change="rerun") as every:
        if every.open:
            _measures(run, scored, sides.chosen)


def pick(run: Run, scored: Scored, shown: Team) -> Sides:
    """The team first, then what the user puts beside it, then the run's own ensembles."""
    stored = {each.name: each for each in team.stored_teams(run, scored)[0] if each.name != shown.name}
    roles = {ensemble.title: ensemble.role for ensemble in stored_of(run)[0]}
    kept = [name for name in stored if roles[name] == "user"]
    st.session_state[BESIDE] = [name for name in beside_of(run, kept) if name in stored]
    names = st.multiselect(
        "Beside it",
        [*kept, *(name for name in stored if name not in kept)],
        key=BESIDE,
        on_change=lambda: put_beside(run, st.session_state[BESIDE]),
        max_selections=MOST_BESIDE,
        placeholder="Kept ensembles, at most three",
        help="The run's own ensembles are always compared; those chosen here also stand side by side in every measure.",
    )
    chosen = (shown, *(stored[name] for name in names))
    others = tuple(each for name, each in stored.items() if name not in kept and name not in names)
    return Sides(chosen, (shown, *by_mean(shown), *chosen[1:], *others))


def beside_of(run: Run, kept: Sequence[str]) -> list[str]:
    """Names that the user put beside the team in this run; until then those first kept."""
    return list(st.session_state.get(f"_{BESIDE}_{run.id}", kept))[:MOST_BESIDE]


def put_beside(run: Run, names: Sequence[str]) -> None:
    """Keep the choice over page switches."""
    st.session_state[f"_{BESIDE}_{run.id}"] = tuple(names)[:MOST_BESIDE]


def _differences(run: Run, scored: Scored, teams: Sequence[Team], beside: Team) -> None:
    from edgenes_core.figures.forest import Compared, plot_forest

    gaps = simultaneous([team.resampled(scored, each) for each in teams], team.resampled(scored, beside))
    rows = [Compared(each.name, gap) for each, gap in zip(teams, gaps, strict=True)]
    figure = plot_forest(rows, PAIRED, beside.name, dark=session.dark())
    view = forest_view(run, teams, beside, rows, len(scored.y))
    show(figure, key="ensembles_forest", alt=view.summary)
    st.caption(
        f"Minus {plain(beside.name)} on the same {len(scored.y)} validation images, {session.origin(run)}. Intervals: 95 %, "
        f"{METHOD}, {len(rows) * len(PAIRED)} comparisons, {RESAMPLES} resamples of images. A tie: the interval includes 0."
    )
    view_tools(run, view, key="ensembles_differences", figure=figure)


def forest_view(run: Run, teams: Sequence[Team], beside: Team, rows: Sequence[Compared], n: int) -> View:
    """The same in words, numbers and code."""
    from edgenes_core.figures.tables import Paired, difference_rows

    said = []
    for k, metric in enumerate(PAIRED):
        words = {row.name: verdict(metric, row.differences[k]) for row in rows}
        found = [f"{word}: {', '.join(name for name in words if words[name] == word)}" for word in ("better", "worse")]
        clauses = [clause for clause in found if not clause.endswith(": ")]
        said.append(f"{METRICS[metric].name} {', '.join(clauses) if clauses else 'ties only'}")
    return View(
        "differences",
        f"Differences to {beside.name}, 95 % {METHOD}, validation n = {n} images",
        f"Against {beside.name} on {n} validation images: {'; '.join(said)}.",
        frame(Paired, difference_rows(rows, PAIRED)),
        team_snippets.team_differences(run, teams, beside),
    )


def _numbers(run: Run, scored: Scored, teams: Sequence[Team]) -> None:
    judged = [(each, team.evaluation(scored, each)) for each in teams]
    best = leaders([team.resampled(scored, each) for each in teams])
    heads = [f"{len(scored.y)} validation images", *(METRICS[name].name for name in NUMBERS), "networks"]
    cells = [
        [
            _name(scored, each),
            *(_marked(text_of(m, getattr(val, m)), m, row, best) for m in NUMBERS),
            str(len(set(each.members))),
        ]
        for row, (each, val) in enumerate(judged)
    ]
    st.markdown(markdown_table(heads, cells))
    st.caption(f"{CLAIM} Networks: how many must look at each image.")
    said = "; ".join(_leading(teams, best[:, k], metric) for k, metric in enumerate(PAIRED))
    view = View(
        "ensembles",
        f"Ensembles, validation n = {len(scored.y)} images",
        f"Of {len(teams)} ensembles: {said}.",
        frame(TeamRow, team_rows(judged)),
        team_snippets.team_scores(run, teams),
    )
    view_tools(run, view, key="ensembles_scores")


def _name(scored: Scored, each: Team) -> str:
    name = plain(each.name) + team.words(scored, each)
    return f"**{name}**" if each.name == team.YOURS else name


def _marked(text: str, metric: str, row: int, best: np.ndarray) -> str:
    """A number with what may be claimed of it."""
    if metric not in PAIRED or not best[row, PAIRED.index(metric)]:
        return text
    text = text.replace(" ", "\u00a0")
    return f"**{text}**" if best[:, PAIRED.index(metric)].sum() == 1 else f"{text}\u202f≈"


def _leading(teams: Sequence[Team], best: np.ndarray, metric: str) -> str:
    names = [each.name for each, leads in zip(teams, best, strict=True) if leads]
    name = METRICS[metric].name
    if len(names) == 1:
        return f"{name} is best with {names[0]}"
    return f"{name}: {'all' if len(names) == len(teams) else len(names)} tie for the best"


def _measures(run: Run, scored: Scored, teams: Sequence[Team]) -> None:
    """What stands side by side, in every measure of quality and diversity."""
    wanted = intervals_wanted(scored, teams, key="measures", quick=QUICK, lasts="up to a minute")
    values = [team.measured(scored, each, intervals=wanted) for each in teams]
    heads = ["", *(_name(scored, each) for each in teams)]
    rows = [
        [_measure(name), *("–" if np.isnan(found[k].value) else with_interval(name, *found[k][:3]) for found in values)]
        for k, name in enumerate(MEASURED)
    ]
    st.markdown(markdown_table(heads, rows))
    st.caption(
        f"Validation, n = {len(scored.y)} images, {session.origin(run)}. ↑ higher is better, ↓ lower is better; diversity is neither. "
        "Diversity is the members', who count alike whatever their weights. –: not defined, as for one member. "
        f"{f'Intervals: bootstrap 95 %, {RESAMPLES} resamples of images, each by itself; cells do not depend on images. ' if wanted else ''}"
        "No row is claimed to be better here: see the differences above."
    )
    view = View(
        "measures",
        f"Every measure, validation n = {len(scored.y)} images",
        f"{len(MEASURED)} measures of {len(teams)} ensemble{'' if len(teams) == 1 else 's'}: {', '.join(t.name for t in teams)}.",
        frame(Measured, measured_rows(teams, values)),
        team_snippets.team_measures(run, teams, intervals=wanted),
    )
    view_tools(run, view, key="ensembles_every")


def _measure(name: str) -> str:
    arrow = {"higher": " ↑", "lower": " ↓"}.get(METRICS[name].better, "")
    unit = f" ({METRICS[name].unit})" if METRICS[name].unit not in ("", "%") else ""
    return f"{METRICS[name].name}{unit}{arrow}"
