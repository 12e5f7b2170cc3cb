"""Four disjoint parts, honest standardisation, and a sentence for every bad file."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edgenes_core import npz_file
from edgenes_core.catalogue import KNOWN, DataError
from edgenes_core.data import Part, load_dataset

SMALL = Path(__file__).resolve().parents[2] / "shared" / "data"


def good(**changes):
    rng = np.random.default_rng(0)
    arrays = {
        "x_train": rng.integers(0, 256, (60, 8, 8, 3), dtype=np.uint8),
        "y_train": np.arange(60) % 3,
        "x_test": rng.integers(0, 256, (12, 8, 8, 3), dtype=np.uint8),
        "y_test": np.arange(12) % 3,
    }
    return arrays | changes


def stored(folder, **changes):
    np.savez(folder / "data.npz", **good(**changes))
    return str(folder / "data.npz")


def parts(data):
    return {"train_w": data.train_w, "train_alpha": data.train_alpha, "val": data.val, "test": data.test}


def test_digits_have_every_image_once_in_four_parts_with_all_classes():
    data = load_dataset("digits")
    assert sum(len(part) for part in parts(data).values()) == 1797
    assert len(data.train) == len(data.train_w) + len(data.train_alpha)
    for part in parts(data).values():
        assert set(part.y.tolist()) == set(range(10))
    from sklearn.datasets import load_digits

    raw = np.sort(load_digits().images.reshape(1797, -1) @ np.arange(1, 65.0) ** 1.5)
    undone = [p.x * data.std[0] + data.mean[0] for p in parts(data).values()]
    ours = np.sort(torch.cat(undone).double().flatten(1).numpy() * 16 @ np.arange(1, 65.0) ** 1.5)
    assert np.allclose(raw, ours, rtol=1e-4)


def test_digits_are_standardised_to_the_last_bit():
    """(v/16 − mean) / std in float64, rounded once: stored runs depend on these bits."""
    from sklearn.datasets import load_digits

    data = load_dataset("digits")
    raw = load_digits().images.reshape(1797, -1) / 16
    expected = ((raw - data.mean[0]) / data.std[0]).astype(np.float32)
    ours = torch.cat([part.x for part in parts(data).values()]).flatten(1).numpy()
    assert sorted(map(bytes, expected)) == sorted(map(bytes, ours))


def test_parts_are_disjoint(tmp_path):
    arrays = good()
    arrays["x_train"] = np.arange(60 * 192, dtype=np.float64).reshape(60, 8, 8, 3)  # every image is unique
    arrays["x_test"] = -1 - np.arange(12 * 192, dtype=np.float64).reshape(12, 8, 8, 3)
    data = load_dataset(stored(tmp_path, **arrays))
    seen = [tuple(image.flatten().tolist()) for part in parts(data).values() for image in part.x]
    assert len(seen) == len(set(seen)) == 72


def test_standardised_with_training_pixels_only(tmp_path):
    data = load_dataset(stored(tmp_path))
    train = data.train.x.double()
    assert torch.allclose(train.mean((0, 2, 3)), torch.zeros(3, dtype=torch.float64), atol=1e-5)
    assert torch.allclose(train.std((0, 2, 3), correction=0), torch.ones(3, dtype=torch.float64), atol=1e-5)
    shifted = load_dataset(stored(tmp_path, x_test=np.full((12, 8, 8, 3), 255, np.uint8)))
    assert shifted.mean == data.mean


def test_the_split_is_always_the_same(tmp_path):
    first, second = (load_dataset(stored(tmp_path)) for _ in range(2))
    assert torch.equal(first.val.x, second.val.x)


def test_bytes_stay_bytes_and_the_training_parts_share_memory(tmp_path):
    data = load_dataset(stored(tmp_path))
    assert {part.images.dtype for part in parts(data).values()} == {torch.uint8}
    assert data.train_w.images.data_ptr() == data.train.images.data_ptr()
    assert torch.equal(torch.cat([data.train_w.images, data.train_alpha.images]), data.train.images)
    assert torch.equal(torch.cat([data.train_w.y, data.train_alpha.y]), data.train.y)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64])
def test_every_kind_of_number_gives_the_same_standardised_images(tmp_path, dtype):
    reference = load_dataset(stored(tmp_path))
    x, x_test = (good()[name].astype(dtype) for name in ("x_train", "x_test"))
    data = load_dataset(stored(tmp_path, x_train=x, x_test=x_test))
    for part, same in zip(parts(data).values(), parts(reference).values(), strict=True):
        assert torch.allclose(part.x, same.x, atol=1e-5)
    assert data.device == torch.device("cpu")


@given(arrays.arrays(np.uint8, (6, 3, 4, 5)), st.integers(0, 5), st.floats(1, 200), st.floats(1, 80))
def test_a_batch_is_standardised_pixels(pixels, row, mean, std):
    constants = (torch.full((3, 1, 1), value) for value in (mean, std))
    part = Part(torch.from_numpy(pixels), torch.arange(6), *constants)
    x, y = part.take(torch.tensor([row, 0]))
    assert np.allclose(x[0].numpy(), (pixels[row] - mean) / std, atol=1e-4)
    assert torch.equal(x, part.x[[row, 0]])
    assert y.tolist() == [row, 0]


@pytest.mark.parametrize(
    ("name", "mean", "std"),  # as published for the whole training part
    [
        ("cifar10", (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
        ("cifar100", (0.5071, 0.4867, 0.4408), (0.2675, 0.2565, 0.2761)),
        ("fashion_mnist", (0.2860,), (0.3530,)),
    ],
)
def test_statistics_are_each_datasets_own(name, mean, std):
    file = SMALL / f"{name}_small.npz"
    if not file.is_file():
        pytest.skip(f"No {file.name}: the small sets of real images are not on this machine")
    data = load_dataset(str(file))
    assert data.mean == pytest.approx(mean, abs=0.004)  # 8000 images of 50 000 or 60 000
    assert data.std == pytest.approx(std, abs=0.004)
    assert len(data.classes) == len(set(data.classes)) == KNOWN[name].classes
    assert data.channels == KNOWN[name].shape[2]
    for part in parts(data).values():
        assert len(torch.unique(part.y)) == len(data.classes)
        assert len(torch.unique(torch.bincount(part.y))) == 1  # balanced, as the files are


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"x_train": np.full((60, 8, 8, 3), np.nan)}, "NaN or infinite pixels"),
        ({"y_train": np.zeros(60, int), "y_test": np.zeros(12, int)}, "one class only"),
        ({"y_train": np.r_[np.zeros(58, int), 1, 2]}, "at least 5 of each"),
        ({"y_train": np.arange(59) % 3}, "60 whole numbers"),
        ({"y_train": np.linspace(0, 2, 60)}, "whole numbers"),
        ({"y_train": -(np.arange(60) % 3)}, "whole numbers"),
        ({"x_train": np.zeros((60, 8), np.uint8)}, "must be numbers"),
        ({"x_train": np.zeros((60, 8, 8, 4), np.uint8)}, "must be numbers"),
        ({"x_train": np.zeros((60, 8, 8, 3), np.uint8)}, "same value"),
        ({"x_test": np.zeros((12, 9, 9, 3), np.uint8)}, "one shape"),
        ({"x_test": np.zeros((0, 8, 8, 3), np.uint8), "y_test": np.zeros(0, int)}, "no test images"),
        ({"x_train": np.array([["a"] * 8] * 8)}, "must be numbers"),
        ({"x_train": np.zeros((60, 3, 8), np.uint8)}, "H, W ≥ 4"),
        ({"y_test": np.full(12, 10**9)}, "number the classes from 0"),
    ],
)
def test_bad_arrays_are_said(tmp_path, changes, sentence):
    with pytest.raises(DataError, match=sentence):
        load_dataset(stored(tmp_path, **changes))


def test_bad_files_are_said(tmp_path):
    path = stored(tmp_path)
    content = (tmp_path / "data.npz").read_bytes()
    for cut in (0, 10, len(content) // 2, len(content) - 3):
        (tmp_path / "data.npz").write_bytes(content[:cut])
        with pytest.raises(DataError, match="not a whole"):
            load_dataset(path)
    np.savez(tmp_path / "data.npz", x_train=np.zeros((3, 4, 4)))
    with pytest.raises(DataError, match="lacks y_train, x_test, y_test"):
        load_dataset(path)
    np.savez(tmp_path / "data.npz", **good(x_train=np.array([{"a": 1}], dtype=object)), allow_pickle=True)
    with pytest.raises(DataError, match="plain arrays"):
        load_dataset(path)
    for name in ("mnist", str(tmp_path / "none.npz"), str(tmp_path / "data.txt")):
        with pytest.raises(
            DataError, match="give one of digits, fashion_mnist, cifar10, cifar100, the path of an existing"
        ):
            load_dataset(name)


def test_an_array_that_claims_too_much_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(npz_file, "MOST_BYTES", 1000)
    with pytest.raises(DataError, match="unpacks to"):
        load_dataset(stored(tmp_path))


@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 9), st.just(4), st.just(5))), st.data())
def test_picked_rows_are_those_of_the_array(tmp_path_factory, x, data):
    file = tmp_path_factory.getbasetemp() / "picked.npz"
    rows = data.draw(st.lists(st.integers(0, len(x) - 1), min_size=1, max_size=5))
    for images in (x, np.asfortranarray(x)):
        (np.savez if data.draw(st.booleans()) else np.savez_compressed)(file, x_train=images)
        assert np.array_equal(npz_file.pick(file, "x_train", np.array(rows)), x[sorted(rows)])
