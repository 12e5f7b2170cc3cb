"""The Chrome or Chromium of this machine, which prints pictures."""

from __future__ import annotations

import os

INSTALL = "install one (Debian and Ubuntu: apt install chromium) or name it in BROWSER_PATH"


def find() -> str | None:
    """The browser: $BROWSER_PATH, else Chrome, Chromium, Edge, Brave or Vivaldi on PATH or in its usual place."""
    from choreographer.browsers.chromium import Chromium

    return Chromium.find_browser(skip_local=False)


def fault(path: str | None) -> str:
    """What keeps `find`'s answer from being used, empty if nothing does."""
    if path is None:
        return "none is on PATH"
    return "" if os.access(path, os.X_OK) else f"{path} cannot be started"
