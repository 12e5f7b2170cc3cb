"""A prediction file that does not fit its run is refused in one sentence, and the run stays as it was."""

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
import sample_runs
from hypothesis import given
from hypothesis import strategies as st
from zips import everything, fitting, npz

from edgenes_core import EdgeNESError, imported
from edgenes_core.imported import import_predictions, read_predictions
from edgenes_core.run_folder import Run
from edgenes_core.space import SearchSpace

IMAGES, CLASSES = sample_runs.IMAGES, sample_runs.CLASSES


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Run:
    return sample_runs.finished(tmp_path_factory.mktemp("runs"))


@pytest.fixture
def run(original, tmp_path) -> Run:
    """A copy to import into."""
    return Run(shutil.copytree(original.path, tmp_path / "run"))


@pytest.fixture
def arrays(original) -> dict:
    return fitting(original)


def refused(run: Run, content: bytes, sentence: str) -> None:
    before = everything(run.path)
    with pytest.raises(EdgeNESError, match=sentence) as error:
        import_predictions(run, content)
    assert everything(run.path) == before
    assert "\n" not in str(error.value)


OTHER = SearchSpace(inputs_per_node=2).sample(np.random.default_rng(0)).to_json()
HALF = np.full((IMAGES, CLASSES), 0.5)
UNFIT = [
    ("val", None, "this one lacks 'val'"),
    ("val_y", None, "lacks 'val_y'"),
    ("architecture", None, "lacks 'architecture'"),
    ("tset", HALF, "remove 'tset'"),
    ("../val", HALF, r"remove '\.\./val'"),
    ("val", HALF, "sum to 1 .* Apply softmax"),
    ("val", -HALF, "at least 0"),
    ("val", HALF * np.nan, "finite"),
    ("val", HALF * 1e308, "sum to 1|finite"),
    ("val", HALF[1:], rf"'val' must be numbers of shape \({IMAGES}, {CLASSES}\)"),
    ("val", HALF[:, 1:], "one column for each class"),
    ("val", HALF[None], "got float64 of shape"),
    ("val", HALF.astype(complex), "got complex128"),
    ("val", HALF.astype(str), "got <U"),
    ("val", HALF.astype(bool), "got bool"),
    ("test", HALF, "sum to 1"),
    ("test", HALF[1:], "one row for each test image"),
    ("val_y", np.zeros(IMAGES - 1, int), "'val_y' must be the 60 true classes"),
    ("val_y", np.zeros(IMAGES), "got float64"),
    ("seed", np.array(-1), "a seed is a whole number from 0"),
    ("seed", np.array(2**40), "a seed is a whole number from 0"),
    ("seed", np.array(1.0), "'seed' must be one whole number"),
    ("seed", np.array([1]), "'seed' must be one whole number"),
    ("seed", np.array("../x"), "'seed' must be one whole number"),
    ("name", np.array("![x](http://x)"), "a name has up to 60 letters"),
    ("name", np.array("a" * 61), "a name has up to 60 letters"),
    ("name", np.array("a\nb"), "a name has up to 60 letters"),
    ("name", np.array(5), "'name' must be one text"),
    ("architecture", np.array("{}"), "at least one edge"),
    ("architecture", np.array("not JSON"), "must be JSON text"),
    ("architecture", np.array(["{}"]), "'architecture' must be one text"),
    ("architecture", np.array(OTHER), "is not in the space of this run"),
]


@pytest.mark.parametrize(("name", "value", "sentence"), UNFIT, ids=lambda p: p if isinstance(p, str) else "")
def test_what_does_not_fit_is_said_and_not_stored(run, arrays, name, value, sentence):
    refused(run, npz(**arrays | {name: value}), sentence)


def test_another_order_of_the_images_is_noticed(run, arrays):
    """The point of val_y: sorted by class, the same images would still sum to 1 and look fine."""
    y = arrays["val_y"]
    order = np.argsort(y, kind="stable")
    wrong = int((y[order] != y).sum())
    assert wrong
    shuffled = {name: arrays[name][order] for name in ("val", "val_y")}
    refused(run, npz(**arrays | shuffled), f"differs from the true classes of run run at {wrong} of {IMAGES} images")
    back = {name: array[np.argsort(order)] for name, array in shuffled.items()}
    assert import_predictions(run, npz(**arrays | back)) in run.imported()


def test_pickled_objects_are_not_opened(run, arrays):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (run.path / "trapped",))

    buffer = io.BytesIO()
    np.savez(buffer, **arrays | {"name": np.array(Trap(), object)})
    refused(run, buffer.getvalue(), "pickled objects")
    assert not (run.path / "trapped").exists()


def test_what_is_too_large_is_refused_before_it_is_unpacked(run, arrays, monkeypatch):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays | {"val": np.zeros((1 << 12, 1 << 9))})
    monkeypatch.setattr(imported, "MOST_BYTES", 1 << 20)
    assert len(buffer.getvalue()) < 1 << 20
    refused(run, buffer.getvalue(), "unpacks to 16 MB, at most 1 MB")
    monkeypatch.setattr(imported, "MOST_BYTES", 1000)
    refused(run, npz(**arrays), "at most 0 MB are read")


def test_what_the_run_trains_itself_stays_its_own(run, arrays):
    """Trained or still to be trained: an import under its name would stand in for it."""
    first, last = run.plan()[0], run.plan()[-1]
    shutil.rmtree(run.folder(last))
    for planned in (first, last):
        named = {"architecture": np.array(planned.architecture.to_json()), "seed": np.array(planned.seed)}
        refused(run, npz(**arrays | named), f"has the network {planned.id} already .* another seed")


def test_a_run_without_a_plan_takes_nothing(tmp_path, arrays):
    run = sample_runs.created(tmp_path)
    refused(run, npz(**arrays), "Cannot read .*targets")
    run.save_targets(arrays["val_y"], arrays["val_y"])
    refused(run, npz(**arrays), "once its stage 'hypernet' has finished")


@given(st.binary(max_size=200))
def test_any_bytes_are_predictions_or_refused(original, data):
    for prefix in (b"", b"PK\x03\x04", b"PK\x05\x06", b"\x93NUMPY\x01\x00"):
        with pytest.raises(EdgeNESError):
            read_predictions(original, prefix + data)


@given(st.data())
def test_an_edited_file_fits_or_is_refused(original, data):
    """Cut, overwritten or lengthened anywhere, in the packed bytes or in one array's own."""
    content = bytearray(npz(**fitting(original)))
    for _ in range(data.draw(st.integers(1, 3))):
        where = data.draw(st.integers(0, len(content) - 1) | st.integers(len(content) - 500, len(content) - 1))
        piece = data.draw(st.binary(min_size=1, max_size=8))
        until = {"cut": len(content), "overwrite": where + len(piece), "insert": where}
        content[where : until[data.draw(st.sampled_from(list(until)))]] = piece
        if len(content) < 600:
            break
    try:
        found = read_predictions(original, bytes(content))
    except EdgeNESError:
        return
    assert found.val.shape == (IMAGES, CLASSES)
    assert np.allclose(found.val.sum(1), 1, atol=1e-3)
