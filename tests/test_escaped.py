"""Words from outside in everything that is drawn or taken away: whatever they hold, the file stays whole and they stay words."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser
from types import SimpleNamespace
from xml.etree import ElementTree

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core import tex
from edgenes_core.bootstrap import Interval
from edgenes_core.cell_number import cell_of
from edgenes_core.corruptions import CORRUPTIONS
from edgenes_core.figures import confused, export, forest, gaps, quality, severities, tikz, uncertainty
from edgenes_core.figures.build import plain as plotly_plain
from edgenes_core.figures.drawing import cell_svg
from edgenes_core.figures.theme import Style
from edgenes_core.instances import votes
from edgenes_core.optimism import Optimism
from edgenes_core.preview import Preview
from edgenes_core.run_folder import Run
from edgenes_core.severity import MEAN, SeverityPoint
from edgenes_core.space import SearchSpace
from edgenes_core.statistics import Difference
from pages.widgets import cell_files, dataset_preview, tools, vote_grid
from pages.widgets.markdown import plain
from pages.widgets.session import DEMO

SPACE = SearchSpace()
CELL, BASE = cell_of(SPACE, 4711), cell_of(SPACE, 42)
STYLE = Style("#000000", "circle", "solid", "yours")
NASTY = (
    *(
        "<script>alert(1)</script>",
        "</style></title></svg><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        '"><a href="x">',
    ),
    *(
        "]]>-->--!><!ENTITY x SYSTEM 'file:///etc/passwd'>",
        "&lt;script&gt; &#60;b&#62; &unknown;",
        "a -- b --- c -",
        "%{x} %{customdata}",
    ),
    *(
        "\\write18{id} \\input{/etc/passwd} $x$ {}%&#_^~",
        "*/ // \n} digraph x {",
        'a" [label="b"]; //',
        "*bold* [l](http://x) ![i](http://x)",
    ),
    *(
        "=cmd|'/C calc'!A0",
        "@SUM(1)",
        "+1",
        "-1",
        "\t=1",
        "a,=cmd()",
        "\x00\x07\x1b[2J\x85\u2028\u202e\ud800",
        "a\nb\r\nc",
        "|x|y|",
        ":red[x] `y`",
    ),
)
texts = st.sampled_from(NASTY) | st.lists(st.sampled_from(NASTY) | st.text(max_size=12), max_size=3).map("".join)
OURS = {"b", "br", "extra", "span", "sub", "sup", "i"}  # tags of plotly that our figures use


class Parsed(HTMLParser):
    """Tags with their attributes, and the words between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attributes

    def handle_data(self, data: str) -> None:
        self.words += data


def squeezed(text: str) -> str:
    """The letters that every form keeps: printable ones, without spaces."""
    return "".join(letter for letter in text if letter.isprintable() and not letter.isspace())


def xml_words(text: str) -> str:
    return squeezed("".join(ElementTree.fromstring(text).itertext()))  # noqa: S314 - well-formed is the question


@given(texts)
def test_an_svg_is_whole_and_says_it(text):
    drawn = cell_svg(SPACE, CELL, BASE, against=tools.one_line(text))
    assert squeezed(text) in xml_words(drawn)
    tags = {element.tag for element in ElementTree.fromstring(drawn).iter()}  # noqa: S314
    assert tags == {element.tag for element in ElementTree.fromstring(cell_svg(SPACE, CELL, BASE)).iter()}  # noqa: S314
    assert squeezed(text) in xml_words(export.captioned(drawn, text))


@pytest.fixture(scope="module")
def told():
    """A run whose dataset is called anything; only what captions read."""

    def run(dataset: str) -> Run:
        manifest = SimpleNamespace(commit="")
        config = SimpleNamespace(dataset=dataset, seed=0)
        return SimpleNamespace(id="x", path=DEMO, manifest=manifest, config=config, space=SPACE)  # type: ignore[return-value]

    return run


@given(texts)
def test_a_cell_as_text_is_the_same_cell_whatever_the_caption(told, text):
    caption = tools.caption_of(told(text), text)
    assert caption.isprintable()
    made = {file.label: file.make() for file in cell_files.texts(told(text), CELL, caption)}
    ElementTree.fromstring(made["GraphML"])  # noqa: S314
    assert len(nx.parse_graphml(made["GraphML"]).edges) == len(CELL.graph().edges)
    first, *rest = re.split(r"[\n\r]", made["DOT"])
    assert first.startswith("//")
    plain_dot = {file.label: file.make() for file in cell_files.texts(told(""), CELL, "")}["DOT"]
    assert rest == re.split(r"[\n\r]", plain_dot)[1:]
    code = [line for line in re.split(r"[\n\r]", tikz.to_tikz(SPACE, CELL, BASE, caption)) if not line.startswith("%")]
    assert code == [line for line in tikz.to_tikz(SPACE, CELL, BASE).split("\n") if not line.startswith("%")]
    assert json.loads(made["JSON"])


