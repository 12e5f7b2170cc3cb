"""Which study, judged how, against which method: the controls of the Compare page, and its looks at the test images."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from edgenes_core.study.chosen import ALL, Mode
from edgenes_core.study.folder import Look, Study
from edgenes_core.study.table import Row, Seen, default_reference, mode_of
from pages.widgets import address, studies
from pages.widgets.choices import choose
from pages.widgets.details import markdown_table
from pages.widgets.markdown import plain
from pages.widgets.reveal import reveal_button

PICK, REFERENCE = "compare_study", "compare_reference"
SPLITS = {"val": "validation", "test": "test"}


class Asked(NamedTuple):
    """What the page shows: a study, whom its members are chosen among, the look at test if there is one, and the reference."""

    study: Study
    mode: Mode
    look: Look | None
    reference: str

    @property
    def seen(self) -> Seen:
        return studies.seen_of(self.study, self.mode, self.look)

    @property
    def rows(self) -> list[Row]:
        return studies.rows_of(self.study, self.mode, self.look, self.reference)

    @property
    def split(self) -> str:
        return "val" if self.look is None else "test"

    @property
    def where(self) -> str:
        """Split, number of images, origin: what stands under each number."""
        look = f", look {self.look.number}" if self.look else ""
        return f"{SPLITS[self.split].capitalize()}, n = {len(self.seen.y)} images{look}, {studies.origin(self.study)}"

    def title(self, arm: str) -> str:
        return self.study.config.arm(arm).shown


def open_study(known: Sequence[Study]) -> Study | None:
    """The study that was chosen, else of those that have something to show the first with the most methods (ablations are of one);
    None if there is none."""
    wanted = studies.asked()[0]
    named = next((study for study in known if study.id == wanted), None)
    shown = [study for study in known if study.has_targets()]
    widest = max(shown, key=lambda study: len({arm.searcher for arm in study.config.arms}), default=None)
    return named or widest or next(iter(known), None)


def pick(known: Sequence[Study], study: Study) -> None:
    """Choose a study, and the method that its others are compared with."""
    st.session_state[PICK] = study.id
    names = {study.id: f"{study.id}: {study.config.about}" if study.config.about else study.id for study in known}
    left, right = st.columns([0.68, 0.32], gap="medium")
    left.selectbox("Study", list(names), format_func=names.__getitem__, key=PICK, on_change=_picked)
    with right:
        _reference(study)


def _picked() -> None:
    studies.ask(st.session_state[PICK], "")
    address.publish()


def controls(study: Study) -> Asked | None:
    """Split, mode and reference; None while nothing may be shown, and why."""
    repeats, _ = study.repeats() if study.has_targets() else ([], [])
    if not repeats:
        st.info("Nothing to show yet: no repeat of this study is stored.", icon=":material/info:")
        return None
    with st.container(horizontal=True, gap="medium"):
        kind, on = choose("compare_mode"), choose("compare_on")
    reference = st.session_state[REFERENCE]
    mode = mode_of(study, kind, reference)
    st.caption(f":material/balance: {mode.words[0].upper()}{mode.words[1:]}.{_budget(study, mode, reference)}")
    if on == "val":
        return Asked(study, mode, None, reference)
    look = study.latest(repeats, mode)
    looks_panel(study, look is None, mode)
    return None if look is None else Asked(study, mode, look, reference)


def _reference(study: Study) -> None:
    arms = [arm.name for arm in study.config.arms]
    wanted = studies.asked()[1]
    st.session_state[REFERENCE] = wanted if wanted in arms else default_reference(study)
    st.selectbox(
        "Compared with",
        arms,
        format_func=lambda name: study.config.arm(name).shown,
        key=REFERENCE,
        on_change=_against,
        help="Ties, differences and the paired test are against this method; equal cost means its cost.",
    )


def _against() -> None:
    studies.ask(studies.asked()[0], st.session_state[REFERENCE])
    address.publish()


def _budget(study: Study, mode: Mode, reference: str) -> str:
    """Where the limit comes from."""
    if mode.kind in ("seconds", "images"):
        return f" That is what the dearest repeat of {plain(study.config.arm(reference).shown)} costs."
    return " A method that trained more has had more to choose from." if mode.kind == ALL else ""


def looks_panel(study: Study, offered: bool, mode: Mode) -> None:
    """Count and list of looks; and the button, where the test images were not looked at in this way."""
    seen = study.looks()
    st.caption(
        "A look at the test set is counted and stored with the study: "
        f"**{len(seen)} {'look' if len(seen) == 1 else 'looks'}** so far. The more looks decide what is chosen, the less it says."
    )
    if seen:
        with st.expander("What was looked at, and when", icon=":material/history:", key="compare_history"):
            st.markdown(markdown_table(["look", "time (UTC)", "what"], [_line(look) for look in reversed(seen)]))
    if not offered:
        return
    repeats, _ = study.repeats()
    st.markdown(f"One look would show all {len(repeats)} stored repeats on the test images, {mode.words}.")
    reveal_button(f"Reveal test (look {len(seen) + 1})", lambda: study.look(repeats, mode), key="compare_reveal")


def _line(look: Look) -> list[str]:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(look.time)) if look.time else "not known"
    return [str(look.number), when, plain(f"{len(look.repeats)} repeats, {look.mode}" if look.repeats else "not known")]


def amount(value: float) -> str:
    """Seconds or images: three digits of small ones, thousands apart in large ones."""
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}".replace(",", "\u202f")


def dataset_of(study: Study) -> str:
    """A dataset's name, without the folders before it."""
    return Path(study.config.base.dataset).stem
