"""A real run on corrupted and foreign images: what is stored, what is done again, what counts as a look at the test part."""

import json
import shutil
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from edgenes_core import ensembles, storage
from edgenes_core.cli import main
from edgenes_core.corruptions import CORRUPTIONS, TEST_CORRUPTIONS, VALIDATION_CORRUPTIONS
from edgenes_core.data import load_dataset
from edgenes_core.raw_images import as_part, foreign_images, raw_bytes
from edgenes_core.run_zip import files_of, import_run, zip_of
from edgenes_core.runs import RunStore
from edgenes_core.severity import CLEAN, ShiftRow, shift_means
from edgenes_core.shift import foreign, predict_corrupted, predict_outside
from edgenes_core.shift_report import shift_rows
from edgenes_core.shifted import ShiftError, corrupted, for_selection, reveal_corrupted
from edgenes_core.storage import StorageError

DEMO = Path(__file__).resolve().parents[1] / "assets" / "demo"
WITHOUT = shutil.ignore_patterns("shift", "reveals.jsonl")  # what is bundled, and what a user may have added
FEW, LEVELS = ["contrast", "gaussian_noise", "speckle_noise"], [1, 5]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return RunStore(DEMO.parent).open(
        str(shutil.copytree(DEMO, tmp_path_factory.mktemp("runs") / "demo", ignore=WITHOUT))
    )


@pytest.fixture(scope="module")
def members(run):
    return list(run.ensembles()["selected"]["members"])


@pytest.fixture(scope="module")
def predicted(run, members):
    return list(predict_corrupted(run, members, FEW, LEVELS))


@pytest.fixture(scope="module")
def digits():
    return load_dataset("digits")


def test_each_file_is_an_event_and_nothing_is_done_twice(run, members, predicted):
    assert [e.step for e in predicted] == list(range(1, len(members) * 6 + 1))
    assert {e.steps for e in predicted} == {len(members) * 6}
    assert {e.stage for e in predicted} == {"shift"}
    assert list(predict_corrupted(run, members, FEW, LEVELS)) == []
    assert not (run.path / "events.jsonl").read_text().count('"shift"'), "a finished run's story does not change"


def test_stopped_work_goes_on_where_it_ended(run, members, predicted, tmp_path):
    copy = RunStore(tmp_path).open(str(shutil.copytree(DEMO, tmp_path / "demo", ignore=WITHOUT)))
    assert len(list(islice(predict_corrupted(copy, members, FEW, LEVELS), 4))) == 4
    with pytest.raises(StorageError, match="shift demo --keys"):
        corrupted(copy, members, "speckle_noise", 5)
    assert len(list(predict_corrupted(copy, members, FEW, LEVELS))) == len(predicted) - 4
    for name in FEW:
        for severity in LEVELS:
            assert np.array_equal(corrupted(copy, members, name, severity), corrupted(run, members, name, severity))


def test_uncorrupted_bytes_give_the_stored_predictions(run, members, digits):
    """The way to bytes and back costs half a step of 255 and is no corruption."""
    from edgenes_core.feature_maps import stored_network
    from edgenes_core.train import predict

    part = as_part(digits, raw_bytes(digits, digits.val))
    assert np.abs((part.images - digits.val.images).numpy()).max() < 0.02
    training = next(t for t in run.plan() if t.id == members[0])
    again = predict(stored_network(run, training, 1, 10), part).numpy()
    assert np.abs(again - run.val_probabilities(members[:1])[0]).max() < 0.02


def test_the_table_is_clean_first_and_worse_later(run, members, predicted):
    rows = shift_rows(run, members, FEW, LEVELS)
    assert [(r.corruption, r.severity) for r in rows] == [(CLEAN, 0), *((name, s) for name in FEW for s in LEVELS)]
    y = run.targets("val")
    assert rows[0].evaluation == ensembles.evaluate(run.val_probabilities(members), y, "val")
    assert rows[1].evaluation == ensembles.evaluate(corrupted(run, members, "contrast", 1), y, "val")
    clean, mild, hard = shift_means(rows)
    assert (clean.severity, clean.corruptions, mild.corruptions, hard.severity) == (0, 1, 3, 5)
    assert clean.n == mild.n == len(y)
    assert clean.nll < mild.nll < hard.nll
    assert clean.accuracy >= mild.accuracy > hard.accuracy
    assert hard.nll == pytest.approx(np.mean([r.evaluation.nll for r in rows if r.severity == 5]))
    assert np.allclose(shift_means(rows[::-1]), shift_means(rows)), "in whatever order"


