"""Exported pictures: what is in them, that nothing is asked of a network, and that a bad browser ends in a sentence."""

from __future__ import annotations

import os
import re
import socket
import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from xml.etree import ElementTree

import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core import snippets
from edgenes_core.figures import chrome, export
from edgenes_core.figures.curves import calibration_info, plot_calibration
from edgenes_core.figures.drawing import cell_svg
from edgenes_core.figures.theme import ink
from edgenes_core.run_folder import Run

CAPTION = "Run demo (bundled run), digits, seed 0, validation n = 287 images: α*, λ − 1 & <more>."
needs_chrome = pytest.mark.skipif(chrome.find() is None, reason="no Chrome or Chromium on this machine")


@pytest.fixture(scope="module")
def chart() -> go.Figure:
    run = Run(snippets.BUNDLED)
    soft = run.soft_count()
    return plot_calibration(calibration_info(run.lambda_path(), soft.lam, soft.count), 1.5, dark=False)


@pytest.fixture(scope="module")
def cell() -> str:
    run = Run(snippets.BUNDLED)
    return cell_svg(run.space, run.lambda_path().at(1.0).architecture, run.base().architecture)


def words(svg: bytes | str) -> str:
    """All text of an SVG; fails if it is no XML."""
    return " ".join(ElementTree.fromstring(svg).itertext())  # noqa: S314 - made by this test


def png_size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def pdf_parts(pdf: bytes) -> bytes:
    """A PDF with its compressed streams opened, as far as they are."""
    assert pdf.startswith(b"%PDF")
    opened = [pdf]
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.S):
        try:
            opened.append(zlib.decompress(stream))
        except zlib.error:
            continue
    return b"".join(opened)


def wrapped(text: str) -> set[str]:
    return set(text.split())


@needs_chrome
def test_a_chart_as_svg_says_its_axes_and_its_caption(chart):
    svg = export.render(chart, "svg", CAPTION)
    assert wrapped(CAPTION) <= wrapped(words(svg))
    assert "requested λ (0: most different, 4: α* itself)" in words(svg)
    assert export.size_of(svg.decode()).width == export.WIDTH
    assert set(re.findall(rb"(?:href|src)=\"(?!#|data:)([^\"]*)", svg)) == set(), "all of it is inside"


@needs_chrome
def test_a_chart_as_png_has_the_pixels_of_a_printed_page(chart):
    width, height = png_size(export.render(chart, "png", CAPTION))
    assert width == export.SCALE * export.WIDTH
    assert height > export.SCALE * export.HEIGHT, "the caption has room of its own"


@needs_chrome
@pytest.mark.parametrize("what", ["chart", "cell"])
def test_a_pdf_is_made_of_lines_and_carries_its_fonts(what, request):
    drawn = request.getfixturevalue(what)
    pdf = pdf_parts((export.render if what == "chart" else export.render_svg)(drawn, "pdf", CAPTION))
    assert b"/FontFile" in pdf
    assert not re.search(rb"/Subtype\s*/Image", pdf), "vectors, not pixels"
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1


@needs_chrome
def test_a_cell_as_png_is_as_large_as_its_drawing(cell):
    size = export.size_of(export.captioned(cell, CAPTION))
    png = export.render_svg(cell, "png", CAPTION, dark=True)
    assert png_size(png) == (round(export.SCALE * size.width), pytest.approx(export.SCALE * size.height, abs=3))


def test_a_cell_as_svg_needs_no_browser(cell, monkeypatch):
    monkeypatch.setenv("BROWSER_PATH", "/nowhere/chrome")
    svg = export.render_svg(cell, "svg", CAPTION, dark=True).decode()
    assert ElementTree.fromstring(cell).find("{*}title").text in words(svg)  # noqa: S314
    assert wrapped(CAPTION) <= wrapped(words(svg))
    assert ink(dark=True).paper in svg
    for draw in (lambda: export.render_svg(cell, "png", CAPTION), lambda: export.render(go.Figure(), "svg", CAPTION)):
        with pytest.raises(chrome.ExportError, match=r"/nowhere/chrome cannot be started: install one.*BROWSER_PATH"):
            draw()


