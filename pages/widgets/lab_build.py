"""What the ensemble is made of: the basket, the rule by which its members become one, and their weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from edgenes_core.combining import COMBINERS
from edgenes_core.combining.judging import FOLDS
from edgenes_core.run_folder import Run
from edgenes_core.team import Team
from pages.widgets import session, team
from pages.widgets.choices import choose
from pages.widgets.details import markdown_table
from pages.widgets.markdown import plain
from pages.widgets.scores import Scored, stored_of

MEMBERS, PART = "ensembles_members", "ensembles_part_"
MOST_PARTS = 99
QUICK = {"selected": "Take the selected", "deepens": "Take DeepEns"}


def build_panel(run: Run, scored: Scored) -> None:
    """Members, rule, weights."""
    st.subheader("Your ensemble", anchor=False)
    _members(run, scored)
    rule = choose("combine")
    spec = COMBINERS[rule]
    st.caption(f"{spec.about[0].upper()}{spec.about[1:]}: `{spec.formula}`", help=f"Source: {spec.cite}")
    if spec.fitted:
        st.caption(_fitted_on(len(scored.y)))
    members = [name for name in session.basket() if scored.rows([name])]
    for sentence in oddities(scored, members):
        st.caption(f":material/info: {sentence}")
    if rule == "weights" and members:
        _parts(scored, members)
    shown = team.current(scored)
    if shown and (shares := team.fitted_shares(scored, shown)) is not None:
        _shares(scored, shown, shares)


def oddities(scored: Scored, members: Sequence[str]) -> list[str]:
    """What a reader must know about who is in the team."""
    said = []
    if len(members) == 1:
        said.append("One member: this is a single network. Averaging starts with two.")
    if missing := [name for name in session.basket() if not scored.rows([name])]:
        said.append(f"{len(missing)} of the basket cannot be used and {'is' if len(missing) == 1 else 'are'} left out.")
    rows = scored.rows(members)
    cells: dict[str, list[str]] = {}
    same: dict[str, list[str]] = {}
    for row, name in zip(rows, members, strict=True):
        cells.setdefault(scored.keys[row], []).append(name)
        same.setdefault(scored.prints[row], []).append(name)
    for key, names in cells.items():
        if len(names) > 1:
            said.append(f"{len(names)} are networks of one cell, `{key}`, from different seeds: a deep ensemble.")
    for names in same.values():
        if len(names) > 1:
            listed = " and ".join(plain(scored.name(name)) for name in names)
            said.append(f"{listed} predict exactly the same on all images: together they only weigh more.")
    return said


def _members(run: Run, scored: Scored) -> None:
    st.session_state[MEMBERS] = [name for name in session.basket() if name in scored.ids]
    st.multiselect(
        "Members",
        scored.ids,
        format_func=scored.name,
        key=MEMBERS,
        on_change=_take_members,
        placeholder="Choose networks, here or on other pages",
        help="Each network once. Two networks of one cell, from different seeds, are two members.",
    )
    stored = {ensemble.name: ensemble for ensemble in stored_of(run)[0]}
    with st.container(horizontal=True, gap="small"):
        for name, label in QUICK.items():
            if name in stored:
                found = stored[name]
                wanted = Team(found.title, found.members, found.combiner, found.weights)
                st.button(label, key=f"ensembles_{name}", on_click=team.take, args=(wanted,))
        st.button(
            "Empty", key="ensembles_empty", on_click=session.set_basket, args=((),), disabled=not session.basket()
        )


def _take_members() -> None:
    session.set_basket(st.session_state[MEMBERS])


def _parts(scored: Scored, members: Sequence[str]) -> None:
    """A whole number for each member; all 0 is refused where it is typed."""
    known = dict(zip(session.basket(), session.weights(), strict=True))
    columns = st.columns(2, gap="small")
    for place, name in enumerate(members):
        st.session_state[f"{PART}{name}"] = known[name]
        columns[place % 2].number_input(
            scored.name(name),
            0,
            MOST_PARTS,
            step=1,
            key=f"{PART}{name}",
            on_change=_take_part,
            args=(name,),
        )
    if st.session_state.pop(f"{PART}refused", False):
        st.error("Weights must not all be 0: give another member a part first.", icon=":material/error:")
    total = sum(known[name] for name in members)
    if total:
        said = ", ".join(f"{plain(scored.name(name))} {100 * known[name] / total:.1f} %" for name in members)
        st.caption(f"Shares: {said}.")


def _take_part(name: str) -> None:
    parts = dict(zip(session.basket(), session.weights(), strict=True)) | {name: st.session_state[f"{PART}{name}"]}
    if any(parts.values()):
        session.set_weights(parts.values())
    else:
        st.session_state[f"{PART}refused"] = True


def _fitted_on(images: int) -> str:
    least, most = images - -(-images // FOLDS), images - images // FOLDS
    count = f"{least}" if least == most else f"{least} or {most}"
    return (
        f"Fitted on validation, so judged in {FOLDS} folds: each of the {images} images is predicted by a fit on {count} others, "
        "which has not seen it."
    )


def _shares(scored: Scored, shown: Team, shares: np.ndarray) -> None:
    rows = [
        [plain(scored.name(name)), f"{100 * share:.1f} %"] for name, share in zip(shown.members, shares, strict=True)
    ]
    st.markdown(markdown_table(["member", "mean load" if shown.combiner == "gate" else "weight"], rows))
    st.caption(f"Fitted on all {len(scored.y)} validation images: what the rule would do with new ones.")
