"""What members are worth: the change that each swap brings, with intervals, and the ladder from the mean member to the oracle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import plotly.graph_objects as go

from edgenes_core.figures.build import Literal, figure, title
from edgenes_core.figures.forest import VERDICTS
from edgenes_core.figures.theme import OKABE_ITO, ink
from edgenes_core.ladder import AMBIGUITY, Ladder
from edgenes_core.marginal import Change
from edgenes_core.records import METRICS

ROW, EDGE = 22, 118  # pixels of a row, and of what surrounds them
RUNGS = {
    "mean member": (OKABE_ITO["grey"], "circle-open"),
    "best member": (OKABE_ITO["orange"], "triangle-up"),
    "team": (OKABE_ITO["blue"], "diamond"),
    "oracle": (OKABE_ITO["green"], "star"),
}
"""How each rung is drawn."""


class SwapRow(NamedTuple):
    """A change and what its network is called."""

    name: str
    change: Change


def plot_swaps(rows: Sequence[SwapRow], metric: str, *, dark: bool) -> go.Figure:
    """Dots with intervals, members taken out above, networks added below, in the order given; thick: each change alone, thin: all
    together."""
    groups = {"out": [r for r in rows if not r.change.added], "in": [r for r in rows if r.change.added]}
    axes = [(name, group) for name, group in groups.items() if group]
    layout: Literal = {
        "height": EDGE + ROW * (len(rows) + len(axes)),
        "margin": {"t": 40, "b": 56},
        "xaxis": {**title(_axis_title(metric)), "nticks": 7, "anchor": "free", "position": 0, "zeroline": False},
        "shapes": [_zero(dark=dark)],
        "annotations": [],
    }
    traces: list[Literal] = []
    top, whole = 1.0, len(rows) + len(axes)
    for place, (name, group) in enumerate(axes):
        axis = "y" if place == 0 else "y2"
        high = top - 0.8 / whole
        low = max(0.0, high - len(group) / whole)
        layout[f"yaxis{axis[1:]}"] = {
            "domain": [low, high],
            "categoryorder": "array",
            "categoryarray": [row.name for row in reversed(group)],
            "range": [-0.5, len(group) - 0.5],
            "showgrid": False,
            "showline": False,
            "ticks": "",
        }
        layout["annotations"].append(_heading(name, high, dark=dark))
        traces += [
            t for word in VERDICTS for t in _dots([r for r in group if r.change.verdict == word], word, axis, metric)
        ]
        top = low - 0.2 / whole
    for word in VERDICTS:
        traces.append(_key(word))
    empty = "" if rows else "No other network is trained, and a single member cannot be left out."
    return figure(traces if rows else [], layout, dark=dark, sentence=empty)


def plot_ladder(found: Ladder, *, dark: bool) -> go.Figure:
    """Each rung with its interval; the arrow is what averaging brings."""
    factor, metric = _factor(found.metric), METRICS[found.metric]
    mean, team = found.rungs[0].value * factor, found.rungs[2].value * factor
    names = [rung.name for rung in found.rungs]
    layout = {
        "height": 220,
        "margin": {"t": 12, "b": 52},
        "showlegend": False,
        "xaxis": {**title(f"validation {metric.name}{_unit(found.metric)}, {metric.better} is better"), "nticks": 7},
        "yaxis": {"categoryorder": "array", "categoryarray": names[::-1], "showgrid": False, "showline": False, "ticks": ""},
        "annotations": [
            {
                "x": team, "y": "team", "ax": mean, "ay": "mean member", "axref": "x", "ayref": "y", "text": "",
                "showarrow": True, "arrowhead": 2, "arrowwidth": 1.5, "arrowcolor": ink(dark=dark).muted, "standoff": 8, "startstandoff": 8,
            }
        ],
    }  # fmt: skip
    traces = []
    for rung in found.rungs:
        (color, symbol), value = RUNGS[rung.name], rung.value * factor
        bars = {"array": [rung.hi * factor - value], "arrayminus": [value - rung.lo * factor]}
        traces.append(
            {
                "type": "scatter",
                "x": [value],
                "y": [rung.name],
                "error_x": {**bars, "color": color, "thickness": 2, "width": 4},
                "mode": "markers+text",
                "text": [_said(found.metric, rung.value)],
                "textposition": "top center",
                "textfont": {"size": 12},
                "cliponaxis": False,
                "marker": {"color": color, "symbol": symbol, "size": 12, "line": {"width": 2, "color": color}},
                "hovertext": f"{rung.name}: {_said(found.metric, rung.value)} "
                f"[{_said(found.metric, rung.lo)}, {_said(found.metric, rung.hi)}]<br>{rung.n} images",
                "hoverinfo": "text",
            }
        )
    return figure(traces, layout, dark=dark)


def ladder_sentence(found: Ladder) -> str:
    """The identity with its numbers, for a mixture judged by a metric that has one; else the plain difference."""
    name = METRICS[found.metric].name
    mean, _, team, _ = (_said(found.metric, rung.value) for rung in found.rungs)
    if found.ambiguity == found.ambiguity:
        exact = _said(found.metric, found.ambiguity)
        return f"{name} of the team {team} = mean member {mean} − {AMBIGUITY[found.metric]} {exact}, exactly."
    return f"{name}: mean member {mean}, team {team}; here no identity says what averaging must bring."


def _dots(rows: Sequence[SwapRow], word: str, axis: str, metric: str) -> list[Literal]:
    """The rows of one verdict: thin bars for all together under thick ones for each alone."""
    if not rows:
        return []
    factor, (color, symbol) = _factor(metric), VERDICTS[word]
    changes = [row.change for row in rows]
    drawn = []
    for thickness, width, ends in ((1, 5, ("all_lo", "all_hi")), (3.5, 0, ("lo", "hi"))):
        low, high = ([abs(getattr(c, end) - c.mean) * factor for c in changes] for end in ends)
        drawn.append(
            {
                "type": "scatter",
                "yaxis": axis,
                "x": [c.mean * factor for c in changes],
                "y": [row.name for row in rows],
                "error_x": {"array": high, "arrayminus": low, "color": color, "thickness": thickness, "width": width},
                "mode": "markers",
                "cliponaxis": False,
                "showlegend": False,
                "customdata": [c.id for c in changes],
                "marker": {"color": color, "symbol": symbol, "size": 10, "line": {"width": 2, "color": color}},
                "hovertext": [hover(row.name, row.change) for row in rows],
                "hoverinfo": "text",
            }
        )
    return drawn


def hover(name: str, c: Change) -> str:
    """All that is known of a change."""
    digits, factor = METRICS[c.metric].digits, _factor(c.metric)
    mean, lo, hi, all_lo, all_hi = (f"{v * factor:+.{digits}f}".replace("-", "−") for v in c[3:8])
    return (
        f"{'add' if c.added else 'leave out'} {name}: {mean}, {c.verdict}<br>alone [{lo}, {hi}]<br>"
        f"of all {c.comparisons} [{all_lo}, {all_hi}]<br>{c.n} images"
    )


def _key(word: str) -> Literal:
    """An entry of the legend."""
    color, symbol = VERDICTS[word]
    marker = {"color": color, "symbol": symbol, "size": 10, "line": {"width": 2, "color": color}}
    return {"type": "scatter", "x": [None], "y": [None], "mode": "markers", "name": word, "marker": marker}


def _heading(name: str, high: float, *, dark: bool) -> Literal:
    text = {"out": "<b>without this member</b>", "in": "<b>with this network added</b>"}[name]
    place = {"x": 0, "y": high, "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom"}
    return {**place, "text": text, "showarrow": False, "font": {"size": 12, "color": ink(dark=dark).muted}}


def _zero(*, dark: bool) -> Literal:
    line = {"color": ink(dark=dark).muted, "width": 1, "dash": "dash"}
    return {
        "type": "line",
        "xref": "x",
        "yref": "paper",
        "x0": 0,
        "x1": 0,
        "y0": 0,
        "y1": 1,
        "line": line,
    }


def _axis_title(metric: str) -> str:
    arrow = "better →" if METRICS[metric].better == "higher" else "← better"
    unit = " (points)" if METRICS[metric].unit == "%" else _unit(metric)
    return f"change of validation {METRICS[metric].name}{unit}   {arrow}"


def _factor(metric: str) -> float:
    return 100 if METRICS[metric].unit == "%" else 1


def _unit(metric: str) -> str:
    return f" ({METRICS[metric].unit})" if METRICS[metric].unit else ""


def _said(metric: str, value: float) -> str:
    return f"{value * _factor(metric):.{METRICS[metric].digits}f}{' %' if METRICS[metric].unit == '%' else ''}"
