"""Colours, roles and layout shared by every figure: Okabe–Ito, always with a second cue (shape or dash)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import plotly.graph_objects as go

OKABE_ITO = {
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "purple": "#CC79A7",
    "grey": "#808080",
}
"""Palette safe for colour-blind readers (Okabe & Ito 2008); grey stands in for its black, which a dark theme hides."""


class Style(NamedTuple):
    """How one role is drawn everywhere: plotly marker symbol and line dash beside the colour."""

    color: str
    symbol: str
    dash: str
    label: str


ROLE_STYLE: dict[str, Style] = {
    "base": Style(OKABE_ITO["vermillion"], "star", "solid", "base cell α*"),
    "pool": Style(OKABE_ITO["blue"], "circle", "solid", "pool (cells along λ)"),
    "deepens": Style(OKABE_ITO["green"], "square", "dash", "deep ensemble of α*"),
    "random": Style(OKABE_ITO["grey"], "x", "dot", "random cells"),
    "deviation": Style(OKABE_ITO["orange"], "triangle-up", "dashdot", "random deviations of α*"),
    "member": Style(OKABE_ITO["purple"], "circle-open", "longdash", "ensemble members"),
}


class Ink(NamedTuple):
    """Text and lines of one theme; text reaches 4.5 : 1 on the page's background, muted text as well."""

    text: str
    muted: str
    grid: str
    paper: str


INK_LIGHT = Ink(text="#0c1118", muted="#56606e", grid="#e3e7ec", paper="#ffffff")
INK_DARK = Ink(text="#e8ecf1", muted="#a3adba", grid="#2b333e", paper="#12161c")


def ink(*, dark: bool) -> Ink:
    """The theme's text and line colours (the same values as in .streamlit/config.toml)."""
    return INK_DARK if dark else INK_LIGHT


def layout(fig: go.Figure, *, dark: bool) -> go.Figure:
    """Give a figure the shared look, in place, and return it; draw it with `st.plotly_chart(fig, theme=None)`."""
    tone = ink(dark=dark)
    fig.update_layout(
        font={"family": "Source Sans, Source Sans Pro, sans-serif", "size": 14, "color": tone.text},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 56, "r": 16, "t": 32, "b": 48},
        hoverlabel={"bgcolor": tone.paper, "bordercolor": tone.muted, "font": {"color": tone.text}},
        legend={
            "orientation": "h",
            "yanchor": "bottom",
            "y": 1.0,
            "xanchor": "left",
            "x": 0,
            "bgcolor": "rgba(0,0,0,0)",
        },
    )
    axis = {
        "gridcolor": tone.grid,
        "zerolinecolor": tone.grid,
        "linecolor": tone.muted,
        "tickcolor": tone.muted,
        "tickfont": {"color": tone.muted},
        "title_font": {"color": tone.text, "size": 13},
        "showline": True,
        "ticks": "outside",
        "ticklen": 4,
        "automargin": True,
    }
    fig.update_xaxes(**axis)
    fig.update_yaxes(**axis)
    return fig
