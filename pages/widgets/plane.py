"""The diversity–quality plane on a page: its figures, its words, its numbers, and what its points stand for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd
import streamlit as st

from edgenes_core import EdgeNESError, tradeoff
from edgenes_core.cloud import Cloud, all_ensembles
from edgenes_core.plane import PlaneInfo
from edgenes_core.records import METRICS
from edgenes_core.run_folder import Run
from edgenes_core.scored import Scored
from edgenes_core.snippets import literal
from edgenes_core.snippets import snippet as whole
from pages.widgets import data, session
from pages.widgets.scores import HASH, scored_of, stamp_of, stored_of, text_of
from pages.widgets.tools import View

if TYPE_CHECKING:
    import plotly.graph_objects as go


class Asked(NamedTuple):
    """What the user wants to see: measure of diversity, what it is against, quality, one panel or many, all ensembles."""

    x: str
    against: str
    y: str
    facets: bool
    cloud: bool


def info_of(run: Run, asked: Asked) -> PlaneInfo:
    """Cells and stored ensembles; the same object while neither the run nor the question changes."""
    return _info(str(run.path), stamp_of(run), asked.x, asked.against, asked.y)


def cloud_of(run: Run, asked: Asked) -> PlaneInfo | None:
    """Every ensemble of the pool, or None if they are not asked for or cannot be made (`cloud_sentence` says why)."""
    return _cloud_info(str(run.path), stamp_of(run), asked) if asked.cloud and not asked.facets else None


@st.cache_resource(max_entries=64, show_spinner=False)
def figure(folder: str, stamp: data.Stamp, asked: Asked, marked: tuple[str, ...], dark: bool) -> go.Figure:
    """Drawn once for each question, selection and theme."""
    from edgenes_core.figures.facets import plot_facets
    from edgenes_core.figures.planes import plot_plane

    run = Run(Path(folder))
    info = info_of(run, asked)
    if asked.facets:
        return plot_facets(info, dark=dark, marked=marked)
    cloud = cloud_of(run, asked)
    name = f"all ensembles of {run.config.ensemble.size} of the pool" if cloud else ""
    return plot_plane(info, dark=dark, marked=marked, cloud=cloud, cloud_name=name)


def cells_behind(info: PlaneInfo, cloud: PlaneInfo | None, point: str) -> tuple[str, ...]:
    """Keys of the cells that a point stands for."""
    for drawn in (info, cloud):
        if drawn and point in drawn.ids:
            return drawn.cells[drawn.ids.index(point)]
    return ()


def view_of(run: Run, asked: Asked) -> View:
    """The plane in words, numbers and code; a cloud's thousands of rows are made once."""
    return _view(str(run.path), stamp_of(run), asked)


@st.cache_resource(max_entries=32, show_spinner=False)
def _view(folder: str, stamp: data.Stamp, asked: Asked) -> View:
    run = Run(Path(folder))
    scored, info, cloud = scored_of(run), info_of(run, asked), cloud_of(run, asked)
    return View(
        "tradeoff",
        f"Validation, n = {len(scored.y)} images; {info.x_axis.about}; sd over training seeds",
        " ".join([summary(info), *([cloud_sentence(run, asked, scored)] if asked.cloud else [])]),
        pd.DataFrame(tradeoff.plane_table(info, cloud)),
        snippet(run, asked, cloud is not None),
    )


def summary(info: PlaneInfo) -> str:
    """What a reader who cannot see the plane needs: how many points, their ranges, the best cell, the front."""
    cells = [i for i, ensemble in enumerate(info.ensemble) if not ensemble]
    if not cells:
        return "No cell has a place on this plane."
    up, across = info.y_axis, info.x_axis
    best = (max if up.better == "higher" else min)(cells, key=lambda i: info.y[i])
    ends = [f"{axis.title} from {axis.text(v[cells].min())} to {axis.text(v[cells].max())}" for axis, v in _sides(info)]
    front = [info.labels[i] for i in cells if info.front[i]]
    return (
        f"{len(cells)} cells: {ends[0]}, {ends[1]}. Best {up.title}: {info.labels[best]} with {up.text(info.y[best])} at "
        f"{across.text(info.x[best])}. On the Pareto front: {'; '.join(front[:6])}{' and more' if len(front) > 6 else ''}. "
        f"{len(info.ids) - len(cells)} stored ensembles."
    )


