"""Every page bears every awkward run, without a browser: nothing fails, a damaged file is named, no number is written as NaN."""

from __future__ import annotations

from pathlib import Path

import pytest
from awkward_runs import AWKWARD, DAMAGED
from test_pages_explore import FRAME, open_page, runs, words  # noqa: F401 - `runs` is a fixture

PAGES = sorted(file.name for file in Path(FRAME).parent.glob("*.py") if file.name != "frame.py")
CLOSED = ("explore_editor", "explore_flow")  # what they show is computed when they are opened


@pytest.mark.parametrize("kind", AWKWARD)
def test_every_page_bears_the_run(runs, kind):  # noqa: F811
    run, said = AWKWARD[kind](runs), []
    for page in PAGES:
        app = open_page(page, run)
        if page == "explore.py":
            for key in CLOSED:
                app.session_state[key] = True
            app.run()
        assert not app.exception, (page, [e.value for e in app.exception])
        sentences = [e.value for alert in (app.error, app.warning, app.info) for e in alert]  # they may speak of NaN
        shown = words(app)
        for sentence in sentences:
            shown = shown.replace(sentence, "")
        assert "nan" not in shown.lower().split(), page
        assert len(shown) > 100, f"{page} is empty"
        said += sentences
    for file in DAMAGED:
        assert any(file in sentence for sentence in said) == (kind == f"damaged-{Path(file).stem}"), said
