"""Ensembles: choose members, see at once what they are worth beside the selected ensemble and the controls."""

from __future__ import annotations

import streamlit as st

from edgenes_core.records import METRICS
from edgenes_core.run_folder import Run
from pages.widgets import session
from pages.widgets.charts import show
from pages.widgets.compare import PAIRED, YOURS, Entry, average, differences, entries_of, selections
from pages.widgets.details import markdown_table
from pages.widgets.ensemble_views import forest_view, matrix_view, reliability_view, scores_view, sizes_view
from pages.widgets.reveal import test_panel
from pages.widgets.save import save_panel
from pages.widgets.scores import MEASURES, Scored, Stored, has_networks, scored_of, stored_of, text_of
from pages.widgets.tools import view_tools

MEMBERS = "ensembles_members"
RULES = {"exhaustive": "all", "forward": "forward", "greedy": "greedy"}
RULE_HELP = (
    "**all**: scores each of the C(N, n) ensembles. **forward**: adds the member that helps most (Zaidi et al. 2021). "
    "**greedy**: as forward, but a member may count twice (Caruana et al. 2004). All by validation NLL."
)


def take_members() -> None:
    session.set_basket(st.session_state[MEMBERS])


def member_panel(scored: Scored, stored: list[Stored]) -> None:
    """Which networks are in the basket, and quick ways to fill it."""
    st.session_state[MEMBERS] = [member for member in session.basket() if member in scored.ids]
    st.multiselect(
        "Members of your ensemble",
        scored.ids,
        format_func=scored.name,
        key=MEMBERS,
        on_change=take_members,
        placeholder="Choose networks, here or on other pages",
        help="Each network once. Their probabilities are averaged with equal weights.",
    )
    with st.container(horizontal=True, gap="small"):
        for ensemble in stored:
            if ensemble.name in ("selected", "deepens"):
                label = {"selected": "Take the selected", "deepens": "Take DeepEns"}[ensemble.name]
                st.button(
                    label, key=f"ensembles_{ensemble.name}", on_click=session.set_basket, args=(ensemble.members,)
                )
        st.button(
            "Empty", key="ensembles_empty", on_click=session.set_basket, args=((),), disabled=not session.basket()
        )


def choice_panel(run: Run, scored: Scored) -> None:
    """Let a rule choose n of the pool on validation, and show what each size would bring."""
    from edgenes_core.figures.quality import Trajectory, plot_trajectory

    pool = [t.id for t in scored.trainings if "pool" in t.roles]
    st.subheader("Choose for me", anchor=False)
    if not pool:
        st.caption("The pool is empty: no cell along λ is retrained yet.")
        return
    rule = st.segmented_control(
        "Rule",
        list(RULES),
        format_func=RULES.__getitem__,
        default="exhaustive",
        required=True,
        key="ensembles_rule",
        help=RULE_HELP,
    )
    found = selections(scored, pool, rule)
    sizes = [selection.size for selection in found]
    size = st.segmented_control("Members n", sizes, default=min(3, max(sizes)), required=True, key="ensembles_size")
    chosen = found[sizes.index(size)]
    info = Trajectory(RULES[rule], sizes, [selection.val.nll for selection in found], size)
    figure = plot_trajectory(info, dark=session.dark())
    show(figure, key="ensembles_trajectory")
    view_tools(run, sizes_view(run, pool, rule, found), key="ensembles_sizes", figure=figure)
    repeats = len(chosen.members) - len(set(chosen.members))
    twice = f" {repeats} of its places repeat a member; the basket keeps each once." if repeats else ""
    st.caption(
        f"Best {size} of {len(pool)} by validation NLL, after {chosen.evaluated} ensembles on {chosen.val.n} images. "
        f"The more are tried, the more optimistic the winner's number.{twice}"
    )
    st.button(
        f"Put these {len(set(chosen.members))} into the basket",
        key="ensembles_choose",
        icon=":material/shopping_basket:",
        on_click=session.set_basket,
        args=(chosen.members,),
    )


