"""Choose for me: a rule searches the pool on validation, for a criterion, with or without a reward for diversity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from edgenes_core import team_snippets
from edgenes_core.run_folder import Run
from edgenes_core.selecting import MOST_SUBSETS, WIDTH, Choice, Pool, choose, pool_of
from edgenes_core.selecting.steps import Step, ensembles_of, steps
from edgenes_core.shifted import Condition
from edgenes_core.shifted_pool import in_words
from edgenes_core.team import Team
from pages.widgets import session, team
from pages.widgets.charts import show
from pages.widgets.choices import CHOICES
from pages.widgets.choices import choose as asked_for
from pages.widgets.lab_predict import stamp_of
from pages.widgets.lab_worse import judged_on, worse_pool
from pages.widgets.markdown import plain
from pages.widgets.scores import HASH, Scored
from pages.widgets.searching import Search
from pages.widgets.tools import View, frame, view_tools

SIZE, GAMMA, SEARCH, FOUND = "ensembles_size", "ensembles_gamma", "ensembles_search", "_ensembles_found"
MOST_SIZE, LARGEST = 99, 10
QUICK = {"nll": 1.5e7, "brier": 1.5e7, "accuracy": 2e6}
"""Ensembles × images that are scored without being asked for: a few tenths of a second."""
EVERY = 0.3  # seconds between two looks at a search
KEPT = 64


class Asked(NamedTuple):
    """A question to the pool of networks with this digest, about images as they are or made worse (`stamp`: of those predictions)."""

    digest: str
    rule: str
    criterion: str
    gamma: float
    size: int
    worse: tuple[Condition, ...] = ()
    stamp: tuple[int, ...] = ()


def choose_panel(run: Run, scored: Scored) -> None:
    """What a rule chooses, what it is worth, and the way into the basket."""
    st.subheader("Choose for me", anchor=False)
    ids = [scored.ids[row] for row in scored.pool()]
    if not ids:
        st.caption("The pool is empty: no cell along λ is retrained yet.")
        return
    rule, criterion = asked_for("select_rule"), asked_for("select_by")
    left, right = st.columns(2, gap="small")
    size = left.number_input("Members n", 1, MOST_SIZE, min(3, len(ids)), key=SIZE, persist_state="session")
    gamma = right.number_input(
        "Reward γ",
        0.0,
        100.0,
        0.0,
        0.1,
        key=GAMMA,
        persist_state="session",
        help="Minimise loss − γ · ambiguity, the mean squared distance of the members from their average.",
    )
    with session.guard():
        worse = judged_on(run, scored, ids)
        if worse is None:
            return
        asked = Asked(
            scored.digest, rule, criterion, float(gamma), int(size), worse, stamp_of(run, ids) if worse else ()
        )
        found = answer_to(run, scored, ids, asked)
        if found is not None:
            _result(run, scored, ids, asked, found)


def answer_to(run: Run, scored: Scored, ids: Sequence[str], asked: Asked) -> Choice | None:
    """The choice, at once where that is quick or refused; else a button starts a search, and None is returned until it is over."""
    pool, found = _pool(run, scored, tuple(ids), asked), _found()
    if asked in found:
        return found[asked]
    if quick(asked, pool):
        return _remember(asked, _choose(pool, asked))
    search: Search[Choice] | None = st.session_state.get(SEARCH)
    if search is not None and search.asked == asked:
        if search.running:
            st.fragment(_watch, run_every=EVERY)(search)
            return None
        if search.found is not None:
            return _remember(asked, search.found)
        st.info(
            plain(search.error), icon=":material/info:"
        )  # cancelled: what else can fail is refused before it begins
    many = f"{_many(asked, pool):,}".replace(",", "\u202f")
    st.button(
        f"Search {many} ensembles", key="ensembles_start", icon=":material/search:", on_click=_start, args=(pool, asked)
    )
    return None


def quick(asked: Asked, pool: Pool) -> bool:
    """Whether it is answered at once: little work, or a question that is refused."""
    many = _many(asked, pool)
    refused = asked.size > len(pool.keys) or many > MOST_SUBSETS
    return refused or many * len(pool.y) <= QUICK.get(asked.criterion, 0)


def steps_of(run: Run, scored: Scored, ids: Sequence[str], asked: Asked) -> list[Choice]:
    """The same question for each size up to 10, those that take longer left out unless they were searched."""
    pool, found = _pool(run, scored, tuple(ids), asked), _found()
    sizes = sorted({*range(1, min(len(ids), LARGEST) + 1), asked.size})
    each = [asked._replace(size=size) for size in sizes]
    return [found.get(one) or _remember(one, _choose(pool, one)) for one in each if one in found or quick(one, pool)]


def team_of(found: Choice) -> Team:
    """The members as a team; one that was chosen several times weighs as often."""
    return Team("chosen", found.members)


def _result(run: Run, scored: Scored, ids: Sequence[str], asked: Asked, found: Choice) -> None:
    parts = found.weights()
    listed = "\n".join(
        f"- {plain(scored.name(name))}"
        + (f", {100 * share:.0f} % of the mixture" if len(parts) < len(found.members) else "")
        for name, share in parts.items()
    )
    st.markdown(listed)
    st.caption(said(found, asked.worse))
    st.button(
        f"Put {'it' if len(parts) == 1 else f'these {len(parts)}'} into the basket",
        key="ensembles_choose",
        icon=":material/shopping_basket:",
        on_click=team.take,
        args=(team_of(found),),
        help="With the rule it was chosen for: the mean of the probabilities, weighted where a member was chosen several times.",
    )
    with st.expander("Other sizes", key="ensembles_other", on_change="rerun") as other:
        if other.open:
            _sizes(run, ids, asked, steps_of(run, scored, ids, asked))


def said(found: Choice, worse: Sequence[Condition] = ()) -> str:
    """Loss, how many were compared, how many tie, and what that means."""
    ties = "no other ties with it"
    if found.tied > 1:
        whom = "members are as good as the last one taken" if found.rule == "top" else "ensembles tie"
        ties = f"{found.tied} {whom} to 1e-9, the first by key is shown"
    fewer = "" if len(found.members) == found.size else f" Fewer than {found.size} are better: the best prefix is kept."
    evaluated = f"{found.evaluated:,}".replace(",", "\u202f")
    return (
        f"{_loss(found.criterion, found.gamma)} {found.loss:.4f} on {judged_by(found, worse)}; {evaluated} ensembles of a pool of "
        f"{found.pool} compared, {ties}.{fewer} The more are compared, the more the best owes to luck."
    )


def judged_by(found: Choice, worse: Sequence[Condition]) -> str:
    """How many images, and what was done to them."""
    images = f"{found.images // max(1, len(worse))} validation images"
    return f"{images} with {in_words(worse)}, mean of {len(worse)}" if worse else images


def _loss(criterion: str, gamma: float) -> str:
    name = "Error" if criterion == "accuracy" else CHOICES["select_by"].options[criterion]
    return name if not gamma else f"{name} − {gamma:g} · ambiguity"


def _sizes(run: Run, ids: Sequence[str], asked: Asked, found: Sequence[Choice]) -> None:
    """The loss at each size."""
    from edgenes_core.figures.quality import Trajectory, plot_trajectory

    label = _loss(asked.criterion, asked.gamma)
    sizes, losses = [choice.size for choice in found], [choice.loss for choice in found]
    figure = plot_trajectory(Trajectory(asked.rule, sizes, losses, asked.size, label), dark=session.dark())
    view = sizes_view(run, ids, asked, found)
    show(figure, key="ensembles_trajectory", alt=view.summary)
    view_tools(run, view, key="ensembles_sizes", figure=figure)


def sizes_view(run: Run, ids: Sequence[str], asked: Asked, found: Sequence[Choice]) -> View:
    """The best of each size."""
    label, images = _loss(asked.criterion, asked.gamma), judged_by(found[0], asked.worse)
    first, last, best = found[0], found[-1], min(found, key=lambda choice: choice.loss)
    sizes = [choice.size for choice in found]
    return View(
        "sizes",
        f"Best by validation {label} of a pool of {len(ids)}, rule {asked.rule}, n = {images}",
        f"Validation {label} is lowest, {best.loss:.4f}, with {best.size}; it is {first.loss:.4f} with {first.size} and "
        f"{last.loss:.4f} with {last.size}.",
        frame(Step, steps(found)),
        team_snippets.choice_steps(run, ids, sizes, asked.rule, asked.criterion, asked.gamma, asked.worse),
    )


def _watch(search: Search[Choice]) -> None:
    """How far a search is; drawn on its own, so that the rest of the page stays as it is."""
    if not search.running:
        st.rerun()
    st.progress(search.share, f"Searching: {search.share:.0%}")
    st.button("Cancel", key="ensembles_cancel", icon=":material/close:", on_click=search.cancel)
    st.caption("The page stays usable meanwhile.")


def _start(pool: Pool, asked: Asked) -> None:
    """Search in a thread; an earlier search of this session ends."""
    if earlier := st.session_state.get(SEARCH):
        earlier.cancel()
    st.session_state[SEARCH] = Search(
        asked,
        lambda progress, cancel: choose(
            pool, asked.size, asked.rule, asked.criterion, gamma=asked.gamma, progress=progress, cancel=cancel
        ),
    )


def _choose(pool: Pool, asked: Asked) -> Choice:
    return choose(pool, asked.size, asked.rule, asked.criterion, gamma=asked.gamma)


def _many(asked: Asked, pool: Pool) -> int:
    return ensembles_of(asked.rule, len(pool.keys), asked.size, WIDTH)


def _pool(run: Run, scored: Scored, ids: tuple[str, ...], asked: Asked) -> Pool:
    return worse_pool(run, scored, ids, asked.worse, asked.stamp) if asked.worse else _clean_pool(scored, ids)


@st.cache_resource(max_entries=4, show_spinner="Reading the pool…", hash_funcs=HASH)
def _clean_pool(scored: Scored, ids: tuple[str, ...]) -> Pool:
    return pool_of(scored.probs[scored.rows(ids)], scored.y, ids)


def _found() -> dict[Asked, Choice]:
    found: dict[Asked, Choice] = st.session_state.setdefault(FOUND, {})
    return found


def _remember(asked: Asked, choice: Choice) -> Choice:
    """Keep an answer, the oldest ones are forgotten."""
    found = _found()
    found[asked] = choice
    while len(found) > KEPT:
        del found[next(iter(found))]
    return choice
