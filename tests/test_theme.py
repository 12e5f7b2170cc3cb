"""The app's colours: what figures use is what the app is configured with, and text can be read."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

from edgenes_core.figures import cells, theme

CONFIG = tomllib.loads((Path(__file__).parents[1] / ".streamlit" / "config.toml").read_text())
CAPTION = 0.6  # share of the text colour in Streamlit's captions


def channels(color: str) -> np.ndarray:
    return np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])


def contrast(a: np.ndarray, b: np.ndarray) -> float:
    """WCAG 2.2 contrast of two sRGB colours."""

    def luminance(color: np.ndarray) -> float:
        linear = np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)
        return float(linear @ (0.2126, 0.7152, 0.0722))

    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", ["light", "dark"])
def test_app_text_reaches_aa(name):
    colors = CONFIG["theme"][name]
    text = channels(colors["textColor"])
    for surface in (colors["backgroundColor"], colors["sidebar"]["backgroundColor"]):
        paper = channels(surface)
        assert contrast(CAPTION * text + (1 - CAPTION) * paper, paper) >= 4.5
        assert contrast(channels(colors["linkColor"]), paper) >= 4.5
        assert contrast(channels(colors["primaryColor"]), paper) >= 3
    assert contrast(channels(colors["primaryColor"]), np.ones(3)) >= 4.5, "white letters on a primary button"


@pytest.mark.parametrize("dark", [False, True])
def test_figures_reach_aa(dark):
    tone = theme.ink(dark=dark)
    paper = channels(tone.paper)
    assert contrast(channels(tone.text), paper) >= 7
    assert contrast(channels(tone.muted), paper) >= 4.5
    for operation in cells.OPERATION.values():
        assert contrast(channels(operation.dark if dark else operation.light), paper) >= 3


@pytest.mark.parametrize("name", ["light", "dark"])
def test_figures_use_the_colours_of_the_app(name):
    tone = theme.ink(dark=name == "dark")
    assert (tone.text, tone.paper) == (CONFIG["theme"][name]["textColor"], CONFIG["theme"][name]["backgroundColor"])


def test_roles_and_operations_differ_in_more_than_colour():
    styles = theme.ROLE_STYLE.values()
    assert len({style.symbol for style in styles}) == len({style.color for style in styles}) == len(styles)
    words = [operation.word for operation in cells.OPERATION.values()]
    assert len(set(words)) == len(words)
