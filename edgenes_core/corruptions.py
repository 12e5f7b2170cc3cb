"""Images made worse on purpose: noise, blur, contrast, brightness, pixels, JPEG, each in five severities.

Names and strengths are those of CIFAR-10-C (Hendrycks and Dietterich 2019), whose images are 32 × 32. Strengths that are no lengths
(noise, contrast, brightness, JPEG quality, share of pixels kept) are taken as they are. Lengths (blur, motion, drops) are meant for
a side of 32 and scale with √(side/32): with the side itself, a blur of an 8 × 8 digit would be a fifth of a pixel and change
nothing. Blur is a plain average instead of ImageMagick's and OpenCV's, so numbers are not comparable with published tables.

Selection may look at images of one group only and results are reported on the other, as NES keeps them apart (Zaidi et al. 2021:
four corruptions for validation, fifteen for test; `saturate` is missing here because a grey image has no colours).
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from edgenes_core import EdgeNESError

SEVERITIES = (1, 2, 3, 4, 5)
SIDE = 32.0  # of the images that the strengths were chosen for
ANGLES = 8  # directions of motion, evenly spaced in ±45°
CHUNK = 512  # images in float at once


class CorruptionError(EdgeNESError):
    """Images or a corruption that do not exist here."""


class Corruption(NamedTuple):
    """`apply(x, strength, rng)` maps images (B, H, W, C) float32 in [0, 1] to worse ones; `strengths` has one per severity."""

    title: str
    strengths: tuple[float, ...]
    unit: str
    apply: Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


def corrupt(images: np.ndarray, name: str, severity: int, seed: int = 0) -> np.ndarray:
    """uint8 images (B, H, W, 1 or 3) → worse ones of the same shape; the input is not changed.

    Deterministic. All severities draw the same noise, so that a higher one is the same image made worse still.
    """
    if name not in CORRUPTIONS:
        raise CorruptionError(f"A corruption is one of {', '.join(CORRUPTIONS)}, got {name[:40]!r}.")
    if severity not in SEVERITIES:
        raise CorruptionError(f"A severity is one of {', '.join(map(str, SEVERITIES))}, got {severity}.")
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] not in (1, 3) or 0 in images.shape:
        raise CorruptionError(
            f"Images to corrupt have axes (B, H, W, 1 or 3) and type uint8, got {images.shape} of {images.dtype}."
        )
    how, rng = CORRUPTIONS[name], np.random.default_rng((seed, zlib.crc32(name.encode())))
    worse = np.empty_like(images)
    for start in range(0, len(images), CHUNK):
        x = images[start : start + CHUNK].astype(np.float32) / 255
        made = how.apply(x, how.strengths[severity - 1], rng)
        worse[start : start + CHUNK] = np.rint(np.clip(made, 0, 1) * 255)
    return worse


def _gaussian_noise(x: np.ndarray, spread: float, rng: np.random.Generator) -> np.ndarray:
    return x + spread * rng.standard_normal(x.shape, np.float32)


def _speckle_noise(x: np.ndarray, spread: float, rng: np.random.Generator) -> np.ndarray:
    return x + x * spread * rng.standard_normal(x.shape, np.float32)


def _shot_noise(x: np.ndarray, photons: float, rng: np.random.Generator) -> np.ndarray:
    """Counts of light, Poisson of mean x·photons."""
    return rng.poisson(x * photons) / np.float32(photons)


def _impulse_noise(x: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Salt and pepper: a share of the values becomes 0 or 1."""
    hit, salt = rng.random(x.shape, np.float32) < share, rng.random(x.shape, np.float32) < 0.5
    return np.where(hit, salt.astype(np.float32), x)


def _gaussian_blur(x: np.ndarray, sigma: float, rng: np.random.Generator) -> np.ndarray:
    """Weights integrated over the pixels, so that a σ far below a pixel still blurs a little."""
    from scipy.ndimage import correlate1d
    from scipy.special import ndtr

    width = _length(sigma, x)
    half = int(np.ceil(4 * width))
    weights = np.diff(ndtr((np.arange(-half, half + 2) - 0.5) / width))
    return correlate1d(
        correlate1d(x, weights / weights.sum(), 1, mode="nearest"), weights / weights.sum(), 2, mode="nearest"
    )


def _defocus_blur(x: np.ndarray, radius: float, rng: np.random.Generator) -> np.ndarray:
    """Average over a disk; pixels at its border count with the share of them that it covers."""
    reach = _length(radius, x)
    half = int(np.ceil(reach))
    fine = (np.arange(-half * 8, half * 8 + 8) + 0.5) / 8 - 0.5  # eight points a pixel
    inside = (fine[:, None] ** 2 + fine**2 <= (reach + 0.5) ** 2).reshape(2 * half + 1, 8, 2 * half + 1, 8)
    return _filtered(x, inside.mean((1, 3)))


def _motion_blur(x: np.ndarray, sigma: float, rng: np.random.Generator) -> np.ndarray:
    """Average along a line, weights of half a bell; each image moves in its own direction."""
    reach = _length(sigma, x)
    steps = np.linspace(0, 3 * reach, 25)
    weights, half = np.exp(-((steps / reach) ** 2) / 2), int(np.ceil(3 * reach)) + 1
    choice, moved = rng.integers(ANGLES, size=len(x)), np.empty_like(x)
    for direction, angle in enumerate(np.linspace(-np.pi / 4, np.pi / 4, ANGLES)):
        rows = choice == direction
        kernel = np.zeros((2 * half + 1,) * 2)
        down, right = half + steps * np.sin(angle), half + steps * np.cos(angle)
        for i in (0, 1):
            for j in (0, 1):
                near = (1 - abs(np.floor(down) + i - down)) * (1 - abs(np.floor(right) + j - right))
                np.add.at(kernel, (np.floor(down).astype(int) + i, np.floor(right).astype(int) + j), weights * near)
        if rows.any():
            moved[rows] = _filtered(x[rows], kernel)
    return moved


