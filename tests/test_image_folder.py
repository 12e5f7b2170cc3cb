"""Image folders: what a file holds is what is trained on, and a bad file is named."""

import io

import numpy as np
import pytest
from PIL import Image

from edgenes_core import image_folder
from edgenes_core.catalogue import DataError
from edgenes_core.data import load_dataset
from edgenes_core.image_folder import list_folder, read_files
from edgenes_core.image_sources import read_images

RNG = np.random.default_rng(0)


def pixels(channels, side=6):
    return RNG.integers(0, 256, (side, side, channels), dtype=np.uint8)


def save(path, image, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image if image.shape[2] == 3 else image[..., 0]).save(path, **options)


@pytest.fixture
def folder(tmp_path):
    """Two classes, six training and two test images of each, grey."""
    for part, count in (("train", 6), ("test", 2)):
        for name in ("cat", "dog"):
            for i in range(count):
                save(tmp_path / part / name / f"{i}.png", pixels(1))
    (tmp_path / "train" / ".hidden").mkdir()
    (tmp_path / "train" / "cat" / "notes.txt").write_text("passed over")
    (tmp_path / "train" / "cat" / "._0.png").write_bytes(b"passed over")
    return tmp_path


@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_labels_and_names_are_those_of_the_files(folder, channels):
    image = pixels(channels)
    save(folder / "test" / "dog" / "1.png", image)
    images = read_images(str(folder))
    assert images.classes == ("cat", "dog")
    assert images.x.shape == (12, 6, 6, channels)
    assert images.y.tolist() == [0] * 6 + [1] * 6
    assert images.y_test.tolist() == [0, 0, 1, 1]
    assert np.array_equal(images.x_test[3], image)
    assert images.x.dtype == np.uint8


def test_it_loads_as_a_dataset_and_jpegs_count(folder):
    save(folder / "train" / "cat" / "6.JPG", pixels(3), format="JPEG")
    data = load_dataset(str(folder))
    assert len(data.train) + len(data.val) == 13
    assert len(data.test) == 4
    assert data.channels == 3


def test_a_class_without_test_images_is_allowed_a_strange_one_is_not(folder):
    for path in (folder / "test" / "dog").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="dog has no PNG or JPEG"):
        list_folder(folder)
    (folder / "test" / "dog").rmdir()
    assert list_folder(folder).y_test.tolist() == [0, 0]
    save(folder / "test" / "horse" / "0.png", pixels(1))
    with pytest.raises(DataError, match="horse has no counterpart in train"):
        list_folder(folder)


def test_missing_parts_are_said(tmp_path):
    with pytest.raises(DataError, match=r"Cannot read .*train"):
        list_folder(tmp_path)
    (tmp_path / "train").mkdir()
    with pytest.raises(DataError, match="train has no class folders"):
        list_folder(tmp_path)


def test_another_size_is_named(folder):
    save(folder / "train" / "dog" / "3.png", pixels(1, side=8))
    with pytest.raises(DataError, match=r"dog/3\.png has 8 × 8 pixels, 15 of 16 images have 6 × 6"):
        read_images(str(folder))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_a_torn_image_is_named(folder, share):
    path = folder / "train" / "cat" / "2.png"
    save(path, pixels(1, side=64))
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError, match=r"cat/2\.png is no whole PNG or JPEG"):
        read_files([path])


def test_sizes_are_limited_before_anything_is_unpacked(tmp_path, monkeypatch):
    for size, said in (((3, 9), "each side"), ((2000, 9), "each side"), ((20_000, 20_000), "a.png")):
        buffer = io.BytesIO()
        Image.new("1", size).save(buffer, "PNG")
        (tmp_path / "a.png").write_bytes(buffer.getvalue())
        with pytest.raises(DataError, match=said):
            read_files([tmp_path / "a.png"])
    monkeypatch.setattr(image_folder, "MOST_BYTES", 100)
    save(tmp_path / "a.png", pixels(3))
    with pytest.raises(DataError, match="take over"):
        read_files([tmp_path / "a.png"])


def test_pixels_that_are_no_bytes_are_refused(tmp_path):
    Image.fromarray(np.zeros((6, 6), np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(DataError, match=r"deep\.png has pixels of mode"):
        read_files([tmp_path / "deep.png"])
