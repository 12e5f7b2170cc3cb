"""Numbers as colours: cividis, which is perceptually uniform, reads the same to colour-blind eyes and survives a grey printer."""

from __future__ import annotations

import base64
import io

import numpy as np

CIVIDIS = np.array(
    [
        (0, 34, 78),
        (18, 53, 112),
        (59, 73, 108),
        (87, 93, 109),
        (112, 113, 115),
        (138, 134, 120),
        (165, 156, 116),
        (195, 179, 105),
        (225, 204, 85),
        (254, 232, 56),
    ],
    float,
)
"""Ten equidistant colours of the scale (Nuñez, Anderton, Renslow 2018), dark to light; between two of them it is linear here."""


def heat(values: np.ndarray) -> np.ndarray:
    """Numbers (H, W) as colours (H, W, 3) uint8, the least darkest and the largest lightest; what is not finite counts as least.

    One number everywhere is drawn in the middle of the scale.
    """
    values = np.asarray(values, np.float64)
    finite = np.isfinite(values)
    low, high = (float(f(values, where=finite, initial=i)) for f, i in ((np.min, np.inf), (np.max, -np.inf)))
    places = np.full(values.shape, 0.5) if not low < high else np.where(finite, values - low, 0.0) / (high - low)
    stops = np.linspace(0, 1, len(CIVIDIS))
    return np.stack([np.interp(places, stops, CIVIDIS[:, c]) for c in range(3)], -1).round().astype(np.uint8)


def png_uri(pixels: np.ndarray) -> str:
    """Pixels (H, W), (H, W, 1) or (H, W, 3) uint8 as a `data:` URI of a PNG."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2:] == (1,) else pixels).save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def span_text(values: np.ndarray) -> str:
    """The range of some numbers, two digits of the larger end: `−1.2 to 3.4`."""
    if not np.isfinite(values).all():
        return "not finite"
    low, high = float(np.min(values)), float(np.max(values))
    largest = max(abs(low), abs(high))
    digits = 0 if largest >= 10 else 1 if largest >= 1 else 2
    texts = [f"{end:.{digits}f}" if largest == 0 or largest >= 0.01 else f"{end:.0e}" for end in (low, high)]
    first, last = (text.replace("-", "−") for text in texts)
    return f"{first} to {last}" if low < high else f"{first} everywhere"