def provenance(run: Run, scored: Scored, info: PlaneInfo, asked: Asked) -> str:
    """n of everything, and what the bars are."""
    cells = scored.cells()
    single = sum(len(rows) == 1 for rows in cells.values())
    bars = "Bars: ± 1 sd over training seeds." if single < len(cells) else "One seed each, so no bars."
    if 0 < single < len(cells):
        bars += f" {single} of {len(cells)} cells have one seed and therefore no bar."
    missing = len(cells) - int((~info.ensemble).sum())
    lost = f" {missing} of the cells have nothing to be compared with and are left out." if missing else ""
    large = "Ensembles have no panel: their members share different numbers of edges. Grey dots: the cells of the other panels."
    one = "Large outlined shapes are ensembles, at their own quality." if info.ensemble.any() else ""
    return (
        f"{len(cells)} cells, {len(scored.trainings)} networks, {len(scored.y)} validation images, {session.origin(run)}. "
        f"{bars} {large if asked.facets else one}{lost}"
    )


def cloud_sentence(run: Run, asked: Asked, scored: Scored) -> str:
    """How many ensembles there are and how many are shown, or why there are none."""
    pool, size = len(scored.pool()), run.config.ensemble.size
    if asked.facets:
        return "All ensembles of the pool are drawn in the single panel only."
    try:
        cloud = pool_cloud(scored, size)
    except EdgeNESError as error:
        return f"Ensembles of the pool are not drawn: {error}"
    shown = f", {len(cloud.members)} of them drawn at random (seed 0)" if cloud.sampled else ""
    scores, metric = getattr(cloud, asked.y), METRICS[asked.y]
    best = text_of(asked.y, float(scores.max() if metric.better == "higher" else scores.min()))
    return (
        f"{cloud.total} ensemble{'' if cloud.total == 1 else 's'} of {size} of the {pool} in the pool{shown}; judged on validation, so the best "
        f"{metric.name} of them, {best}, is optimistic."
    )


def snippet(run: Run, asked: Asked, cloud: bool) -> str:
    """Python that makes the table again."""
    question = f"x={literal(asked.x)}, y={literal(asked.y)}, against={literal(asked.against)}"
    lines = [
        "networks = score_networks(run)",
        "ensembles, unusable = stored_ensembles(run)",
        f"shown = tradeoff.plane(networks, ensembles, {question})",
    ]
    if cloud:
        lines += [
            "pool = networks.probs[networks.pool()]",
            "every = all_ensembles(pool, networks.y, run.config.ensemble.size)",
            f"cloud = tradeoff.cloud_plane(networks, every, {question})",
        ]
    lines.append(f"table = tradeoff.plane_table(shown{', cloud' if cloud else ''})")
    imports = ["from edgenes_core import tradeoff", "from edgenes_core.scored import score_networks, stored_ensembles"]
    return whole(
        run, [*imports, *(["from edgenes_core.cloud import all_ensembles"] if cloud else [])], "\n".join(lines)
    )


@st.cache_resource(max_entries=16, show_spinner="Scoring every ensemble of the pool…", hash_funcs=HASH)
def pool_cloud(scored: Scored, size: int) -> Cloud:
    """SelectionError if the pool has fewer than `size` networks."""
    return all_ensembles(scored.probs[scored.pool()], scored.y, size)


@st.cache_resource(max_entries=64, show_spinner=False)
def _info(folder: str, stamp: data.Stamp, x: str, against: str, y: str) -> PlaneInfo:
    run = Run(Path(folder))
    return tradeoff.plane(scored_of(run), stored_of(run)[0], x, y, against)


@st.cache_resource(max_entries=16, show_spinner=False)
def _cloud_info(folder: str, stamp: data.Stamp, asked: Asked) -> PlaneInfo | None:
    run = Run(Path(folder))
    scored = scored_of(run)
    try:
        cloud = pool_cloud(scored, run.config.ensemble.size)
    except EdgeNESError:
        return None
    return tradeoff.cloud_plane(scored, cloud, asked.x, asked.y, asked.against)


def _sides(info: PlaneInfo) -> list[tuple]:
    return [(info.x_axis, info.x), (info.y_axis, info.y)]