def comparison(run: Run, scored: Scored, entries: list[Entry]) -> None:
    """Differences against one reference with intervals, then every number of every ensemble."""
    from edgenes_core.figures.forest import Compared, plot_forest

    others = [entry.name for entry in entries if entry.name != YOURS]
    if not others:
        st.info("This run has no stored ensemble to compare with: its stage 'select' has not finished.")
    else:
        name = st.selectbox("Differences against", others, key="ensembles_reference")
        reference = next(entry for entry in entries if entry.name == name)
        rows = [
            Compared(entry.name, differences(scored, entry.members, reference.members))
            for entry in entries
            if entry.name != name
        ]
        figure = plot_forest(rows, PAIRED, name, dark=session.dark())
        show(figure, key="ensembles_forest")
        st.caption(
            f"Mean difference on the same {reference.val.n} validation images with a paired bootstrap 95 % interval "
            f"(1000 resamples), {session.origin(run)}. A tie: the interval includes 0. Not corrected for several comparisons."
        )
        view_tools(run, forest_view(run, entries, reference, rows), key="ensembles_differences", figure=figure)
    n = f"{entries[0].val.n} validation images" if entries else "validation"
    heads = [n, *(METRICS[measure].name for measure in MEASURES)]
    numbers = [[_bold(entry), *(text_of(m, getattr(entry.val, m)) for m in MEASURES)] for entry in entries]
    st.markdown(markdown_table(heads, numbers))
    if entries:
        view_tools(run, scores_view(run, entries), key="ensembles_scores")


def _bold(entry: Entry) -> str:
    return f"**{entry.name}**" if entry.name == YOURS else entry.name


def lens(run: Run, scored: Scored, entries: list[Entry]) -> None:
    """Calibration of your ensemble beside the first stored one, and who disagrees with whom."""
    from edgenes_core.figures.planes import ensemble_style
    from edgenes_core.figures.quality import plot_matrix, plot_reliability, reliability_info

    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Is it as sure as it is right?**")
        infos = [
            reliability_info(entry.name, ensemble_style(entry.role), average(scored, entry.members), scored.y)
            for entry in entries[:2]
        ]
        figure = plot_reliability(infos, dark=session.dark())
        show(figure, key="ensembles_reliability")
        st.caption(
            f"15 equal-width bins, {len(scored.y)} validation images; larger markers hold more of them. "
            "Bars: Wilson 95 % interval of the bin's accuracy."
        )
        view_tools(run, reliability_view(run, entries[:2], infos), key="ensembles_bins", figure=figure)
    with right:
        name, members = (entries[0].name, entries[0].members) if entries else (YOURS, ())
        st.markdown("**Who disagrees with whom?**")
        members = tuple(dict.fromkeys(members))
        rows = scored.rows(members)
        names = [scored.name(scored.ids[i]) for i in rows]
        figure = plot_matrix(names, scored.disagreement[rows][:, rows], dark=session.dark())
        show(figure, key="ensembles_matrix")
        st.caption(
            f"Members of {name}: share of {len(scored.y)} validation images (%) on which two name different classes."
        )
        view_tools(run, matrix_view(run, scored, members, name), key="ensembles_pairs", figure=figure)


def page(run: Run) -> None:
    scored = scored_of(run)
    stored, broken = stored_of(run)
    side, results = st.columns([0.31, 0.69], gap="large")
    with side:
        member_panel(scored, stored)
        basket = [member for member in session.basket() if member in scored.ids]
        with st.container(border=True):
            choice_panel(run, scored)
        with st.container(border=True):
            save_panel(run, basket)
    with results:
        entries, missing = entries_of(scored, stored, basket)
        if not basket:
            st.caption("Your basket is empty. Until you choose members, the stored ensembles are compared.")
        with session.guard():
            comparison(run, scored, entries)
            lens(run, scored, entries)
        with st.container(border=True):
            test_panel(run, entries)
    for sentence in (*scored.left_out, *broken, *missing):
        st.warning(sentence, icon=":material/info:")


run = session.page_header("Ensembles", "are these members together better than what was selected, or is it a tie?")
with session.guard():
    if has_networks(run, "the comparison of ensembles"):
        page(run)