@given(texts)
def test_tex_has_no_command_of_theirs(text):
    said = tex.escape(text)
    for ours in sorted(tex.TEX.values(), key=len, reverse=True):
        said = said.replace(ours, "")
    assert not set("\\{}$&#^_~%\n\r") & set(said)


@given(texts, texts)
def test_a_spreadsheet_finds_no_formula_and_pandas_the_words(told, text, summary):
    text = text.replace("\ud800", "")  # titles and class names are read without halves of letters
    table = pd.DataFrame({"name": [text, "plain"], "value": [-1.5, 2.0]})
    made = tools.csv_of(told("digits"), tools.View("x", "", summary, table, ""))
    comments = [line for line in made.split("\n") if line.startswith("#")]
    assert len(comments) == 3
    for row in csv.reader(io.StringIO(made, newline="")):
        assert not any(cell.startswith(tools.FORMULA) for cell in row if not _is_number(cell))
    if not set(text) & set('\r\n\x00\x85\u2028\ud800"#'):
        back = pd.read_csv(io.StringIO(made), comment="#", dtype={"name": str}, keep_default_na=False)
        assert back["name"][0] in (text, f"'{text}")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


@given(st.lists(texts, min_size=2, max_size=2, unique=True))
def test_html_tables_hold_no_tag_of_theirs(names):
    probs = np.random.default_rng(0).dirichlet(np.ones(2), (2, 3))
    y = np.array([0, 1, 0])
    found = votes(probs, probs.mean(0), y)
    grid = Parsed(vote_grid.grid_html(found, np.arange(3), vote_grid.Names(names, names), None))
    safe = Parsed(vote_grid.grid_html(found, np.arange(3), vote_grid.Names("ab", "ab"), None))
    assert grid.tags == safe.tags
    assert [name for name, _ in grid.attributes] == [name for name, _ in safe.attributes]
    pixels = np.zeros((1, 4, 4, 1), np.uint8)
    held = Preview((4, 4, 1), "uint8", tuple(names), np.ones((2, 4), int), (pixels, pixels))
    figure = Parsed(dataset_preview._figure(held, 0))
    assert figure.tags == ["figure", "img", "figcaption"]
    assert [name for name, _ in figure.attributes] == ["src", "alt", "title"]
    assert dict(figure.attributes)["title"] == names[0]


@given(texts)
def test_markdown_has_no_magic_of_theirs(text):
    said = plain(text)
    assert said.isprintable()
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_\[\]<>$~|&]", said)
    assert re.sub(r"\\([\\`*_\[\]<>$~|&])", r"\1", said) == "".join(c if c.isprintable() else " " for c in text)


def drawings(name: str) -> dict[str, object]:
    """Every chart whose words come from ensembles' titles or class names."""
    thirds = (
        np.array([0.0, 0.5]),
        np.array([0.5, 1.0]),
        np.array([0.3, 0.8]),
        np.array([0.4, 0.7]),
        np.array([5.0, 9.0]),
    )
    interval = Interval(0.5, 0.4, 0.6, 10)
    points = [SeverityPoint(name, kind, 1, "nll", 0.5, 0.4, 0.6, 1, 9) for kind in (next(iter(CORRUPTIONS)), MEAN)]
    curve = uncertainty.RiskCurve(name, STYLE, *(np.linspace(0, 1, 4),) * 3, 0.1, 0.2, 9)
    return {
        "confusion": confused.plot_confusion(np.array([[5, 1], [2, 4]]), [name, name], "counts", dark=False),
        "gaps": gaps.plot_gaps([gaps.Gap(name, (Optimism(interval, interval, -0.1, 0.1),))], ["accuracy"], dark=False),
        "reliability": quality.plot_reliability([quality.Reliability(name, STYLE, *thirds, 0.1, 0.1)], dark=False),
        "severities": severities.plot_severities(points, {name: STYLE}, ["nll"], dark=False),
        "risk": uncertainty.plot_risk([curve], dark=False),
        "forest": forest.plot_forest(
            [forest.Compared(name, [Difference(0.1, -0.1, 0.3, 9)])], ["nll"], "x", dark=False
        ),
    }


def strings(value: object) -> list[str]:
    """All texts that plotly draws."""
    if isinstance(value, dict):
        return [
            text
            for key, held in value.items()
            if key not in ("legendgroup", "customdata", "template")
            for text in strings(held)
        ]
    if isinstance(value, list | tuple | np.ndarray):
        return [text for held in value for text in strings(held)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("name", NASTY)
def test_charts_hold_no_tag_link_or_placeholder_of_theirs(name):
    safe = {kind: strings(figure.to_plotly_json()) for kind, figure in drawings("safe").items()}
    for kind, figure in drawings(name).items():
        said = strings(figure.to_plotly_json())
        tags = {tag for text in said for tag in re.findall(r"</?([a-zA-Z!]+)", text)}
        assert tags <= OURS, kind
        holes = [re.findall(r"%\{[^}]*\}", text) for text in said]
        assert sorted(map(str, holes)) == sorted(str(re.findall(r"%\{[^}]*\}", text)) for text in safe[kind]), kind
        assert any(plotly_plain(name) in text or kind == "forest" for text in said), kind
