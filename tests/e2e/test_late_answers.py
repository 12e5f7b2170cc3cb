"""Answers that come late, and a theme that changes by itself: nothing that was chosen is lost, nothing is drawn as it was before."""

from __future__ import annotations

import re

import pytest
from browsing import visit
from charting import Chart
from playwright.sync_api import Page, WebSocketRoute
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from test_choosing_points import CHARTS, cells_on, expect_selected, page  # noqa: F401 - `page` is a fixture


def ends_a_run(answer: tuple[bytes, WebSocketRoute]) -> bool:
    message = ForwardMsg.FromString(answer[0])
    return (
        message.WhichOneof("type") == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY
    )


class Answers:
    """What the server sends to a page, held back on demand."""

    def __init__(self, page: Page) -> None:  # noqa: F811
        self.page, self.free, self.late = page, True, []
        page.route_web_socket(re.compile("_stcore/stream"), self._relay)

    def _relay(self, browser_side: WebSocketRoute) -> None:
        def answer(message: str | bytes) -> None:
            self.late.append((message, browser_side))
            self.deliver(len(self.late) if self.free else 0)

        browser_side.connect_to_server().on_message(answer)

    def deliver(self, count: int) -> None:
        """Hand over the oldest of them."""
        for _ in range(min(count, len(self.late))):
            message, browser_side = self.late.pop(0)
            browser_side.send(message)

    def wait_for_runs(self, count: int) -> None:
        """Until the server has finished so many runs of the whole page that the browser does not know of yet."""
        while sum(map(ends_a_run, self.late)) < count:
            self.page.wait_for_timeout(20)


@pytest.mark.parametrize("name", CHARTS)
def test_a_hand_faster_than_the_answers_loses_nothing(page: Page, server: str, name: str) -> None:  # noqa: F811
    """The third click is made on a page that knows of the first only, when the server knows of the second."""
    answers = Answers(page)
    visit(page, server, name)
    chart = Chart(page, CHARTS[name])
    first, second, third = cells_on(chart, 3)
    answers.free = False
    chart.click(first)
    answers.wait_for_runs(1)
    known = len(answers.late)
    chart.click(second, shift=True)
    answers.wait_for_runs(2)
    answers.deliver(known)
    page.wait_for_function("() => location.search.includes('cells=')")
    chart.click(third, shift=True)
    answers.wait_for_runs(2)
    answers.free = True
    answers.deliver(len(answers.late))
    expect_selected(page, [first.id, second.id, third.id])
    chart.expect_marked([first.id, second.id, third.id])
    page.get_by_role("button", name="Undo").click()  # and nothing else was done meanwhile
    expect_selected(page, [first.id, second.id])
    chart.expect_marked([first.id, second.id])


def test_charts_follow_the_theme_of_the_machine(page: Page, server: str) -> None:  # noqa: F811
    visit(page, server, "space")
    chart = Chart(page, "space_map")
    first = cells_on(chart, 1)[0]
    chart.click(first)
    expect_selected(page, [first.id])
    ink = "document.querySelector('.st-key-space_map .js-plotly-plot')?._fullLayout?.font.color"
    light = page.evaluate(ink)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"(light) => {ink} && {ink} !== light", arg=light)
    chart.expect_marked([first.id])
    expect_selected(page, [first.id])
