"""Named datasets published in small on a server on this machine: fixtures for tests of downloads."""

import functools
import gzip
import hashlib
import http.server
import io
import pickle
import struct
import tarfile
import threading

import numpy as np
import pytest

from edgenes_core.catalogue import KNOWN
from edgenes_core.torchvision_compat import import_torchvision

RNG = np.random.default_rng(0)


def md5(content):
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def labels(count, classes):
    return [i % classes for i in range(count)]


def cifar(loader, classes, monkeypatch):
    """Ten times as many training images as classes in the published layout; the class then expects these files."""
    key = "labels" if classes == 10 else "fine_labels"
    batches = {name: 6 * classes // len(loader.train_list) for name, _ in loader.train_list}
    batches |= {name: classes for name, _ in loader.test_list}
    files, images = {}, {}
    for name, count in batches.items():
        images[name] = RNG.integers(0, 256, (count, 3072), dtype=np.uint8)
        files[name] = pickle.dumps({"data": images[name], key: labels(count, classes)})
    files[loader.meta["filename"]] = pickle.dumps({loader.meta["key"]: [f"class {i}" for i in range(classes)]})
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"{loader.base_folder}/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    for attribute in ("train_list", "test_list"):
        monkeypatch.setattr(loader, attribute, [[n, md5(files[n])] for n, _ in getattr(loader, attribute)])
    monkeypatch.setattr(loader, "meta", loader.meta | {"md5": md5(files[loader.meta["filename"]])})
    monkeypatch.setattr(loader, "tgz_md5", md5(buffer.getvalue()))
    test = np.concatenate([images[name] for name, _ in loader.test_list])
    return {loader.filename: buffer.getvalue()}, test.reshape(-1, 3, 32, 32)


def fashion(loader, monkeypatch):
    files, images = {}, {}
    for part, count in (("train", 60), ("t10k", 20)):
        images[part] = RNG.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        head = struct.pack(">4B3I", 0, 0, 8, 3, count, 28, 28)
        files[f"{part}-images-idx3-ubyte.gz"] = gzip.compress(head + images[part].tobytes())
        head = struct.pack(">4BI", 0, 0, 8, 1, count)
        files[f"{part}-labels-idx1-ubyte.gz"] = gzip.compress(head + bytes(labels(count, 10)))
    monkeypatch.setattr(loader, "resources", [(name, md5(content)) for name, content in files.items()])
    return files, images["t10k"][:, None]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder and the address under which it is served."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture
def published(request, site, tmp_path, monkeypatch):
    """One named set, published on the site in small: its name, the served files' folder, its test images (n, c, H, W)."""
    name, (folder, address) = request.param, site
    monkeypatch.setenv("EDGENES_DATA", str(tmp_path / "data"))
    loader = getattr(import_torchvision().datasets, KNOWN[name].loader)
    if name == "fashion_mnist":
        files, test = fashion(loader, monkeypatch)
        monkeypatch.setattr(loader, "mirrors", [address])
    else:
        files, test = cifar(loader, KNOWN[name].classes, monkeypatch)
        monkeypatch.setattr(loader, "url", address + loader.filename)
    for file, content in files.items():
        (folder / file).write_bytes(content)
    return name, folder, test
