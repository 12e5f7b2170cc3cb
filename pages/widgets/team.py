"""The teams of the Ensembles page, judged once and kept: the basket with its rule, and what is stored with the run."""

from __future__ import annotations

import numpy as np
import streamlit as st

from edgenes_core import side_by_side, team
from edgenes_core.bootstrap import Interval
from edgenes_core.combining import COMBINERS
from edgenes_core.combining.errors import CombiningError
from edgenes_core.records import Evaluation
from edgenes_core.run_folder import Run
from edgenes_core.scored import StoredEnsemble
from edgenes_core.side_by_side import Resampled
from edgenes_core.team import MEAN, Team
from pages.widgets import session
from pages.widgets.choices import CHOICES
from pages.widgets.scores import HASH, Scored, stored_of

YOURS = "your ensemble"


def current(scored: Scored) -> Team | None:
    """The basket with the page's rule; None while no network of it can be used."""
    usable = {name: part for name, part in zip(session.basket(), session.weights(), strict=True) if scored.rows([name])}
    if not usable:
        return None
    rule = session.history().now.rule
    return Team(YOURS, tuple(usable), rule, tuple(usable.values()) if rule == "weights" else ())


def shown(run: Run, scored: Scored) -> Team | None:
    """What a tab speaks of: the basket, else the run's selected ensemble, else the first one stored."""
    stored, _ = stored_teams(run, scored)
    return current(scored) or next(iter(stored), None)


def stored_teams(run: Run, scored: Scored) -> tuple[list[Team], list[str]]:
    """Selected, controls, kept ones; a sentence for each that cannot be used."""
    ensembles, broken = stored_of(run)
    teams, missing = team.stored_teams(scored, ensembles)
    return teams, [*broken, *missing]


def usable(scored: Scored, wanted: Team) -> bool:
    """Whether its rule is known and all of its members' predictions can be used."""
    try:
        team.check(wanted)
    except CombiningError:
        return False
    return all(scored.rows([name]) for name in wanted.members)


def drawn_as(run: Run, shown: Team) -> str:
    """The role by which a team is drawn in every chart."""
    roles: dict[str, StoredEnsemble] = {ensemble.title: ensemble for ensemble in stored_of(run)[0]}
    return roles[shown.name].drawn_as if shown.name in roles else "user"


def combined(scored: Scored, shown: Team) -> np.ndarray:
    """(B, C): what a team says about each validation image."""
    return _combined(scored, shown._replace(name=""))


def evaluation(scored: Scored, shown: Team) -> Evaluation:
    """A team judged on validation."""
    return _evaluation(scored, shown._replace(name=""))


def words(scored: Scored, shown: Team) -> str:
    """How the members become one, in a word, where it is not the mean."""
    return "" if shown.combiner == MEAN else f" ({CHOICES['combine'].options[shown.combiner]})"


def resampled(scored: Scored, shown: Team) -> Resampled:
    """A team's measures on every resample of the validation images, for any comparison."""
    return _resampled(scored, shown._replace(name=""))


def measured(scored: Scored, shown: Team, *, intervals: bool) -> tuple[Interval, ...]:
    """A team's value of each of `team_tables.MEASURED`."""
    return _measured(scored, shown._replace(name=""), intervals)


def fitted_shares(scored: Scored, shown: Team) -> np.ndarray | None:
    """(M,) what a fitted rule gives the members on all of validation; None for the other rules."""
    return _fitted_shares(scored, shown._replace(name="")) if COMBINERS[shown.combiner].fitted else None


def take(wanted: Team) -> None:
    """Make a team the current one: its members, weights and rule in one step that can be undone."""
    parts = team.parts_of(wanted)
    weighted = wanted.combiner == MEAN and len(set(parts.values())) > 1  # a member named twice counts twice
    session.set_team(parts, tuple(parts.values()), "weights" if weighted else wanted.combiner)


@st.cache_resource(max_entries=16, show_spinner="Combining the members…", hash_funcs=HASH)
def _combined(scored: Scored, shown: Team) -> np.ndarray:
    return team.combined(scored, shown)


@st.cache_data(max_entries=512, show_spinner=False, hash_funcs=HASH)
def _evaluation(scored: Scored, shown: Team) -> Evaluation:
    return team.evaluation(scored, shown, side_by_side.measures(_combined(scored, shown), scored.y))


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs=HASH)
def _resampled(scored: Scored, shown: Team) -> Resampled:
    return side_by_side.resampled(_combined(scored, shown), scored.y)


@st.cache_data(max_entries=256, show_spinner="Measuring…", hash_funcs=HASH)
def _measured(scored: Scored, shown: Team, intervals: bool) -> tuple[Interval, ...]:
    from edgenes_core.team_tables import measured

    return measured(scored, shown, _combined(scored, shown), intervals=intervals)


@st.cache_data(max_entries=64, show_spinner="Fitting on all of validation…", hash_funcs=HASH)
def _fitted_shares(scored: Scored, shown: Team) -> np.ndarray | None:
    return team.fitted_shares(scored, shown)
