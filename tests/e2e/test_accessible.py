"""For whoever does not see well, has a small screen, or uses no mouse: in both themes axe finds nothing serious, all text can be
read, charts have words, nothing scrolls sideways; and every page works by keyboard."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from browsing import PAGES, settled, turn_to, visit
from playwright.sync_api import Locator, Page, expect
from test_explore import lam_drawn, part

from edgenes_core.run_folder import Run

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
RUN = """async (root) => {
  const rules = window.opened === 'dark' ? {runOnly: ['color-contrast']} : {}  // all others are the same in either theme
  const {violations} = await axe.run(root, {resultTypes: ['violations'], ...rules})
  return violations.filter(({impact}) => ['serious', 'critical'].includes(impact))
    .flatMap(({id, nodes}) => nodes.map((node) => `${id}: ${node.html.slice(0, 200)}`))
}"""
CONTRAST = (Path(__file__).parent / "contrast.js").read_text()
SECTIONS = ("Edit a cell by hand", "Images flowing")
TABS = {  # of the Ensembles page, but for the first, each with the key of what it draws last
    "Members": "members_pairs_tools_row",
    "Trust": "trust_doubt_tools_row",
    "Images": "images_confusion_tools_row",
    "Shift": "shift_foreign_tools_row",
    "Test": "ensembles_reveal",
}
STUDIES = {  # pages of studies, likewise
    "compare": {
        "Differences": "compare_forest_tools_row",
        "Cost": "compare_plane_tools_row",
        "Budget": "compare_area_tools_row",
        "Classes": "compare_class_tools_row",
        "Methods": "compare_card_deepens10",
    },
    "published": {
        "λ and shared edges": "published_lambda-shared_tools_row",
        "Accuracy and λ": "published_lambda-accuracy_tools_row",
        "Hypernetwork or random": "published_random_tools_row",
        "Warming": "published_warming_tools_row",
        "Methods and cost": "published_methods_fashion_row",
        "Speed": "published_speed_fashion_row",
        "Theorem": "published_theorem",
    },
}
LAST = TABS | STUDIES["compare"] | STUDIES["published"]
VIEWS = [(name, inner) for name in PAGES for inner in ("", *(TABS if name == "ensembles" else ()))]
VIEWS += [(name, inner) for name, tabs in STUDIES.items() for inner in ("", *tabs)]
CHARTS = ("explore", "space", "tradeoff", "ensembles")
WORDS = """(charts) => charts.map((chart) => chart.getAttribute('aria-label')
  || chart.querySelector('[aria-label]:not(.modebar-btn)')?.getAttribute('aria-label') || '')"""


class Shown(NamedTuple):
    """A page of the app as it is when it is opened, with all of its sections open; `root` is all of it, or one of its tabs."""

    page: Page
    name: str
    inner: str
    root: Locator


def views(*themes: str) -> pytest.MarkDecorator:
    """For every page and tab in these themes, each opened once for all that must hold there."""
    asked = [(*view, theme) for theme in themes for view in VIEWS]
    return pytest.mark.parametrize("shown", asked, ids="-".join, indirect=True, scope="module")


@pytest.fixture(scope="module")
def shown(request: pytest.FixtureRequest, tab: Page, server: str) -> Shown:
    name, inner, theme = request.param
    if tab.evaluate("window.opened") != theme:
        tab.emulate_media(color_scheme=theme)
        visit(tab, server, name)
        tab.evaluate(AXE)
        tab.evaluate("(theme) => { window.opened = theme }", theme)
    elif not urlsplit(tab.url).path.endswith(f"/{name}"):
        turn_to(tab, name)
    if name == "explore":
        open_sections(tab)
    if inner:
        tab.get_by_role("tab", name=inner, exact=True).click()
        tab.locator(f".st-key-{LAST[inner]}").wait_for()
        settled(tab)
    return Shown(tab, name, inner, tab.get_by_role("tabpanel", name=inner) if inner else tab.locator("html"))


@views("light", "dark")
def test_axe_finds_nothing_serious(shown: Shown) -> None:
    assert shown.root.evaluate(RUN) == []


@views("light", "dark")
def test_all_text_can_be_read(shown: Shown) -> None:
    """Contrast of WCAG AA, and nothing failed; no tab was left out."""
    expect(shown.page.get_by_test_id("stException")).to_have_count(0)
    expect(shown.page.get_by_text("This page answers:")).to_be_visible()
    assert shown.page.evaluate(CONTRAST) == []
    if shown.name in STUDIES:
        expect(shown.page.get_by_test_id("stAlert")).to_have_count(0)
        assert len(shown.root.inner_text()) > 100
    tabs = shown.page.get_by_test_id("stMain").get_by_role("tab").all_inner_texts()
    assert tabs[1:] == [inner for name, inner in VIEWS if name == shown.name and inner]


@views("light")
def test_our_components_are_open_to_axe(shown: Shown) -> None:
    """What lies behind a closed shadow root would never be looked at."""
    parts = {".scrubber": shown.name == "explore", ".why": shown.name == "explore", "td.team": shown.inner == "Images"}
    assert {part: shown.page.locator(part).count() > 0 for part in parts} == parts


@views("light")
def test_every_chart_has_words_and_a_table(shown: Shown) -> None:
    charts = shown.root.get_by_test_id("stPlotlyChart")
    if shown.name in CHARTS and shown.inner != "Test":
        charts.first.wait_for()
    shown.page.wait_for_function("() => [...document.querySelectorAll('.js-plotly-plot')].every((c) => c.calcdata)")
    assert shown.root.get_by_role("button", name="As a table").count() >= charts.count()
    assert all(len(words) > 30 for words in charts.evaluate_all(WORDS))


@views("light")
def test_nothing_scrolls_sideways(shown: Shown) -> None:
    for width, height in ((1600, 1000), (1280, 720)):
        shown.page.set_viewport_size({"width": width, "height": height})
        shown.page.wait_for_function("document.scrollingElement.scrollWidth <= innerWidth")
        main = shown.page.get_by_test_id("stMain").element_handle()
        shown.page.wait_for_function("(main) => main.scrollWidth <= main.clientWidth", arg=main)


def open_sections(page: Page) -> None:
    for label in SECTIONS:
        page.get_by_text(label).click()
    expect(page.get_by_text("one-shot accuracy")).to_be_visible()
    page.locator(".st-key-explore_flow .picture svg").wait_for()
    settled(page)


def test_explore_by_keyboard_alone(page: Page, server: str, run: Run) -> None:
    path = run.lambda_path()
    visit(page, server, "explore", lam=0)
    pill = page.locator('.scrubber .pill[tabindex="0"]').first
    pill.focus()
    expect(part(page, "about")).to_contain_text(pill.get_attribute("aria-label").split(": ")[0])
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
