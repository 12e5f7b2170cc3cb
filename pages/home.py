"""Home: what this is, what the open run found, and where to go next."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import streamlit as st

from edgenes_core import statistics
from edgenes_core.records import METRICS
from edgenes_core.run_folder import Run
from pages.widgets import data, session
from pages.widgets.markdown import plain
from pages.widgets.picture import picture
from pages.widgets.scores import HASH, Scored, scored_of

ABOUT = (
    "A network's **cell** is a small graph of operations. EdgeNES searches one good cell, **α\\***, and then learns a whole "
    "path of cells α(λ): **λ = Λ is α\\* itself, λ = 0 the most different cell**. A few cells from that path, averaged, "
    "make an ensemble whose diversity you set with one number."
)


class Verdict(NamedTuple):
    """One score of the selected ensemble beside single α*, on validation."""

    metric: str
    ensemble: float
    single: float
    difference: statistics.Difference


@st.cache_resource(max_entries=16, show_spinner=False, hash_funcs=HASH)
def verdicts(scored: Scored, members: tuple[str, ...], single: str) -> list[Verdict]:
    """Accuracy and NLL with paired bootstrap intervals over the same validation images."""
    team, alone = (
        statistics.image_scores(scored.probs[scored.rows(ids)].mean(0), scored.y) for ids in (members, (single,))
    )
    pairs = {name: (getattr(team, name), getattr(alone, name)) for name in ("accuracy", "nll")}
    return [
        Verdict(name, float(a.mean()), float(b.mean()), statistics.paired_bootstrap(a, b))
        for name, (a, b) in pairs.items()
    ]


def results(run: Run) -> None:
    """The selected ensemble beside α* alone: differences within noise are called ties."""
    ensembles = data.ensembles_of(run)
    if not {"selected", "single_base"} <= ensembles.keys():
        st.info("No ensemble was selected in this run yet.", icon=":material/info:")
        return
    scored = scored_of(run)
    members, single = ensembles["selected"]["members"], ensembles["single_base"]["members"][0]
    if not {*members, single} <= set(scored.ids):
        st.info(
            "The selected ensemble or α* alone has no usable predictions: see the Ensembles page.",
            icon=":material/info:",
        )
        return
    found = verdicts(scored, tuple(members), single)
    for column, verdict in zip(st.columns(len(found)), found, strict=True):
        with column.container(border=True, height="stretch"):
            draw_verdict(verdict, len(members))


def draw_verdict(verdict: Verdict, size: int) -> None:
    """One score with its comparison in words."""
    metric, difference = METRICS[verdict.metric], verdict.difference
    scale, unit, step = (100, " %", " points") if metric.unit == "%" else (1, "", f" {metric.unit}")

    def said(value: float, sign: str = "") -> str:
        return f"{scale * value:{sign}.{metric.digits}f}".replace("-", "−")

    st.metric(
        f"{metric.name} of the selected ensemble ({size} members)", said(verdict.ensemble) + unit, help=metric.about
    )
    better = (difference.mean > 0) == (metric.better == "higher")
    judged = "A tie" if difference.tie else "Better" if better else "Worse"
    st.caption(
        f"α\\* alone: {said(verdict.single)}{unit}. **{judged}**: difference {said(difference.mean, '+')}{step} (95 % interval "
        f"{said(difference.lo, '+')} to {said(difference.hi, '+')}), validation, n = {difference.n} images."
    )


def story(run: Run) -> None:
    """Three panels drawn from this run."""
    from edgenes_core.figures.story import story_svg

    plan = [t for t in run.plan() if "pool" in t.roles and t.lam is not None and run.is_trained(t)]
    members = data.ensembles_of(run).get("selected", {}).get("members", [])
    svg = story_svg(
        run.space,
        data.base_of(run).architecture if run.has("darts") else None,
        data.path_of(run) if run.has("hypernet") else None,
        tuple((t.lam, t.shared) for t in plan if t.lam is not None),
        tuple((t.lam, t.shared) for t in plan if t.lam is not None and t.id in members),
        dark=session.dark(),
    )
    picture(svg, key="home_story")


def facts(run: Run) -> str:
    """Where the numbers come from, in one line."""
    manifest = run.manifest
    seconds = sum(cost.seconds for stage in manifest.stages if (cost := manifest.cost(stage)))
    parts = [f"{session.origin(run)}", f"data set {plain(Path(run.config.dataset).stem)}", f"seed {run.config.seed}"]
    if run.has("hypernet"):
        intervals = data.path_of(run).intervals
        cells = len({i.architecture.key for i in intervals})
        shared = [i.shared for i in intervals]
        parts.append(
            f"{cells} different cells along λ, sharing {min(shared)} to {max(shared)} of {run.space.lambda_max} edges with α*"
        )
    return " · ".join([*parts, plain(f"computed in {seconds:.0f} s on {manifest.device}"), plain(manifest.state)])


def doors() -> None:
    """The three ways in."""
    look, compare, train = st.columns(3)
    with look.container(border=True, height="stretch"):
        st.markdown("**Look**  \nDrag λ and watch the cell change, edge by edge.")
        st.page_link("explore.py", label="Explore λ", icon=":material/tune:")
        st.page_link("space.py", label="Map of cells", icon=":material/scatter_plot:")
    with compare.container(border=True, height="stretch"):
        st.markdown("**Compare**  \nDoes diversity pay? Build your own ensemble and test it.")
        st.page_link("tradeoff.py", label="Trade-off", icon=":material/show_chart:")
        st.page_link("ensembles.py", label="Ensembles", icon=":material/groups:")
        st.page_link("compare.py", label="Compare methods", icon=":material/leaderboard:")
    with train.container(border=True, height="stretch"):
        st.markdown("**Train and teach**  \nRun the whole algorithm live and watch α form.")
        st.page_link("train.py", label="Train", icon=":material/model_training:")
        st.page_link("published.py", label="Published and ours", icon=":material/menu_book:")


def next_step(run: Run) -> str:
    """One thing to do now."""
    count = len(session.basket())
    if not run.has("select"):
        return "this run is not finished: continue it on the Train page, or open another one in the sidebar."
    if count:
        return (
            f"your basket holds {count} network{'s' if count > 1 else ''}: see on the Ensembles page how the team does."
        )
    return "on the Explore page, put three cells marked ● into the basket, then see on the Ensembles page whether they beat the selected ones."


run = session.page_header("EdgeNES Explorer", "what is this, and what did the open run find?")
st.markdown(ABOUT)
with session.guard():
    story(run)
with session.guard():
    st.caption(facts(run))
with session.guard():
    results(run)
doors()
st.markdown(f"**Next:** {next_step(run)}")
