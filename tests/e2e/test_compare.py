"""Compare and Published in a browser, with the studies that come with the project: their numbers are the backend's, a click on a
head sorts, a link brings the same view back."""

from __future__ import annotations

from browsing import settled, visit
from playwright.sync_api import Locator, Page, expect

from edgenes_core.study.by_shared import farther
from edgenes_core.study.folder import Study
from edgenes_core.study.store import BUNDLED
from edgenes_core.study.table import METRICS, judge, mode_of, rows
from pages.widgets.compare_table import change_of

CELLS = "(grid) => [...grid.querySelectorAll('tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent))"
SORTED = """(grid) => {
  const last = [...grid.querySelectorAll('tbody tr')].map((row) => Number(row.cells[row.cells.length - 1].textContent.replace(/\\s/g, '')))
  return last.length > 1 && (last.every((value, k) => !k || last[k - 1] <= value) || last.every((value, k) => !k || last[k - 1] >= value))
}"""
HEAD, EDGE = 17, 45  # pixels: middle of the heads from the top of a grid; a place in its last head, from the right


def expect_numbers(table: Locator, study: Study, reference: str) -> list[str]:
    """The grid's means are the backend's; the methods in its order."""
    shown = {cells[0]: cells for cells in table.evaluate(CELLS)}
    found = rows(study, judge(study, mode_of(study, "pool", reference)), reference)
    assert len(found) == len(shown) * len(METRICS)
    for row in found:
        assert float(shown[row.title][2 + METRICS.index(row.metric)]) == row.value
    return list(shown)


def grid(page: Page) -> Locator:
    table = page.get_by_role("tabpanel", name="Table", exact=True).get_by_test_id("stDataFrame")
    table.locator("tbody tr").first.wait_for(state="attached")
    return table


def test_compare_opens_with_the_bundled_study_and_sorts(page: Page, server: str) -> None:
    visit(page, server, "compare")
    expect(page.get_by_text("bundled study · digits · 5 seeds · cpu").first).to_be_visible()
    table, study = grid(page), Study(BUNDLED / "digits-methods")
    shown = expect_numbers(table, study, "deepens")
    assert not table.evaluate(SORTED)
    box = table.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] - EDGE, box["y"] + HEAD)
    page.wait_for_function(SORTED, arg=table.element_handle())
    assert expect_numbers(table, study, "deepens") != shown


def test_a_link_brings_study_and_reference_back(page: Page, server: str) -> None:
    visit(page, server, "compare")
    for label, answer, name in (("Study", "digits-ablations: ", "digits-ablations"), ("Compared with", "swapped interpolation", "swapped")):  # fmt: skip
        page.get_by_role("combobox", name=label).click()
        page.get_by_role("option").filter(has_text=answer).click()
        page.wait_for_function(f"() => location.search.includes('={name}')")
        settled(page)
    link = page.url
    page.goto("about:blank")
    page.goto(link)
    settled(page)
    expect(page.get_by_text("Against swapped interpolation (◆)")).to_be_visible()
    expect_numbers(grid(page), Study(BUNDLED / "digits-ablations"), "swapped")


def test_another_quality_on_published_changes_its_numbers(page: Page, server: str) -> None:
    visit(page, server, "published")
    panel = page.get_by_role("tabpanel", name="Farther from α*", exact=True)
    used = [Study(BUNDLED / name) for name in ("digits-census", "fashion-census", "digits-methods", "fashion")]
    for metric, label in (("accuracy", "accuracy"), ("nll", "NLL"), ("brier", "Brier score")):
        panel.get_by_role("radio", name=label, exact=True).click()
        wanted = [
            change_of(metric, row.slope, row.lo, row.hi)
            for study in used
            for row in farther(study, ("census", "deviation"), metric)
        ]
        expect(panel.locator("tbody td:nth-child(2)")).to_have_text(wanted)
        settled(page)
    assert "published_y=brier" in page.url
