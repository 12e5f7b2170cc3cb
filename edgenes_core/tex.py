"""Text for TeX."""

from __future__ import annotations

import re

TEX = {
    **{c: f"\\{c}" for c in "{}$&#%_"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "α*": r"$\alpha^*$",
    "α": r"$\alpha$",
    "λ": r"$\lambda$",
    "Λ": r"$\Lambda$",
    "−": "$-$",
    "×": r"$\times$",
    "→": r"$\to$",
    "≠": r"$\neq$",
    "≈": r"$\approx$",
}
LETTERS = re.compile("|".join(map(re.escape, TEX)))


def escape(text: str) -> str:
    """Text that TeX sets as it stands; Greek letters and signs of ours become formulas, other letters stay."""
    return LETTERS.sub(lambda match: TEX[match[0]], " ".join(text.split()))
