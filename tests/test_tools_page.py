"""What stands under a chart: words, files, code and table say the same; the link and its QR code."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st
from page_runs import shown, whole
from streamlit.testing.v1 import AppTest
from test_pages_explore import runs, words  # noqa: F401 - `runs` is a fixture
from test_snippets import ROOT, executed

from edgenes_core import EdgeNESError, snippets
from edgenes_core.architecture import Architecture
from edgenes_core.figures import chrome
from edgenes_core.run_folder import Run
from pages.widgets import cell_files, permalink, tools

DEMO = Run(snippets.BUNDLED)
ENSEMBLE_VIEWS = ["ensembles_sizes", "ensembles_differences", "ensembles_scores", "ensembles_every"]


def view(table: pd.DataFrame, **changes: str) -> tools.View:
    fields = {"name": "view", "caption": "validation n = 287 images", "summary": "A # and\na line.", "snippet": ""}
    return tools.View(**{**fields, **changes}, table=table)


def read_back(text: str) -> pd.DataFrame:
    """The table of a CSV file by the call of pandas that the file itself names."""
    call = next(line for line in text.splitlines() if line.startswith("# pandas.read_csv"))
    return eval(call.removeprefix("# "), {"pandas": pd, "FILE": io.StringIO(text)})  # noqa: S307 - written by csv_of


texts = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=12).map("k{}".format)
columns = st.integers(1, 6).flatmap(
    lambda n: st.fixed_dictionaries(
        {
            "x": st.lists(st.floats(), min_size=n, max_size=n),
            "n": st.lists(st.integers(-(2**60), 2**60), min_size=n, max_size=n),
            "key": st.lists(texts | st.from_regex(r"\A[0-9]{12}\Z"), min_size=n, max_size=n),
        }
    )
)


@given(columns)
def test_a_csv_file_gives_back_every_digit(found):
    table = pd.DataFrame(found)
    text = tools.csv_of(DEMO, view(table))
    pd.testing.assert_frame_equal(read_back(text), table, check_exact=True)
    head = [line for line in text.splitlines() if line.startswith("# ")]
    assert len(head) == 3
    for said in ("run demo", "seed 0", "validation n = 287 images", "edgenes explorer"):
        assert said in head[1].lower()


def test_an_empty_table_keeps_its_columns():
    from edgenes_core.figures.tables import Paired

    text = tools.csv_of(DEMO, view(tools.frame(Paired, [])))
    assert list(read_back(text)) == list(Paired._fields)


def page(run_path: str) -> None:
    import plotly.graph_objects as go

    from edgenes_core import snippets
    from edgenes_core.figures.tables import Stretch, calibration_rows
    from edgenes_core.run_folder import Run
    from pages.widgets.tools import View, frame, view_tools

    run = Run(__import__("pathlib").Path(run_path))
    soft = run.soft_count()
    table = frame(Stretch, calibration_rows(run.lambda_path(), soft.lam, soft.count))
    seen = View("calibration", "exact", "Steps.", table, snippets.calibration(run))
    view_tools(run, seen, key="tools", figure=go.Figure())


def opened(*names: str) -> AppTest:
    app = AppTest.from_function(page, kwargs={"run_path": str(snippets.BUNDLED)}, default_timeout=30).run()
    for name in names:
        app.session_state[f"tools_{name}"] = True
    app.run()
    assert not app.exception
    return app


def test_words_code_and_table_say_the_same(monkeypatch):
    monkeypatch.chdir(ROOT)
    app = opened("table")
    assert app.caption[0].value == "Steps."
    assert executed(app.code[0].value) == app.dataframe[0].value.to_dict("records")
    assert not opened().dataframe, "a table is sent when it is asked for"


def test_files_are_offered_and_a_missing_browser_is_said(monkeypatch):
    tools.browser_missing.clear()
    monkeypatch.setattr(chrome, "find", lambda: "/bin/sh")
    buttons = {b.proto.label: b.proto.disabled for b in opened("export").get("download_button")}
    assert buttons == dict.fromkeys(("CSV", "SVG", "PNG", "PDF"), False)
    tools.browser_missing.clear()
    monkeypatch.setattr(chrome, "find", lambda: None)
    app = opened("export")
    buttons = {b.proto.label: b.proto.disabled for b in app.get("download_button")}
    assert buttons == {"CSV": False, "SVG": True, "PNG": True, "PDF": True}
    assert any("install one" in caption.value for caption in app.caption)
    tools.browser_missing.clear()


def test_why_a_file_failed_is_said_at_the_next_look():
    def fail() -> bytes:
        raise chrome.ExportError("The browser took longer than 60 s.")

    failed: dict[str, str] = {}
    with pytest.raises(EdgeNESError):
        tools._make(tools.File("PNG", "x.png", "image/png", fail), failed, "tools")
    assert failed == {"tools": "The browser took longer than 60 s."}


def test_every_view_of_the_ensembles_page_comes_with_its_numbers(runs, monkeypatch):  # noqa: F811
    monkeypatch.chdir(ROOT)
    run = whole(runs)
    app = shown("ensembles.py", run)
    app.button(key="ensembles_selected").click().run()
    for key in ("ensembles_other", "ensembles_measures", *(f"{key}_table" for key in ENSEMBLE_VIEWS)):
        app.session_state[key] = True
    app.run()
    assert not app.exception
    scripts = [block.value for block in app.code if "table = " in block.value]
    tables = [element.value.to_dict("records") for element in app.dataframe]
    assert len(scripts) == len(tables) == len(ENSEMBLE_VIEWS)
    assert all(tables)
    for script, table in zip(scripts, tables, strict=True):
        pd.testing.assert_frame_equal(
            pd.DataFrame(executed(script)), pd.DataFrame(table), check_exact=True
        )  # NaN equals NaN
    for said in ("Validation NLL is lowest", "Against selected", "Of 3 ensembles", "measures of 1 ensemble"):
        assert said in words(app)


def made(files: list[tools.File]) -> dict[str, Any]:
    return {file.label: file.make() for file in files}


def test_a_cell_as_files_is_the_cell():
    cell, base = DEMO.lambda_path().at(1.0).architecture, DEMO.base().architecture
    caption = tools.caption_of(DEMO, f"Cell {cell.key} -- beside α*")
    text = made(cell_files.texts(DEMO, cell, caption))
    assert Architecture.from_json(text["JSON"]) == Architecture.from_json(text["Authors' JSON"]) == cell
    assert json.loads(text["Authors' JSON"]) == cell.to_authors()
    graph = nx.parse_graphml(text["GraphML"])
    kept = {(a, b) for a, b, operation in graph.edges(data="operation") if operation != "concat"}
    assert kept == {(f"{g.cell}/{g.parent}", f"{g.cell}/{g.node}") for g in cell.genes}
    assert text["DOT"].startswith(f"// {caption}\ndigraph")
    drawn = made([file for file in cell_files.drawings(DEMO, cell, caption) if not file.browser])
    assert set(drawn) == {"TikZ", "SVG"}
    for content in (drawn["TikZ"], drawn["SVG"].decode()):
        assert cell.key in content
        assert base.key in content
        assert "seed 0" in " ".join(content.split())


def test_captions_name_their_source_once():
    said = tools.caption_of(DEMO, "Run demo, seed 0, test\nn = 3.")
    assert said.startswith("Run demo, seed 0, test n = 3. EdgeNES Explorer")
    assert tools.caption_of(DEMO, "").startswith("Run demo (bundled run), digits, seed 0")
    assert tools.stem_of(DEMO, "a/../b c") == "a-..-b-c-demo"


def modules(svg: str) -> np.ndarray:
    """The dark squares of a QR code as they are drawn: rows of strokes one unit wide."""
    size = int(re.search(r'viewBox="0 0 (\d+) \1"', svg)[1])
    dark = np.zeros((size, size), int)
    path = re.search(r'stroke="#000"[^>]* d="([^"]*)"|d="([^"]*)"[^>]* stroke="#000"', svg)
    x, y = 0.0, 0.0
    for command, text in re.findall(r"([Mmh])([^Mmh]*)", path[1] or path[2]):
        numbers = [float(number) for number in text.split()]
        if command == "h":
            dark[int(y), int(x) : int(x + numbers[0])] = 1
            x += numbers[0]
        else:
            x, y = numbers if command == "M" else (x + numbers[0], y + numbers[1])
    return dark


@given(st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=300))
def test_a_qr_code_is_drawn_dark_on_white_with_its_quiet_zone(tail):
    link = f"http://127.0.0.1:8501/explore?run={tail}"
    svg = permalink.qr_svg(link)
    dark = modules(svg)
    np.testing.assert_array_equal(dark, [list(row) for row in segno.make(link, error="l").matrix_iter(border=4)])
    assert dark.sum() == dark[4:-4, 4:-4].sum()
    assert svg.count('fill="#fff"') == svg.count('stroke="#000"') == 1


def share(link: str) -> None:
    from pages.widgets.permalink import share_panel

    share_panel(link, key="share")


@pytest.mark.parametrize("extra", [0, 3000])
def test_the_link_can_be_copied_and_what_it_cannot_do_is_said(extra):
    link = "http://127.0.0.1:8501/explore?lam=1" + "0" * extra
    app = AppTest.from_function(share, kwargs={"link": link}).run()
    assert not app.exception
    assert app.code[0].value == link
    said = [caption.value for caption in app.caption]
    assert "--server.address" in said[-1]
    assert bool(app.get("bidi_component")) == (not extra)
    assert any(f"{len(link)} bytes" in text for text in said) == bool(extra)


@pytest.mark.parametrize("link", ["http://127.0.0.1:8501/x", "http://[::1]/", "http://localhost/", ""])
def test_a_link_that_only_opens_here_is_known(link):
    assert permalink.only_here(link)
    assert not permalink.only_here("https://nes.example.org/explore")
    assert not permalink.only_here("http://192.168.1.7:8501/")