@given(st.text(max_size=300), st.floats(40, 2000), st.floats(10, 900))
def test_any_caption_is_whole_and_below(caption, width, height):
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.1f}" height="{height:.1f}"><title>t</title></svg>'
    )
    svg = export.captioned(drawing, caption)
    shown = "".join(letter if letter.isprintable() else " " for letter in caption)
    assert "".join(words(svg).split()) == "t" + "".join(shown.split())
    size = export.size_of(svg)
    rows = [float(y) for y in re.findall(r'<tspan [^>]*y="([\d.]+)"', svg)]
    assert size.width == pytest.approx(width, abs=0.1)
    assert all(height < y < size.height for y in rows)
    assert (size.height > height + 1) == bool(shown.split())


@pytest.mark.parametrize("text", ["", "<svg>", '<svg width="x" height="1">', "<html width='1' height='2'>"])
def test_what_has_no_size_is_refused(text):
    with pytest.raises(chrome.ExportError, match="width and a height"):
        export.captioned(text, "")
    with pytest.raises(chrome.ExportError, match="'gif'"):
        export.render_svg(text, "gif", "")


@contextmanager
def proxy() -> Iterator[tuple[str, list[str]]]:
    """An address that notes what it is asked for, and gives nothing."""
    asked: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    asked.append(client.recv(4096).split(b"\r\n")[0].decode(errors="replace"))
                    client.sendall(b"HTTP/1.1 502 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}", asked
        finally:
            server.shutdown(socket.SHUT_RDWR)  # wakes the thread


@needs_chrome
def test_nothing_is_asked_of_a_network(chart, monkeypatch):
    """All requests of the browser go to one address, where a picture from outside would be seen, and nothing else is."""
    outside = go.Figure(chart).add_layout_image(source="http://pictures.example/x.png", x=0, y=1, sizex=1, sizey=1)
    with proxy() as (address, asked):
        monkeypatch.setattr(chrome, "NOWHERE", address)
        export.render(outside, "svg", CAPTION)
    assert [line for line in asked if "pictures.example" in line], "the test's own picture must be noticed"
    assert not [line for line in asked if re.search("plot|mathjax|jax|cdn|kaleido", line)]


BAD = {"dies": "exit 1", "hangs": "sleep 1000 & wait", "is killed": 'kill -9 "$$"'}


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc to see child processes")
@pytest.mark.parametrize("how", BAD)
def test_a_bad_browser_is_one_sentence_and_leaves_nothing(how, cell, tmp_path, monkeypatch):
    script = tmp_path / "chrome"
    script.write_text(f"#!/bin/sh\n{BAD[how]}\n")
    script.chmod(0o755)
    monkeypatch.setenv("BROWSER_PATH", str(script))
    monkeypatch.setattr(chrome, "TIMEOUT", 1.0 if how == "hangs" else 30.0)
    before = children()
    with pytest.raises(chrome.ExportError, match="took longer than 1 s" if how == "hangs" else "stopped while it drew"):
        export.render_svg(cell, "png", CAPTION)
    assert children() <= before


def children() -> set[str]:
    """Processes this one has started and not reaped."""
    found: set[str] = set()
    for task in Path(f"/proc/{os.getpid()}/task").iterdir():
        with suppress(FileNotFoundError):  # a thread that ended meanwhile
            found |= set((task / "children").read_text().split())
    return found


def test_exports_wait_for_each_other(monkeypatch):
    """Two jobs that could only end by meeting never meet."""
    both = threading.Barrier(2)

    async def draw(path: str, job: chrome.Job) -> bytes:
        try:
            both.wait(timeout=0.3)
        except threading.BrokenBarrierError:
            return b"alone"
        return b"together"

    monkeypatch.setattr(chrome, "ready", lambda: "")
    monkeypatch.setattr(chrome, "_drawn", draw)
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(chrome.run(draw))) for _ in range(2)]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [b"alone", b"alone"]