def test_nothing_is_chosen_by_what_is_reported(run, members, predicted):
    assert for_selection(run, members, "speckle_noise", 1).shape == (len(members), len(run.targets("val")), 10)
    for name in TEST_CORRUPTIONS:
        with pytest.raises(ShiftError, match="results are reported on it"):
            for_selection(run, members, name, 1)
    assert "speckle_noise" in VALIDATION_CORRUPTIONS


def test_test_images_are_read_in_one_place_and_each_time_counts(run, members, predicted):
    before = run.reveals()
    made = list(predict_corrupted(run, members, ["contrast"], [3], "test"))
    assert len(made) == len(members)
    assert run.reveals() == before, "to predict is not to look"
    (found,) = reveal_corrupted(run, members, [("contrast", 3)])
    assert run.reveals() == before + 1
    assert found.shape == (len(members), len(run.targets("test")), 10)
    with pytest.raises(StorageError, match="contrast-3"):
        corrupted(run, members, "contrast", 3)
    rows = shift_rows(run, members, ["contrast"], [3], "test")
    assert {r.evaluation.split for r in rows} == {"test"}
    assert run.reveals() == before + 3, "the clean images and the corrupted ones"


def test_a_run_travels_with_its_shifted_predictions(run, members, predicted, tmp_path):
    list(predict_outside(run, members, "noise"))
    back = import_run(RunStore(tmp_path), zip_of(run))
    assert [name for name in files_of(back) if name.startswith("shift/")]
    assert np.array_equal(corrupted(back, members, "contrast", 5), corrupted(run, members, "contrast", 5))
    assert np.array_equal(foreign(back, members, "noise"), foreign(run, members, "noise"))


def test_stand_ins_keep_the_pixels_and_lose_the_shapes(digits):
    own = raw_bytes(digits, digits.val)
    for source in ("noise", "shuffled"):
        images, name = foreign_images(digits, source)
        assert name == source
        assert np.array_equal(np.sort(images, None), np.sort(own, None))
        assert np.array_equal(images, foreign_images(digits, source)[0])
        assert np.abs(np.corrcoef(images.reshape(len(own), -1).T)[np.triu_indices(64, 1)]).mean() < 0.25
    assert np.array_equal(
        np.sort(foreign_images(digits, "shuffled")[0].reshape(len(own), -1)), np.sort(own.reshape(len(own), -1))
    )


def test_foreign_images_from_a_file_are_checked_and_stored_by_their_content(run, members, digits, tmp_path, rng):
    def file(name, shape, kind=np.uint8):
        x, y = rng.integers(0, 255, (20, *shape)).astype(kind), np.repeat([0, 1], 10)
        np.savez(tmp_path / name, x_train=x, y_train=y, x_test=x, y_test=y)
        return str(tmp_path / name)

    source = file("other.npz", (8, 8))
    assert len(list(predict_outside(run, members[:1], source))) == 1
    assert foreign(run, members[:1], source).shape == (1, 20, 10)
    (stored,) = (run.path / "shift").glob("*/outside-????????????.npy")
    assert "other" not in stored.name
    for bad, sentence in (
        (file("large.npz", (9, 9)), r"\(8, 8, 1\)"),
        (file("colour.npz", (8, 8, 3)), r"\(8, 8, 1\)"),
        (file("numbers.npz", (8, 8), np.float32), "bytes"),
        ("digits", "trained on"),
    ):
        with pytest.raises(ShiftError, match=sentence):
            foreign_images(digits, bad)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"corruptions": ["fog"]}, "got 'fog'"),
        ({"severities": [0]}, "from 1 to 5, got 0"),
        ({"split": "train"}, "'val' or 'test'"),
        ({"members": []}, "one or more"),
        ({"members": ["abc"]}, "no retrained network 'abc'"),
    ],
)
def test_impossible_requests_are_refused(run, members, change, sentence):
    asked = {"members": members, "corruptions": ["contrast"], "severities": [1], **change}
    with pytest.raises((ShiftError, StorageError), match=sentence):
        list(predict_corrupted(run, **asked))


