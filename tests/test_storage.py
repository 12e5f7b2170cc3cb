"""Files survive crashes: whatever is torn, missing, foreign or refused by the disk, the old content or a sentence."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgenes_core import __version__, storage
from edgenes_core.storage import StorageError

ARRAYS = {"a": np.arange(6.0).reshape(2, 3), "b": np.array([1, 2], np.int64)}
OBJECTS = st.dictionaries(st.text(max_size=5), st.none() | st.booleans() | st.integers() | st.text(max_size=5))


def same(found, expected):
    assert found.keys() == expected.keys()
    for name in expected:
        assert found[name].dtype == expected[name].dtype
        assert np.array_equal(found[name], expected[name])


def test_round_trips(tmp_path):
    path = tmp_path / "new" / "folder" / "file"
    storage.write_json(path, {"x": [1, "λ"]})
    assert storage.read_json(path) == {"x": [1, "λ"]}
    storage.write_array(path, ARRAYS["a"])
    assert np.array_equal(storage.read_array(path), ARRAYS["a"])
    storage.write_arrays(path, **ARRAYS)
    same(storage.read_arrays(path), ARRAYS)
    storage.write_tensors(path, **ARRAYS)
    same(storage.read_tensors(path), ARRAYS)
    assert os.listdir(path.parent) == ["file"]


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StorageError, match="Cannot write"):
        storage.write_json(tmp_path / "file" / "run.json", {})
    with pytest.raises(StorageError, match="Cannot append"):
        storage.append_line(tmp_path / "file" / "events.jsonl", {})


READERS = [storage.read_json, storage.read_array, storage.read_arrays, storage.read_tensors]


@pytest.mark.parametrize("read", READERS)
def test_missing_empty_and_folders_are_refused(tmp_path, read):
    (tmp_path / "empty").touch()
    for path in (tmp_path / "missing", tmp_path / "empty", tmp_path):
        with pytest.raises(StorageError, match=str(path)):
            read(path)


WRITERS = {
    storage.read_json: lambda path: storage.write_json(path, {"x": 1}),
    storage.read_array: lambda path: storage.write_array(path, ARRAYS["a"]),
    storage.read_arrays: lambda path: storage.write_arrays(path, **ARRAYS),
    storage.read_tensors: lambda path: storage.write_tensors(path, **ARRAYS),
}


@pytest.mark.parametrize(("read", "write"), WRITERS.items(), ids=lambda f: f.__name__)
def test_torn_at_every_byte_is_refused(tmp_path, read, write):
    write(tmp_path / "whole")
    whole = (tmp_path / "whole").read_bytes()
    for length in range(len(whole)):
        (tmp_path / "torn").write_bytes(whole[:length])
        with pytest.raises(StorageError):
            read(tmp_path / "torn")


@pytest.mark.parametrize(("read", "write"), WRITERS.items(), ids=lambda f: f.__name__)
def test_a_changed_byte_is_read_or_refused(tmp_path, rng, read, write):
    write(tmp_path / "whole")
    whole = (tmp_path / "whole").read_bytes()
    for place in range(len(whole)):
        (tmp_path / "bad").write_bytes(whole[:place] + rng.bytes(1) + whole[place + 1 :])
        try:
            read(tmp_path / "bad")
        except StorageError:
            continue


@pytest.mark.parametrize(("read", "write"), [(r, w) for r in READERS for o, w in WRITERS.items() if o is not r])
def test_files_of_another_kind_are_refused(tmp_path, read, write):
    write(tmp_path / "file")
    with pytest.raises(StorageError):
        read(tmp_path / "file")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ('{"schema": 2}', "schema 2, and only schema 1 is read here.*a later version of"), ("{}", "no schema version"),
        ('{"schema": 0}', "no schema version"), ('{"schema": "2"}', "no schema version"),
        ("[1]", "JSON object, got list"), ("{", "damaged"), ("[" * 100_000, "damaged"), ("\udcff", "damaged"),
    ],
)  # fmt: skip
def test_json_of_another_schema_is_refused(tmp_path, text, rule):
    path = tmp_path / "x.json"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(StorageError, match=rule):
        storage.read_json(path)


def test_a_newer_file_says_who_wrote_it_and_who_reads_it(tmp_path):
    """Of any file of a run: what run.json says of its writer is read whatever else is new in it."""
    (tmp_path / "run.json").write_text('{"schema": 9, "new": {}, "versions": {"edgenes": "7.2.0"}}')
    for name in ("run.json", "base.json", "ensembles/mine.json", "candidates/0123456789ab-0/history.json"):
        path = tmp_path / name
        if name != "run.json":
            storage.write_json(path, {})
            path.write_text(path.read_text().replace('"schema": 1', '"schema": 2'))
        with pytest.raises(StorageError, match=f"{name} .* 7.2.0 .*this is {__version__}: update to 7.2.0 or later"):
            storage.read_json(path)
    (tmp_path / "run.json").write_text('{"schema": 9, "versions": {"edgenes": "<b>"}}')
    with pytest.raises(StorageError, match="written by a later version"):
        storage.read_json(tmp_path / "run.json")


def test_an_archive_that_unpacks_to_too_much_is_refused_unread(tmp_path, monkeypatch):
    storage.write_arrays(tmp_path / "x.npz", zeros=np.zeros(1 << 20))
    assert (tmp_path / "x.npz").stat().st_size < 1 << 16
    monkeypatch.setattr(storage, "MOST_UNPACKED", 1 << 20)
    with pytest.raises(StorageError, match="unpacks to 8 MB, at most 1 MB"):
        storage.read_arrays(tmp_path / "x.npz")


def test_pickles_are_refused(tmp_path):
    np.save(tmp_path / "x.npy", np.array([{}], object), allow_pickle=True)
    np.savez(tmp_path / "x.npz", a=np.array([{}], object))
    with pytest.raises(StorageError):
        storage.read_array(tmp_path / "x.npy")
    with pytest.raises(StorageError):
        storage.read_arrays(tmp_path / "x.npz")
    with pytest.raises(ValueError, match="Object arrays"):
        storage.write_array(tmp_path / "y.npy", np.array([{}], object))


@given(st.lists(OBJECTS, max_size=5))
@settings(max_examples=15)
def test_lines_survive(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("lines") / "events.jsonl"
    assert storage.read_lines(path) == ([], 0)
    for row in rows:
        storage.append_line(path, row)
    assert storage.read_lines(path)[0] == rows


def test_a_torn_last_line_costs_only_itself(tmp_path):
    """A writer killed at any byte: readers get the whole lines, and the next line written is whole again."""
    path = tmp_path / "events.jsonl"
    rows = [{"step": 1, "text": "λ\n"}, {"step": 2}, {"step": 3, "nested": {"a": [1]}}]
    for row in rows:
        storage.append_line(path, row)
    whole = path.read_bytes()
    ends = [index + 1 for index, byte in enumerate(whole) if byte == ord("\n")]
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        finished = sum(end <= length for end in ends)
        assert storage.read_lines(path) == (rows[:finished], max([0, *(e for e in ends if e <= length)]))
        storage.append_line(path, {"step": 9})
        found, offset = storage.read_lines(path)
        only_newline_missing = length + 1 in ends
        assert found == [*rows[: finished + only_newline_missing], {"step": 9}]
        assert offset == path.stat().st_size


def test_reading_goes_on_from_an_offset(tmp_path):
    path = tmp_path / "events.jsonl"
    storage.append_line(path, {"step": 1})
    first, offset = storage.read_lines(path)
    path.write_bytes(path.read_bytes() + b'{"step": 2}\n\xff\n[1]\n{"st')
    second, offset = storage.read_lines(path, offset)
    assert (first, second) == ([{"step": 1}], [{"step": 2}])
    path.write_bytes(path.read_bytes() + b'ep": 3}\n')
    assert storage.read_lines(path, offset) == ([{"step": 3}], path.stat().st_size)


def test_lines_too_deep_or_in_a_folder(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"[" * 100_000 + b'\n{"step": 1}\n')
    assert storage.read_lines(path)[0] == [{"step": 1}]
    with pytest.raises(StorageError, match="Cannot read"):
        storage.read_lines(tmp_path)
