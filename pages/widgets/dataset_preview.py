"""What a dataset holds, before anything runs: real images of each class, counts per part, where it comes from."""

from __future__ import annotations

import base64
import html
import io

import numpy as np
import streamlit as st

from edgenes_core.catalogue import KNOWN
from edgenes_core.preview import Preview, preview, stamp

AT_ONCE = 20  # classes shown together
PARTS = (
    ("train-w", "the networks' weights"),
    ("train-α", "the architecture; with train-w, retraining"),
    ("val", "selection of the ensemble"),
    ("test", "the last look, when you reveal it"),
)
STYLE = """<style>
.edgenes-strips { display: grid; grid-template-columns: repeat(auto-fill, minmax(120px, 1fr)); gap: .4rem .6rem; }
.edgenes-strips figure { margin: 0; min-width: 0; }
.edgenes-strips figcaption { font-size: .8rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.edgenes-strips img { display: block; height: 28px; max-width: 100%; image-rendering: pixelated; }
</style>"""
TABLE_STYLE = """<style>
.edgenes-parts { border-collapse: collapse; font-size: .85rem; line-height: 1.3; }
.edgenes-parts th, .edgenes-parts td { padding: .12rem 1.2rem .12rem 0; text-align: left; white-space: nowrap; }
.edgenes-parts th { font-weight: 600; }
.edgenes-parts .number { text-align: right; font-variant-numeric: tabular-nums; }
</style>"""
GAP = 2  # pixels between two images of a strip
LEAST_SIDE = 32  # smaller images are enlarged by a whole factor


def dataset_preview(name: str, *, key: str) -> None:
    """Draw the preview of a dataset that is present; DataError says why it cannot be used."""
    found = _looked(name, stamp(name))
    with st.container(border=True, gap="small"):
        st.markdown(_headline(name, found))
        st.fragment(_strips)(name, found, key)
        st.html(TABLE_STYLE + _table(found))
        if name in KNOWN:
            st.caption(f"{KNOWN[name].cite} Licence: {KNOWN[name].licence}.")
        else:
            st.caption(f"Your images, from `{name}`.")


@st.cache_data(max_entries=8, show_spinner="Looking at the images …")
def _looked(name: str, stamped: tuple[int, ...]) -> Preview:
    return preview(name)


def _headline(name: str, found: Preview) -> str:
    height, width, channels = found.shape
    colour = {1: "grey", 3: "colour"}[channels]
    title = KNOWN[name].title if name in KNOWN else "Your images"
    padded = (
        f", padded from {KNOWN[name].shape[0]} × {KNOWN[name].shape[1]}" if name in KNOWN and KNOWN[name].pad else ""
    )
    return (
        f"**{title}**: {_n(found.counts.sum())} images of {height} × {width} pixels{padded}, {colour} "
        f"({channels} channel{'s' if channels > 1 else ''}, {found.kind}), {len(found.classes)} classes"
    )


def _strips(name: str, found: Preview, key: str) -> None:
    """A few training images of each class; of many classes, those that the reader turns to."""
    starts = range(0, len(found.classes), AT_ONCE)
    first = 0
    if len(starts) > 1:
        first = st.selectbox("Classes", starts, format_func=lambda start: _span(found, start), key=f"{key}_{name}_from")
    shown = range(first, min(first + AT_ONCE, len(found.classes)))
    figures = "".join(_figure(found, index) for index in shown)
    st.html(f"{STYLE}<div class='edgenes-strips'>{figures}</div>")


def _span(found: Preview, start: int) -> str:
    end = min(start + AT_ONCE, len(found.classes))
    return f"{start + 1} to {end} of {len(found.classes)}: {found.classes[start]} … {found.classes[end - 1]}"


def _figure(found: Preview, index: int) -> str:
    name = html.escape(found.classes[index], quote=True)
    count = _n(found.counts[index].sum())
    return (
        f"<figure><img src='data:image/png;base64,{_png(found.samples[index])}' alt='training images of class {name}'>"
        f"<figcaption title='{name}'>{name} · {count}</figcaption></figure>"
    )


def _png(samples: np.ndarray) -> str:
    """Images (n, H, W, 1 or 3) side by side, with nothing between them."""
    from PIL import Image

    factor = max(1, LEAST_SIDE // samples.shape[1])
    colour = np.broadcast_to(samples, (*samples.shape[:3], 3)).repeat(factor, 1).repeat(factor, 2)
    opaque = np.concatenate([colour, np.full_like(colour[..., :1], 255)], axis=3)
    strip = np.concatenate([*np.pad(opaque, [(0, 0), (0, 0), (0, GAP), (0, 0)])], axis=1)[:, :-GAP]
    buffer = io.BytesIO()
    Image.fromarray(strip).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def _table(found: Preview) -> str:
    """The four parts: how many images, how evenly over the classes, and what each is for."""
    head = "<tr><th>part</th><th class='number'>images</th><th class='number'>per class</th><th>decides</th></tr>"
    rows = []
    for (part, use), counts in zip(PARTS, found.counts.T, strict=True):
        low, high = _n(counts.min()), _n(counts.max())
        numbers = (_n(counts.sum()), low if low == high else f"{low} to {high}")
        cells = "".join(f"<td class='number'>{number}</td>" for number in numbers)
        rows.append(f"<tr><td>{part}</td>{cells}<td>{use}</td></tr>")
    return f"<table class='edgenes-parts'>{head}{''.join(rows)}</table>"


def _n(count: int) -> str:
    """A count with thin spaces between thousands."""
    return f"{count:,}".replace(",", "\u202f")