def test_predictions_that_do_not_fit_together_are_refused(run, members, predicted, tmp_path):
    copy = RunStore(tmp_path).open(str(shutil.copytree(run.path, tmp_path / "demo")))
    file = next((copy.path / "shift").glob(f"{members[0]}-0/contrast-1.npy"))
    storage.write_array(file, np.full((3, 10), 0.1))
    with pytest.raises(StorageError, match="different images or"):
        corrupted(copy, members, "contrast", 1)


def test_colour_bytes_come_back_as_they_were(tmp_path, rng):
    data, x = loaded(tmp_path, rng.integers(0, 255, (60, 10, 10, 3)))
    assert np.array_equal(raw_bytes(data, data.test), x)
    assert np.array_equal(as_part(data, x).images.numpy(), data.test.images.numpy())
    assert np.allclose(as_part(data, x).x.numpy(), data.test.x.numpy())


def test_padding_is_taken_off_before_and_put_on_after(tmp_path, rng):
    """Fashion-MNIST comes as 28 × 28 and is seen as 32 × 32: noise must not reach the border, which networks know as black."""
    framed = np.pad(rng.integers(1, 255, (60, 28, 28, 1)), ((0, 0), (2, 2), (2, 2), (0, 0)))
    data, x = loaded(tmp_path, framed)
    named = replace(data, name="fashion_mnist")
    assert np.array_equal(raw_bytes(named, named.test), x[:, 2:-2, 2:-2])
    assert np.array_equal(as_part(named, raw_bytes(named, named.test)).images.numpy(), data.test.images.numpy())


def loaded(folder, images):
    x, y = images.astype(np.uint8), np.repeat(np.arange(3), 20)
    np.savez(folder / "images.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    return load_dataset(str(folder / "images.npz")), x


def test_the_command_prints_what_the_functions_say(run, members, predicted, capsys):
    command = [
        "shift",
        str(run.path),
        "--corruptions",
        ",".join(FEW),
        "--severities",
        "5,1",
        "--outside",
        "shuffled",
        "--json",
    ]
    assert main(command) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["members"] == members
    assert found["means"] == [mean._asdict() for mean in shift_means(shift_rows(run, members, FEW, LEVELS))]
    assert [row["severity"] for row in found["rows"]] == [0, 1, 5, 1, 5, 1, 5]
    assert [row["score"] for row in found["outside"]["shuffled"]] == ["entropy", "mutual_information", "one_minus_max"]
    assert main([*command[:-1], "--keys", members[0]]) == 0
    said = capsys.readouterr().out
    assert "mutual information  AUROC 0.500 [0.500, 0.500]  (one network: always 0.5)" in said
    for wrong in (
        ["--severities", "a"],
        ["--corruptions", "x"],
        ["--keys", ","],
        ["--keys", "zz"],
        ["--severities", "9"],
    ):
        assert main(["shift", str(run.path), *wrong]) == 1
        captured = capsys.readouterr()
        assert captured.err.startswith("error: ")
        assert captured.err.count("\n") == 1


def test_every_corruption_works_on_the_run(run, members):
    list(predict_corrupted(run, members[:1], list(CORRUPTIONS), [2]))
    rows = shift_rows(run, members[:1], list(CORRUPTIONS), [2])
    assert len(rows) == len(CORRUPTIONS) + 1
    assert all(isinstance(row, ShiftRow) and 0 <= row.evaluation.accuracy <= 1 for row in rows)
