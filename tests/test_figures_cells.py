"""Laws of the cell's words, drawing, files and curves, for any cell of any space."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from itertools import combinations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core.architecture import Architecture, ArchitectureError, Gene, shared_edges
from edgenes_core.figures import cells, curves, drawing, story, theme
from edgenes_core.lambda_path import Interval, Knots, LambdaPath, lambda_path
from edgenes_core.space import SearchSpace

SPACES = (SearchSpace(), SearchSpace(inputs_per_node=2), SearchSpace(cells=("normal", "reduce"), inputs_per_node=2))


@st.composite
def pairs(draw):
    """A space, a cell and a base of it; now and then the same cell."""
    space = draw(st.sampled_from(SPACES))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    base = space.sample(rng)
    shared = draw(st.integers(0, space.lambda_max))
    return space, space.sample_sharing(base, shared, rng), base


def path_of(space: SearchSpace, seed: int) -> tuple[Knots, LambdaPath]:
    rng = np.random.default_rng(seed)
    base = space.sample(rng)
    knots = Knots(np.linspace(-0.2, space.lambda_max + 0.2, 5), rng.normal(size=(5, space.logits)))
    return knots, lambda_path(space, knots, base)


@given(pairs())
def test_marks_say_exactly_what_differs(drawn):
    space, cell, base = drawn
    found = cells.marks(space, cell, base)
    assert Architecture(cells.genes_of(space, found)) == cell
    states = [mark.state for mark in found]
    assert states.count("shared") == shared_edges(cell, base)
    assert states.count("shared") + states.count("changed") + states.count("gone") == len(base.genes)
    assert states.count("added") == states.count("gone")
    assert len({mark.edge for mark in found}) == len(found)


@given(pairs())
def test_label_and_colour_never_speak_of_different_operations(drawn):
    space, cell, base = drawn
    for mark in cells.marks(space, cell, base):
        assert mark.label.endswith(cells.OPERATION[mark.operation].word)
        assert mark.label[0] in {"added": "+", "gone": "−"}.get(mark.state, mark.label[0])
        assert (" → " in mark.label) == (mark.state == "changed")


@given(pairs())
def test_sentence_counts_the_difference(drawn):
    _, cell, base = drawn
    sentence, count = cells.change_sentence(cell, base), len(base.genes) - shared_edges(cell, base)
    assert ("α* itself" in sentence) == (cell == base)
    if count:
        assert sentence.startswith(f"{count} edge")
        shown = min(count, cells.SHOWN_CHANGES)
        assert sentence.count("instead of") == shown
        assert (f"and {count - shown} more" in sentence) == (count > shown)


def test_sentence_in_words():
    base = Architecture((Gene("reduce", 2, 0, "skipconnect"), Gene("reduce", 3, 0, "maxpool")))
    moved = Architecture((Gene("reduce", 2, 0, "sepconv3x3"), Gene("reduce", 3, 2, "maxpool")))
    assert cells.change_sentence(moved, base) == (
        "2 edges differ from α*: node 2 applies sep 3×3 instead of skip to input 0; "
        "node 3 takes node 2 (max pool) instead of input 0 (max pool)."
    )


@given(pairs())
def test_table_has_a_row_for_every_mark(drawn):
    space, cell, base = drawn
    rows = cells.table(space, cell, base)
    assert len(rows) == len(cells.marks(space, cell, base))
    assert sum(row.versus_base == "same" for row in rows) == shared_edges(cell, base)
    assert all(row.operation for row in rows)


def test_a_cell_of_another_space_is_refused(rng):
    with pytest.raises(ArchitectureError, match="not in the space"):
        cells.marks(SPACES[0], SPACES[2].sample(rng), SPACES[2].sample(rng))


@given(pairs())
def test_files_hold_the_whole_graph(drawn):
    _, cell, _ = drawn
    read = nx.parse_graphml(cells.to_graphml(cell))
    kept = {(a, b, data["operation"]) for a, b, data in read.edges(data=True) if data["operation"] != "concat"}
    assert kept == {(f"{g.cell}/{g.parent}", f"{g.cell}/{g.node}", g.operation) for g in cell.genes}
    dot = cells.to_dot(cell)
    assert dot.count("->") == read.number_of_edges()
    assert all(f'"{a}" -> "{b}" [label="{operation}"]' in dot for a, b, operation in kept)


@pytest.mark.parametrize("space", SPACES, ids=lambda s: f"{len(s.cells)} cells")
def test_every_edge_owns_its_label_slot(space):
    shape = drawing.picture(space)
    assert len(shape.arcs) == len(space.edges)
    longest = max(len(o.word) for o in cells.OPERATION.values())
    width = drawing.CHAR_W * (2 * longest + len(" → ")) + 16
    for a, b in combinations(shape.arcs, 2):
        assert abs(a.label_x - b.label_x) >= width - 8 or abs(a.label_y - b.label_y) >= drawing.PILL_H
    for arc in shape.arcs:
        for box in shape.boxes:
            assert abs(arc.label_y - box.y) >= (drawing.PILL_H + drawing.NODE_H) / 2
    for x, y in [(arc.label_x, arc.label_y) for arc in shape.arcs] + [(box.x, box.y) for box in shape.boxes]:
        assert 0 < x < drawing.WIDTH
        assert 0 < y < shape.height


def test_nothing_moves_when_the_cell_changes(rng):
    """The picture depends on the space alone, and a shared edge is drawn the same way in every cell."""
    space = SPACES[0]
    base = space.sample(rng)
    places = []
    for shared in range(space.lambda_max + 1):
        svg = drawing.cell_svg(space, space.sample_sharing(base, shared, rng), base)
        root = ET.fromstring(svg)  # noqa: S314 - our own text
        places.append(
            [text.attrib["x"] for text in root.iter("{http://www.w3.org/2000/svg}text") if text.text == "node 3"]
        )
    assert all(place == places[0] for place in places)


@given(pairs(), st.booleans())
def test_svg_is_whole_and_repeatable(drawn, dark):
    space, cell, base = drawn
    svg = drawing.cell_svg(space, cell, base, dark=dark)
    texts = [e.text for e in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314 - our own text
    for mark in cells.marks(space, cell, base):
        assert mark.label in texts
    assert svg == drawing.cell_svg(space, cell, base, dark=dark)
    assert theme.ink(dark=dark).paper in svg


@given(st.sampled_from(SPACES), st.integers(0, 500))
def test_calibration_is_exact(space, seed):
    """Against a dense sum of the path itself."""
    _, path = path_of(space, seed)
    info = curves.calibration_info(path, np.array([0.0]), np.array([0.0]))
    lam = (np.arange(4000) + 0.5) / 4000 * path.lambda_max
    miss = np.array([abs(x - path.at(x).shared) for x in lam])
    assert info.error == pytest.approx(miss.mean(), abs=2e-3 * path.lambda_max)
    assert info.off == pytest.approx((miss > 0.5).mean(), abs=0.01)
    assert (np.diff(info.lam) >= 0).all()
    assert info.lam[0] == 0
    assert info.lam[-1] == path.lambda_max


def test_perfect_obedience_leaves_the_rounding_floor(rng):
    space = SPACES[0]
    base = space.sample(rng)
    ends = [0, 0.5, 1.5, 2.5, 3.5, 4]
    cells_ = [space.sample_sharing(base, m, rng) for m in range(5)]
    stretches = zip(ends[:-1], ends[1:], cells_, range(5), strict=True)
    info = curves.calibration_info(
        LambdaPath(4, tuple(Interval(*s) for s in stretches)), np.array([0.0]), np.array([0.0])
    )
    assert info.error == pytest.approx(0.25)
    assert info.off == pytest.approx(0)


@given(st.sampled_from(SPACES), st.integers(0, 500))
def test_traces_cross_where_the_cell_changes(space, seed):
    """The highest β line at any λ belongs to a kept input, and weights sum to 1."""
    knots, path = path_of(space, seed)
    for slot, (cell, node) in enumerate(space.slots):
        info = curves.parents_info(space, knots, slot)
        assert info.weight.sum(-1) == pytest.approx(1)
        assert {0.0, float(space.lambda_max)} <= set(info.lam)
        for index in (3, 100, 200):
            kept = {g.parent for g in path.at(float(info.lam[index])).architecture.genes if g[:2] == (cell, node)}
            assert int(info.weight[index].argmax()) in kept
    edge = len(space.edges) - 1
    assert curves.operations_info(space, knots, edge).weight.shape[1] == len(space.operations)


@pytest.mark.parametrize("dark", [False, True])
def test_figures_draw_every_series(dark):
    knots, path = path_of(SPACES[0], 1)
    info = curves.calibration_info(path, np.linspace(0, 4, 5), np.linspace(0, 3, 5))
    assert len(curves.plot_calibration(info, 1.0, dark=dark).data) == 3
    traces = curves.operations_info(SPACES[0], knots, 0)
    figure = curves.plot_traces(traces, 1.0, dark=dark)
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert [line.name for line in lines] == list(traces.names)
    assert len({(line.line.color, line.line.dash) for line in lines}) == len(lines)
    assert len({line.line.dash for line in lines}) == len(lines)
    json.loads(figure.to_json())


def test_story_shows_what_there_is(rng):
    space = SPACES[0]
    base = space.sample(rng)
    _, path = path_of(space, 2)
    whole = story.story_svg(space, base, path, ((0.5, 1), (3.0, 3)), ((0.5, 1),), dark=False)
    empty = story.story_svg(space, None, None, (), (), dark=True)
    assert "1 of 2 chosen" in whole
    assert "not done" not in whole
    assert empty.count("not done in this run yet") == 3
    for svg in (whole, empty):
        ET.fromstring(svg)  # noqa: S314 - our own text


@given(pairs())
def test_the_counts_in_words_add_up_to_both_cells(drawn):
    space, cell, base = drawn
    found = cells.marks(space, cell, base)
    said = cells.counts_sentence(found, "B")
    numbers = [int(part.split()[0]) for part in said.split(", ")]
    assert numbers[0] == shared_edges(cell, base)
    assert "shared with B" in said
    counts = {state: sum(mark.state == state for mark in found) for state in ("shared", "changed", "added", "gone")}
    assert sum(numbers) == len(found) == sum(counts.values())
    assert counts["shared"] + counts["changed"] + counts["added"] == len(cell.genes)
    assert counts["shared"] + counts["changed"] + counts["gone"] == len(base.genes)


def test_every_operation_is_explained_in_a_sentence_of_its_own():
    said = [operation.about for operation in cells.OPERATION.values()]
    assert len(set(said)) == len(said)
    assert all(text.endswith(".") and len(text) < 130 for text in said)
