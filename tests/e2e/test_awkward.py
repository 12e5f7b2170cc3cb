"""Every page bears awkward runs in a browser: something is said or drawn, nothing fails, no number is written as NaN.

More of these runs, without a browser: tests/test_pages_awkward.py.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from awkward_runs import AWKWARD, DAMAGED
from browsing import PAGES, place_for, settled, turn_to, visit
from playwright.sync_api import Page, expect

from edgenes_core.run_folder import Run

DRAWN = "() => [...document.querySelectorAll('.js-plotly-plot')].every((chart) => chart.calcdata)"
KINDS = ("one-candidate", "two-inputs", "many-classes", "damaged-embedding")
CLOSED = ("explore_editor", "explore_flow")  # what they show is computed when they are opened


def served(kind: str, scratch: Path, folder: Path) -> Run:
    """An awkward run among those of a server."""
    place = shutil.move(AWKWARD[kind](scratch).path, place_for(kind, folder))
    Run(place).update(id=place.name)
    return Run(place)


@pytest.mark.parametrize("kind", KINDS)
def test_every_page_bears_the_run(tab: Page, server: str, runs_folder: Path, tmp_path: Path, kind: str) -> None:
    run = served(kind, tmp_path, runs_folder)
    said = []
    for name in PAGES:
        if name:
            turn_to(tab, name)
        else:
            visit(tab, server, run=run.id)
        main = tab.get_by_test_id("stMain")
        for key in CLOSED if name == "explore" else ():
            for head in main.locator(f".st-key-{key} summary").all():
                head.click()
                main.locator(f".st-key-{key} [data-testid=stExpanderDetails] p").first.wait_for()
        settled(tab)
        tab.wait_for_function(DRAWN)
        expect(tab.get_by_test_id("stException"), name).to_have_count(0)
        header, whole = tab.locator(".st-key-page_header").inner_text(), main.inner_text()
        assert f"seed {run.config.seed}" in header
        assert len(whole) > len(header) + 40, f"{name} is empty below its title"
        sentences = tab.get_by_test_id("stAlert").all_inner_texts()  # they may say that a file holds NaN
        for sentence in sentences:
            whole = whole.replace(sentence, "")
        assert "nan" not in whole.lower().split(), name
        assert run.id in tab.evaluate("location.search"), name
        said += sentences
    for file in DAMAGED:
        broken = kind == f"damaged-{Path(file).stem}"
        assert any(file in sentence for sentence in said) == broken, said
