"""What a chart marks is what is selected: after clicks, boxes, lassos, undo and redo, in every chart that shows the cells."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pytest
from browsing import settled, turn_to, visit
from charting import Chart, Point
from playwright.sync_api import Page, expect

from edgenes_core.architecture import shared_edges
from edgenes_core.inspect_cell import known_cells
from edgenes_core.run_folder import Run
from edgenes_core.scored import score_networks

CHARTS = {"space": "space_map", "tradeoff": "tradeoff_plane"}
RUNS = """() => {
  window.scriptRuns = 0
  const app = document.querySelector('.stApp')
  new MutationObserver(() => { window.scriptRuns += app.dataset.testScriptState === 'running' })
    .observe(app, {attributeFilter: ['data-test-script-state']})
}"""


@pytest.fixture
def page(page: Page) -> Page:
    """A tab in which a whole chart fits."""
    page.set_viewport_size({"width": 1280, "height": 1600})
    return page


def keys_of(run: Run, ids: Iterable[str]) -> set[str]:
    """The cells that points stand for: a cell itself, or the cells of a stored ensemble's members."""
    stored = run.ensembles()
    members = (
        stored[point.removeprefix("ensemble:")]["members"] if point.startswith("ensemble:") else [point]
        for point in ids
    )
    return {member.split("-")[0] for several in members for member in several}


def chosen_by(chart: Chart, run: Run, keys: set[str]) -> set[str]:
    """Ids of all points of the chart whose cells are chosen."""
    return {point.id for point in chart.points() if keys_of(run, [point.id]) <= keys}


def expect_selected(page: Page, keys: Iterable[str]) -> None:
    """The panel counts these cells and the address names them, and no others."""
    wanted = sorted(keys)
    said = f"{len(wanted)} selected cell{'' if len(wanted) == 1 else 's'}" if wanted else "Nothing is selected"
    page.wait_for_function(
        "(keys) => (new URLSearchParams(location.search).get('cells') ?? '').split('.').filter(Boolean).sort().join() === keys",
        arg=",".join(wanted),
    )
    settled(page)
    expect(page.get_by_test_id("stMain").get_by_text(said).first).to_be_visible()


def cells_on(chart: Chart, count: int) -> list[Point]:
    """Points of single cells that no other point covers."""
    return [point for point in chart.points() if ":" not in point.id][:count]


def test_clicks_undo_and_redo(page: Page, server: str) -> None:
    visit(page, server, "space")
    page.evaluate(RUNS)
    chart = Chart(page, CHARTS["space"])
    a, b, c = cells_on(chart, 3)
    undo, redo = (page.get_by_role("button", name=word) for word in ("Undo", "Redo"))

    def both(ids: Iterable[str]) -> None:
        expect_selected(page, ids)
        chart.expect_marked(ids)

    chart.click(a)
    both([a.id])
    chart.click(b, shift=True)
    both([a.id, b.id])
    chart.click(b, shift=True)
    both([a.id])
    undo.click()
    both([a.id, b.id])
    undo.click()
    both([a.id])
    redo.click()
    both([a.id, b.id])
    chart.click(c, shift=True)  # marks that came with the figure count as chosen
    both([a.id, b.id, c.id])
    expect(redo).to_be_disabled()
    chart.click(a)
    both([a.id])
    undo.click()
    both([a.id, b.id, c.id])
    redo.click()
    both([a.id])
    chart.click(a)  # the only one, marked by the figure
    both([])
    undo.click()
    both([a.id])
    assert page.evaluate("window.scriptRuns") <= 3 * 12, (
        "each act takes a run of the fragment and one of the page, no loop"
    )


def between(places: list[float], share: float) -> int:
    """A whole pixel in the widest gap near a quantile: no point lies on it."""
    near = np.sort(places)[int((share - 0.1) * len(places)) : int((share + 0.1) * len(places)) + 2]
    widest = np.diff(near).argmax()
    return round((near[widest] + near[widest + 1]) / 2)


def test_a_box_and_a_lasso_choose_what_they_hold(page: Page, server: str, run: Run) -> None:
    visit(page, server, "tradeoff")
    chart = Chart(page, CHARTS["tradeoff"])
    points = chart.points()
    xs, ys = [point.x for point in points], [point.y for point in points]
    left, middle, right = (between(xs, share) for share in (0.25, 0.5, 0.75))
    top, bottom = between(ys, 0.25), between(ys, 0.75)
    inside = [p.id for p in points if left < p.x < right and top < p.y < bottom]
    corner = cells_on(chart, len(points))
    outside = next(p for p in corner if p.id not in inside and not keys_of(run, [p.id]) <= keys_of(run, inside))

    chart.take("Box Select")
    chart.drag([(left, top), (right, bottom)])
    expect_selected(page, keys_of(run, inside))
    chart.expect_marked(inside)

    page.get_by_role("button", name="Clear").click()
    expect_selected(page, [])
    chart.expect_marked([])
    chart.click(outside)
    expect_selected(page, [outside.id])
    chart.take("Box Select")
    chart.drag([(left, top), (right, bottom)], shift=True)
    both = keys_of(run, [*inside, outside.id])
    expect_selected(page, both)
    chart.expect_marked(chosen_by(chart, run, both))

    chart.take("Lasso Select")
    chart.drag([(left, top), (middle, top), (middle, bottom), (left, bottom), (left, top + 1)])
    under = [p.id for p in points if left < p.x < middle and top < p.y < bottom]
    expect_selected(page, keys_of(run, under))
    chart.expect_marked(under)


