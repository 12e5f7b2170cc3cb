"""Trade-off: what diversity costs in quality, for every retrained cell, every stored ensemble, and all of the pool."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from edgenes_core.plane import PlaneInfo
from edgenes_core.run_folder import Run
from edgenes_core.team import Team
from edgenes_core.tradeoff import CLOUD, ENSEMBLE
from pages.widgets import farther, session, team
from pages.widgets.charts import choose_beside, points_in, selectable
from pages.widgets.choices import choose
from pages.widgets.chosen import selection_panel
from pages.widgets.details import ensemble_details, network_details
from pages.widgets.markdown import plain
from pages.widgets.plane import Asked, cells_behind, cloud_of, figure, info_of, pool_cloud, provenance, view_of
from pages.widgets.scores import Scored, Stored, has_networks, scored_of, stamp_of, stored_of
from pages.widgets.tools import view_tools
from pages.widgets.turns import turn

CHART, PICK, SEEN = "tradeoff_plane", "tradeoff_pick", "_tradeoff_seen"
FIRST = f"{ENSEMBLE}selected"  # shown beside the plane until something else is chosen


@st.fragment
@turn()
def page(run: Run) -> None:
    with session.guard():  # inside: what a fragment raises does not reach its caller
        if has_networks(run, "the trade-off plane"):
            scored, (stored, broken) = scored_of(run), stored_of(run)
            asked = plane(run, scored, stored)
            farther.panel(run, scored, asked.y)
            for sentence in (*scored.left_out, *broken):
                st.warning(plain(sentence), icon=":material/info:")


def plane(run: Run, scored: Scored, stored: list[Stored]) -> Asked:
    """The plane, what stands behind the chosen point, and the selected cells."""
    asked = question()
    info, cloud = info_of(run, asked), cloud_of(run, asked)
    names = points(scored, info, cloud)
    follow(names, info, cloud)
    drawn = (str(run.path), stamp_of(run), asked)
    words = view_of(run, asked)
    chart, side = st.columns([0.7, 0.3], gap="medium")
    with chart:
        selectable(
            lambda keys: figure(*drawn, keys, session.dark()),
            key=CHART,
            keys_of=lambda point: cells_behind(info, cloud, point),
            alt=words.summary,
        )
        st.caption(provenance(run, scored, info, asked))
        view_tools(run, words, key="tradeoff_tools", figure=figure(*drawn, session.selection(), session.dark()))
        selection_panel(run, key="tradeoff")
    with side:
        chosen = st.selectbox(
            "Point",
            list(names),
            format_func=names.__getitem__,
            key=PICK,
            placeholder="Click a point, or choose one here",
            on_change=lambda: pick(info, cloud),
        )
        details(run, scored, stored, chosen)
    return asked


def pick(info: PlaneInfo, cloud: PlaneInfo | None) -> None:
    """A point chosen from the list selects its cells, as a click does."""
    choose_beside(CHART, cells_behind(info, cloud, st.session_state[PICK] or ""))


def question() -> Asked:
    """Which diversity and which quality, in one panel or many, with which ensembles."""
    with st.container(horizontal=True, gap="medium"):
        x, against, y = choose("plane_x"), choose("plane_against"), choose("plane_y")
        facets, cloud = choose("plane_facets") == "on", choose("plane_cloud") == "on"
    return Asked(x, against, y, facets, cloud)


def points(scored: Scored, info: PlaneInfo, cloud: PlaneInfo | None) -> dict[str, str]:
    """What the list beside the plane offers: ensembles, cells, and of all ensembles those on the front or selected."""
    names = {i: name for i, name, ensemble in zip(info.ids, info.labels, info.ensemble, strict=True) if ensemble}
    names |= {i: name for i, name, ensemble in zip(info.ids, info.labels, info.ensemble, strict=True) if not ensemble}
    if cloud:
        chosen = set(session.selection())
        offered = [front or set(cells) == chosen for front, cells in zip(cloud.front, cloud.cells, strict=True)]
        names |= {i: name for i, name, offer in zip(cloud.ids, cloud.labels, offered, strict=True) if offer}
    return names


def follow(names: dict[str, str], info: PlaneInfo, cloud: PlaneInfo | None) -> None:
    """The list follows the last click on the plane, and a selection that was made elsewhere."""
    clicked, selected = points_in(st.session_state.get(CHART) or {"selection": {"points": []}}), session.selection()
    before = st.session_state.get(SEEN, ((), ()))
    st.session_state[SEEN] = (clicked, selected)
    wanted, new_here = st.session_state.get(PICK, FIRST), PICK not in st.session_state
    if clicked and clicked != before[0]:
        wanted = clicked[-1]
    elif selected and (new_here or selected != before[1]) and not standing_for(selected, [wanted], info, cloud):
        wanted = standing_for(selected, names, info, cloud) or selected[-1]
    st.session_state[PICK] = wanted if wanted in names else None


def standing_for(
    cells: Iterable[str], points: Iterable[str | None], info: PlaneInfo, cloud: PlaneInfo | None
) -> str | None:
    """The first of these points that stands for exactly these cells."""
    return next((point for point in points if point and set(cells_behind(info, cloud, point)) == set(cells)), None)


def details(run: Run, scored: Scored, stored: list[Stored], chosen: str | None) -> None:
    """What stands behind the chosen point."""
    if chosen is None:
        return
    if chosen.startswith(CLOUD):
        ensemble_details(run, scored, of_the_pool(run, scored, chosen), key="tradeoff")
    elif chosen.startswith(ENSEMBLE):
        ensemble_details(run, scored, next(e for e in stored if ENSEMBLE + e.name == chosen), key="tradeoff")
    else:
        network_details(run, scored, chosen, key="tradeoff")


def of_the_pool(run: Run, scored: Scored, point: str) -> Stored:
    """An ensemble of the cloud, judged like those stored with the run."""
    members = tuple(point.removeprefix(CLOUD).split("+"))
    total = pool_cloud(scored, len(members)).total
    which = "The only ensemble" if total == 1 else f"One of the {total} ensembles"
    title = f"{which} of {len(members)} of the pool"
    return Stored(point, title, "user", "", members, team.evaluation(scored, Team(title, members)))


run = session.page_header("Trade-off", "what does diversity cost in quality, and which cells give most of both?")
page(run)
