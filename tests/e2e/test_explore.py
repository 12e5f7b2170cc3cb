"""The λ scrubber in a real browser: every movement drawn, none sent, the released value exact in Python."""

from __future__ import annotations

from itertools import combinations
from statistics import median

import pytest
from browsing import settled, visit
from conftest import watched_tab
from playwright.sync_api import BrowserContext, Page, expect

from edgenes_core.lambda_path import Interval, LambdaPath
from edgenes_core.run_folder import Run

WATCH = """(root) => {
  window.seen = []
  const range = root.querySelector('input[type=range]')
  range.addEventListener('input', () => window.seen.push({
    asked: range.valueAsNumber, lam: Number(root.dataset.lam), key: root.dataset.key, draws: Number(root.dataset.draws), took: Number(root.dataset.took),
    shown: root.querySelector('[data-part=key]').textContent,
    edges: root.querySelectorAll('.edge:not([data-state=""]):not([data-state=gone])').length,
  }))
}"""


@pytest.fixture
def path(run: Run) -> LambdaPath:
    return run.lambda_path()


def part(page: Page, name: str):
    return page.locator(f'.scrubber [data-part="{name}"]')


def lam_drawn(page: Page) -> float:
    return float(page.locator(".scrubber[data-lam]").get_attribute("data-lam"))


def expect_interval(page: Page, interval: Interval, path: LambdaPath) -> None:
    """Browser and server both show this interval of the backend."""
    expect(part(page, "key")).to_have_text(interval.architecture.key)
    expect(part(page, "shared")).to_have_text(str(interval.shared))
    expect(part(page, "total")).to_have_text(f"of {path.lambda_max}")
    digits = 6 if interval.width < 0.01 else 3
    expect(part(page, "interval")).to_contain_text(f"[{interval.lo:.{digits}f}, {interval.hi:.{digits}f}")
    expect(page.get_by_role("heading", name=f"Cell {interval.architecture.key}, retrained")).to_be_visible()
    expect(page.get_by_role("heading", name=f"({interval.shared} shared with α*)")).to_be_visible()


def test_drag_redraws_every_event_and_sends_nothing(page: Page, server: str, path: LambdaPath, run: Run):
    sent: list[object] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    visit(page, server, "explore")
    root, range_ = page.locator(".scrubber"), part(page, "range")
    root.evaluate(WATCH)
    before = int(root.get_attribute("data-draws"))
    box = range_.bounding_box()
    y, middle = box["y"] + box["height"] / 2, box["x"] + box["width"] / 2
    page.mouse.move(middle, y)
    page.mouse.down()
    sent.clear()
    for step in range(1, 61):
        page.mouse.move(middle + step / 60 * 0.3 * box["width"] * (-1 if step % 7 else 1), y)
    seen = page.evaluate("window.seen")
    assert len(seen) >= 30
    assert sent == []
    for count, event in enumerate(seen, start=1):
        assert event["draws"] == before + count
        assert abs(event["lam"] - event["asked"]) <= path.lambda_max / 1000
        interval = path.at(event["lam"])
        assert event["key"] == event["shown"] == interval.architecture.key
        assert event["edges"] == len(interval.architecture.genes)
    assert len({event["key"] for event in seen}) > 1 or len(path.intervals) == 1
    assert median(event["took"] for event in seen) < 2, "milliseconds from input to drawn cell"
    page.mouse.up()
    expect_interval(page, path.at(lam_drawn(page)), path)
    page.wait_for_function(
        "(lam) => Math.abs(new URLSearchParams(location.search).get('lam') - lam) < 1e-8", arg=lam_drawn(page)
    )
    assert sent


def test_arrow_keys_visit_every_change(page: Page, server: str, path: LambdaPath):
    visit(page, server, "explore", lam=0)
    part(page, "range").focus()
    for interval in path.intervals[1:]:
        page.keyboard.press("ArrowRight")
        expect(part(page, "key")).to_have_text(interval.architecture.key)
        assert interval.lo <= lam_drawn(page) < interval.hi
    expect_interval(page, path.intervals[-1], path)
    page.keyboard.press("ArrowRight")
    assert lam_drawn(page) == path.lambda_max
    for interval in path.intervals[-2::-1]:
        page.keyboard.press("ArrowLeft")
        expect(part(page, "key")).to_have_text(interval.architecture.key)
    page.keyboard.press("End")
    assert lam_drawn(page) == path.lambda_max
    page.keyboard.press("Shift+ArrowLeft")
    assert lam_drawn(page) == pytest.approx(path.lambda_max * (1 - 1 / 400))
    page.keyboard.press("Home")
    assert lam_drawn(page) == 0
    expect_interval(page, path.intervals[0], path)
    expect(part(page, "status")).to_contain_text("λ 0:")


