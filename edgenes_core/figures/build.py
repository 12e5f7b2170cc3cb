"""A figure from literals in one step. Plotly checks what it is given at every update; one construction is ten times cheaper, and
one that checks nothing ten times cheaper still: a class of forty would wait for the checks. The tests have them on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from typing import Any

import plotly.graph_objects as go

from edgenes_core import one_line
from edgenes_core.figures import theme
from edgenes_core.figures.theme import ink

Literal = dict[str, Any]
CHECKED = False


def figure(traces: Sequence[Literal], layout: Literal, *, dark: bool, sentence: str = "") -> go.Figure:
    """Traces and layout over the theme's look; `sentence` says in the middle why there is nothing to see."""
    base = _base(dark)
    axes = {name: merged(base[name[:5]], layout[name]) for name in layout if name[1:5] == "axis"}
    whole = merged(merged(base, layout), axes)
    if sentence:
        said = {"text": sentence, "x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper", "showarrow": False}
        said["font"] = {"size": 15, "color": ink(dark=dark).muted}
        whole["annotations"] = [*whole.get("annotations", []), said]
    return go.Figure({"data": list(traces), "layout": whole}, _validate=CHECKED)


def plain(text: str) -> str:
    """Text from outside as plotly shows it letter by letter: no tag, link or %{placeholder} in it means anything."""
    return escape(one_line(text), quote=False).replace("{", "&#123;")


def title(text: str) -> Literal:
    """An axis title."""
    return {"title": {"text": text}}


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> Literal:
    """`over` laid on `base`, dictionaries in dictionaries included; neither is changed."""
    both = dict(base)
    for key, value in over.items():
        old = both.get(key)
        both[key] = merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return both


@cache
def _base(dark: bool) -> Literal:
    look: Literal = theme.layout(go.Figure(), dark=dark).layout.to_plotly_json()
    tone = ink(dark=dark)  # where the paper is clear the modebar would be grey, and its buttons white
    clear = {"modebar": {"bgcolor": "rgba(0,0,0,0)", "color": tone.muted, "activecolor": tone.text}, "template": {}}
    return merged(look, clear)
