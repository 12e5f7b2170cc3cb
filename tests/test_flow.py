"""The picture of an image in a cell: its maps can be read back from the file, its words name what flows where."""

import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from edgenes_core.feature_maps import FeatureMaps, LayerMaps
from edgenes_core.figures.flow import channels_shown, flow_svg, sentence, table
from edgenes_core.figures.heat import CIVIDIS, heat, png_uri, span_text
from edgenes_core.figures.theme import ink
from edgenes_core.space import SearchSpace

SVG = "{http://www.w3.org/2000/svg}"


def example(k=1, kinds=("reduce",), layers=1, classes=10, channels=5, seed=0):
    rng = np.random.default_rng(seed)
    architecture = SearchSpace(inputs_per_node=k, cells=kinds).sample(rng)
    shown = [
        LayerMaps(kinds[i % len(kinds)], tuple(rng.normal(size=(channels, 4, 4)).astype(np.float32) for _ in range(6)))
        for i in range(layers)
    ]
    probabilities = rng.dirichlet(np.ones(classes)).astype(np.float32)
    names = tuple(f"<class & {i}>" for i in range(classes))
    pixels = rng.integers(256, size=(8, 8, 3), dtype=np.uint8)
    label = int(probabilities.argmin())
    return FeatureMaps(architecture, "supernet weights", 3, 9, pixels, label, names, probabilities, tuple(shown))


EXAMPLES = [
    pytest.param(example(), id="k1"),
    pytest.param(example(2, ("normal", "reduce"), 3), id="two-cells"),
    pytest.param(example(classes=2, channels=2), id="two-classes-two-channels"),
]


def parsed(svg):
    return ElementTree.fromstring(svg)  # noqa: S314 - our own


def pictures(svg):
    """All images of the drawing, as arrays, in its order."""
    hrefs = [element.get("href") for element in parsed(svg).iter(f"{SVG}image")]
    return [np.array(Image.open(io.BytesIO(base64.b64decode(href.partition(",")[2])))) for href in hrefs]


