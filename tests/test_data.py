"""Four disjoint parts, honest standardisation, and a sentence for every bad file."""

import numpy as np
import pytest
import torch

from edgenes_core.data import DataError, batches, load_dataset


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


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"x_train": np.full((60, 8, 8, 3), np.nan)}, "NaN or infinite pixels"),
        ({"y_train": np.zeros(60, int), "y_test": np.zeros(12, int)}, "one class only"),
        ({"y_train": np.r_[np.zeros(58, int), 1, 2]}, "at least 5 of each"),
        ({"y_train": np.arange(59) % 3}, "60 whole-number labels"),
        ({"y_train": np.linspace(0, 2, 60)}, "whole-number labels"),
        ({"y_train": -(np.arange(60) % 3)}, "whole-number labels"),
        ({"x_train": np.zeros((60, 8), np.uint8)}, "must be numbers"),
        ({"x_train": np.zeros((60, 8, 8, 4), np.uint8)}, "must be numbers"),
        ({"x_train": np.zeros((60, 8, 8, 3), np.uint8)}, "same value"),
        ({"x_test": np.zeros((12, 9, 9, 3), np.uint8)}, "differ in shape"),
        ({"x_test": np.zeros((0, 8, 8, 3), np.uint8), "y_test": np.zeros(0, int)}, "no test images"),
        ({"x_train": np.array([["a"] * 8] * 8)}, "must be numbers"),
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
    with pytest.raises(DataError, match="lacks x_test, y_test, y_train"):
        load_dataset(path)
    np.savez(tmp_path / "data.npz", **good(x_train=np.array([{"a": 1}], dtype=object)), allow_pickle=True)
    with pytest.raises(DataError, match="plain arrays"):
        load_dataset(path)
    for name in ("mnist", str(tmp_path / "none.npz"), str(tmp_path)):
        with pytest.raises(DataError, match=r"give 'digits' or the path of an existing \.npz"):
            load_dataset(name)


@pytest.mark.parametrize("count", [1, 2, 64, 65, 129, 200])
def test_an_epoch_uses_each_image_once_and_never_a_single_one(count):
    cut = batches(count, 64, torch.Generator().manual_seed(0))
    assert sorted(torch.cat(cut).tolist()) == list(range(count))
    assert count == 1 or min(map(len, cut)) > 1
