"""Real browsers beside a scripted class: they drag λ and switch pages, and count what they send while the handle is held."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from typing import TYPE_CHECKING

from playwright.async_api import Page, async_playwright
from streamlit.proto.BackMsg_pb2 import BackMsg

if TYPE_CHECKING:
    from load import Log

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
MOVES = 30
READY = """() => document.querySelector('h1')?.checkVisibility()
  && document.querySelector('[data-testid="stApp"]').dataset.testScriptState === 'notRunning'
  && !document.querySelector('[data-testid="stSkeleton"]')"""


async def watch(address: str, browsers: int, log: Log, stop: asyncio.Event) -> None:
    """So many browsers until the end; what they see as an error is one."""
    async with async_playwright() as driver:
        found = next(filter(None, map(shutil.which, (os.environ.get("CHROMIUM", "chromium"), "google-chrome"))), None)
        chromium = await driver.chromium.launch(executable_path=found, args=FLAGS)
        pages = [await (await chromium.new_context()).new_page() for _ in range(browsers)]
        await asyncio.gather(*(_witness(page, address, log, stop) for page in pages))
        await chromium.close()


async def _witness(page: Page, address: str, log: Log, stop: asyncio.Event) -> None:
    sent: list[object] = []
    page.set_default_timeout(120_000)
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.on("pageerror", lambda error: log.errors.append(f"browser: {error}"))
    try:
        await page.goto(f"{address}/explore")
        await page.wait_for_function(READY)
        while not stop.is_set():
            await _drag(page, sent, log)
            for name in ("Ensembles", "Explore λ"):
                start = time.perf_counter()
                await page.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).click()
                await page.wait_for_function(
                    f"(title) => document.querySelector('h1')?.innerText === title && ({READY})()", arg=name
                )
                log.add("page switch in a browser", time.perf_counter() - start)
            if await page.get_by_test_id("stException").count() or await page.get_by_role("dialog").count():
                log.errors.append(f"browser: {await page.inner_text('body')}"[:200])
            await asyncio.sleep(1)
    except Exception as error:
        log.errors.append(f"browser: {error}"[:300])


async def _drag(page: Page, sent: list[object], log: Log) -> None:
    """Take the handle to and fro."""
    handle = page.locator(".scrubber input[type=range]")
    await handle.scroll_into_view_if_needed()
    await page.wait_for_function(READY)
    box = await handle.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    await page.mouse.move(box["x"] + box["width"] / 2, y)
    await page.mouse.down()
    before = len(sent)
    for k in range(MOVES):
        place = abs(1 - 2 * ((k * 3 / MOVES) % 1))
        await page.mouse.move(box["x"] + box["width"] * (0.05 + 0.9 * place), y)
    during = [BackMsg.FromString(frame) for frame in sent[before:] if isinstance(frame, bytes)]
    during = [
        message for message in during if not message.rerun_script.is_auto_rerun
    ]  # the job list looks every few seconds
    log.drag_messages.append(len(during))
    log.errors += [f"browser: sent {message} in a drag"[:400] for message in during]
    await page.mouse.up()
