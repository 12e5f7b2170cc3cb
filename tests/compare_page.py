"""The Compare page for tests: without bundled studies, opened at a tab."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest
from test_pages_explore import open_page

from edgenes_core.study import store

TABS = ("Table", "Differences", "Cost", "Budget", "Classes", "Methods")


@pytest.fixture(autouse=True)
def no_bundled(tmp_path, monkeypatch) -> None:
    """Without the studies that come with the project."""
    monkeypatch.setattr(store, "BUNDLED", tmp_path / "none")
    monkeypatch.setattr("pages.widgets.studies.BUNDLED", tmp_path / "none")


def opened(tab: str = "Table", run=None, **query: str) -> AppTest:
    app = open_page("compare.py", run, **query)
    assert not app.exception, [e.value for e in app.exception]
    return turned(app, tab)


def turned(app: AppTest, tab: str) -> AppTest:
    if tab != "Table":
        app.session_state["compare_tab"] = tab
        app.run()
    assert not app.exception, [e.value for e in app.exception]
    return app


def button(app: AppTest, key: str) -> bool:
    return key in [each.key for each in app.button]
