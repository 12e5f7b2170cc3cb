"""Launcher: `streamlit run app.py`. The app itself begins in pages/frame.py."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st

from edgenes_core.access import read_access


def warm() -> None:
    """Import what the first page draws with, so that it need not wait; then take it out of the garbage collector's sight."""
    import gc
    import importlib

    for module in ("plotly.graph_objects", "networkx", "pandas", "edgenes_core.figures.curves", "scipy.stats"):
        importlib.import_module(module)
    gc.collect()
    gc.freeze()


@asynccontextmanager
async def lifespan(app: object) -> AsyncIterator[None]:
    """Once per process, after the server is up."""
    import threading

    if fault := read_access(os.environ).fault:
        print(f"error: {fault}", file=sys.stderr)
    threading.Thread(target=warm, daemon=True, name="warm-up").start()
    yield


# The script is not this file: with st.navigation in a launcher beside a folder called `pages`, Streamlit would first
# show its own navigation and could run a deep link without the frame.
app = st.App("pages/frame.py", lifespan=lifespan)
