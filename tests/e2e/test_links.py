"""Links: a random state of the app, written as a link and opened in a fresh browser, is the same state there."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from browsing import newest, settled, turn_to, visit
from conftest import kept_context, watched_tab
from playwright.sync_api import Browser, BrowserContext, Page, expect
from test_explore import lam_drawn, part

from edgenes_core.cell_number import cell_of
from edgenes_core.inspect_cell import known_cells
from edgenes_core.permalink import Known, ViewState, from_query, to_query
from edgenes_core.run_folder import Run
from pages.widgets.choices import CHOICES

# A soak: EDGENES_LINK_STATES=200 pytest tests/e2e/test_links.py
STATES = int(os.environ.get("EDGENES_LINK_STATES", "6"))
DRAWS = {  # choices that a page draws whatever else is chosen
    "explore": ("interpolation",),
    "space": ("map_distance",),
    "tradeoff": ("plane_x", "plane_against", "plane_y", "plane_facets", "plane_cloud", "slope_cells"),
    "ensembles": (),
    "": (),
}
PAPER = {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 22, 28)"}


def random_view(run: Run, named: bool, rng: random.Random) -> ViewState:
    """Any state: λ, a pinned cell, up to six selected cells, up to four networks with weights, any choices, either theme."""
    cells = sorted(known_cells(run))
    networks = [training.id for training in run.trainings() if run.is_trained(training)]
    basket = tuple(rng.sample(networks, rng.randint(0, min(4, len(networks)))))
    parts = tuple(rng.randint(1, 9) for _ in basket)
    asked = [(name, rng.choice(list(choice.options))) for name, choice in CHOICES.items() if rng.random() < 0.5]
    return ViewState(
        run.id if named else "",
        run.config.seed,
        round(rng.uniform(0, run.space.lambda_max), 3),
        cell_of(run.space, rng.randrange(run.space.size)) if rng.random() < 0.7 else None,
        tuple(rng.sample(cells, rng.randint(0, min(6, len(cells))))),
        basket,
        tuple((name, answer) for name, answer in asked if answer != CHOICES[name].default),
        rng.choice(["light", "dark"]),
        parts if set(parts) - {1} and rng.random() < 0.5 else (),
    )


def known(run: Run) -> Known:
    networks = [training.id for training in run.trainings()]
    return Known(run.space, run.config.seed, known_cells(run), networks, {n: c.options for n, c in CHOICES.items()})


@pytest.fixture(scope="module")
def stored(runs_folder) -> Run:
    """A run of the user's, beside the bundled one."""
    return newest(runs_folder)


@pytest.fixture(scope="module")
def elsewhere(browser: Browser, server: str) -> Iterator[BrowserContext]:
    """Another browser than that of the other tests."""
    with kept_context(browser, server) as context:
        yield context


@pytest.fixture
def newcomer(elsewhere: BrowserContext, server: str) -> Iterator[Page]:
    """A tab of somebody who was never here."""
    with watched_tab(elsewhere) as tab:
        tab.goto(f"{server}/_stcore/health")
        tab.evaluate("localStorage.clear()")
        yield tab


@pytest.mark.parametrize("number", range(STATES))
def test_a_random_state_survives_its_link(number: int, newcomer: Page, server: str, run: Run, stored: Run) -> None:
    rng = random.Random(number)
    here = stored if number % 3 == 2 else run
    view = random_view(here, here is stored and stored.path != run.path, rng)
    name = rng.choice(list(DRAWS))
    newcomer.emulate_media(color_scheme=rng.choice(["light", "dark"]))
    newcomer.goto(f"{server}/{name}?{urlencode(to_query(here.space, view))}")
    settled(newcomer)
    expect(newcomer.locator(".st-key-page_header")).to_contain_text(f"seed {here.config.seed}")
    assert newcomer.get_by_test_id("stAlert").filter(has_text="link").all_inner_texts() == []
    expect(newcomer.get_by_test_id("stApp")).to_have_css("background-color", PAPER[view.theme])
    plural = "" if len(view.basket) == 1 else "s"
    expect(newcomer.get_by_text(f"Basket: {len(view.basket)} network{plural}")).to_be_visible()
    if name != "space" or here.has("embed"):  # without a map that page says what is missing
        looks_like(newcomer, name, view)
    assert shared_view(newcomer, here) == (view, ())


def looks_like(page: Page, name: str, view: ViewState) -> None:
    """What the page itself shows of the state."""
    answers = dict(view.choices)
    for choice in DRAWS[name]:
        words = CHOICES[choice].options[answers.get(choice, CHOICES[choice].default)]
        expect(page.locator(f".st-key-choice_{choice} button[aria-checked=true]")).to_have_text(words)
    if name == "explore":
        assert lam_drawn(page) == view.lam
        expect(part(page, "counts")).to_contain_text(f"Beside B ({view.pin.key})" if view.pin else "Beside α*:")
    elif name in ("space", "tradeoff") and view.selection:
        plural = "" if len(view.selection) == 1 else "s"
        expect(page.get_by_text(f"{len(view.selection)} selected cell{plural}", exact=True)).to_be_visible()


def shared_view(page: Page, run: Run) -> tuple[ViewState, tuple[str, ...]]:
    """What the link under Share says."""
    page.get_by_role("button", name="Share").click()
    code = page.get_by_test_id("stPopoverBody").get_by_test_id("stCode")
    expect(code).to_contain_text("http://")
    link = (code.text_content() or "").strip()
    return from_query(known(run), dict(parse_qsl(urlsplit(link).query)))


WRONG = {
    "lam=99": "the nearest is shown",
    "pin=-3": "no cell is pinned",
    "cells=ffffffffffff": "left out",
    "basket=../../etc": "left out",
    "map_method=tsne": "one of",
    "seed=77": "its numbers differ",
    "run=no-such-run": "cannot be opened",
}


def test_a_wrong_value_is_put_right_in_sight(page: Page, server: str) -> None:
    for queries in (WRONG, ("run=no-such-run",)):
        visit(page, server, f"?{'&'.join(queries)}")
        for query in queries:
            expect(page.get_by_test_id("stAlert").filter(has_text=WRONG[query]).first, query).to_be_visible()
        expect(page.get_by_test_id("stException")).to_have_count(0)


def test_reload_and_a_change_of_page_keep_the_state(page: Page, server: str, run: Run) -> None:
    keys = sorted(known_cells(run))[:2]
    asked = {"lam": "1.25", "cells": ".".join(keys), "plane_y": "accuracy"}
    visit(page, server, "tradeoff", **asked)
    expect(page.get_by_text("2 selected cells")).to_be_visible()
    turn_to(page, "explore")
    assert lam_drawn(page) == 1.25
    page.reload()
    settled(page)
    assert lam_drawn(page) == 1.25
    turn_to(page, "tradeoff")
    expect(page.get_by_text("2 selected cells")).to_be_visible()
    expect(page.locator(".st-key-choice_plane_y button[aria-checked=true]")).to_have_text("accuracy")
