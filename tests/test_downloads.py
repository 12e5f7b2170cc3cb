"""Downloads by torchvision's own classes, from a server on this machine, of small files in the published formats."""

import subprocess
import sys
import time

import numpy as np
import pytest
from published_sets import labels, published, site  # noqa: F401 - `published` and `site` are fixtures

from edgenes_core import catalogue, cli, download_jobs
from edgenes_core.catalogue import KNOWN, DataError
from edgenes_core.data import load_dataset
from edgenes_core.downloads import ensure, fetch
from edgenes_core.torchvision_compat import import_torchvision

SETS = ("cifar10", "cifar100", "fashion_mnist")
every_set = pytest.mark.parametrize("published", SETS, indirect=True)
one_set = pytest.mark.parametrize("published", ["cifar10"], indirect=True)


def archives(name):
    return [catalogue.data_folder() / file for file in KNOWN[name].files]


@every_set
def test_what_is_downloaded_is_what_was_published(published, capfd):  # noqa: F811
    name, _, test = published
    assert not catalogue.present(name)
    ensure(name)
    assert "%" in capfd.readouterr().err  # torchvision's progress
    assert catalogue.present(name)
    data, pad = load_dataset(name), KNOWN[name].pad
    assert len(data.classes) == KNOWN[name].classes
    assert sum(data.summary()["images"].values()) == 7 * KNOWN[name].classes + 10 * (name == "fashion_mnist")
    side = test.shape[-1]
    assert np.array_equal(data.test.images[:, :, pad : pad + side, pad : pad + side].numpy(), test)
    assert data.test.y.tolist() == labels(len(test), len(data.classes))


@pytest.mark.parametrize("published", ["fashion_mnist"], indirect=True)
def test_fashion_is_padded_with_black_alike_and_named(published):  # noqa: F811
    fetch("fashion_mnist")
    data = load_dataset("fashion_mnist")
    for part in (data.train_w, data.train_alpha, data.val, data.test):
        assert part.images.shape[1:] == (1, 32, 32)
        border = part.images.clone()
        border[:, :, 2:30, 2:30] = 0
        assert not border.any()
        assert part.images[:, :, 2:30, 2:30].any()
    assert data.classes[-1] == "Ankle boot"
    inner = data.train.images[:, :, 2:30, 2:30].double() / 255  # the statistics are those of the published images
    assert data.mean[0] == pytest.approx(inner.mean().item())
    assert data.std[0] == pytest.approx(inner.std(correction=0).item())


@every_set
def test_archives_laid_into_the_folder_serve_without_a_network(published):  # noqa: F811
    name, folder, _ = published
    for path in archives(name):
        path.parent.mkdir(parents=True, exist_ok=True)
        (folder / path.name).rename(path)
    fetch(name)
    assert catalogue.present(name)


@every_set
def test_offline_names_the_folder_and_the_files(published, monkeypatch):  # noqa: F811
    name, _, _ = published
    loader = getattr(import_torchvision().datasets, KNOWN[name].loader)
    monkeypatch.setattr(loader, "mirrors", ["http://127.0.0.1:1/"], raising=False)  # a port where nobody listens
    monkeypatch.setattr(loader, "url", "http://127.0.0.1:1/archive", raising=False)
    with pytest.raises(DataError) as said:
        fetch(name)
    for word in (*KNOWN[name].files, str(catalogue.data_folder()), KNOWN[name].url, f"download {name}"):
        assert word in str(said.value)
    assert not catalogue.present(name)


@every_set
def test_a_half_finished_download_is_said_and_mended_by_the_next(published):  # noqa: F811
    name, folder, _ = published
    victim = folder / archives(name)[0].name
    whole = victim.read_bytes()
    victim.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="damaged or only half downloaded"):
        fetch(name)
    victim.write_bytes(whole)
    fetch(name)
    assert catalogue.present(name)


@every_set
def test_files_torn_while_unpacking_are_unpacked_anew(published):  # noqa: F811
    name, _, test = published
    fetch(name)
    catalogue.stored_file(name).unlink()
    for path in catalogue.data_folder().rglob("*"):
        if path.is_file() and path not in archives(name):
            path.write_bytes(path.read_bytes()[:-100])
    fetch(name)
    assert len(load_dataset(name).test) == len(test)


@one_set
def test_what_is_present_is_not_fetched_again(published):  # noqa: F811
    fetch("cifar10")
    for path in [*archives("cifar10"), *published[1].iterdir()]:
        path.unlink()
    ensure("cifar10")
    assert fetch("cifar10") == catalogue.stored_file("cifar10")


@one_set
def test_the_command_downloads_and_a_run_needs_it(published, capsys):  # noqa: F811
    with pytest.raises(DataError, match="python -m edgenes_core download cifar10"):
        load_dataset("cifar10")
    assert cli.main(["download", "cifar10", "--json"]) == 0
    assert '"dataset": "cifar10"' in capsys.readouterr().out
    assert cli.main(["download", "digits"]) == 1
    assert "Only fashion_mnist, cifar10, cifar100" in capsys.readouterr().err


@one_set
def test_a_broken_stored_file_is_said(published):  # noqa: F811
    catalogue.data_folder().mkdir(parents=True)
    catalogue.stored_file("cifar10").write_bytes(b"half a file")
    with pytest.raises(DataError, match="not a whole"):
        load_dataset("cifar10")


def test_one_download_at_a_time_and_its_failure_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGENES_DATA", str(tmp_path))
    with download_jobs.hold("cifar10"):
        assert download_jobs.busy("cifar10")
        assert not download_jobs.busy("cifar100")
        with pytest.raises(DataError, match="being downloaded already"):
            download_jobs.start("cifar10")
    assert not download_jobs.busy("cifar10")
    assert download_jobs.failure("cifar10") == ""
    monkeypatch.setattr(download_jobs, "COMMAND", (sys.executable, "-c", "print('error: no network, so there')"))
    download_jobs.start("cifar10")
    deadline = time.monotonic() + 20
    while download_jobs.busy("cifar10"):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert download_jobs.failure("cifar10") == "no network, so there"


def test_a_starters_lock_is_the_downloaders(tmp_path, monkeypatch):
    """Between the click and the first byte the page already sees a download."""
    monkeypatch.setenv("EDGENES_DATA", str(tmp_path))
    code = "import sys; from edgenes_core.download_jobs import hold\nwith hold('cifar10'): print('error: held'); sys.stdin.read()"
    monkeypatch.setattr(download_jobs, "COMMAND", (sys.executable, "-c", code))
    download_jobs.start("cifar10")
    deadline = time.monotonic() + 20
    while download_jobs.busy("cifar10"):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert download_jobs.failure("cifar10") == "held"


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0, 3.0])
def test_progress_is_the_share_of_bytes_that_arrived(tmp_path, monkeypatch, share):
    monkeypatch.setenv("EDGENES_DATA", str(tmp_path))
    monkeypatch.setitem(KNOWN, "cifar10", KNOWN["cifar10"]._replace(megabytes=1))
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(bytes(int(share * 1e6)))
    assert download_jobs.arrived("cifar10") == min(1.0, share)


def test_a_data_folder_that_cannot_be_made_is_said(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("EDGENES_DATA", str(tmp_path / "file" / "data"))
    with pytest.raises(DataError, match="Set EDGENES_DATA to another folder"):
        fetch("cifar10")


def test_asking_what_is_known_imports_nothing_heavy():
    code = "import sys; from edgenes_core import catalogue, download_jobs, preview; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "torchvision", "sklearn", "PIL", "streamlit"} & set(done.stdout.split())
