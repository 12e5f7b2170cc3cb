"""What every e2e test does: open a page, wait until it is drawn."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Page

from edgenes_core.run_folder import Run


def newest(folder: Path) -> Run:
    """The run made last."""
    return Run(max(folder.iterdir(), key=lambda path: path.name))


def oldest(folder: Path) -> Run:
    """The run made first."""
    return Run(min(folder.iterdir(), key=lambda path: path.name))


def visit(page: Page, server: str, path: str = "", **query: object) -> None:
    """Open a page of the app and wait until it has drawn everything."""
    page.goto(f"{server}/{path}" + (f"?{urlencode(query)}" if query else ""))
    settled(page)


def settled(page: Page) -> None:
    """Wait until no script runs and nothing is still a placeholder."""
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    page.locator("h1").first.wait_for()
    page.wait_for_function("""() => !document.querySelector('[data-testid="stSkeleton"]')""")
