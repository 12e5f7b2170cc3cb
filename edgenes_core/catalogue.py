"""The datasets known by name: what they hold, who made them, where their files lie on this machine.

Nothing here downloads or imports anything heavy, so a page may ask. `downloads.fetch` turns the published files of a set into
one checked .npz in the data folder; everything else reads that file.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from edgenes_core import EdgeNESError


class DataError(EdgeNESError):
    """A dataset that is missing, damaged or unusable."""


class Known(NamedTuple):
    """A named dataset. `shape` is (H, W, channels) as published, `pad` pixels of black on each side come on top."""

    name: str
    title: str
    shape: tuple[int, int, int]
    classes: int
    train: int
    test: int
    licence: str
    cite: str
    url: str = ""
    pad: int = 0
    files: tuple[str, ...] = ()
    megabytes: int = 0
    loader: str = ""

    @property
    def side(self) -> int:
        """Height and width of an image as networks see it."""
        return self.shape[0] + 2 * self.pad


_CIFAR = "Krizhevsky: Learning Multiple Layers of Features from Tiny Images, 2009."
_NO_LICENCE = "no licence stated; the authors ask for the citation"
_IDX = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
KNOWN: dict[str, Known] = {
    known.name: known
    for known in (
        Known(
            name="digits",
            title="Handwritten digits",
            shape=(8, 8, 1),
            classes=10,
            train=1438,
            test=359,
            licence="CC BY 4.0",
            cite="Alpaydin, Kaynak: Optical Recognition of Handwritten Digits, UCI, 1998; the part in scikit-learn.",
        ),
        Known(
            name="fashion_mnist",
            title="Fashion-MNIST",
            shape=(28, 28, 1),
            classes=10,
            train=60_000,
            test=10_000,
            licence="MIT",
            cite="Xiao, Rasul, Vollgraf: Fashion-MNIST, arXiv:1708.07747, 2017.",
            url="https://github.com/zalandoresearch/fashion-mnist",
            pad=2,  # 28 → 32, train and test alike: the release trained on 32 and tested on 28
            files=tuple(f"FashionMNIST/raw/{name}" for name in _IDX),
            megabytes=31,
            loader="FashionMNIST",
        ),
        Known(
            name="cifar10",
            title="CIFAR-10",
            shape=(32, 32, 3),
            classes=10,
            train=50_000,
            test=10_000,
            licence=_NO_LICENCE,
            cite=_CIFAR,
            url="https://www.cs.toronto.edu/~kriz/cifar.html",
            files=("cifar-10-python.tar.gz",),
            megabytes=171,
            loader="CIFAR10",
        ),
        Known(
            name="cifar100",
            title="CIFAR-100",
            shape=(32, 32, 3),
            classes=100,
            train=50_000,
            test=10_000,
            licence=_NO_LICENCE,
            cite=_CIFAR,
            url="https://www.cs.toronto.edu/~kriz/cifar.html",
            files=("cifar-100-python.tar.gz",),
            megabytes=169,
            loader="CIFAR100",
        ),
    )
}


def data_folder() -> Path:
    """Where downloaded datasets lie: environment variable EDGENES_DATA, else ~/.cache/edgenes/data."""
    return Path(os.environ.get("EDGENES_DATA") or Path.home() / ".cache" / "edgenes" / "data").expanduser()


def stored_file(name: str) -> Path:
    """The .npz that a named dataset is read from."""
    return data_folder() / f"{name}.npz"


def present(name: str) -> bool:
    """Whether a named dataset can be read now, without a download."""
    return not KNOWN[name].files or stored_file(name).is_file()


def unknown(name: str) -> DataError:
    """The error for a dataset that is neither a known name nor a usable path."""
    return DataError(
        f"Unknown dataset {name!r}: give one of {', '.join(KNOWN)}, the path of an existing .npz file, or the path of a "
        "folder with train/<class>/ and test/<class>/."
    )
