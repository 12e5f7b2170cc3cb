"""The TikZ document: the drawing's own places, every text escaped, and it compiles where a TeX is at hand."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core.architecture import Architecture
from edgenes_core.figures.cells import marks
from edgenes_core.figures.drawing import picture
from edgenes_core.figures.tikz import path, to_tikz
from edgenes_core.space import SearchSpace
from edgenes_core.tex import TEX, escape

SPACES = [SearchSpace(), SearchSpace(2, 2), SearchSpace(inputs_per_node=2, cells=("normal", "reduce"))]
ENGINE = next(filter(None, map(shutil.which, ("pdflatex", "lualatex", "xelatex", "tectonic"))), None)
POINT = r"\((-?[\d.]+),(-?[\d.]+)\)"


def pair(space: SearchSpace, seed: int) -> tuple[Architecture, Architecture]:
    """A cell a few edits away from another."""
    rng = np.random.default_rng(seed)
    base = cell = space.sample(rng)
    for _ in range(seed % 4):
        near = list(space.neighbours(cell))
        cell = near[rng.integers(len(near))]
    return cell, base


def points(text: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(POINT, text)]


cases = st.tuples(st.sampled_from(SPACES), st.integers(0, 10_000))


@given(cases)
def test_every_mark_is_drawn_once_at_its_place(case):
    space, seed = case
    cell, base = pair(space, seed)
    tex, drawn, shape = to_tikz(space, cell, base), marks(space, cell, base), picture(space)
    curves = [line for line in tex.splitlines() if "controls" in line]
    assert len(curves) == len(drawn)
    wanted = {tuple(map(float, re.findall(r"-?[\d.]+", shape.arcs[mark.edge].path))): mark for mark in drawn}
    for line in curves:
        mark = wanted.pop(tuple(number for point in points(line) for number in point))
        assert f"[{mark.operation}" in line
        assert ("dash pattern" in line) == (mark.state != "shared")
        assert ("opacity" in line) == (mark.state == "gone")
    labels = [line for line in tex.splitlines() if "rounded rectangle" in line]
    places = {(shape.arcs[m.edge].label_x, shape.arcs[m.edge].label_y): escape(m.label) for m in drawn}
    assert {points(line)[0]: line[line.index("{") + 1 : -2] for line in labels} == places
    for box in shape.boxes:
        assert f"at ({box.x:g},{box.y:g}) {{{box.label}}}" in tex


@given(cases)
def test_a_document_is_whole_and_the_same_each_time(case):
    space, seed = case
    cell, base = pair(space, seed)
    tex = to_tikz(space, cell, base, "a caption")
    assert tex == to_tikz(space, cell, base, "a caption")
    assert tex.count("{") == tex.count("}")
    assert re.findall(r"\\(?:begin|end)\{(\w+)\}", tex) == ["document", "tikzpicture", "tikzpicture", "document"]
    inside = tex[tex.index(r"\begin{tikzpicture}") : tex.index(r"\end{tikzpicture}")]
    for line in inside.splitlines()[2:]:
        assert re.match(r"\\(?:path|draw|fill|node)\[.*\].*;", line), line
    named = set(re.findall(r"\\definecolor\{(\w+)\}", tex))
    assert set(re.findall(r"(?:draw|fill|text)=(\w+)", inside)) <= named | {"white"}


@given(st.text(max_size=60))
def test_escaped_text_holds_no_command_but_ours(text):
    said = escape(text)
    for ours in sorted(TEX.values(), key=len, reverse=True):
        said = said.replace(ours, "")
    assert not set("\\{}$&#^_~%\n\r") & set(said)


@given(st.text(max_size=200))
def test_a_caption_stays_a_comment(caption):
    space = SPACES[0]
    cell, base = pair(space, 1)
    tex = to_tikz(space, cell, base, caption)
    plain = to_tikz(space, cell, base)
    kept = re.split(r"\r\n|[\n\r]", tex)
    assert [line for line in kept if not line.startswith("%")] == [
        line for line in plain.split("\n") if not line.startswith("%")
    ]


def test_paths_with_relative_steps_end_where_they_should():
    assert path("M10,20V30H50m-4,6l4,-6C1,2,3,4,5,6") == (
        "(10,20) -- (10,30) -- (50,30) (46,36) -- (50,30) .. controls (1,2) and (3,4) .. (5,6)"
    )


@pytest.mark.skipif(ENGINE is None, reason="no TeX on PATH (pdflatex, lualatex, xelatex or tectonic)")
@pytest.mark.parametrize("space", SPACES, ids=["k=1", "k=2", "two cells"])
def test_tex_compiles_it(space, tmp_path):
    cell, base = pair(space, 7)
    file = tmp_path / "cell.tex"
    file.write_text(to_tikz(space, cell, base, "100 % of λ, α* & co."))
    options = [] if Path(str(ENGINE)).name == "tectonic" else ["-interaction=nonstopmode", "-halt-on-error"]
    done = subprocess.run([str(ENGINE), *options, file.name], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "cell.pdf").read_bytes().startswith(b"%PDF")
