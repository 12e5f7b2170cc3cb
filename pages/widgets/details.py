"""What stands behind a clicked point: the cell, its numbers with n and split, and the way into the basket."""

from __future__ import annotations

import streamlit as st

from edgenes_core.architecture import Architecture
from edgenes_core.records import METRICS, Evaluation
from edgenes_core.run_folder import Run
from pages.widgets import session
from pages.widgets.markdown import plain
from pages.widgets.picture import picture
from pages.widgets.scores import Scored, Stored, short_name, text_of

SHOWN = ("accuracy", "nll", "brier", "ece")


def cell_image(run: Run, architecture: Architecture, base: Architecture, *, key: str) -> None:
    """The cell beside α*, drawn and in a sentence; ≠ and dashes mark what α* does not have."""
    from edgenes_core.figures.cells import change_sentence
    from edgenes_core.figures.thumbnail import cell_thumbnail

    picture(cell_thumbnail(run.space, architecture, base, dark=session.dark()), key=f"{key}_cell")
    st.caption(change_sentence(architecture, base))


def network_details(run: Run, scored: Scored, cell_key: str, *, key: str) -> None:
    """Cell, numbers of each seed, and a button that adds the cell's first network to the basket."""
    rows = scored.cells()[cell_key]
    first = scored.trainings[rows[0]]
    st.markdown(f"**{plain(short_name(first, scored.base))}** · `{cell_key}`")
    cell_image(run, first.architecture, scored.base, key=key)
    heads = ["seed", *(METRICS[m].name for m in SHOWN)]
    numbers = [[str(scored.trainings[i].seed), *_row(scored.single[i])] for i in rows]
    st.markdown(markdown_table(heads, numbers))
    n = len(scored.y)
    said = "1 seed: no spread" if len(rows) == 1 else f"{len(rows)} seeds"
    st.caption(f"{n} validation images · {said} · {session.origin(run)}")
    basket_button(first.id, key=key)


def ensemble_details(run: Run, scored: Scored, stored: Stored, *, key: str) -> None:
    """Members and numbers of an ensemble; its members can become the basket."""
    st.markdown(f"**{plain(stored.title)}**")
    st.markdown("\n".join(f"- {plain(scored.name(member))}" for member in stored.members))
    names = (*SHOWN, "disagreement", "oracle_accuracy")
    rows = [[METRICS[m].name, text_of(m, getattr(stored.val, m))] for m in names]
    st.markdown(markdown_table(["", "validation"], rows))
    rule = f" · chosen by rule '{plain(stored.rule)}'" if stored.rule else ""
    st.caption(f"{stored.val.n} validation images{rule} · {session.origin(run)}")
    usable = [member for member in stored.members if scored.rows([member])]
    if st.button("Put these members into the basket", key=f"{key}_take", icon=":material/shopping_basket:"):
        session.set_basket(usable)
        st.rerun()


def basket_button(training_id: str, *, key: str) -> None:
    """Add to the basket, or take out again: one button that says which."""
    inside = training_id in session.basket()
    label, icon = ("Take out of the basket", "remove") if inside else ("Add to the basket", "add")
    if st.button(label, key=f"{key}_basket", icon=f":material/{icon}:", type="secondary" if inside else "primary"):
        (session.remove_from_basket if inside else session.add_to_basket)(training_id)
        st.rerun()


def _row(evaluation: Evaluation) -> list[str]:
    return [text_of(m, getattr(evaluation, m)) for m in SHOWN]


def markdown_table(heads: list[str], rows: list[list[str]]) -> str:
    """A static table, the first column to the left and the others to the right."""
    small = [[f":small[{cell}]" if cell else "" for cell in line] for line in (heads, *rows)]
    lines = [small[0], [":--", *["--:"] * (len(heads) - 1)], *small[1:]]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
