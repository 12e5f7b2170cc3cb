"""`inspect`: any cell of the run's space, by key or file, in words and as JSON."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import sample_runs

from edgenes_core.architecture import Architecture, shared_edges
from edgenes_core.cli import main
from edgenes_core.encodings import operation_paths
from edgenes_core.feature_maps import SUPERNET
from edgenes_core.inspect_cell import known_cells, network_parameters
from edgenes_core.runs import RunStore
from edgenes_core.space import SearchSpace
from edgenes_core.storage import StorageError, read_tensors

DEMO = Path(__file__).resolve().parents[1] / "assets" / "demo"


@pytest.fixture(scope="module")
def run():
    return RunStore(DEMO.parent).open(str(DEMO))


def call(capsys, *arguments):
    assert main(["inspect", str(DEMO), "--json", *map(str, arguments)]) == 0
    return json.loads(capsys.readouterr().out)


def refuse(capsys, *arguments):
    assert main(["inspect", *map(str, arguments)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    return captured.err


def test_a_retrained_cell_by_its_key(capsys, run):
    training = run.plan()[0]
    found = call(capsys, "--cell", training.architecture.key, "--image", 7)
    assert set(found) == {"key", "shared", "parameters", "paths", "one_shot", "maps"}
    assert (found["key"], found["shared"]) == (training.architecture.key, training.shared)
    assert [tuple(p["operations"]) for p in found["paths"]] == [
        p.operations for p in operation_paths(training.architecture)
    ]
    stored = read_tensors(run.folder(training) / "weights.safetensors")
    assert found["parameters"] == sum(a.size for n, a in stored.items() if n.rpartition(".")[2] not in ("mean", "var"))
    assert found["one_shot"]["split"] == found["maps"]["split"] == "val"
    assert found["maps"]["source"] == f"trained network {training.id}"
    assert np.abs(np.array(found["maps"]["probabilities"]) - run.networks()[training.id].val[7]).max() < 1e-5


def test_any_cell_of_the_space_from_a_file(capsys, run, tmp_path):
    cell = run.space.sample(np.random.default_rng(5))
    (tmp_path / "cell.json").write_text(cell.to_json())
    found = call(capsys, "--cell", tmp_path / "cell.json", "--image", 0)
    assert found["key"] == cell.key
    assert found["shared"] == shared_edges(cell, run.base().architecture)
    assert found["maps"]["source"] == SUPERNET
    assert "maps" not in call(capsys, "--cell", tmp_path / "cell.json")


def test_the_words_hold_the_same_numbers(capsys, run):
    key = run.base().architecture.key
    found = call(capsys, "--cell", key, "--image", 1)
    assert main(["inspect", str(DEMO), "--cell", key, "--image", "1"]) == 0
    said = capsys.readouterr().out
    assert f"{found['parameters']:,} parameters" in said
    assert f"val n = {found['one_shot']['n']}" in said
    assert f"accuracy {100 * found['one_shot']['accuracy']:.2f} %" in said
    assert said.count(" → out") == len(found["paths"])
    assert said.count("layer 1 node") == len(found["maps"]["layers"][0]["nodes"])


def test_the_cells_a_run_knows(run, tmp_path):
    cells = known_cells(run)
    assert all(key == cell.key for key, cell in cells.items())
    assert {str(key) for key in run.embedding()["keys"]} <= set(cells)
    assert {i.architecture.key for i in run.lambda_path().intervals} <= set(cells)
    assert known_cells(sample_runs.created(tmp_path)) == {}


def test_mistakes_get_one_sentence(capsys, run, tmp_path):
    assert "no cell 000000000000" in refuse(capsys, DEMO, "--cell", "0" * 12)
    assert "12 hex digits or a JSON file" in refuse(capsys, DEMO, "--cell", tmp_path / "nothing.json")
    assert "12 hex digits or a JSON file" in refuse(capsys, DEMO, "--cell", "a\0b")
    (tmp_path / "text.json").write_bytes(b"\xff")
    assert "must be JSON text" in refuse(capsys, DEMO, "--cell", tmp_path / "text.json")
    other: Architecture = SearchSpace(inputs_per_node=2).sample(np.random.default_rng(0))
    (tmp_path / "other.json").write_text(other.to_json())
    assert "not in the space" in refuse(capsys, DEMO, "--cell", tmp_path / "other.json")
    assert "from 0 to 286" in refuse(capsys, DEMO, "--cell", run.base().architecture.key, "--image", 287)


def test_a_run_without_a_supernet_is_said(capsys, run, tmp_path):
    copy = shutil.copytree(DEMO, tmp_path / "copy", ignore=shutil.ignore_patterns("supernet.safetensors", "candidates"))
    assert "resume copy" in refuse(capsys, copy, "--cell", run.base().architecture.key)
    with pytest.raises(StorageError, match="has not read its images yet"):
        network_parameters(sample_runs.created(tmp_path), run.base().architecture)
