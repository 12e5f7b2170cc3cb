"""For whoever does not see, or not colours, or uses no mouse: axe finds nothing serious, and every page works by keyboard."""

from __future__ import annotations

from importlib.resources import files

import pytest
from browsing import PAGES, settled, visit
from playwright.sync_api import Page, expect
from test_explore import lam_drawn, part

from edgenes_core.run_folder import Run

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
RUN = """async () => {
  const {violations} = await axe.run(document, {resultTypes: ['violations']})
  return violations.filter(({impact}) => ['serious', 'critical'].includes(impact))
    .flatMap(({id, nodes}) => nodes.map((node) => `${id}: ${node.html.slice(0, 200)}`))
}"""
SECTIONS = ("Edit a cell by hand", "Images flowing")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(open_context, server: str, theme: str) -> None:
    page = open_context(color_scheme=theme).new_page()
    found = {}
    for name in PAGES:
        visit(page, server, name)
        if name == "explore":
            open_sections(page)
        page.evaluate(AXE)
        found[name] = page.evaluate(RUN)
    assert not any(found.values()), found


def open_sections(page: Page) -> None:
    for label in SECTIONS:
        page.get_by_text(label).click()
    expect(page.get_by_text("one-shot accuracy")).to_be_visible()
    page.locator(".st-key-explore_flow .picture svg").wait_for()
    settled(page)


def test_our_components_are_open_to_axe(page: Page, server: str) -> None:
    """What lies behind a closed shadow root would never be looked at."""
    visit(page, server, "explore")
    hosts = "() => document.querySelectorAll('[data-testid=stBidiComponentRegular]').length"
    assert page.locator(".scrubber").count() == page.locator(".why").count() == 1, page.evaluate(hosts)


@pytest.mark.parametrize("name", ["explore", "space", "tradeoff", "ensembles"])
def test_every_chart_has_words_and_a_table(page: Page, server: str, name: str) -> None:
    visit(page, server, name)
    charts = page.get_by_test_id("stPlotlyChart")
    charts.first.wait_for()
    page.wait_for_function("() => [...document.querySelectorAll('.js-plotly-plot')].every((chart) => chart.calcdata)")
    assert page.get_by_role("button", name="As a table").count() >= charts.count()
    words = "(chart) => chart.getAttribute('aria-label') || chart.querySelector('[aria-label]:not(.modebar-btn)')?.getAttribute('aria-label') || ''"
    for chart in charts.all():
        assert len(chart.evaluate(words)) > 30


def test_explore_by_keyboard_alone(page: Page, server: str, run: Run) -> None:
    path = run.lambda_path()
    visit(page, server, "explore", lam=0)
    part(page, "previous").focus()
    reached = []
    for _ in range(20):
        reached.append(page.evaluate(FOCUSED))
        page.keyboard.press("Tab")
    assert {"previous", "play", "next", "number", "range", "pin"} <= set(reached)
    assert any(name.startswith("edge ") for name in reached), reached
    part(page, "range").focus()
    page.keyboard.press("ArrowRight")
    expect(part(page, "key")).to_have_text(path.intervals[1].architecture.key)
    expect(page.get_by_role("heading", name=f"Cell {path.intervals[1].architecture.key}, retrained")).to_be_visible()
    part(page, "pin").focus()
    page.keyboard.press("Enter")
    expect(part(page, "counts")).to_contain_text(f"Beside B ({path.intervals[1].architecture.key})")
    assert path.at(lam_drawn(page)) == path.intervals[1]


FOCUSED = """() => {
  let element = document.activeElement
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement
  return element?.dataset?.part ?? (element?.classList?.contains('pill') ? 'edge ' + element.getAttribute('aria-label') : element?.tagName ?? '')
}"""


def test_an_edge_reached_by_keyboard_is_explained(page: Page, server: str) -> None:
    visit(page, server, "explore", lam=0)
    pill = page.locator('.scrubber .pill[tabindex="0"]').first
    pill.focus()
    expect(part(page, "about")).to_contain_text(pill.get_attribute("aria-label").split(": ")[0])
