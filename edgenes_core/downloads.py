"""Get a dataset known by name: torchvision downloads and checks the published files, one .npz of plain arrays is kept.

    archive(s)  in the data folder, checked by torchvision's MD5; one that is whole already is not downloaded again
    <name>.npz  written once from them; all that comes later reads this file alone

torchvision prints the progress of each file to stderr. Archives laid into the folder by hand serve a machine without network.
"""

from __future__ import annotations

import io
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from edgenes_core import catalogue, download_jobs, storage
from edgenes_core.catalogue import KNOWN, DataError
from edgenes_core.torchvision_compat import import_torchvision

PATIENCE = 60.0  # seconds without a byte before a server is given up


def fetch(name: str) -> Path:
    """The .npz of a named dataset, downloaded unless it is there; DataError names the folder and the files it needs."""
    if name not in KNOWN or not KNOWN[name].files:
        names = ", ".join(known.name for known in KNOWN.values() if known.files)
        raise DataError(f"Only {names} are downloaded, got {name!r}.")
    if not catalogue.present(name):
        with download_jobs.hold(name), _quiet():
            _store(name, *_published(name))
    return catalogue.stored_file(name)


def ensure(dataset: str) -> None:
    """Before a run: download a named dataset that is not there; nothing happens for any other dataset."""
    if dataset in KNOWN and not catalogue.present(dataset):
        fetch(dataset)


def _published(name: str) -> tuple[Any, Any]:
    """torchvision's training and test set of a name, downloaded and unpacked as needed."""
    vision, folder = import_torchvision(), catalogue.data_folder()
    loader = getattr(vision.datasets, KNOWN[name].loader)
    for attempt in range(2):
        try:
            return tuple(loader(str(folder), train=train, download=True) for train in (True, False))  # type: ignore[return-value]
        except Exception as error:  # torchvision lets through whatever network, archive or reader stumble on
            if attempt or not _forget_unpacked(name, vision):
                raise _explained(name, vision, error) from None
    raise AssertionError("the second attempt returns or raises")


def _forget_unpacked(name: str, vision: ModuleType) -> bool:
    """Delete unpacked files whose whole archive lies beside them, so that they are unpacked anew; whether there were any.

    torchvision checks the archives of Fashion-MNIST, but not what an interrupted unpacking left of them.
    """
    unpacked = [
        path.with_suffix("")
        for path, md5 in _archives(name, vision)
        if path.suffix == ".gz" and _whole(path, md5, vision)
    ]
    torn = [path for path in unpacked if path.is_file()]
    for path in torn:
        path.unlink()
    return bool(torn)


def _explained(name: str, vision: ModuleType, error: Exception) -> DataError:
    """What to do after a failed attempt: a damaged archive, or one that could not be downloaded."""
    known, folder = KNOWN[name], catalogue.data_folder()
    for path, md5 in _archives(name, vision):
        if path.is_file() and not _whole(path, md5, vision):
            return DataError(
                f"{path} is damaged or only half downloaded (its MD5 is not {md5}); run again to download it anew: "
                f"python -m edgenes_core download {name}"
            )
    reason = " ".join(str(error).split())[:200]
    return DataError(
        f"Cannot download {known.title} ({reason}). Without a network, put {', '.join(known.files)} from {known.url} into "
        f"{folder} and run: python -m edgenes_core download {name}"
    )


def _archives(name: str, vision: ModuleType) -> list[tuple[Path, str]]:
    """The files of a set in the data folder, each with the MD5 that torchvision expects."""
    loader = getattr(vision.datasets, KNOWN[name].loader)
    sums = dict(loader.resources) if hasattr(loader, "resources") else {loader.filename: loader.tgz_md5}
    return [(catalogue.data_folder() / file, sums[Path(file).name]) for file in KNOWN[name].files]


def _whole(path: Path, md5: str, vision: ModuleType) -> bool:
    return bool(vision.datasets.utils.check_integrity(str(path), md5))


def _store(name: str, train: Any, test: Any) -> None:
    """Write the arrays uncompressed: a run's workers read them in a fraction of a second."""
    buffer = io.BytesIO()
    np.savez(
        buffer,
        x_train=np.asarray(train.data),
        y_train=np.asarray(train.targets, np.int64),
        x_test=np.asarray(test.data),
        y_test=np.asarray(test.targets, np.int64),
        classes=np.array(train.classes),
    )
    storage.write_bytes(catalogue.stored_file(name), buffer.getvalue())


@contextmanager
def _quiet() -> Iterator[None]:
    """No endless wait for a silent server, and no warnings about the age of the published pickles."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        socket.setdefaulttimeout(before)
