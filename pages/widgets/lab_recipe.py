"""Only these networks, or the recipe? The team's cells retrained with each seed, against the reference's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from edgenes_core import team_snippets
from edgenes_core.records import METRICS
from edgenes_core.repeats import RecipeRow, Repeats, in_both, recipe_rows, repeats_of
from edgenes_core.run_folder import Run
from edgenes_core.team import Team
from pages.widgets import session, team
from pages.widgets.details import markdown_table
from pages.widgets.lab_beside import change, intervals_wanted
from pages.widgets.lab_headline import LOOKS
from pages.widgets.markdown import plain
from pages.widgets.scores import Scored, text_of
from pages.widgets.tools import View, frame, view_tools


def recipe_section(run: Run, scored: Scored, shown: Team, beside: Team) -> None:
    """A difference with its t interval, or a sentence why there are no seeds to judge by."""
    ours, theirs = (repeats_of(scored, each) for each in (shown, beside))
    if len(ours.teams) == len(theirs.teams) == 1:
        st.caption(
            f":material/info: **These networks only; seeds = 1.** Whether the recipes differ cannot be said: {limit(shown, ours)}, and "
            f"{limit(beside, theirs)}."
        )
        return
    st.markdown(
        "**Only these networks, or the recipe?**",
        help="The intervals above hold for these networks, on other images. Here a repeat is the same cells by the same rule with "
        "networks of other seeds, no network in two repeats, and the seeds are resampled with the images.",
    )
    if not intervals_wanted(scored, (shown, beside), key="recipe"):
        return
    rows = recipe_rows(
        shown, beside, *([team.resampled(scored, each) for each in side.teams] for side in (ours, theirs))
    )
    heads = ["", *(f"{plain(e.name)}, {_seeds(len(side.teams))}" for e, side in ((shown, ours), (beside, theirs)))]
    st.markdown(markdown_table([*heads, "difference [95 %]", "degrees of freedom", ""], list(map(_row, rows))))
    st.caption(" ".join(notes(run, shown, beside, ours, theirs)))
    view = recipe_view(run, shown, beside, rows)
    view_tools(run, view, key="ensembles_recipe")


def limit(each: Team, found: Repeats) -> str:
    """Why there are as many repeats as there are."""
    have = f"the run has {found.trained}" if found.trained > 1 else "the run has one"
    return f"a repeat of {plain(each.name)} needs {_networks(found.needed)} of the cell `{found.cell}`, and {have}"


def notes(run: Run, shown: Team, beside: Team, ours: Repeats, theirs: Repeats) -> list[str]:
    """What a reader must know about the seeds."""
    said = [
        f"Mean ± sd over seeds, accuracy in points where it is a difference, {session.origin(run)}. Intervals: t, over seeds and images, "
        "each by itself; a tie includes 0. The first repeat is the ensemble itself, which may have been chosen for its numbers on "
        "these images; the others were not."
    ]
    said += [
        f"Of {plain(each.name)} these networks only: {limit(each, found)}."
        for each, found in ((shown, ours), (beside, theirs))
        if len(found.teams) == 1
    ]
    if common := in_both(ours, theirs):
        said.append(f"Both sides use {_networks(common)} that are the same, so the intervals are rather too wide.")
    return said


def recipe_view(run: Run, shown: Team, beside: Team, rows: Sequence[RecipeRow]) -> View:
    """The same in words, numbers and code."""
    first = rows[0]
    words = ", ".join(f"{METRICS[row.metric].name} {row.verdict}" for row in rows)
    return View(
        "recipe",
        f"{shown.name} minus {beside.name} over seeds, 95 % t, validation n = {first.n} images",
        f"Over {_seeds(first.seeds)} of {shown.name} and {first.reference_seeds} of {beside.name}, {first.n} validation images: {words}.",
        frame(RecipeRow, list(rows)),
        team_snippets.team_recipe(run, shown, beside),
    )


def _row(row: RecipeRow) -> list[str]:
    color, mark = LOOKS[row.verdict]
    return [
        METRICS[row.metric].name,
        _spread(row.metric, row.value, row.sd),
        _spread(row.metric, row.reference_value, row.reference_sd),
        change(row.metric, row.mean, row.lo, row.hi),
        f"{row.freedom:.0f}",
        f":{color}[{mark}\u00a0{row.verdict}]",
    ]


def _spread(metric: str, value: float, sd: float) -> str:
    """`99.65 ± 0.10 %`, without a spread for one seed."""
    text = text_of(metric, value)
    if np.isnan(sd):
        return text.replace(" ", "\u00a0")
    number, *unit = text.split(" ")
    return "\u00a0".join([number, "±", text_of(metric, sd).split(" ")[0], *unit])


def _seeds(count: int) -> str:
    return f"{count} seed{'' if count == 1 else 's'}"


def _networks(count: int) -> str:
    return f"{count} network{'' if count == 1 else 's'}"
