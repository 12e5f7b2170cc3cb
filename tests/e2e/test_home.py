"""Home is useful at first paint and leads on; odd links are said, not fatal."""

from __future__ import annotations

from pathlib import Path

from browsing import newest, oldest, turn_to, visit
from playwright.sync_api import Page, expect

from edgenes_core.run_folder import Run


def test_home_says_what_the_run_found_and_leads_to_explore(page: Page, server: str, run: Run):
    visit(page, server)
    selected, single = run.ensembles()["selected"]["val"], run.ensembles()["single_base"]["val"]
    expect(page.get_by_text(f"{100 * selected['accuracy']:.2f} %").first).to_be_visible()
    expect(page.get_by_text(f"{selected['nll']:.4f}").first).to_be_visible()
    expect(page.get_by_text(f"alone: {100 * single['accuracy']:.2f} %")).to_be_visible()
    expect(page.get_by_text(f"n = {selected['n']} images").first).to_be_visible()
    cells = len({interval.architecture.key for interval in run.lambda_path().intervals})
    expect(page.get_by_text(f"{cells} different cells along λ, sharing")).to_be_visible()
    expect(page.locator(".picture svg")).to_be_visible()
    page.get_by_test_id("stMain").get_by_role("link", name="Explore λ").click()
    expect(page.locator(".scrubber")).to_be_visible()


def test_an_unknown_run_is_said_and_the_default_opened(page: Page, server: str, run: Run):
    visit(page, server, "explore", run="20990101-nowhere")
    expect(page.get_by_test_id("stAlert").filter(has_text="20990101-nowhere")).to_be_visible()
    expect(page.locator('[data-part="key"]')).to_have_text(
        run.lambda_path().at(run.space.lambda_max / 2).architecture.key
    )


def test_a_run_that_has_not_begun_shows_what_is_missing_and_another_can_be_picked(
    page: Page, server: str, runs_folder: Path
):
    begun, other = oldest(runs_folder), newest(runs_folder)
    visit(page, server, "", run=begun.id)
    expect(page.get_by_text("this run is not finished")).to_be_visible()
    turn_to(page, "explore")
    expect(page.get_by_role("heading", name="Nothing to show yet")).to_be_visible()
    expect(page.get_by_role("link", name="Finish this run")).to_be_visible()
    page.get_by_test_id("stSidebar").get_by_role("combobox").click()
    page.get_by_role("option", name=other.id).click()
    expect(page.locator('[data-part="key"]')).to_be_visible()
    page.wait_for_function("(id) => location.search.includes(id)", arg=other.id)
