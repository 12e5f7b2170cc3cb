"""Words from outside in Streamlit's Markdown."""

from __future__ import annotations

import re

from edgenes_core import one_line

MAGIC = re.compile(r"([\\`*_\[\]<>$~|&])")


def plain(sentence: str) -> str:
    """The sentence without Markdown's magic, on one line: it quotes a file that anyone may have made."""
    return MAGIC.sub(r"\\\1", one_line(sentence))