def texts(svg):
    return ["".join(element.itertext()) for element in parsed(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("maps", EXAMPLES)
def test_the_maps_are_in_the_file(maps):
    image, _, *tiles = pictures(flow_svg(maps))
    assert np.array_equal(image, maps.pixels)
    for layer in maps.layers:
        for values in layer.nodes:
            for expected in (values.mean(0), *values[list(channels_shown(values))]):
                assert np.array_equal(tiles.pop(0), heat(expected))
    assert not tiles


@pytest.mark.parametrize("maps", EXAMPLES)
def test_every_kept_edge_and_every_range_is_said(maps):
    said = texts(flow_svg(maps))
    captions = [text for text in said if " via " in text]
    kinds = [layer.kind for layer in maps.layers]
    assert len(captions) == sum(gene.cell == kind for kind in kinds for gene in maps.architecture.genes)
    for layer in maps.layers:
        for values in layer.nodes:
            assert span_text(values.mean(0)) in said
    assert sum(re.fullmatch("node 5|input 0", text) is not None for text in said) == 2 * len(kinds)


@pytest.mark.parametrize("maps", EXAMPLES)
def test_the_true_class_is_always_among_those_listed(maps):
    """Here it is the least probable one."""
    said = texts(flow_svg(maps))
    assert said.count("✓") == 1
    assert f"{100 * maps.probabilities[maps.label]:.1f} %" in said
    assert "which is wrong" in sentence(maps)


@pytest.mark.parametrize("maps", EXAMPLES)
def test_themes_differ_in_ink_alone(maps):
    light, dark = flow_svg(maps), flow_svg(maps, dark=True)
    assert ink(dark=True).text in dark
    assert ink(dark=True).text not in light
    assert texts(light) == texts(dark)
    assert all(np.array_equal(a, b) for a, b in zip(pictures(light), pictures(dark), strict=True))
    assert light == flow_svg(maps)


def test_a_cell_of_four_nodes_is_1000_wide():
    assert parsed(flow_svg(example())).get("width") == "1000"


def test_where_inputs_come_from():
    rows = [row for row in table(example(layers=3)) if row.node.startswith("input")]
    assert [row.inputs for row in rows] == [
        *["from the stem", "from the stem"],
        *["from the stem", "from layer 1"],
        *["from layer 1", "from layer 2"],
    ]


@pytest.mark.parametrize("maps", EXAMPLES)
def test_the_table_holds_every_node(maps):
    rows = table(maps)
    assert len(rows) == 6 * len(maps.layers)
    for row, values in zip(rows, [values for layer in maps.layers for values in layer.nodes], strict=True):
        assert row[4:7] == values.shape
        assert row.low <= row.mean <= row.high


@given(arrays.arrays(np.float32, (6, 3, 3), elements=st.floats(-5, 5, width=32)))
def test_the_channels_shown_vary_most(values):
    variance = values.reshape(6, -1).var(1)
    shown = list(channels_shown(values))
    rest = [c for c in range(6) if c not in shown]
    assert len(set(shown)) == 3
    assert variance[shown].min() >= variance[rest].max()
    assert list(variance[shown]) == sorted(variance[shown], reverse=True)


def luminance(rgb):
    """CIE L* of sRGB colours (…, 3)."""
    part = np.asarray(rgb) / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    y = linear @ [0.2126, 0.7152, 0.0722]
    return 116 * np.where(y > (6 / 29) ** 3, np.cbrt(y), y / (3 * (6 / 29) ** 2) + 4 / 29) - 16


def test_the_scale_gets_evenly_lighter():
    """Perceptually uniform: equal steps of a number are about equal steps of lightness, so nobody needs to see the hue."""
    steps = np.diff(luminance(CIVIDIS))
    assert steps.min() > 0.7 * steps.mean()
    assert steps.max() < 1.3 * steps.mean()


@given(arrays.arrays(np.float32, (3, 4), elements=st.floats(-1e6, 1e6, width=32)))
def test_larger_is_never_darker(values):
    shown = luminance(heat(values))
    order = np.argsort(values.ravel())
    assert (np.diff(shown.ravel()[order]) > -1.0).all()  # a byte of rounding
    if values.min() < values.max():
        assert np.array_equal(heat(values)[np.unravel_index(values.argmax(), values.shape)], CIVIDIS[-1])
        assert np.array_equal(heat(values)[np.unravel_index(values.argmin(), values.shape)], CIVIDIS[0])


def test_one_number_and_no_number_can_be_drawn():
    flat = heat(np.full((2, 2), 7.0))
    assert len(np.unique(flat.reshape(-1, 3), axis=0)) == 1
    broken = np.array([[np.nan, 0.0], [1.0, np.inf]])
    assert np.array_equal(heat(broken)[0, 0], CIVIDIS[0])
    assert np.array_equal(heat(broken)[1, 0], CIVIDIS[-1])
    assert heat(np.full((2, 2), np.nan)).shape == (2, 2, 3)
    assert span_text(broken) == "not finite"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([-1.234, 3.41], "−1.2 to 3.4"),
        ([-12.4, 30.6], "−12 to 31"),
        ([0.031, 0.5], "0.03 to 0.50"),
        ([0.0, 0.0], "0.00 everywhere"),
        ([-0.002, 0.004], "−2e−03 to 4e−03"),
    ],
)
def test_ranges_in_words(values, text):
    assert span_text(np.array(values)) == text


@pytest.mark.parametrize("shape", [(5, 3), (5, 3, 1), (5, 3, 3)])
def test_a_png_gives_its_pixels_back(shape, rng):
    pixels = rng.integers(256, size=shape, dtype=np.uint8)
    back = np.array(Image.open(io.BytesIO(base64.b64decode(png_uri(pixels).partition(",")[2]))))
    assert np.array_equal(back.reshape(shape), pixels)
