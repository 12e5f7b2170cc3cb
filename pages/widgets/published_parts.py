"""What the sections of the page Published share: studies that measure the same, panels, and the line of sources below them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from edgenes_core.records import METRICS as NAMED
from edgenes_core.reported import Reported
from edgenes_core.study import snippets
from edgenes_core.study.budget import Test
from edgenes_core.study.by_shared import Network, Stratum
from edgenes_core.study.folder import Study
from pages.widgets import studies
from pages.widgets.compare_pick import dataset_of
from pages.widgets.lab_headline import signed
from pages.widgets.markdown import plain
from pages.widgets.tools import View, frame, view_tools

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from edgenes_core.figures.beside import Line, Panel
    from edgenes_core.figures.theme import Style

MOST = 2  # studies beside what was published
COMMAND = "python -m edgenes_core study"


def measured_by(*arms: str, whole: bool = True) -> list[Study]:
    """Studies that have stored repeats of all these arms (of any of them unless `whole`), the bundled ones first."""
    found = []
    for study in studies.all_studies():
        here = {repeat.arm.name for repeat in study.repeats()[0]} if study.has_targets() else set()
        if here >= set(arms) if whole else here & set(arms):
            found.append(study)
    return found[:MOST]


def missing(*names: str) -> None:
    """Nothing measures this here yet: the command that does."""
    st.info("No stored study measures this yet; these commands do:", icon=":material/info:")
    st.code("\n".join(f"{COMMAND} {name}" for name in names), language="sh")


def say_damaged(used: Sequence[Study]) -> None:
    """A sentence for each repeat that cannot be read and is left out."""
    for study in used:
        for sentence in study.repeats()[1]:
            st.warning(plain(sentence), icon=":material/info:")


def style_of(arm: str) -> Style:
    """The same colour and shape wherever an arm stands, published or ours."""
    from edgenes_core.figures.methods import method_style
    from edgenes_core.figures.theme import ROLE_STYLE
    from edgenes_core.search import SEARCHERS

    known = {"edgenes": "pool", "as-is": "pool", "deviation": "deviation", "census": "random"}
    places = [*SEARCHERS, "constant-c", "constant-t", "no-warming", "swapped"]
    return ROLE_STYLE[known[arm]] if arm in known else method_style(places.index(arm) + 2, arm)


def value_title(metric: str) -> str:
    """Of a y axis of ours."""
    return f"validation {NAMED[metric].name}{', %' if NAMED[metric].unit == '%' else ''}"


def factor_of(metric: str) -> int:
    return 100 if NAMED[metric].unit == "%" else 1


def text_of(metric: str, value: float) -> str:
    return f"{value * factor_of(metric):.{2 if factor_of(metric) == 100 else 4}f}"


def published_panel(
    heading: str, series: Sequence[tuple[Reported, str]], y_title: str, *, joined: bool = True
) -> Panel:
    """Bars are what the source calls its spread."""
    from edgenes_core.figures.beside import Line, Panel

    lines = []
    for each, arm in series:
        spread = each.spread or (float("nan"),) * len(each.value)
        ends = [
            [v + sign * s for v, s in zip(each.value, spread, strict=True)] for sign in (-1, 1)
        ]  # fmt: skip
        lines.append(Line(each.label, style_of(arm), each.x, each.value, *ends, joined))
    return Panel(heading, series[0][0].source.split(" (")[0].split(",")[0] + ", published", y_title, lines)


def strata_panels(used: Sequence[Study], rows: Sequence[Stratum], metric: str) -> list[Panel]:
    """A panel for each dataset: means over repeats with 95 % intervals, by shared edges."""
    from edgenes_core.figures.beside import Line, Panel

    names, up, found = {study.id: dataset_of(study) for study in used}, factor_of(metric), list["Panel"]()
    for name in dict.fromkeys(names[row.study] for row in rows):
        here, lines = [row for row in rows if names[row.study] == name], list["Line"]()
        for place in dict.fromkeys((row.study, row.arm) for row in here):
            mine = [row for row in here if (row.study, row.arm) == place]
            bars = [[getattr(row, end) * up for row in mine] for end in ("value", "lo", "hi")]
            hover = [f"{row.title}: {row.n} α*, {row.cells} cells, {row.networks} networks" for row in mine]
            lines.append(Line(mine[0].title, style_of(place[1]), [row.shared for row in mine], *bars, True, hover))
        found.append(Panel(name, f"ours, {counted(here)}", value_title(metric), lines))
    return found


def points_panel(study: Study, found: Sequence[Network], y: str, y_title: str) -> Panel:
    """Every network as a point at its λ."""
    from edgenes_core.figures.beside import Line, Panel

    up, lines = factor_of(y) if y in NAMED else 1, list["Line"]()
    for arm in dict.fromkeys(each.arm for each in found):
        mine = [each for each in found if each.arm == arm]
        values, none = [getattr(each, y) * up for each in mine], [float("nan")] * len(mine)
        names = [f"{each.title}, seed {each.seed}, λ = {each.lam:.2f}, {each.shared} shared" for each in mine]
        lines.append(Line(mine[0].title, style_of(arm), [n.lam for n in mine], values, none, none, False, names))
    seeds = len({each.seed for each in found})
    return Panel(study.id, f"ours, {seeds} α*, {len(found)} networks", y_title, lines)


def counted(rows: Sequence[Stratum]) -> str:
    """`5 α*, 150 networks`: of all that a panel shows."""
    most = max(row.n for row in rows)
    return f"up to {most} α* each, {sum(row.networks for row in rows)} networks"


def tested(metric: str, test: Test) -> str:
    """`−0.29 [−0.40, −0.18], p = 0.002, worse`, in points for shares."""
    up, digits = factor_of(metric), 2 if factor_of(metric) == 100 else 4
    if test.n < 2:
        return f"{signed(test.mean * up, digits)} (one pair, no interval)"
    mean, lo, hi = (signed(value * up, digits) for value in (test.mean, test.lo, test.hi))
    return f"{mean} [{lo}, {hi}], p = {test.p:.3f}, n = {test.n}, {verdict(metric, test)}"


def verdict(metric: str, test: Test) -> str:
    """Better, worse or a tie."""
    if test.tie:
        return "a tie"
    return "better" if (test.mean > 0) == (NAMED[metric].better == "higher") else "worse"


def sources(*series: Reported) -> None:
    """Where the published numbers stand, and what is known about them."""
    said = dict.fromkeys(f"{plain(each.source)}. {plain(each.note)}".strip() for each in series)
    st.caption(f":material/menu_book: Published: {' · '.join(said)}")


def tools(
    used: Sequence[Study], name: str, words: str, kind: type[Any], rows: list[Any], what: str, arms: Sequence[str],
    metric: str = "", figure: go.Figure | None = None,
) -> None:  # fmt: skip
    """Below a section: its words, files, table and code, from all studies that it shows."""
    where = "; ".join(f"Study {study.id}, {dataset_of(study)}, n = {len(study.y)} validation images" for study in used)
    view = View(name, where, words, frame(kind, rows), snippets.by_shared(used, what, arms, metric))
    view_tools(used[0], view, key=f"published_{name}_tools", figure=figure)
