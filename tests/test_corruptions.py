"""Corruptions of real images: same shape, same bytes for the same seed, worse with severity, and two groups that never meet."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.datasets import load_digits

from edgenes_core.corruptions import (
    CORRUPTIONS,
    SEVERITIES,
    TEST_CORRUPTIONS,
    VALIDATION_CORRUPTIONS,
    CorruptionError,
    corrupt,
)

DATA = Path(__file__).parents[2] / "shared" / "data"


def digits() -> np.ndarray:
    return (load_digits().images[:120, ..., None] / 16 * 255).round().astype(np.uint8)


def photographs() -> np.ndarray:
    """Real 427 × 640 photographs of scikit-learn, cut into 32 × 32."""
    from sklearn.datasets import load_sample_images

    tiles = [
        image[:416].reshape(13, 32, 20, 32, 3).swapaxes(1, 2).reshape(-1, 32, 32, 3)
        for image in load_sample_images().images
    ]
    return np.concatenate(tiles)[::5]


IMAGES = {"8×8×1": digits(), "32×32×3": photographs(), "28×28×1": photographs()[:, :28, :28, :1]}


def harm(images: np.ndarray, name: str, severity: int) -> float:
    """Mean absolute change in 255ths."""
    return float(np.abs(corrupt(images, name, severity).astype(float) - images).mean())


def test_the_groups_are_disjoint_and_complete():
    assert not set(VALIDATION_CORRUPTIONS) & set(TEST_CORRUPTIONS)
    assert set(CORRUPTIONS) == {*VALIDATION_CORRUPTIONS, *TEST_CORRUPTIONS}
    for name, how in CORRUPTIONS.items():
        assert len(how.strengths) == len(SEVERITIES), name
        assert how.title
        assert how.unit


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize("shape", IMAGES)
def test_images_stay_images_and_get_worse(name, shape):
    images = IMAGES[shape]
    before = images.copy()
    found = {severity: corrupt(images, name, severity) for severity in SEVERITIES}
    assert all((x.shape, x.dtype) == (images.shape, np.uint8) for x in found.values())
    assert np.array_equal(images, before), "the input is not changed"
    harms = [harm(images, name, severity) for severity in SEVERITIES]
    assert min(harms) > 0, "every severity changes something"
    assert harms[4] > harms[2] >= harms[0] * 0.97
    if name != "pixelate":  # how its cells meet the edges of an image matters as much as how many there are
        assert (np.diff(harms) > 0).all()
    assert np.array_equal(found[3], corrupt(images, name, 3))


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_only_chance_depends_on_the_seed(name):
    images = IMAGES["8×8×1"][:40]
    random = name.endswith("noise") or name in ("spatter", "motion_blur")
    assert np.array_equal(corrupt(images, name, 2, seed=0), corrupt(images, name, 2, seed=1)) != random


@given(
    hnp.arrays(
        np.uint8, st.tuples(st.integers(1, 3), st.integers(2, 12), st.integers(2, 12), st.sampled_from([1, 3])),
        elements=st.integers(0, 255),
    ),
    st.sampled_from(list(CORRUPTIONS)),
    st.sampled_from(SEVERITIES),
)  # fmt: skip
def test_any_image_can_be_corrupted(images, name, severity):
    assert corrupt(images, name, severity).shape == images.shape


@pytest.mark.parametrize("name", ["gaussian_blur", "defocus_blur", "motion_blur", "pixelate", "contrast"])
def test_a_flat_image_has_nothing_to_blur(name):
    flat = np.full((3, 16, 16, 3), 100, np.uint8)
    assert np.abs(corrupt(flat, name, 5).astype(int) - 100).max() <= 1


def test_brightness_keeps_the_hue_and_contrast_the_mean():
    rng = np.random.default_rng(0)
    image = rng.integers(10, 120, (5, 8, 8, 3)).astype(np.uint8)
    brighter = corrupt(image, "brightness", 5).astype(float)
    assert brighter.max(-1) - image.max(-1) == pytest.approx(np.full((5, 8, 8), 0.3 * 255), abs=1)
    ratio = brighter / brighter.max(-1, keepdims=True) - image / image.max(-1, keepdims=True).astype(float)
    assert np.abs(ratio).max() < 0.01
    assert corrupt(image, "contrast", 5).mean((1, 2)) == pytest.approx(image.mean((1, 2)), abs=1)


def test_noise_has_the_spread_it_says():
    grey = np.full((50, 32, 32, 1), 128, np.uint8)
    for severity, spread in zip(SEVERITIES, CORRUPTIONS["gaussian_noise"].strengths, strict=True):
        assert corrupt(grey, "gaussian_noise", severity).std() / 255 == pytest.approx(spread, rel=0.03)
    for severity, photons in zip(SEVERITIES, CORRUPTIONS["shot_noise"].strengths, strict=True):
        assert corrupt(grey, "shot_noise", severity).std() / 255 == pytest.approx((0.5 / photons) ** 0.5, rel=0.05)
    hit = np.isin(corrupt(grey, "impulse_noise", 5), (0, 255)).mean()
    assert hit == pytest.approx(0.07, rel=0.05)


def test_blur_spreads_a_point_evenly():
    point = np.zeros((1, 33, 33, 1), np.uint8)
    point[0, 16, 16] = 255
    for name in ("gaussian_blur", "defocus_blur"):
        spread = corrupt(point, name, 5)[0, ..., 0].astype(int)
        for turned in (spread[::-1], spread[:, ::-1], spread.T):
            assert np.abs(turned - spread).max() <= 1
        assert spread.sum() == pytest.approx(255, rel=0.1)


@pytest.mark.parametrize(
    ("images", "name", "severity", "sentence"),
    [
        (digits(), "fog", 1, "one of speckle_noise"),
        (digits(), "contrast", 0, "1, 2, 3, 4, 5, got 0"),
        (digits(), "contrast", 6, "got 6"),
        (digits() / 255, "contrast", 1, "type uint8"),
        (digits()[0], "contrast", 1, "axes"),
        (np.zeros((2, 4, 4, 2), np.uint8), "contrast", 1, "1 or 3"),
        (np.zeros((0, 4, 4, 1), np.uint8), "contrast", 1, "axes"),
    ],
)
def test_what_cannot_be_corrupted_is_refused(images, name, severity, sentence):
    with pytest.raises(CorruptionError, match=sentence):
        corrupt(images, name, severity)


@pytest.mark.skipif(not DATA.exists(), reason="real datasets are not at hand")
@pytest.mark.parametrize("name", ["cifar10_small", "fashion_mnist_small"])
def test_real_datasets_get_worse_with_severity(name):
    with np.load(DATA / f"{name}.npz") as archive:
        images = archive["x_test"][:100]
    images = images.reshape(*images.shape[:3], -1)
    for corruption in CORRUPTIONS:
        assert harm(images, corruption, 5) > harm(images, corruption, 1) > 0, corruption
