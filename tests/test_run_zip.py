"""A run goes out as one zip and comes back file by file the same; any other zip is refused in a sentence, and nothing is stored."""

import json
import shutil
import tomllib
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
import sample_runs
from tiny import TINY, finish, tiny_run
from zips import BESIDE, contents, everything, full_run, packed, refused, store_with_a_run

from edgenes_core import EdgeNESError, jobs, run_zip, storage
from edgenes_core.architecture import Architecture, shared_edges
from edgenes_core.cli import main
from edgenes_core.config import EnsembleConfig, SpaceConfig
from edgenes_core.exchange import kind_of
from edgenes_core.run_folder import Run
from edgenes_core.run_zip import SUMS, RunZipError, files_of, import_run, zip_of
from edgenes_core.runs import RunStore
from edgenes_core.samples import sample_predictions
from edgenes_core.session import Cancelled

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "assets" / "demo"
AUTHORS = ROOT.parent / "shared" / "reference" / "edgenes_original"


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    return full_run(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def content(run) -> bytes:
    return zip_of(run)


@pytest.fixture
def store(tmp_path) -> RunStore:
    return store_with_a_run(tmp_path)


def test_a_run_comes_back_file_by_file_the_same(run, content, store):
    back = import_run(store, content)
    assert back.id == run.id
    assert files_of(back) == files_of(run)
    assert everything(back.path).keys() == {*files_of(run), *folders(files_of(run))}
    for name in files_of(run):
        assert (back.path / name).read_bytes() == (run.path / name).read_bytes()
    assert zip_of(back) == content
    assert back.networks().keys() == run.networks().keys()
    assert back.trainings() == run.trainings()
    assert back.reveals() == run.reveals() == 1
    assert jobs.state(back).name == "finished"


def folders(names: list[str]) -> set[str]:
    return {str(parent) for name in names for parent in Path(name).parents} - {"."}


def test_the_same_run_gives_the_same_bytes(run, content, tmp_path):
    copy = Run(shutil.copytree(run.path, tmp_path / "copy"))
    for file in copy.path.rglob("*"):
        file.touch()
    assert zip_of(copy) == content
    copy.save_ensemble("mine", {"members": []})
    assert zip_of(copy) != content


def test_only_files_of_a_run_go_out_each_with_its_hash(run, content):
    files = contents(content)
    sums = json.loads(files.pop(SUMS))["files"]
    assert sums == {name: sha256(data).hexdigest() for name, data in files.items()}
    everywhere = {str(f.relative_to(run.path)) for f in run.path.rglob("*") if f.is_file()}
    assert set(files) == everywhere - BESIDE
    assert everywhere >= BESIDE


@pytest.mark.parametrize(
    "space", [SpaceConfig(1, "reduce"), SpaceConfig(2, "reduce"), SpaceConfig(2, "normal+reduce")], ids=str
)
def test_runs_of_any_space_and_state_travel(space, tmp_path):
    for make in (sample_runs.created, sample_runs.finished):
        run = make(tmp_path / "here", space)
        back = import_run(RunStore(tmp_path / make.__name__), zip_of(run))
        assert back.config == run.config
        assert back.plan() == run.plan()


def test_the_bundled_run_travels_by_the_command_line(tmp_path, capsys):
    file, store = tmp_path / "out" / "demo.zip", tmp_path / "runs"
    assert main(["export", str(DEMO), str(file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"run": "demo", "file": str(file), "bytes": file.stat().st_size}
    assert main(["import", str(file), "--runs", str(store), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"kind": "run", "run": Run(DEMO).manifest.id}
    assert zip_of(RunStore(store).open(told["run"])) == file.read_bytes()
    assert main(["import", str(file), "--runs", str(store)]) == 1
    assert f"open {told['run']}." in capsys.readouterr().err


def test_an_id_that_is_taken_gets_a_counter_and_a_run_that_is_there_is_named(run, content, store):
    first = import_run(store, content)
    refused(store, content, f"stored already, file by file the same: open {run.id}")
    first.reveal([first.plan()[0].id])
    second = import_run(store, content)
    assert (first.id, second.id) == (run.id, f"{run.id}-2")
    assert zip_of(second) == content
    refused(store, content, f"open {run.id}-2")
    assert {r.id for r in store.list()[0]} > {first.id, second.id}
    assert store.list()[1] == []


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "x" * 101, "/abs"])
def test_an_id_that_cannot_be_a_folder_is_replaced(content, store, name):
    files = contents(content)
    files["run.json"] = json.dumps(json.loads(files["run.json"]) | {"id": name}).encode()
    before = set(store.root.iterdir())
    back = import_run(store, packed(files))
    assert back.id == "imported"
    assert set(store.root.iterdir()) - before == {back.path}


def test_the_browser_and_the_engine_name_one_limit():
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert config["server"]["maxUploadSize"] << 20 == run_zip.MOST_UPLOAD


def test_where_nothing_can_be_written_it_is_said(content, tmp_path, run):
    (tmp_path / "file").touch()
    with pytest.raises(storage.StorageError, match="Cannot write to"):
        import_run(RunStore(tmp_path / "file"), content)
    with pytest.raises(storage.StorageError, match="Cannot write"):
        run_zip.export_run(run, tmp_path / "file" / "x.zip")
    with pytest.raises(RunZipError, match="No such file"):
        import_run(RunStore(tmp_path), tmp_path / "nowhere.zip")
    assert sorted(f.name for f in tmp_path.iterdir()) == ["file"]


def test_a_damaged_run_is_not_exported(run, tmp_path):
    copy = Run(shutil.copytree(run.path, tmp_path / "copy"))
    (copy.path / "run.json").write_text("{")
    with pytest.raises(storage.StorageError, match="damaged"):
        zip_of(copy)


def test_a_run_stopped_here_is_finished_elsewhere(tmp_path):
    """Without its checkpoints: the stage starts again and ends with the same bytes."""
    config = replace(
        TINY,
        darts=replace(TINY.darts, steps=6, batch=16),
        retrain=replace(TINY.retrain, batch=256, channels=2),
        ensemble=EnsembleConfig(pool=1, size=1, controls=1),
    )
    whole = tiny_run(tmp_path / "whole", config)
    stopped = RunStore(tmp_path / "here").create(config)
    with pytest.raises(Cancelled):
        finish(stopped, stop=lambda: (stopped.path / "base.json").exists(), every=0.0)
    back = import_run(RunStore(tmp_path / "there"), zip_of(stopped))
    assert jobs.state(back).resumable
    finish(back)
    measured = {"run.json", "events.jsonl"}
    for name in files_of(whole):
        if name not in measured and not name.endswith("history.json"):
            assert (back.path / name).read_bytes() == (whole.path / name).read_bytes(), name


def test_the_content_says_what_a_file_is(run, content):
    assert kind_of(content) == "run"
    assert kind_of(content[:100]) == "run"
    assert kind_of(sample_predictions(run)) == "predictions"
    assert {kind_of(data) for data in (b"{}", b"[", b'\xef\xbb\xbf {"format"')} == {"cell"}
    for data in (b"", b"hello", b"\0", b"\x89PNG", b"\x93NUMPY\x01\x00"):
        with pytest.raises(EdgeNESError, match=r"a cell .*, a run .* or predictions .*; this one begins with b"):
            kind_of(data)


@pytest.mark.skipif(not AUTHORS.is_dir(), reason="the authors' release is not beside this checkout")
@pytest.mark.parametrize("file", sorted(AUTHORS.glob("*/*.json")), ids=lambda f: "/".join(f.parts[-2:]))
def test_the_authors_files(file, capsys):
    """Their cells are read, one of them with k = 2; their pickled weights, named .json too, are not."""
    status = main(["import", str(file), "--json"])
    told = capsys.readouterr()
    if file.name != "arc.json":
        assert status == 1
        assert "'mod/data.pkl' is no file of a run" in told.err
        return
    cell = Architecture.from_json(json.loads(told.out)["architecture"])
    assert cell == Architecture.from_json(json.dumps(cell.to_authors()))
    status = main(["import", str(file), "--into", str(DEMO), "--json"])
    told = capsys.readouterr()
    assert status == (0 if cell.inputs_per_node == 1 else 1)
    if status:
        assert "k = 2" in told.err
        assert "is not in the space of this run" in told.err
    else:
        assert json.loads(told.out)["shared"] == shared_edges(cell, Run(DEMO).base().architecture)
