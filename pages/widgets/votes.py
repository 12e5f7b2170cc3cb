"""The votes of the shown team, kept until its members, its rule or the run change, and which of their images are asked for."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from edgenes_core.instances import Ask, Votes, votes
from edgenes_core.scored import Scored
from edgenes_core.team import Team
from pages.widgets.choices import CHOICES, answer
from pages.widgets.scores import HASH
from pages.widgets.team import combined

ASKED = "images_asked"


class Asked(NamedTuple):
    """What the Images tab is asked for besides its choices: the members (ids) who are wrong, and no others of `of`; classes; page."""

    wrong: tuple[str, ...] = ()
    of: tuple[str, ...] = ()
    true: int | None = None
    named: int | None = None
    page: int = 1


def members_of(shown: Team) -> tuple[str, ...]:
    """A team's networks, each once."""
    return tuple(dict.fromkeys(shown.members))


def votes_of(scored: Scored, shown: Team) -> Votes:
    """Who says what about each validation image."""
    return _votes(scored, shown._replace(name=""))


def asked() -> Asked:
    """What was asked for; it outlives the tab and the page, but not the run."""
    return _kept().get(st.session_state.get("run", ""), Asked())


def ask_for(**changes: object) -> None:
    """Ask for something else, from the first page on."""
    _kept()[st.session_state.get("run", "")] = asked()._replace(**{"page": 1, **changes})


def ask_of(shown: Team, show: str) -> Ask:
    """As the core takes it; a pattern of another team asks for nothing here."""
    now, members = asked(), members_of(shown)
    pattern = tuple(members.index(name) for name in now.wrong) if now.of == members else None
    return Ask(show, pattern, now.true, now.named)


def open_images() -> None:
    """Turn to the Images tab; all images that are asked for, whatever was chosen there before."""
    answer("images_show", CHOICES["images_show"].default)
    st.session_state["ensembles_tab"] = "Images"


def _kept() -> dict[str, Asked]:
    return st.session_state.setdefault(ASKED, {})


@st.cache_resource(max_entries=32, show_spinner="Collecting the votes…", hash_funcs=HASH)
def _votes(scored: Scored, shown: Team) -> Votes:
    return votes(scored.probs[scored.rows(members_of(shown))], combined(scored, shown), scored.y)
