"""Named ensembles kept with the run, and the timeline of every team that was tried with it; a click brings either back."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from itertools import count

import pandas as pd
import streamlit as st

from edgenes_core import EdgeNESError
from edgenes_core import team as teams
from edgenes_core.access import Action
from edgenes_core.records import METRICS
from edgenes_core.run_folder import Run
from edgenes_core.storage import StorageError
from edgenes_core.team import Team
from edgenes_core.tried import FILE, Tried, newest_first, note, tried
from pages.widgets import access, data, session, team
from pages.widgets.choices import CHOICES
from pages.widgets.lab_compare import beside_of, put_beside
from pages.widgets.markdown import plain
from pages.widgets.scores import Scored, Stored, stored_of, text_of
from pages.widgets.tools import WIDE, tool

NAME, REPLACE, UNSTORED = "ensembles_name", "_ensembles_replace", "_ensembles_unstored"
SHOWN = ("accuracy", "nll")


def keep_panel(run: Run, scored: Scored) -> None:
    """Keep the team under a letter or a name, take kept ones back, and look back at all that was tried."""
    st.subheader("Keep it", anchor=False)
    now = team.current(scored)
    earlier, why_not = remember(run, scored, now)
    stored, _ = stored_of(run)
    taken = {ensemble.name for ensemble in stored}
    _keep_button(run, scored, now, next_letter(taken))
    for ensemble in stored:
        if ensemble.role == "user":
            _kept(run, scored, ensemble)
    with tool(f"Timeline: {len(earlier)} tried", "history", key="ensembles_timeline") as timeline:
        if timeline.open:
            with st.container(width=WIDE):
                _timeline(run, scored, now, earlier, why_not)


def next_letter(taken: Collection[str]) -> str:
    """A, B, …, Z, A2, B2, …: the first that is free."""
    letters = [chr(ord("A") + k) for k in range(26)]
    return next(
        name for turn in count(1) for letter in letters if (name := f"{letter}{turn if turn > 1 else ''}") not in taken
    )


def remember(run: Run, scored: Scored, now: Team | None) -> tuple[tuple[Tried, ...], str]:
    """Note the present team; all teams tried, the newest first, and why the run folder did not take them, if it did not."""
    mine: dict[str, list[Tried]] = st.session_state.setdefault(UNSTORED, {})
    reasons: dict[str, str] = st.session_state.setdefault(f"{UNSTORED}_why", {})
    try:
        known = _tried(str(run.path), data.stamp(run, FILE))
    except StorageError as error:
        known, reasons[run.id] = (), str(error)
    every = newest_first((*known, *mine.get(run.id, ())))
    if now is not None and teams.identity(now) not in {teams.identity(each.team) for each in every}:
        try:
            new = Tried(time.time(), now, team.evaluation(scored, now))
        except EdgeNESError:  # a team that cannot be judged; the headline says why
            return every, reasons.get(run.id, "")
        every = newest_first((*every, new))
        try:
            access.require(Action.NOTE)
            note(run, new)
        except EdgeNESError as error:
            mine.setdefault(run.id, []).append(new)
            reasons[run.id] = str(error)
    return every, reasons.get(run.id, "")


def keep(run: Run, scored: Scored, now: Team, name: str) -> None:
    """Store the team; StorageError if the name is taken by the pipeline or cannot be a file's name."""
    access.require(Action.KEEP)
    taken = {ensemble.name for ensemble in stored_of(run)[0] if ensemble.role != "user"}
    if name in taken:
        raise StorageError(f"The name {name!r} belongs to an ensemble of the pipeline; choose another one.")
    named = now._replace(name=name)
    run.save_ensemble(name, teams.fields_of(named, "user", "by hand", team.evaluation(scored, now)))


def _keep_button(run: Run, scored: Scored, now: Team | None, letter: str) -> None:
    """One click keeps it under the next letter; a name that is taken is replaced only after a second one."""
    if access.refused(Action.KEEP):
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        name = st.text_input("Name", key=NAME, placeholder=letter, max_chars=60).strip() or letter
        label = f"Keep as {plain(name)}" if len(name) <= 3 else "Keep"
        asked = st.button(label, key="ensembles_save", disabled=now is None)
    if asked:
        kept = {ensemble.name for ensemble in stored_of(run)[0] if ensemble.role == "user"}
        if name in kept:
            st.session_state[REPLACE] = name
        else:
            _store(run, scored, now, name)
    if now is None:
        st.caption("Choose members first.")
    elif st.session_state.get(REPLACE) == name:
        st.warning(f"{plain(name)} is kept already.", icon=":material/warning:")
        with st.container(horizontal=True, gap="small"):
            if st.button("Replace it", key="ensembles_replace"):
                _store(run, scored, now, name)
            if st.button("Leave it", key="ensembles_leave"):
                del st.session_state[REPLACE]
                st.rerun()


