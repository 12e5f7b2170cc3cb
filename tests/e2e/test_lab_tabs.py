"""The tabs Trust, Shift and Test in a browser: what they show is the backend's, and the test set stays hidden until it is asked for."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from browsing import place_for, settled, visit
from conftest import DEMO
from playwright.sync_api import Locator, Page, expect

from edgenes_core import looks, ood, revealed, shift_report, shifted, team, trust
from edgenes_core.corruptions import VALIDATION_CORRUPTIONS
from edgenes_core.measures import DIVERSITY, QUALITY
from edgenes_core.ood import NAMES
from edgenes_core.run_folder import Run
from edgenes_core.scored import Scored, score_networks, stored_ensembles
from edgenes_core.severity import DRAWN
from edgenes_core.side_by_side import PAIRED
from pages.widgets.lab_beside import number, with_interval
from pages.widgets.lab_test import DRAWN as GAPS
from pages.widgets.scores import text_of

ROWS = "(panel) => [...panel.querySelectorAll('tr')].map((row) => [...row.cells].map((cell) => cell.innerText.trim()))"
JOINED = """() => document.querySelector('.st-key-ensembles_gaps .js-plotly-plot')._fullData
  .filter(({mode}) => mode === 'lines').map(({x}) => [...x].filter((value) => value !== null))"""


@pytest.fixture(scope="module")
def scored(run: Run) -> Scored:
    return score_networks(run)


@pytest.fixture(scope="module")
def selected(run: Run, scored: Scored) -> team.Team:
    """What the page speaks of while the basket is empty."""
    return team.stored_teams(scored, stored_ensembles(run)[0])[0][0]


@pytest.fixture
def unseen(runs_folder: Path) -> Iterator[Run]:
    """A copy of the bundled run that nobody has looked at, for a look stays with its run."""
    place = place_for("unseen", runs_folder)
    shutil.copytree(DEMO, place, ignore=shutil.ignore_patterns("reveals.jsonl", "tried.jsonl"))
    Run(place).update(id=place.name)
    yield Run(place)
    shutil.rmtree(place)


def opened(page: Page, name: str, last: str) -> Locator:
    """A tab, drawn down to the element of this key."""
    page.get_by_role("tab", name=name, exact=True).click()
    panel = page.get_by_role("tabpanel", name=name)
    expect(panel.locator(f".st-key-{last}")).to_be_visible()
    settled(page)
    return panel


def rows_of(panel: Locator) -> list[list[str]]:
    """Cells of every row of a tab's tables."""
    return panel.evaluate(ROWS)


def said(of: str, found: tuple[float, float, float]) -> str:
    """A number with its interval, as a table shows it."""
    return with_interval(of, *found)


def test_trust_shows_the_backends_numbers(page: Page, server: str, run: Run, scored: Scored, selected) -> None:
    visit(page, server, "ensembles", run=run.id)
    panel = opened(page, "Trust", "trust_doubt_tools_row")
    rows, says, places = rows_of(panel), team.combined(scored, selected), scored.rows(selected.members)
    for found in trust.calibrated({"": trust.drawn(says, scored.y)}):
        assert [QUALITY[found.measure].name, said(found.measure, found[2:5])] in [row[:2] for row in rows]
    for found in trust.tempered_rows("", says, scored.y):
        row = next(r for r in rows if r[0] == f"{selected.name}, {found.half} on {found.n}")
        assert [row[k] for k in (1, 2, 3, 5, 6)] == [
            f"{found.temperature:.3f}",
            *map(number, (found.nll, found.nll_tempered, found.ece, found.ece_tempered)),
        ]
    cells = [scored.trainings[place].architecture for place in places]
    for found in trust.diversity_scores("", scored.probs[places], scored.y, cells):
        row = next(r for r in rows if r[0].startswith(f"{DIVERSITY[found.measure].name}:"))
        assert row[1] == said(found.measure, found[2:5])
    doubt = trust.doubt_of(scored.probs[places], scored.y, says)
    numbers = panel.get_by_test_id("stMetricValue").all_inner_texts()
    assert numbers == [f"{float(part.mean()):.4f}" for part in doubt[:3]]