def _spatter(x: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Drops of mud: where smooth noise is among its highest `share`, the image turns dark brown."""
    from scipy.ndimage import gaussian_filter

    smooth = rng.standard_normal(x.shape[:3], np.float32)
    smooth = gaussian_filter(smooth, (0, _length(1, x), _length(1, x)), mode="nearest")
    drops = (smooth > np.quantile(smooth, 1 - share, axis=(1, 2), keepdims=True))[..., None]
    mud = np.array([63, 42, 20], np.float32) / 255
    return np.where(drops, mud if x.shape[3] == 3 else mud.mean(keepdims=True), x)


def _contrast(x: np.ndarray, kept: float, rng: np.random.Generator) -> np.ndarray:
    mean = x.mean((1, 2), keepdims=True)
    return mean + (x - mean) * kept


def _brightness(x: np.ndarray, added: float, rng: np.random.Generator) -> np.ndarray:
    """The brightest channel of each pixel rises by `added`, at most to 1; hue and saturation stay (value in HSV)."""
    value = x.max(-1, keepdims=True)
    raised = np.minimum(1, value + added)
    return np.where(value > 0, x * raised / np.maximum(value, 1e-6), raised)


def _pixelate(x: np.ndarray, kept: float, rng: np.random.Generator) -> np.ndarray:
    """Fewer, larger pixels: a share `kept` of each side, at least one pixel less."""
    down, across = (_box(side, min(side - 1, int(side * kept)) or 1) for side in x.shape[1:3])
    return np.einsum("hk,wl,bklc->bhwc", down, across, x, optimize=True).astype(np.float32)


def _jpeg(x: np.ndarray, quality: float, rng: np.random.Generator) -> np.ndarray:
    from PIL import Image

    made = np.empty_like(x)
    for i, image in enumerate(np.rint(x * 255).astype(np.uint8)):
        buffer = io.BytesIO()
        Image.fromarray(image[..., 0] if x.shape[3] == 1 else image).save(buffer, "JPEG", quality=int(quality))
        made[i] = np.asarray(Image.open(buffer), np.float32).reshape(x.shape[1:]) / 255
    return made


def _box(side: int, fewer: int) -> np.ndarray:
    """(side, side): average over `fewer` equal cells of a line of pixels, and back to pixels, each with the part it covers."""
    pixels, cells = np.arange(side + 1) / side, np.arange(fewer + 1) / fewer
    covered = np.minimum(pixels[1:, None], cells[1:]) - np.maximum(pixels[:-1, None], cells[:-1])
    covered = np.maximum(covered, 0)
    return covered / covered.sum(1, keepdims=True) @ (covered / covered.sum(0)).T


def _filtered(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    from scipy.ndimage import convolve

    weights = (kernel / kernel.sum()).astype(np.float32)
    return convolve(x, weights[None, :, :, None], mode="nearest")


def _length(of_32: float, x: np.ndarray) -> float:
    """A length in pixels of 32 × 32 images, for images of another size."""
    return float(of_32 * np.sqrt(min(x.shape[1:3]) / SIDE))


VALIDATION_CORRUPTIONS: dict[str, Corruption] = {
    "speckle_noise": Corruption("speckle noise", (0.06, 0.1, 0.12, 0.16, 0.2), "spread / pixel", _speckle_noise),
    "gaussian_blur": Corruption("Gaussian blur", (0.4, 0.6, 0.7, 0.8, 1.0), "σ in pixels of 32", _gaussian_blur),
    "spatter": Corruption("spatter", (0.02, 0.05, 0.08, 0.12, 0.18), "share covered", _spatter),
}
"""Selection may use these."""

TEST_CORRUPTIONS: dict[str, Corruption] = {
    "gaussian_noise": Corruption("Gaussian noise", (0.04, 0.06, 0.08, 0.09, 0.1), "spread", _gaussian_noise),
    "shot_noise": Corruption("shot noise", (500, 250, 100, 75, 50), "photons", _shot_noise),
    "impulse_noise": Corruption("impulse noise", (0.01, 0.02, 0.03, 0.05, 0.07), "share hit", _impulse_noise),
    "defocus_blur": Corruption("defocus", (0.3, 0.4, 0.5, 1.0, 1.5), "radius in pixels of 32", _defocus_blur),
    "motion_blur": Corruption("motion", (1.0, 1.5, 2.0, 2.25, 2.5), "σ in pixels of 32", _motion_blur),
    "contrast": Corruption("contrast", (0.75, 0.5, 0.4, 0.3, 0.15), "share kept", _contrast),
    "brightness": Corruption("brightness", (0.05, 0.1, 0.15, 0.2, 0.3), "added", _brightness),
    "pixelate": Corruption("pixelate", (0.95, 0.9, 0.85, 0.75, 0.65), "share of a side kept", _pixelate),
    "jpeg": Corruption("JPEG", (80, 65, 58, 50, 40), "quality", _jpeg),
}
"""Results are reported on these; nothing is chosen by them."""

CORRUPTIONS = {**VALIDATION_CORRUPTIONS, **TEST_CORRUPTIONS}
