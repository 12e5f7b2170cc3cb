"""From a click (or Enter) to the new headline number: a member taken out or put in, a weight changed, on Ensembles in a browser.

A run of N networks with random predictions is stored in a temporary folder (as `lab.py` does) and opened with a team of M. Each change
makes a team not seen before. Per change: click → first new number in the DOM; of it the server's share, request sent → message with the new
number arrived; and click → page at rest, the open tab drawn anew. Needs a Chromium: $CHROMIUM, or one on PATH.

    python benchmarks/lab_browser.py --json            # 10 000 images, 100 classes, 20 networks, 5 members
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
from drag import FLAGS
from lab import BUDGET_MS, stored
from playwright.sync_api import Page, sync_playwright
from servers import server

TABS = {"Compare": "ensembles_scores_row", "Trust": "trust_doubt_tools_row"}  # each with the key of what it draws last
PATIENCE_MS = 120_000
WATCHED = """
const Native = window.WebSocket
window.wire = []
window.WebSocket = class extends Native {
  constructor(...options) {
    super(...options)
    this.addEventListener("message", ({data}) => window.wire.push({at: performance.now(), data}))
  }
  send(data) {
    window.wire.push({at: performance.now()})
    super.send(data)
  }
}
"""
ARMED = """() => {
  const numbers = () => [...document.querySelectorAll('[data-testid="stMetricValue"]')].slice(0, 4).map((e) => e.innerText)
  const resting = () => document.querySelector('[data-testid="stApp"]').dataset.testScriptState === 'notRunning'
  const old = numbers()
  window.took = null
  const given = new AbortController()
  const begin = (event) => {
    if (event.type === 'keydown' && event.key !== 'Enter') return
    given.abort()
    const start = performance.now(), found = {}
    window.wire.length = 0
    const watch = new MutationObserver(() => {
      const fresh = found.shown ? '' : numbers().find((text, place) => text !== old[place])
      if (fresh) {
        found.shown = performance.now() - start
        const holds = ({data}) => data && new TextDecoder('latin1').decode(data).includes(fresh)
        found.server = window.wire.find(holds).at - window.wire.find(({data}) => !data).at
      }
      if (found.shown && resting()) {
        found.rest = performance.now() - start
        window.took = found
        watch.disconnect()
      }
    })
    watch.observe(document.body, {subtree: true, childList: true, characterData: true, attributes: true})
  }
  for (const type of ['pointerup', 'keydown']) document.addEventListener(type, begin, {capture: true, signal: given.signal})
}"""
AT_REST = """() => document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === 'notRunning'
  && document.querySelectorAll('[data-testid="stMetricValue"]').length && !document.querySelector('[data-testid="stSkeleton"]')"""


def opened(page: Page, address: str, tab: str, query: dict[str, str]) -> None:
    """The page with a team from its link and one tab open, at rest."""
    page.goto(f"{address}/ensembles?{urlencode(query)}")
    page.wait_for_function(AT_REST)
    page.get_by_role("tab", name=tab, exact=True).click()
    page.locator(f".st-key-{TABS[tab]}").wait_for()


def timed(page: Page, act: Callable[[], None]) -> dict[str, float]:
    """Milliseconds of one change."""
    page.wait_for_function(AT_REST)
    page.evaluate(ARMED)
    act()
    return page.wait_for_function("() => window.took").json_value()


def members_changed(page: Page, _: int, changes: int) -> Iterator[dict[str, float]]:
    """In turn the first member is taken out, and a network put in that makes a team not seen before."""
    box = page.locator(".st-key-ensembles_members")
    tags, seen = box.locator("[data-tag]"), set()
    for _turn in range(changes // 2):
        before = frozenset(each.get_attribute("aria-label") for each in tags.all())
        seen.add(before)
        yield timed(page, tags.first.get_by_role("button", include_hidden=True).click)
        rest = frozenset(each.get_attribute("aria-label") for each in tags.all())
        box.locator("input").click()
        options = page.get_by_role("option")
        options.nth(1).wait_for()  # the first one means all
        names = options.all_inner_texts()
        place = next(k for k in range(1, len(names)) if names[k] not in before and rest | {names[k]} not in seen)
        yield timed(page, options.nth(place).click)
        page.keyboard.press("Escape")


def weights_changed(page: Page, size: int, changes: int) -> Iterator[dict[str, float]]:
    """Another part for one member after the other, by Enter."""
    fields, parts = (
        page.locator('[class*="st-key-ensembles_part_"] input'),
        np.random.default_rng(0).permutation(98) + 2,
    )
    for turn in range(changes):
        fields.nth(turn % size).fill(str(parts[turn]))
        yield timed(page, lambda: page.keyboard.press("Enter"))


def summary(name: str, tab: str, found: list[dict[str, float]]) -> dict[str, object]:
    """Quantiles over all changes but the first, which warms up."""
    row: dict[str, object] = {"change": name, "tab": tab, "changes": len(found) - 1}
    for part in ("shown", "server", "rest"):
        p50, p95 = np.quantile([each[part] for each in found[1:]], [0.5, 0.95])
        row |= {f"{part}_p50_ms": round(float(p50), 1), f"{part}_p95_ms": round(float(p95), 1)}
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("images", 10_000), ("classes", 100), ("networks", 20), ("members", 5), ("changes", 21)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = shutil.which(os.environ.get("CHROMIUM", "")) or shutil.which("chromium") or shutil.which("google-chrome")
    rows, load = [], round(os.getloadavg()[0], 1)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["EDGENES_RUNS"] = folder
        run = stored(Path(folder), options.images, options.classes, options.networks)
        team = [training.id for training in run.plan()][: options.members]
        query = {"run": run.id, "basket": ".".join(team)}
        with server(Path(folder)) as (address, _), sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=found, args=FLAGS)
            page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
            page.set_default_timeout(PATIENCE_MS)
            page.add_init_script(WATCHED)
            for tab in TABS:
                for name, change, more in (
                    ("a member", members_changed, {}),
                    ("a weight", weights_changed, {"combine": "weights"}),
                ):
                    opened(page, address, tab, query | more)
                    rows.append(summary(name, tab, list(change(page, options.members, options.changes))))
                    print(rows[-1], file=sys.stderr)
            version = browser.version
    print(f"Chromium {version}, {os.cpu_count()} cores, load {load}, budget {BUDGET_MS:.0f} ms", file=sys.stderr)
    if options.json:
        print(json.dumps({"browser": version, "load": load, "budget_ms": BUDGET_MS, "cases": rows}))


if __name__ == "__main__":
    main()