def test_a_selection_is_the_same_on_every_page_and_fills_the_basket(page: Page, server: str, run: Run) -> None:
    trained = {training.architecture.key for training in run.plan()}
    visit(page, server, "tradeoff")
    plane = Chart(page, "tradeoff_plane")
    first, second = cells_on(plane, 2)
    plane.click(first)
    expect_selected(page, [first.id])
    plane.click(second, shift=True)
    expect_selected(page, [first.id, second.id])
    Chart(page, "tradeoff_slope").expect_marked([first.id, second.id])
    turn_to(page, "space")
    the_map = Chart(page, "space_map")
    the_map.expect_marked([first.id, second.id])
    expect_numbers(page, run, [first.id, second.id])
    chosen = page.get_by_role("combobox", name="Cell: the last one selected, or choose one here")
    expect(chosen).to_have_value(re.compile(second.id[:6]))

    page.get_by_role("button", name="Networks into the basket").click()
    basket = page.get_by_test_id("stSidebar").get_by_role("link", name="Basket")
    expect(basket).to_contain_text("Basket: 2 networks")
    the_map.expect_marked([first.id, second.id])
    page.wait_for_function("() => new URLSearchParams(location.search).get('basket')?.split('.').length === 2")
    page.get_by_role("button", name="Undo").click()
    expect(basket).to_contain_text("Basket: 0 networks")
    expect_selected(page, [first.id, second.id])
    page.get_by_role("button", name="Redo").click()
    expect(basket).to_contain_text("Basket: 2 networks")

    third = next(p for p in cells_on(the_map, 300) if p.id in trained - {first.id, second.id})
    the_map.click(third, shift=True)
    expect_selected(page, [first.id, second.id, third.id])
    turn_to(page, "tradeoff")
    Chart(page, "tradeoff_plane").expect_marked(
        chosen_by(Chart(page, "tradeoff_plane"), run, {first.id, second.id, third.id})
    )
    page.get_by_role("button", name="Pin the first as B").click()
    page.wait_for_function("() => new URLSearchParams(location.search).has('pin')")
    page.get_by_role("button", name="Clear").click()
    expect_selected(page, [])
    Chart(page, "tradeoff_plane").expect_marked([])


def expect_numbers(page: Page, run: Run, keys: list[str]) -> None:
    """The panel's rows are the backend's, in the order of choice."""
    scored, cells, base = score_networks(run), known_cells(run), run.base().architecture
    table = page.get_by_test_id("stDataFrame").filter(has=page.locator("th", has_text="NLL (nats)"))

    def said(values: list[float], digits: int) -> str:
        spread = f" ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""
        return f"{np.mean(values):.{digits}f}{spread}"

    for row, key in enumerate(keys):
        scores = [s for t, s in zip(scored.trainings, scored.single, strict=True) if t.architecture.key == key]
        wanted = [
            *(str(shared_edges(cells[key], base)), str(len(scores))),
            said([100 * score.accuracy for score in scores], 2),
            said([score.nll for score in scores], 4),
        ]
        expect(table.get_by_test_id(f"glide-cell-0-{row}")).to_have_text(key)
        for column, text in enumerate(wanted, start=2):
            expect(table.get_by_test_id(f"glide-cell-{column}-{row}")).to_have_text(text)


def test_panels_by_shared_edges_are_one_selection(page: Page, server: str) -> None:
    visit(page, server, "tradeoff", plane_facets="on")
    chart = Chart(page, "tradeoff_plane")
    points = cells_on(chart, 300)
    first = points[0]
    second, third = [p for p in points if p.panel != first.panel][:2]
    for point, ids in ((first, 1), (second, 2), (third, 3)):
        chart.click(point, shift=ids > 1)
        wanted = [p.id for p in (first, second, third)[:ids]]
        expect_selected(page, wanted)
        chart.expect_marked(wanted)


def test_another_method_or_distance_keeps_the_selection(page: Page, server: str) -> None:
    visit(page, server, "space")
    chart = Chart(page, "space_map")
    a, b = cells_on(chart, 2)
    chart.click(a)
    expect_selected(page, [a.id])
    chart.click(b, shift=True)
    expect_selected(page, [a.id, b.id])
    for choice, answer in (("map_method", "MDS"), ("map_distance", "soft JSD"), ("map_method", "PCA")):
        page.locator(f".st-key-choice_{choice}").get_by_role("radio", name=answer).click()
        expect(page.locator(f'.st-key-choice_{choice} [aria-checked="true"]')).to_have_text(answer)
        settled(page)
        expect_selected(page, [a.id, b.id])
        chart.expect_marked([a.id, b.id])
