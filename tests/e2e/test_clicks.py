"""Map, Trade-off and Ensembles in a browser: clicks on points, numbers read from the page, the speed of a change."""

from __future__ import annotations

from pathlib import Path

import page_runs
import pytest
from browsing import settled, visit
from playwright.sync_api import Page, expect

from edgenes_core import ensembles
from edgenes_core.run_folder import Run

POINTS = """() => {
  const chart = document.querySelector('.js-plotly-plot'), box = chart.getBoundingClientRect()
  const {xaxis, yaxis} = chart._fullLayout, found = []
  for (const points of chart.calcdata) for (const point of points) {
    const ids = points[0].trace.customdata
    const at = [box.left + xaxis._offset + xaxis.c2p(point.x), box.top + yaxis._offset + yaxis.c2p(point.y)]
    if (ids?.[point.i]) found.push({id: ids[point.i], at})
  }
  const apart = (a, b) => Math.hypot(a.at[0] - b.at[0], a.at[1] - b.at[1])
  for (const point of found) point.free = Math.min(...found.filter((other) => other !== point).map((o) => apart(o, point)))
  return found.sort((a, b) => b.free - a.free)
}"""
TIMER = """() => {
  window.took = []
  document.addEventListener('click', () => {
    const start = performance.now(), before = document.querySelector('table').innerText
    const watch = new MutationObserver(() => {
      if (document.querySelector('table')?.innerText !== before) { window.took.push(performance.now() - start); watch.disconnect() }
    })
    watch.observe(document.body, {subtree: true, childList: true, characterData: true})
  }, true)
}"""


@pytest.fixture(scope="module")
def mapped(runs_folder: Path) -> Run:
    """A finished run with a map."""
    return page_runs.whole(runs_folder)


def click_a_point(page: Page, among: set[str]) -> str:
    """Click the point farthest from any other; it reacts only after the pointer has rested on it. Returns its id."""
    page.locator(".js-plotly-plot .main-svg").first.wait_for()
    page.wait_for_function("() => document.querySelector('.js-plotly-plot').calcdata?.length > 1")
    point = next(point for point in page.evaluate(POINTS) if point["id"] in among)
    page.mouse.move(*point["at"])
    page.locator(".hoverlayer .hovertext").first.wait_for()
    page.mouse.click(*point["at"])
    return point["id"]


def test_a_click_on_the_plane_describes_the_cell_and_fills_the_basket(page: Page, server: str, mapped: Run) -> None:
    visit(page, server, "tradeoff", run=mapped.id)
    base = mapped.base().architecture
    trainings = {t.id: t for t in mapped.plan() if t.seed == 0 and t.architecture != base}
    training = trainings[click_a_point(page, set(trainings))]
    expect(page.locator("code", has_text=training.architecture.key)).to_be_visible()
    expect(page.locator(".picture svg title")).to_have_text(f"Cell {training.architecture.key} beside α* {base.key}")
    page.get_by_role("button", name="Add to the basket").click()
    expect(page.get_by_text("Basket: 1 network")).to_be_visible()
    page.get_by_role("button", name="Take out of the basket").click()
    expect(page.get_by_text("Basket: 0 networks")).to_be_visible()


def test_a_click_on_the_map_lists_true_neighbours(page: Page, server: str, mapped: Run) -> None:
    visit(page, server, "space", run=mapped.id)
    base = mapped.base().architecture.key
    cell = click_a_point(page, set(mapped.embedding()["keys"].tolist()) - {base})
    expect(page.locator(".picture svg title")).to_have_text(f"Cell {cell} beside α* {base}")
    expect(page.get_by_text("True nearest neighbours")).to_be_visible()


def test_the_rendered_numbers_are_the_backends(page: Page, server: str, mapped: Run) -> None:
    visit(page, server, "ensembles", run=mapped.id)
    page.get_by_role("button", name="Take the selected").click()
    row = page.locator("tr", has=page.get_by_text("your ensemble", exact=True))
    members = mapped.ensembles()["selected"]["members"]
    wanted = ensembles.evaluate(mapped.val_probabilities(members), mapped.targets("val"), "val")
    expect(row).to_contain_text(f"{wanted.nll:.4f}")
    expect(row).to_contain_text(f"{100 * wanted.accuracy:.2f} %")
    for number in (f"{wanted.nll:.4f}", f"{wanted.brier:.4f}", f"{wanted.ece:.4f}"):
        expect(page.get_by_test_id("stMetricValue").get_by_text(number, exact=True)).to_be_visible()
    expect(page.get_by_text("Basket: 3 networks")).to_be_visible()


def test_a_changed_basket_shows_new_numbers_soon(page: Page, server: str, mapped: Run) -> None:
    """Below 0.2 s on an idle machine; the limit leaves room for other work on the same cores."""
    visit(page, server, "ensembles", run=mapped.id)
    page.evaluate(TIMER)
    for turn in range(3):
        for count, name in enumerate(("Take the selected", "Empty"), start=2 * turn + 1):
            page.get_by_role("button", name=name).click()
            page.wait_for_function(f"() => window.took.length === {count}")
            settled(page)
    took = sorted(page.evaluate("window.took"))
    assert took[len(took) // 2] < 1000, took


def test_a_row_of_the_timeline_brings_its_team_back(page: Page, server: str, mapped: Run) -> None:
    visit(page, server, "ensembles", run=mapped.id)
    page.get_by_role("button", name="Take the selected").click()
    expect(page.get_by_text("Basket: 3 networks")).to_be_visible()
    page.get_by_role("button", name="Empty").click()
    expect(page.get_by_text("Basket: 0 networks")).to_be_visible()
    page.locator(".st-key-ensembles_timeline button").click()
    table = page.locator(".stDataFrameGlideDataEditor").first
    table.wait_for()
    settled(page)
    table.click(position={"x": 16, "y": 52})  # the box of the first row
    expect(page.get_by_text("Basket: 3 networks")).to_be_visible()


def test_the_test_set_is_revealed_on_request_only(page: Page, server: str, mapped: Run) -> None:
    visit(page, server, "ensembles", run=mapped.id)
    page.get_by_role("tab", name="Test").click()
    before = mapped.reveals()
    expect(page.get_by_text("test images")).to_have_count(0)
    page.get_by_role("button", name="Reveal test").click()
    expect(page.get_by_text(f"Look {before + 1}:")).to_be_visible()
    assert mapped.reveals() == before + 1