def test_shift_shows_the_backends_numbers(page: Page, server: str, run: Run, selected) -> None:
    visit(page, server, "ensembles", run=run.id)
    panel = opened(page, "Shift", "shift_foreign_tools_row")
    words, rows, members = panel.inner_text(), rows_of(panel), list(selected.members)
    severities = sorted({severity for _, severity in shifted.stored(run, members)})
    means = shift_report.shift_means(shift_report.shift_rows(run, members, list(VALIDATION_CORRUPTIONS), severities))
    assert f"to severity {severities[-1]} (mean of {means[-1].corruptions} corruptions)" in words
    for metric in DRAWN:
        clean, worst = (text_of(metric, getattr(mean, metric)) for mean in (means[0], means[-1]))
        sentence = words[words.index(f"{QUALITY[metric].name} from {clean} [") :].split(";")[0]
        assert f"] to {worst} [" in sentence
    for found in ood.separate(run.val_probabilities(members), shifted.read(run, members, "outside-noise")):
        interval = f"{found.auroc.value:.3f} [{found.auroc.lo:.3f}, {found.auroc.hi:.3f}]"
        assert [NAMES[found.score], interval] in [row[:2] for row in rows]


def test_the_test_set_is_hidden_until_a_look_that_is_counted_drawn_and_kept(
    page: Page, server: str, unseen: Run
) -> None:
    received: list[str | bytes] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(frame)))
    visit(page, server, "ensembles", run=unseen.id)
    panel = opened(page, "Test", "ensembles_reveal")
    expect(panel.get_by_text("0 looks so far")).to_be_visible()
    assert (rows_of(panel), panel.locator(".js-plotly-plot").count(), unseen.reveals()) == ([], 0, 0)
    before = len(received)
    page.get_by_role("button", name="Reveal test (look 1)").click()
    expect(panel.locator(".st-key-ensembles_gaps_tools_row")).to_be_visible()
    settled(page)

    (look,) = looks.looks(unseen)
    outcomes = revealed.outcomes(revealed.judge(unseen, score_networks(unseen), look, look.teams), {})
    texts = [said(row.metric, (row.test, row.test_lo, row.test_hi)) for row in outcomes]
    first, later = (b"".join(map(as_bytes, part)) for part in (received[:before], received[before:]))
    assert [text.encode() in first for text in texts] == [False] * len(texts), "nothing is sent before the look"
    assert all(text.encode() in later for text in texts)
    shows_the_look(page, panel, texts, outcomes)

    page.reload()
    settled(page)
    panel = opened(page, "Test", "ensembles_gaps_tools_row")
    shows_the_look(page, panel, texts, outcomes)
    assert unseen.reveals() == 1, "what was seen once is seen again without a further look"


def as_bytes(frame: str | bytes) -> bytes:
    return frame.encode() if isinstance(frame, str) else frame


def shows_the_look(page: Page, panel: Locator, texts: list[str], outcomes: list[revealed.Outcome]) -> None:
    """The count, each team's numbers on test, and the lines from validation to test."""
    expect(panel.get_by_text("1 look so far")).to_be_visible()
    expect(panel.get_by_text(f"Look 1: {outcomes[0].n_test} test images")).to_be_visible()
    assert panel.get_by_role("button", name="Reveal test").count() == 0
    rows = [row[1:] for row in rows_of(panel)]
    for team_of in range(0, len(texts), len(PAIRED)):
        assert texts[team_of : team_of + len(PAIRED)] in rows
    page.wait_for_function("() => document.querySelector('.st-key-ensembles_gaps .js-plotly-plot')?.calcdata")
    for metric, line in zip(GAPS, page.evaluate(JOINED), strict=True):
        factor = 100 if QUALITY[metric].unit == "%" else 1
        ends = [factor * end for row in outcomes if row.metric == metric for end in (row.val, row.test)]
        np.testing.assert_allclose(line, ends)