def _store(run: Run, scored: Scored, now: Team | None, name: str) -> None:
    with session.guard():
        if now is not None:
            kept = [ensemble.title for ensemble in stored_of(run)[0] if ensemble.role == "user"]
            keep(run, scored, now, name)
            put_beside(run, dict.fromkeys((*beside_of(run, kept), name)))
            st.session_state.pop(REPLACE, None)
            st.toast(f"Kept {plain(name)} with run {run.id}.", icon=":material/check:")
            st.rerun()


def _kept(run: Run, scored: Scored, ensemble: Stored) -> None:
    """What is kept under a name: back with one click, away with two."""
    wanted = Team(ensemble.title, ensemble.members, ensemble.combiner, ensemble.weights)
    usable = team.usable(scored, wanted)
    with st.container(gap=None, key=f"ensembles_kept_{ensemble.name}"):
        with st.container(horizontal=True, gap="small"):
            st.button(
                plain(ensemble.name),
                key=f"ensembles_restore_{ensemble.name}",
                icon=":material/restore:",
                help=f"Bring it back: {plain(_made_of(scored, wanted))}.",
                disabled=not usable,
                on_click=team.take,
                args=(wanted,),
            )
            with st.popover(
                "",
                icon=":material/delete:",
                key=f"ensembles_delete_{ensemble.name}",
                help=f"Delete {plain(ensemble.name)}",
            ):
                st.caption("It is taken from the run folder; the timeline still knows its members.")
                if not access.refused(Action.REMOVE):
                    st.button(
                        f"Delete {plain(ensemble.name)}",
                        key=f"ensembles_really_{ensemble.name}",
                        on_click=_delete,
                        args=(run, ensemble.name),
                    )
        st.caption(_worth(scored, wanted) if usable else "Not usable: a member or the rule is not known.")


def _delete(run: Run, name: str) -> None:
    try:
        access.require(Action.REMOVE)
        run.remove_ensemble(name)
    except EdgeNESError as error:
        session.notify(str(error))


def _timeline(run: Run, scored: Scored, now: Team | None, earlier: Sequence[Tried], why_not: str) -> None:
    """One row for each team, the newest first; a chosen row becomes the basket."""
    st.caption(
        f"{len(earlier)} teams tried with this run, each once, the newest first. The box of a row (or Shift+Space in it) brings its team "
        f"back. Validation, n = {len(scored.y)} images, {session.origin(run)}. The best of many owes something to luck."
    )
    if why_not:
        st.caption(f":material/info: Some are kept in this session only. {plain(why_not)}")
    if not earlier:
        return
    present = teams.identity(now) if now else None
    table = pd.DataFrame([timeline_row(scored, each, present) for each in earlier])
    key = f"ensembles_tried_{len(earlier)}_{hash(present)}"  # no row stays marked when the team changes
    st.dataframe(
        table,
        hide_index=True,
        key=key,
        height="content" if len(earlier) <= 7 else 283,
        selection_mode="single-row",
        on_select=lambda: restore(earlier, st.session_state[key]["selection"]["rows"]),
        alt=f"{len(earlier)} teams tried, with accuracy and NLL on validation",
    )


def timeline_row(scored: Scored, each: Tried, present: object) -> dict[str, str | int]:
    """A team that was tried, as it is written."""
    here = "▸ " if teams.identity(each.team) == present else ""
    return {
        "team": here + _made_of(scored, each.team),
        **{METRICS[name].name: text_of(name, getattr(each.val, name)) for name in SHOWN},
        "first tried": time.strftime("%Y-%m-%d %H:%M", time.localtime(each.time)),
    }


def restore(earlier: Sequence[Tried], rows: Sequence[int]) -> None:
    """The team of the chosen row becomes the basket."""
    if rows and rows[0] < len(earlier):
        team.take(earlier[rows[0]].team)


def _made_of(scored: Scored, wanted: Team) -> str:
    names = [scored.name(name) + (f" × {part}" if part != 1 else "") for name, part in teams.parts_of(wanted).items()]
    return f"{' + '.join(names)} ({CHOICES['combine'].options.get(wanted.combiner, wanted.combiner)})"


def _worth(scored: Scored, wanted: Team) -> str:
    val, parts = team.evaluation(scored, wanted), len(set(wanted.members))
    rule = CHOICES["combine"].options[wanted.combiner]
    numbers = ", ".join(f"{METRICS[name].name} {text_of(name, getattr(val, name))}" for name in SHOWN)
    return f"{parts} network{'' if parts == 1 else 's'} by {rule}: {numbers}"


@st.cache_data(max_entries=16, show_spinner=False)
def _tried(folder: str, stamp: data.Stamp) -> tuple[Tried, ...]:
    from pathlib import Path

    return tried(Run(Path(folder)))
