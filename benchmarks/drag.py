"""How long from moving the λ handle to seeing the cell, in a real browser, and what is sent to the server meanwhile.

    python benchmarks/drag.py [--moves 540] [--rounds 3] [--json]

Starts the app on the bundled run, drags the handle with the mouse, and prints for every input event: input → DOM (the handler's
own time, all linked views included), and input → painted (event's time stamp → first task after the next animation frame).
Needs a Chromium: $CHROMIUM, one on PATH, or Playwright's.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
from itertools import pairwise
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from servers import server

ROOT = Path(__file__).parents[1]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
WATCH = """(root) => {
  window.frames_seen = []
  window.inputs_seen = []
  const range = root.querySelector('input[type=range]')
  range.addEventListener('input', (event) => {
    window.inputs_seen.push({took: Number(root.dataset.took), draws: Number(root.dataset.draws)})
    requestAnimationFrame(() => {
      const channel = new MessageChannel()
      channel.port1.onmessage = () => window.frames_seen.push(performance.now() - event.timeStamp)
      channel.port2.postMessage(0)
    })
  })
}"""


def drag(page: Page, moves: int) -> dict[str, float]:
    """Sweep the handle to and fro; milliseconds at the quantiles, and the messages sent while the button was down."""
    sent: list[object] = []
    page.on("websocket", lambda ws: ws.on("framesent", lambda frame: sent.append(frame)))
    page.reload()
    root = page.locator(".scrubber[data-lam]")
    root.wait_for()
    page.locator(".why[data-lam]").wait_for()
    page.wait_for_function("() => !document.querySelector('[data-testid=\"stSkeleton\"]')")
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    root.evaluate(WATCH)
    box = page.locator(".scrubber input[type=range]").bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, y)
    page.mouse.down()
    before = len(sent)
    for step in range(moves):
        share = abs((step / 90) % 2 - 1)
        page.mouse.move(box["x"] + 10 + (box["width"] - 20) * share, y)
    during = len(sent) - before
    page.mouse.up()
    page.wait_for_function("() => window.frames_seen.length === window.inputs_seen.length")
    seen, painted = page.evaluate("window.inputs_seen"), sorted(page.evaluate("window.frames_seen"))
    took = sorted(event["took"] for event in seen)
    drawn = sum(b["draws"] > a["draws"] for a, b in pairwise(seen)) + 1
    return {
        "events": len(seen),
        "drawn": drawn,
        "messages": during,
        "dom_p50": at(took, 0.5),
        "dom_p95": at(took, 0.95),
        "painted_p50": at(painted, 0.5),
        "painted_p95": at(painted, 0.95),
        "painted_max": painted[-1],
    }


def at(values: list[float], share: float) -> float:
    return values[int(share * (len(values) - 1))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moves", type=int, default=540)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = shutil.which(os.environ.get("CHROMIUM", "")) or shutil.which("chromium") or shutil.which("google-chrome")
    with (
        tempfile.TemporaryDirectory() as folder,
        server(Path(folder)) as (address, _),
        sync_playwright() as driver,
    ):
        browser = driver.chromium.launch(executable_path=found, args=FLAGS)
        page = browser.new_context(viewport={"width": 1280, "height": 720}).new_page()
        page.goto(f"{address}/explore")
        rounds = [drag(page, options.moves) for _ in range(options.rounds)]
        version = browser.version
    if options.json:
        print(json.dumps({"browser": version, "load": os.getloadavg()[0], "rounds": rounds}))
        return
    print(f"Chromium {version} headless, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; milliseconds")
    for r in rounds:
        print(
            f"{r['events']:.0f} input events, {r['drawn']:.0f} drawn, {r['messages']:.0f} messages sent meanwhile; "
            f"input → DOM p50 {r['dom_p50']:.2f} p95 {r['dom_p95']:.2f}; "
            f"input → painted p50 {r['painted_p50']:.1f} p95 {r['painted_p95']:.1f} max {r['painted_max']:.1f}"
        )


if __name__ == "__main__":
    main()
