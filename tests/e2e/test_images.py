"""The preview of the images on the Train page, as a browser shows it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from browsing import settled, visit
from playwright.sync_api import Page, expect

DRAWN = "images => images.every(i => i.complete && i.naturalWidth > 0 && i.getBoundingClientRect().width <= 165)"


def test_real_images_are_drawn_and_many_classes_can_be_turned_over(page: Page, server: str, tmp_path: Path) -> None:
    visit(page, server, "train")
    page.get_by_text("New run", exact=True).click()
    settled(page)
    strips = page.locator(".edgenes-strips img")
    expect(strips).to_have_count(10)
    assert strips.evaluate_all(DRAWN)

    x, y = np.random.default_rng(0).integers(0, 256, (250, 32, 32, 3), dtype=np.uint8), np.arange(250) % 25
    np.savez(tmp_path / "own.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    page.get_by_text("CIFAR-100", exact=True).click()
    expect(page.get_by_role("button", name="Download 169 MB")).to_be_visible()
    expect(page.get_by_role("button", name="Launch")).to_be_disabled()
    page.get_by_text(".npz file", exact=True).click()
    path = page.get_by_label("Path on this machine")
    path.fill(str(tmp_path / "own.npz"))
    path.press("Enter")
    expect(strips).to_have_count(20)
    assert strips.evaluate_all(DRAWN)
    page.locator('[data-testid="stSelectbox"]', has_text="Classes").get_by_role("combobox").click()
    page.get_by_role("option", name="21 to 25 of 25").click()
    expect(strips).to_have_count(5)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
