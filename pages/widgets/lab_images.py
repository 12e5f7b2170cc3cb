"""The Images tab: image by image, what each member says and where they disagree; beside it, what the team takes for what."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from edgenes_core import EdgeNESError, member_snippets, preview
from edgenes_core.instances import Ask, Votes, chosen, columns
from edgenes_core.run_folder import Run
from edgenes_core.run_images import Pictures, validation_pictures
from edgenes_core.team import MEAN, Team
from pages.widgets import data, session
from pages.widgets.choices import CHOICES, choose
from pages.widgets.details import markdown_table
from pages.widgets.lab_confusion import confusion_section
from pages.widgets.markdown import plain
from pages.widgets.scores import Scored
from pages.widgets.tools import View, view_tools
from pages.widgets.vote_grid import Names, grid_html, picture_html, vote_grid
from pages.widgets.votes import ask_for, ask_of, asked, members_of, votes_of

PER_PAGE = 20
KEPT = "explore_image_kept"  # the image that Explore looks into
INSIDE = (
    2048  # images that Explore can look into: `one_shot.MOST_IMAGES`, which is not imported because torch comes with it
)
ANY = -1
CLOSE, TOP = 112, 3  # pixels of the picture looked at closely, and how many classes are said


def tab(run: Run, scored: Scored, shown: Team | None) -> None:
    """Filters, the grid with the image looked at closely, and the confusion matrix."""
    if shown is None:
        st.info("There is no team yet: put a network into the basket.", icon=":material/info:")
        return
    if not session.basket():
        st.caption(f"Your basket is empty, so this is {plain(shown.name)}.")
    found, pictures = votes_of(scored, shown), pictures_of(run, scored)
    classes = pictures.classes if pictures else tuple(map(str, range(scored.probs.shape[2])))
    names = Names([scored.name(name) for name in members_of(shown)], classes)
    ask, sort = filters(shown, names)
    rows = chosen(found, ask, sort)
    grid(run, shown, found, rows, names, pictures)
    closer(run, scored, shown, found, names, pictures)
    images_tools(run, scored, shown, found, ask, sort)
    confusion_section(run, shown, found, classes)


def filters(shown: Team, names: Names) -> tuple[Ask, str]:
    """Which images, in which order. What is chosen outlives the tab; a pattern comes from the Members tab."""
    show = choose("images_show")
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        sort = choose("images_sort")
        for field, label in (("true", "True class"), ("named", "Team says")):
            class_box(field, label, names)
    ask = ask_of(shown, show)
    if ask.pattern is not None:
        wrong = ", ".join(names.members[m] for m in ask.pattern)
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.caption(
                f":material/filter_alt: Only images on which these members are wrong and no others: {plain(wrong)}.",
                width="content",
            )
            st.button("All patterns", key="images_all_patterns", on_click=lambda: ask_for(wrong=(), of=()))
    return ask, sort


def class_box(field: str, label: str, names: Names) -> None:
    """Images of one true class, or those that the team takes for one class."""
    kept, key = getattr(asked(), field), f"images_{field}"
    st.session_state[key] = ANY if kept is None or kept >= len(names.classes) else kept

    def take() -> None:
        ask_for(**{field: None if st.session_state[key] == ANY else st.session_state[key]})

    options = [ANY, *range(len(names.classes))]
    words = ["any", *map(plain, names.classes)]
    st.selectbox(label, options, format_func=lambda place: words[place + 1], key=key, on_change=take, width=130)


def grid(run: Run, shown: Team, found: Votes, rows: np.ndarray, names: Names, pictures: Pictures | None) -> None:
    """A page of images."""
    count, n = len(rows), len(found.y)
    pages = max(1, -(-count // PER_PAGE))
    page = min(asked().page, pages)
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        st.markdown(f"**{count}** of n = {n} validation images ({count / n:.1%})", width="stretch")
        if pages > 1:
            st.session_state["images_page"] = page
            st.number_input(
                f"Page (1 to {pages})",
                1,
                pages,
                key="images_page",
                on_change=lambda: ask_for(page=st.session_state["images_page"]),
                width=150,
            )
    if not count:
        st.caption("No image is like that.")
        return
    some = rows[(page - 1) * PER_PAGE : page * PER_PAGE]
    html = grid_html(found, some, names, pictures.pixels if pictures else None)
    vote_grid(html, st.session_state.get(KEPT), keep_image, key="images_grid")
    st.caption(
        "✓ right, ✗ wrong (also shaded), each with the probability of the class it names. Entropy of the members' mean: blue, what each "
        "member is unsure of by itself; hatched, what they do not agree on (mutual information). Click a picture to look closer."
        + ("" if shown.combiner == MEAN else f" The team combines by {CHOICES['combine'].options[shown.combiner]}.")
    )


def keep_image(image: int) -> None:
    """Look closer here, and on Explore when it is opened."""
    st.session_state[KEPT] = image


def closer(run: Run, scored: Scored, shown: Team, found: Votes, names: Names, pictures: Pictures | None) -> None:
    """One image with the likeliest classes of every member, and the way into the networks."""
    image = st.session_state.get(KEPT)
    if image is None or image >= len(found.y):
        return
    with st.container(border=True, key="images_closer"):
        left, right = st.columns([0.34, 0.66], vertical_alignment="center")
        with left:
            true = names.classes[found.y[image]]
            if pictures:
                st.html(picture_html(pictures.pixels[image], CLOSE, f"validation image {image}, class {true}"))
            st.markdown(f"Image **{image}**, true class **{plain(true)}**")
            if image < INSIDE:
                st.page_link("explore.py", label="Look inside on Explore", icon=":material/search:")
            else:
                st.caption(f"Explore looks into the first {INSIDE} validation images.")
        with right:
            rows = scored.rows(members_of(shown))
            heads = ["member", *(f"{place}." for place in range(1, min(TOP, len(names.classes)) + 1))]
            lines = [
                [plain(name), *likeliest(scored.probs[row, image], names)]
                for name, row in zip(names.members, rows, strict=True)
            ]
            st.markdown(markdown_table(heads, lines))


def likeliest(probs: np.ndarray, names: Names) -> list[str]:
    """The most probable classes of one image, with their probabilities."""
    order = np.argsort(-probs, kind="stable")[:TOP]
    return [f"**{plain(names.classes[place])}** {probs[place]:.3f}" for place in order]


def images_tools(run: Run, scored: Scored, shown: Team, found: Votes, ask: Ask, sort: str) -> None:
    """All images asked for, not only this page."""
    names = [scored.name(name) for name in members_of(shown)]
    rows = chosen(found, ask, sort)
    table = pd.DataFrame(columns(found, rows, names))
    wrong = int(found.team_wrong[rows].sum())
    apart = int((found.apart[rows] > 0).sum())
    said = f"Of {len(rows)} images asked for the team is wrong on {wrong}, and members disagree on {apart}; {session.origin(run)}."
    caption = f"Votes of {shown.name}, {len(rows)} of n = {len(found.y)} validation images"
    view = View("votes", caption, said, table, member_snippets.team_images(run, shown, ask, sort))
    view_tools(run, view, key="images_tools")


def pictures_of(run: Run, scored: Scored) -> Pictures | None:
    """The images, or a sentence that says why there are only votes."""
    try:
        return _pictures(str(run.path), data.stamp(run, "run.json", "targets.npz"), preview.stamp(run.config.dataset))
    except EdgeNESError as error:
        st.caption(f":material/info: The votes are here, but not the pictures. {plain(str(error))}")
        return None


@st.cache_resource(max_entries=2, show_spinner="Reading the run's validation images (once)…")
def _pictures(folder: str, stamp: data.Stamp, files: tuple[int, ...]) -> Pictures:
    return validation_pictures(Run(Path(folder)))
