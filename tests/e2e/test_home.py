"""Every page fits a small screen in both themes; home is useful at first paint; odd links are said, not fatal."""

from __future__ import annotations

from pathlib import Path

import pytest
from browsing import newest, oldest, visit
from playwright.sync_api import Page, expect

from edgenes_core.run_folder import Run

PAGES = ("", "explore", "space", "tradeoff", "ensembles", "train")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_and_can_be_read(open_context, server: str, scheme):
    """Nothing scrolls sideways at either size, nothing fails, and all text has the contrast of WCAG AA."""
    page = open_context(color_scheme=scheme).new_page()
    for name in PAGES:
        visit(page, server, name)
        expect(page.get_by_test_id("stException"), name).to_have_count(0)
        expect(page.get_by_text("This page answers:"), name).to_be_visible()
        assert page.evaluate((Path(__file__).parent / "contrast.js").read_text()) == [], name
        for width, height in ((1600, 1000), (1280, 720)):
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_function("document.scrollingElement.scrollWidth <= innerWidth")
            main = page.get_by_test_id("stMain").element_handle()
            page.wait_for_function("(main) => main.scrollWidth <= main.clientWidth", arg=main)


def test_home_says_what_the_run_found(page: Page, server: str, run: Run):
    visit(page, server)
    selected, single = run.ensembles()["selected"]["val"], run.ensembles()["single_base"]["val"]
    expect(page.get_by_text(f"{100 * selected['accuracy']:.2f} %").first).to_be_visible()
    expect(page.get_by_text(f"{selected['nll']:.4f}").first).to_be_visible()
    expect(page.get_by_text(f"alone: {100 * single['accuracy']:.2f} %")).to_be_visible()
    expect(page.get_by_text(f"n = {selected['n']} images").first).to_be_visible()
    cells = len({interval.architecture.key for interval in run.lambda_path().intervals})
    expect(page.get_by_text(f"{cells} different cells along λ, sharing")).to_be_visible()
    expect(page.locator(".picture svg")).to_be_visible()


def test_home_leads_to_explore(page: Page, server: str):
    visit(page, server)
    page.get_by_test_id("stMain").get_by_role("link", name="Explore λ").click()
    expect(page.locator(".scrubber")).to_be_visible()


def test_an_unknown_run_is_said_and_the_default_opened(page: Page, server: str, run: Run):
    visit(page, server, "explore", run="20990101-nowhere")
    expect(page.get_by_test_id("stAlert").filter(has_text="20990101-nowhere")).to_be_visible()
    expect(page.locator('[data-part="key"]')).to_have_text(
        run.lambda_path().at(run.space.lambda_max / 2).architecture.key
    )


def test_a_run_that_has_not_begun_shows_what_is_missing(page: Page, server: str, runs_folder: Path):
    begun = oldest(runs_folder)
    visit(page, server, "explore", run=begun.id)
    expect(page.get_by_role("heading", name="Nothing to show yet")).to_be_visible()
    expect(page.get_by_role("link", name="Finish this run")).to_be_visible()
    visit(page, server, "", run=begun.id)
    expect(page.get_by_text("this run is not finished")).to_be_visible()


def test_the_run_picker_keeps_the_choice_in_the_link(page: Page, server: str, runs_folder: Path):
    other = newest(runs_folder)
    visit(page, server, "explore", run=oldest(runs_folder).id)
    page.get_by_test_id("stSidebar").get_by_role("combobox").click()
    page.get_by_role("option", name=other.id).click()
    expect(page.locator('[data-part="key"]')).to_be_visible()
    page.wait_for_function("(id) => location.search.includes(id)", arg=other.id)