def test_typed_lambda_and_buttons(page: Page, server: str, path: LambdaPath):
    visit(page, server, "explore")
    number = part(page, "number")
    number.fill("1e9")
    number.press("Enter")
    expect(number).to_have_value(str(path.lambda_max))
    expect_interval(page, path.intervals[-1], path)
    number.fill("0.37")
    number.press("Enter")
    expect_interval(page, path.at(0.37), path)
    if len(path.intervals) > 1:
        part(page, "number").fill("0")
        part(page, "next").click()
        expect_interval(page, path.intervals[1], path)
        part(page, "previous").click()
        expect_interval(page, path.intervals[0], path)


def test_a_click_on_the_strip_goes_there(page: Page, server: str, path: LambdaPath):
    visit(page, server, "explore", lam=0)
    widest = max(path.intervals, key=lambda interval: interval.width)
    box = part(page, "strip").bounding_box()
    page.mouse.click(box["x"] + box["width"] * (widest.lo + widest.hi) / 2 / path.lambda_max, box["y"] + 20)
    expect_interval(page, widest, path)
    expect(part(page, "range")).to_be_focused()


def test_a_row_of_the_table_moves_the_handle(page: Page, server: str, path: LambdaPath):
    visit(page, server, "explore", lam=path.lambda_max)
    page.get_by_text("stretches of λ as a table").click()
    table = page.get_by_test_id("stDataFrame").last
    table.scroll_into_view_if_needed()
    table.click(position={"x": 20, "y": 35 + 17})
    expect_interval(page, path.intervals[0], path)
    assert lam_drawn(page) == pytest.approx((path.intervals[0].lo + path.intervals[0].hi) / 2)


def test_play_reaches_the_base_cell_and_honours_reduced_motion(page: Page, server: str, path: LambdaPath):
    page.emulate_media(reduced_motion="reduce")
    last_change = path.intervals[-1].lo
    visit(page, server, "explore", lam=last_change)
    part(page, "play").click()
    expect(part(page, "number")).to_have_value(str(path.lambda_max))
    expect(part(page, "play")).to_have_attribute("data-on", "false")
    expect_interval(page, path.intervals[-1], path)


def test_a_bad_lambda_in_the_link_is_clamped_and_said(page: Page, server: str, path: LambdaPath):
    top, middle = path.lambda_max, path.lambda_max / 2
    for asked, wanted in (("99", top), ("-3", 0), ("nan", middle), ("oops", middle)):
        visit(page, server, "explore", lam=asked)
        expect(page.get_by_test_id("stAlert").filter(has_text=f"Λ = {top}"), asked).to_be_visible()
        expect(part(page, "number"), asked).to_have_value(f"{wanted:g}")
        expect_interval(page, path.at(wanted), path)


def test_a_link_brings_the_same_cell_back(page: Page, shared_context: BrowserContext, server: str, path: LambdaPath):
    visit(page, server, "explore", lam=1.2345)
    expect_interval(page, path.at(1.2345), path)
    page.wait_for_function("() => location.search.includes('lam=1.2345')")
    with watched_tab(shared_context) as again:
        again.goto(page.evaluate("location.href"))
        settled(again)
        assert lam_drawn(again) == lam_drawn(page) == 1.2345
        expect_interval(again, path.at(1.2345), path)


def test_lambda_and_basket_survive_a_change_of_page(page: Page, server: str, run: Run, path: LambdaPath):
    trained = {network.training.architecture.key for network in run.networks().values()}
    interval = next(i for i in path.intervals if i.architecture.key in trained)
    lam = (interval.lo + interval.hi) / 2
    visit(page, server, "explore", lam=lam)
    page.get_by_role("button", name="to the basket").click()
    expect(page.get_by_role("link", name="Basket: 1 network")).to_be_visible()
    page.get_by_role("link", name="Home", exact=True).click()
    expect(page.get_by_role("heading", name="EdgeNES Explorer")).to_be_visible()
    page.get_by_test_id("stSidebar").get_by_role("link", name="Explore λ").click()
    expect_interval(page, interval, path)
    assert lam_drawn(page) == pytest.approx(lam)
    expect(page.get_by_role("link", name="Basket: 1 network")).to_be_visible()


def test_scrubber_and_cell_fit_without_scrolling(page: Page, server: str):
    visit(page, server, "explore")
    sentence = part(page, "sentence").bounding_box()
    assert sentence["y"] + sentence["height"] <= 720


def apart(a: list[float], b: list[float]) -> bool:
    """Whether two boxes (left, top, right, bottom) do not overlap."""
    return a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def test_no_label_covers_another(page: Page, server: str, path: LambdaPath):
    """At every interval the drawn labels stay clear of each other and of the nodes."""
    visit(page, server, "explore", lam=0)
    part(page, "range").focus()
    boxes = """(svg) => [...svg.querySelectorAll('.pill:not([data-state=""]) rect, .fixed rect')].map((r) => {
        const b = r.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom] })"""
    for interval in path.intervals:
        expect(part(page, "key")).to_have_text(interval.architecture.key)
        found = part(page, "cell").evaluate(boxes)
        for first, second in combinations(found, 2):
            assert apart(first, second), f"λ = {interval.lo}"
        page.keyboard.press("ArrowRight")
