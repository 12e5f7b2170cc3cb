"""A real run, as small as the ranges allow: launched from the form, watched, found again after a reload and from another page,
cancelled, resumed, and restored into the form."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from browsing import settled, turn_to, visit
from playwright.sync_api import Locator, Page, expect

from edgenes_core import jobs
from edgenes_core.run_folder import Run

TINY = {
    "darts_steps": 120,  # long enough to be reloaded and cancelled on a fast machine
    "darts_batch": 4,
    "hypernet_steps": 3,
    "hypernet_polish_steps": 0,
    "retrain_epochs": 1,
    "ensemble_pool": 2,
    "ensemble_size": 1,
    "ensemble_controls": 1,
}
PATIENCE = 180_000  # ms; the worker is nice and may share its cores with other work


def chip(page: Page, word: str) -> Locator:
    return page.get_by_test_id("stMain").locator(".stMarkdownBadge", has_text=word)


def set_field(page: Page, name: str, value: int) -> None:
    field = page.locator(f".st-key-train_quick_{name} input")
    if not field.is_visible():
        page.get_by_test_id("stExpander").filter(has=field).locator("summary").first.click()
    field.fill(str(value))
    field.press("Enter")
    settled(page)


def test_launch_watch_reload_cancel_resume_finish(page: Page, server: str, runs_folder: Path) -> None:
    visit(page, server, "train")
    page.get_by_text("New run", exact=True).click()
    for name, value in TINY.items():
        set_field(page, name, value)
    page.get_by_text("UMAP map of the cells").click()
    settled(page)
    page.get_by_role("button", name="Launch").click()
    expect(chip(page, "running")).to_be_visible()

    run = Run(runs_folder / parse_qs(urlsplit(page.evaluate("location.href")).query)["run"][0])
    assert run.config.darts.steps == TINY["darts_steps"]
    step = (
        page.get_by_test_id("stMain").locator("strong").get_by_text(f" of {TINY['darts_steps']}")
    )  # the log says it too
    expect(step).to_be_visible(timeout=PATIENCE)
    page.wait_for_function(
        "() => document.querySelector('.js-plotly-plot')?.calcdata?.some((points) => points.length > 2)",
        timeout=PATIENCE,
    )

    page.reload()
    expect(chip(page, "running")).to_be_visible()
    turn_to(page, "explore")
    page.locator(".st-key-frame_jobs").get_by_role("link").first.click()
    expect(chip(page, "running")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(chip(page, "cancelled")).to_be_visible(timeout=PATIENCE)
    assert jobs.state(run).name == "cancelled"

    page.get_by_role("button", name="Resume").click()
    expect(chip(page, "running")).to_be_visible()
    expect(chip(page, "finished")).to_be_visible(timeout=PATIENCE)
    assert set(run.manifest.stages) == {"darts", "hypernet", "retrain", "select", "embed"}

    page.get_by_role("button", name="Same settings again").click()
    expect(page.get_by_text(f"Starts from the settings of {run.id}")).to_be_visible()
    assert "train=like" in page.evaluate("location.href")
    page.get_by_text("Watch the open run").click()
    page.get_by_text("Open this run").click()
    expect(page.get_by_role("heading", name="Explore")).to_be_visible()
    assert run.id in page.evaluate("location.href")
