"""A real server and a real browser for the e2e tests; a page fails its test on any console error or outside request."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import sample_runs
from browsing import newest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, expect, sync_playwright

from edgenes_core.run_folder import Run

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "assets" / "demo"
PATIENCE = 60_000  # milliseconds; tests wait for conditions, so patience costs nothing where the machine is free
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--process-per-site",  # all tabs of a context in one process, which keeps the app's scripts compiled
    # A page is too short-lived to be compiled well: what is compiled once is kept, nothing is compiled ahead or anew.
    "--js-flags=--no-opt --no-maglev --no-flush-bytecode",
    # In place of Playwright's own list, as Chromium reads the last one only: what draws late or asks a network, named again.
    "--disable-features=ScriptStreaming,PaintHolding,Translate,HttpsUpgrades,MediaRouter,OptimizationHints,"
    "NetworkTimeServiceQuerying,AimEnabled,PreconnectToSearch,AvoidUnnecessaryBeforeUnloadCheckSync",
]
PROBES = (
    "/_stcore/health",
    "/_stcore/host-config",
)  # a deep link makes Streamlit look for these in the wrong place first


expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(item.path).parent == Path(__file__).parent:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def runs_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The user's runs of the server under test: one stored but never trained run, and one that has not begun."""
    folder = tmp_path_factory.mktemp("runs")
    sample_runs.created(folder)
    sample_runs.finished(folder)
    return folder


@pytest.fixture(scope="session")
def run(runs_folder: Path) -> Run:
    """The run that the app opens by itself: the bundled one, or while there is none the stored one."""
    return Run(DEMO) if (DEMO / "run.json").exists() else newest(runs_folder)


@pytest.fixture(scope="session")
def server(runs_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the app, started as a user starts it."""
    with served(runs_folder, tmp_path_factory.mktemp("server") / "log.txt") as address:
        yield address


@contextmanager
def served(runs: Path, log: Path, *options: str, port: int | None = None, **environment: str) -> Iterator[str]:
    """A server with further options and environment; its port is free if none is asked for."""
    port = port or free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={port}"]
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, *options],
            cwd=ROOT,
            env={**os.environ, "EDGENES_RUNS": str(runs), **environment},
            stdout=output,
            stderr=output,
        )
    try:
        wait_until_healthy(f"http://127.0.0.1:{port}", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:  # it waits for browsers that are still connected
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_healthy(address: str, process: subprocess.Popen[bytes], log: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2):  # noqa: S310 - our own server
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    pytest.fail(f"The server did not start:\n{log.read_text()}")


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium: $CHROMIUM, one on the PATH, or Playwright's own; without any of them e2e tests are skipped."""
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if name and (path := shutil.which(name))), playwright.chromium.executable_path)
    if not Path(found).exists():
        pytest.skip("No Chromium: set CHROMIUM to its path, or run: playwright install chromium")
    chromium = playwright.chromium.launch(executable_path=found, args=FLAGS)
    yield chromium
    chromium.close()


def watch(source: BrowserContext | Page, troubles: list[str]) -> None:
    """Note console errors, script errors and requests that leave this machine."""
    source.on("console", lambda message: troubles.extend(complaint(message)))
    source.on("request", lambda request: troubles.extend(outside(request.url)))
    if isinstance(source, Page):
        source.on("pageerror", lambda error: troubles.append(f"script error: {error}"))
    else:
        source.on("weberror", lambda error: troubles.append(f"script error: {error.error}"))


@pytest.fixture
def open_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Make browser contexts, 1280 × 720 unless told; after the test none may have seen an error or left this machine."""
    contexts: list[BrowserContext] = []
    troubles: list[str] = []

    def make(**options: object) -> BrowserContext:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 720}, **options})
        context.set_default_timeout(PATIENCE)
        watch(context, troubles)
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()
    assert not troubles


def complaint(message: ConsoleMessage) -> list[str]:
    probing = urlsplit(str(message.location.get("url", ""))).path.endswith(PROBES)
    return [f"console: {message.text}"] if message.type == "error" and not probing else []


def outside(url: str) -> list[str]:
    parts = urlsplit(url)
    local = parts.scheme in ("data", "blob") or parts.hostname in ("127.0.0.1", "localhost")
    return [] if local else [f"request to {url}"]


@contextmanager
def kept_context(browser: Browser, server: str) -> Iterator[BrowserContext]:
    """A context that loads and compiles the app's scripts once for all its tabs: one that stays keeps their process alive."""
    context = browser.new_context(viewport={"width": 1280, "height": 720}, color_scheme="light")
    context.set_default_timeout(PATIENCE)
    context.new_page().goto(f"{server}/_stcore/health")
    yield context
    context.close()


@contextmanager
def watched_tab(context: BrowserContext) -> Iterator[Page]:
    """A fresh tab that may see no error and no request that leaves this machine."""
    troubles: list[str] = []
    page = context.new_page()
    watch(page, troubles)
    yield page
    page.close()
    assert not troubles


@pytest.fixture(scope="session")
def shared_context(browser: Browser, server: str) -> Iterator[BrowserContext]:
    """One context for most tests."""
    with kept_context(browser, server) as context:
        yield context


@pytest.fixture
def page(shared_context: BrowserContext) -> Iterator[Page]:
    """A fresh tab in the light theme; the test fails if it saw an error or a request that leaves this machine."""
    with watched_tab(shared_context) as found:
        yield found


@pytest.fixture(scope="module")
def tab(shared_context: BrowserContext) -> Iterator[Page]:
    """One tab for all tests of a module that begin with a visit."""
    with watched_tab(shared_context) as found:
        yield found
