"""Trade-off in a browser: a click on one of all ensembles selects its cells, here, in the link and on the map."""

from __future__ import annotations

from pathlib import Path

import page_runs
import pytest
from browsing import settled, visit
from playwright.sync_api import Page, expect
from test_clicks import click_a_point

from edgenes_core.run_folder import Run

MARKED = """() => Object.fromEntries((document.querySelector('.js-plotly-plot')?.data ?? [])
  .filter((trace) => trace.customdata && trace.selectedpoints)
  .flatMap((trace) => trace.selectedpoints.map((i) => [trace.customdata[i], true])))"""


@pytest.fixture(scope="module")
def mapped(runs_folder: Path) -> Run:
    """A finished run with a map."""
    return page_runs.whole(runs_folder)


def test_a_click_on_any_ensemble_selects_its_cells_on_every_page(page: Page, server: str, mapped: Run) -> None:
    visit(page, server, "tradeoff", run=mapped.id, plane_cloud="on", plane_x="jsd")
    drawn = "() => { const ids = document.querySelector('.js-plotly-plot')?.data?.[0]?.customdata; return ids?.length && [...ids] }"
    every = page.wait_for_function(drawn).json_value()
    members = set(click_a_point(page, set(every)).removeprefix("pool:").split("+"))
    expect(page.get_by_text("3 selected cells")).to_be_visible()
    expect(page.get_by_text("of 3 of the pool", exact=False).last).to_be_visible()
    settled(page)
    link = page.evaluate("new URLSearchParams(location.search).get('cells')")
    assert set(link.split(".")) == members
    page.get_by_role("button", name="Put these members into the basket").click()
    expect(page.get_by_text("Basket: 3 networks")).to_be_visible()
    page.get_by_role("link", name="Map of cells").click()
    expect(page.get_by_text("3 selected cells")).to_be_visible()
    page.get_by_role("link", name="Trade-off").click()
    expect(page.get_by_text("3 selected cells")).to_be_visible()
    page.wait_for_function(f"() => Object.keys(({MARKED})()).length >= 3")
    assert members <= set(page.evaluate(MARKED)), "its cells and the ensemble itself are marked"
