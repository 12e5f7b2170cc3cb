"""A figure that nobody checks is the figure that plotly checked."""

from __future__ import annotations

import json

import plotly.graph_objects as go
import pytest
import streamlit as st
from lab_tabs import opened, predict
from page_runs import shown, whole
from test_pages_explore import runs  # noqa: F401 - a fixture

from edgenes_core.figures import build


@pytest.fixture(autouse=True)
def _forgotten():
    """No figure of another test is taken from the caches, and none of this one is left there."""
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def specs(app) -> list[dict]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


@pytest.mark.parametrize("page", ["explore.py", "space.py", "tradeoff.py", "Compare", "Members", "Trust", "Shift"])
def test_the_browser_is_sent_the_same(runs, monkeypatch, page):  # noqa: F811
    run = whole(runs)
    predict(run, run.plan())
    draw = shown if page.endswith(".py") else lambda tab, run: opened(run, tab, [run.plan()[0].id, run.plan()[1].id])
    found = {}
    for checked in (True, False):
        monkeypatch.setattr(build, "CHECKED", checked)
        st.cache_resource.clear()
        found[checked] = specs(draw(page, run))
    assert found[True]
    assert found[True] == found[False]


def test_the_tests_do_check():
    with pytest.raises(ValueError, match="Invalid property"):
        build.figure([{"type": "scatter", "colour": "red"}], {}, dark=True)
    assert isinstance(build.figure([], {}, dark=True), go.Figure)
