"""Is farther from α* worse? Every network by its distance from α*, and the fitted line with its band."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from edgenes_core.figures.build import Literal, figure, plain
from edgenes_core.figures.planes import FAINT, better_end, cell_style, ticked
from edgenes_core.figures.theme import ROLE_STYLE, ink
from edgenes_core.plane import Axis, axis_range
from edgenes_core.statistics import Slope

SEPARATOR = "+"  # between the keys of cells that share a place


class SlopeInfo(NamedTuple):
    """n networks: distance from α* and quality (n,), the role, cell key and name of each; the slope if there is one."""

    lambda_max: int
    y_axis: Axis
    distance: np.ndarray
    quality: np.ndarray
    roles: tuple[str, ...]
    keys: tuple[str, ...]
    names: tuple[str, ...]
    slope: Slope | None


class Place(NamedTuple):
    """Networks of one role with the same distance and the same quality, drawn as one mark."""

    x: float
    y: float
    rows: tuple[int, ...]


def plot_slope(info: SlopeInfo, *, dark: bool, marked: Collection[str] = ()) -> go.Figure:
    """Exact places, nothing is jittered: networks on the same spot are one larger mark with their number beside it."""
    traces = _line(info, dark=dark) if info.slope else []
    here = [role for role in (*ROLE_STYLE, "imported") if role in info.roles]
    traces += [_networks(info, role, marked, dark=dark) for role in here]
    ends = axis_range(info.y_axis, _seen(info)) if len(info.quality) else None
    step = 1 if info.lambda_max <= 8 else 2
    across = Axis("distance from α*: Λ − shared edges   (0 is α* itself, Λ the most different)", "higher", step=step)
    layout = {
        "xaxis": ticked(across, (-0.4, info.lambda_max + 0.4), across.title),
        "yaxis": ticked(info.y_axis, ends, info.y_axis.title + better_end(info.y_axis)),
        "height": 450,
        "hovermode": "closest",
        "margin": {"t": 96, "r": 24},
    }
    return figure(
        traces, layout, dark=dark, sentence="" if len(info.quality) else "No network of these cells is trained."
    )


def places(info: SlopeInfo, role: str) -> list[Place]:
    """The marks of one role, in order of distance and quality."""
    found: dict[tuple[float, float], list[int]] = {}
    for row, (x, y) in enumerate(zip(info.distance, info.quality, strict=True)):
        if info.roles[row] == role:
            found.setdefault((float(x), float(y)), []).append(row)
    return [Place(x, y, tuple(rows)) for (x, y), rows in sorted(found.items())]


def _seen(info: SlopeInfo) -> np.ndarray:
    """What the y axis must hold: the points, the line, and of its band as much as leaves the points readable."""
    if info.slope is None:
        return info.quality
    least, most = info.quality.min(), info.quality.max()
    room = 0.3 * (most - least)
    band = np.clip([info.slope.band_lo.min(), info.slope.band_hi.max()], least - room, most + room)
    return np.concatenate([info.quality, info.slope.mid, band])


def _line(info: SlopeInfo, *, dark: bool) -> list[Literal]:
    """Band first, so that it lies behind."""
    assert info.slope is not None  # noqa: S101 - for the type checker: the caller has asked
    found, factor, tone = info.slope, info.y_axis.factor, ink(dark=dark)
    band = {
        "type": "scatter",
        "x": [*found.x, *found.x[::-1]],
        "y": [*(found.band_hi * factor), *(found.band_lo[::-1] * factor)],
        "mode": "lines",
        "fill": "toself",
        "fillcolor": f"{tone.muted}30",
        "line": {"width": 0},
        "hoverinfo": "skip",
        "name": "95 % band of the line",
    }
    dash = "dash" if found.tie else "solid"
    line = {
        "type": "scatter",
        "x": found.x,
        "y": found.mid * factor,
        "mode": "lines",
        "line": {"color": tone.text, "width": 2, "dash": dash},
        "hoverinfo": "skip",
        "name": "fitted line (dashed: a tie)" if found.tie else "fitted line",
    }
    return [band, line]


def _networks(info: SlopeInfo, role: str, marked: Collection[str], *, dark: bool) -> Literal:
    style, marks = cell_style(role), places(info, role)
    cells = [{info.keys[row] for row in mark.rows} for mark in marks]
    chosen = [i for i, keys in enumerate(cells) if keys & set(marked)] if marked else None
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": [mark.x for mark in marks],
        "y": [mark.y * info.y_axis.factor for mark in marks],
        "text": [f"×{len(mark.rows)}" if len(mark.rows) > 1 else "" for mark in marks],
        "textposition": "middle right",
        "textfont": {"size": 12, "color": ink(dark=dark).muted},
        "customdata": [SEPARATOR.join(sorted(keys)) for keys in cells],
        "hovertext": [_hover(info, mark) for mark in marks],
        "hoverinfo": "text",
        "name": style.label,
        "marker": {
            "color": style.color,
            "symbol": style.symbol,
            "size": [(14 if role == "base" else 9) + 2 * min(4, len(mark.rows) - 1) for mark in marks],
            "opacity": 0.85,
            "line": {"width": 2 if "open" in style.symbol else 0.5, "color": style.color},
        },
        "selectedpoints": chosen,
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": FAINT}},
    }


def _hover(info: SlopeInfo, mark: Place) -> str:
    names = _few([plain(info.names[row]) for row in mark.rows])
    return f"<b>{names}</b><br>distance {mark.x:.0f}<br>{info.y_axis.title}: {info.y_axis.text(mark.y)}"


def _few(names: Sequence[str]) -> str:
    return "<br>".join([*names[:6], *([f"and {len(names) - 6} more"] if len(names) > 6 else [])])
