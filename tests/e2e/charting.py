"""A chart in the browser: where its points are, which of them are marked, and how a hand chooses them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from browsing import settled
from playwright.sync_api import Locator, Page

POINTS = """(chart) => {
  const box = chart.getBoundingClientRect(), found = []
  for (const points of chart.calcdata) {
    const {customdata, xaxis, yaxis} = points[0].trace
    const [x, y] = [xaxis, yaxis].map((name) => chart._fullLayout[name.replace(/^./, '$&axis')])
    for (const point of points) if (customdata?.[point.i]) found.push({
      id: customdata[point.i], panel: xaxis + yaxis,
      x: box.left + x._offset + x.c2p(point.x), y: box.top + y._offset + y.c2p(point.y),
    })
  }
  const apart = (a, b) => Math.hypot(a.x - b.x, a.y - b.y)
  for (const point of found) point.free = Math.min(...found.filter((other) => other !== point).map((other) => apart(point, other)))
  return found.sort((a, b) => b.free - a.free)
}"""
MARKED = """(chart) => [...new Set((chart._fullData ?? []).filter((trace) => trace.customdata && trace.selectedpoints)
  .flatMap((trace) => trace.selectedpoints.map((i) => trace.customdata[i])))].sort()"""
ARE_MARKED = f"""([key, ids]) => {{
  const chart = document.querySelector(`.st-key-${{key}} .js-plotly-plot`)
  return chart && JSON.stringify(({MARKED})(chart)) === JSON.stringify(ids)
}}"""
DRAWN = "(key) => document.querySelector(`.st-key-${key} .js-plotly-plot`)?.calcdata?.length > 1"

READY = """([key, id]) => {  // a click soon after another is a double click to plotly, wherever the two were
  const chart = document.querySelector(`.st-key-${key} .js-plotly-plot`)
  return chart?._hoverdata?.some(({customdata}) => customdata === id)
    && Date.now() - (chart._mouseDownTime ?? 0) > chart._context.doubleClickDelay
}"""


class Point(NamedTuple):
    """A point's id, its panel, where it is on the screen, and how far the next one is (pixels)."""

    id: str
    panel: str
    x: float
    y: float
    free: float


class Chart:
    """One chart of a page, by its key; it may be drawn anew at any time."""

    def __init__(self, page: Page, key: str) -> None:
        self.page, self.key = page, key
        page.wait_for_function(DRAWN, arg=key)
        self.plot.scroll_into_view_if_needed()

    @property
    def plot(self) -> Locator:
        return self.page.locator(f".st-key-{self.key} .js-plotly-plot")

    def points(self) -> list[Point]:
        """All points, the one farthest from any other first."""
        settled(self.page)  # while a chart is drawn anew, the old one is there too
        return [Point(**found) for found in self.plot.evaluate(POINTS)]

    def expect_marked(self, ids: Iterable[str]) -> None:
        """Wait until exactly these points are marked."""
        self.page.wait_for_function(ARE_MARKED, arg=[self.key, sorted(ids)])

    def click(self, point: Point, shift: bool = False) -> None:
        """Click a point; it reacts only after the pointer has rested on it."""
        self.page.mouse.move(point.x, point.y)
        self.page.wait_for_function(READY, arg=[self.key, point.id])
        self._with_shift(shift, lambda: self.page.mouse.click(point.x, point.y))
        self.page.mouse.move(5, 5)

    def take(self, tool: str) -> None:
        """Press a button of the mode bar."""
        self.plot.hover()
        self.plot.locator(f'.modebar-btn[data-title="{tool}"]').click()

    def drag(self, way: list[tuple[float, float]], shift: bool = False) -> None:
        """Press the mouse at the first place and release it at the last."""

        def along() -> None:
            self.page.mouse.move(*way[0])
            self.page.mouse.down()
            for place in way[1:]:
                self.page.mouse.move(*place, steps=4)
            self.page.mouse.up()

        self._with_shift(shift, along)
        self.page.mouse.move(5, 5)

    def _with_shift(self, shift: bool, act) -> None:
        if shift:
            self.page.keyboard.down("Shift")
        act()
        if shift:
            self.page.keyboard.up("Shift")
