"""What every e2e test does: open a page, wait until it is drawn."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Page

from edgenes_core.run_folder import Run

PAGES = {
    "": ("Home", "EdgeNES Explorer"),
    "explore": ("Explore λ", "Explore λ"),
    "space": ("Map of cells", "Map of cells"),
    "tradeoff": ("Trade-off", "Trade-off"),
    "ensembles": ("Ensembles", "Ensembles"),
    "train": ("Train", "Train"),
}
"""The pages of a run by path, each with its name in the navigation and its title."""
STUDY_PAGES = {
    "compare": ("Compare methods", "Compare methods"),
    "published": ("Published and ours", "Published and ours"),
}
SETTLED = """(title) => {  // asked at every frame of the browser: Playwright's own waits look less and less often
  const head = document.querySelector('h1')
  return head?.checkVisibility() && (!title || head.textContent.trim() === title)
    && document.querySelector('[data-testid="stApp"]').dataset.testScriptState === 'notRunning'
    && !document.querySelector('[data-testid="stSkeleton"]')
}"""


def runs_in(folder: Path) -> list[Path]:
    """Folders of runs; what else lies there, as the lock of the queue, is none."""
    return [file.parent for file in folder.glob("*/run.json")]


def newest(folder: Path) -> Run:
    """The run made last."""
    return Run(max(runs_in(folder)))


def oldest(folder: Path) -> Run:
    """The run made first."""
    return Run(min(runs_in(folder)))


def place_for(kind: str, folder: Path) -> Path:
    """Where to put a run that is neither the first nor the last by name, which other tests look for."""
    return (
        folder / f"{oldest(folder).path.name}-0-{kind}"
    )  # follows the first, and comes before all that begin otherwise


def visit(page: Page, server: str, path: str = "", **query: object) -> None:
    """Open a page of the app and wait until it has drawn everything."""
    page.goto(f"{server}/{path}" + (f"?{urlencode(query)}" if query else ""))
    settled(page)


def turn_to(page: Page, path: str) -> None:
    """Change to a page of the app as a user does, by its link in the navigation."""
    name, title = (PAGES | STUDY_PAGES)[path]
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).click()
    settled(page, title)


def settled(page: Page, title: str = "") -> None:
    """Wait until no script runs and nothing is still a placeholder; with a title, until this page has come so far."""
    page.wait_for_function(SETTLED, arg=title)
