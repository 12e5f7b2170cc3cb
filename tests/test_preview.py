"""The preview shows what training will see: same counts, same images, same refusals."""

import numpy as np
import pytest
from test_data import good, stored
from test_image_folder import folder  # noqa: F401 - a fixture

from edgenes_core.catalogue import KNOWN, DataError, stored_file
from edgenes_core.data import load_dataset
from edgenes_core.preview import preview, stamp
from edgenes_core.storage import write_arrays
from pages.widgets import dataset_preview


def check(name):
    """The laws that hold for every source; returns the preview."""
    found, data = preview(name), load_dataset(name)
    assert found.classes == data.classes
    assert found.shape == (*data.val.images.shape[2:], data.channels)
    for counts, part in zip(found.counts.T, (data.train_w, data.train_alpha, data.val, data.test), strict=True):
        assert counts.tolist() == part.y.bincount(minlength=len(data.classes)).tolist()
    assert len(found.samples) == len(data.classes)
    assert all(0 < len(images) <= 4 and images.dtype == np.uint8 for images in found.samples)
    return found


def test_digits():
    found = check("digits")
    assert found.counts.sum() == 1797
    assert max(images.max() for images in found.samples) == 255


@pytest.mark.parametrize("grey", [False, True])
def test_a_file_and_its_training_images(tmp_path, grey):
    changes = {name: good()[name][..., 0] for name in ("x_train", "x_test")} if grey else {}
    found = check(stored(tmp_path, **changes, classes=np.array(["<b>a</b>", "b", "c"])))
    x, y = good(**changes)["x_train"], good()["y_train"]
    for label, images in enumerate(found.samples):
        assert np.array_equal(images, x[y == label][:4].reshape(images.shape))


def test_a_folder(folder):  # noqa: F811
    found = check(str(folder))
    assert found.shape == (6, 6, 1)


def test_a_named_set_is_shown_as_networks_see_it(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGENES_DATA", str(tmp_path))
    with pytest.raises(DataError, match="download fashion_mnist"):
        preview("fashion_mnist")
    x = np.random.default_rng(0).integers(0, 256, (60, 28, 28), dtype=np.uint8)
    y = np.arange(60) % 10
    write_arrays(stored_file("fashion_mnist"), x_train=x, y_train=y, x_test=x[:10], y_test=y[:10])
    assert check("fashion_mnist").shape == (32, 32, 1)


def test_what_cannot_be_trained_on_cannot_be_previewed(tmp_path):
    for changes in ({"y_train": np.zeros(60, int), "y_test": np.zeros(12, int)}, {"y_train": -(np.arange(60) % 3)}):
        with pytest.raises(DataError):
            preview(stored(tmp_path, **changes))
    with pytest.raises(DataError, match="Unknown dataset"):
        preview("mnist")


def test_the_stamp_changes_with_the_files(tmp_path, folder):  # noqa: F811
    name = stored(tmp_path)
    before = stamp(name)
    stored(tmp_path, x_train=good()["x_train"][:30], y_train=good()["y_train"][:30])
    assert stamp(name) != before
    before = stamp(str(folder))
    (folder / "train" / "dog" / "0.png").unlink()
    assert stamp(str(folder)) != before
    assert stamp(str(tmp_path / "none.npz")) == ()


def test_class_names_from_a_file_are_text_never_markup(tmp_path):
    found = preview(stored(tmp_path, classes=np.array(["<img src=x onerror=alert(1)>", "'\"", "c"])))
    drawn = "".join(dataset_preview._figure(found, index) for index in range(3))
    assert "onerror=alert(1)>" not in drawn
    assert drawn.count("<img") == 3
    assert "alt='training images of class &#x27;&quot;'" in drawn


def test_every_known_dataset_says_where_it_comes_from():
    for name, known in KNOWN.items():
        assert known.name == name
        assert known.cite
        assert known.licence
        assert bool(known.files) == bool(known.megabytes) == bool(known.loader) == bool(known.url)
