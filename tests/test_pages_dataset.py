"""Choosing images on the Train page: nothing is downloaded unasked, and images are shown before a run."""

from __future__ import annotations

import sys
import time

import numpy as np
from test_pages_explore import open_page, runs, words  # noqa: F401 - `runs` is a fixture

from edgenes_core import download_jobs


def test_opening_the_page_downloads_nothing_and_the_button_starts_it(runs, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setenv("EDGENES_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(download_jobs, "COMMAND", (sys.executable, "-c", "print('error: no network here')"))
    app = open_page("train.py")
    app.segmented_control(key="train_data_kind").set_value("cifar10").run()
    assert not app.exception
    assert "not on this machine yet" in words(app)
    assert app.button(key="train_launch").disabled
    assert not (tmp_path / "data").exists()
    app.button(key="train_data_download_cifar10").click().run()
    end = time.monotonic() + 20
    while download_jobs.busy("cifar10"):
        assert time.monotonic() < end
        time.sleep(0.05)
    app.run()
    assert "no network here" in [error.value for error in app.error]


def test_own_images_are_shown_before_a_run(runs, tmp_path):  # noqa: F811
    images = np.random.default_rng(0).integers(0, 256, (300, 8, 8), dtype=np.uint8)
    labels = np.arange(300) % 30
    names = np.array([f"kind {i}" for i in range(30)])
    np.savez(tmp_path / "x.npz", x_train=images, y_train=labels, x_test=images, y_test=labels, classes=names)
    app = open_page("train.py")
    app.segmented_control(key="train_data_kind").set_value(".npz file").run()
    app.text_input(key="train_data_path").set_value(str(tmp_path / "x.npz")).run()
    assert not app.exception
    assert "600 images of 8 × 8 pixels, grey" in words(app)
    assert not app.button(key="train_launch").disabled
    strips = "".join(element.proto.body for element in app.get("html"))
    assert "kind 19 · 20" in strips
    assert "kind 20" not in strips
    app.selectbox(key=next(s.key for s in app.selectbox if s.key.endswith("_from"))).set_value(20).run()
    assert "kind 29 · 20" in "".join(element.proto.body for element in app.get("html"))
