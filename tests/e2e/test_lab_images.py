"""The Members and Images tabs in a browser: a pattern or a cell that is clicked filters the images, a picture leads into Explore."""

from __future__ import annotations

from browsing import settled, visit
from playwright.sync_api import Page, expect
from test_lab_tabs import opened

from edgenes_core.instances import confusion, patterns, votes
from edgenes_core.run_folder import Run

LAST_POINT = """([key, id]) => {
  const chart = document.querySelector(`.st-key-${key} .js-plotly-plot`), box = chart.getBoundingClientRect()
  const trace = chart._fullData.at(-1), place = trace.customdata.indexOf(id), layout = chart._fullLayout
  const x = layout["xaxis" + trace.xaxis.slice(1)], y = layout["yaxis" + trace.yaxis.slice(1)]
  const half = trace.type === "bar" ? (x.c2p(0) + x.c2p(trace.x[place])) / 2 : x.c2p(trace.x[place])
  return [box.left + x._offset + half, box.top + y._offset + y.c2p(trace.y[place])]
}"""


def click_point(page: Page, key: str, point: str) -> None:
    """Click a point of a chart's last trace by its id."""
    chart = page.locator(f".st-key-{key} .js-plotly-plot")
    chart.locator(".main-svg").first.scroll_into_view_if_needed()
    page.wait_for_function("key => document.querySelector(`.st-key-${key} .js-plotly-plot`).calcdata?.length", arg=key)
    at = page.evaluate(LAST_POINT, [key, point])
    page.mouse.move(*at)
    chart.locator(".hoverlayer .hovertext").first.wait_for()
    page.mouse.click(*at)


def test_images_follow_the_pattern_the_cell_and_the_picture(page: Page, server: str, run: Run) -> None:
    members = run.ensembles()["selected"]["members"]
    probs, y = run.val_probabilities(members), run.targets("val")
    found = votes(probs, probs.mean(0), y)
    visit(page, server, "ensembles", run=run.id)
    # All of it: what is drawn late moves the chart from under the mouse.
    opened(page, "Members", "members_pairs_tools_row")
    pattern = next(p for p in patterns(found.wrong) if p.wrong)
    click_point(page, "members_patterns", ",".join(members[m] for m in pattern.wrong))
    settled(page)
    page.get_by_role("button", name="See these images").click()
    expect(page.get_by_text(f"{pattern.count} of n = {len(y)} validation images")).to_be_visible()
    expect(page.locator(".st-key-images_grid tbody tr")).to_have_count(pattern.count)
    page.get_by_role("button", name="All patterns").click()
    expect(page.get_by_text(f"{len(y)} of n = {len(y)} validation images")).to_be_visible()
    counts = confusion(y, found.team, probs.shape[2])
    click_point(page, "images_confusion", "5,5")
    expect(page.get_by_text(f"{counts[5, 5]} of n = {len(y)} validation images")).to_be_visible()
    picture = page.locator(".st-key-images_grid button").first
    image = picture.get_attribute("data-image")
    picture.focus()
    page.keyboard.press("Enter")
    expect(picture).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text(f"Image {image}, true class 5")).to_be_visible()
    page.get_by_role("link", name="Look inside on Explore").click()
    page.get_by_role("heading", level=1, name="Explore λ", exact=True).wait_for()
    settled(page)
    page.get_by_text("Images flowing").click()
    expect(page.locator(".st-key-explore_image input")).to_have_value(image or "")
