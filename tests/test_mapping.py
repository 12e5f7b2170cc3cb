"""The map stage on a real run: cells of every part, made again without training, and what was imported since."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import page_runs
import pytest
import sample_runs
from tiny import tiny_run

from edgenes_core import mapping
from edgenes_core.cell_distances import cells_of, stored_cells
from edgenes_core.cli import main
from edgenes_core.planning import embedded_cells
from edgenes_core.run_folder import Run
from edgenes_core.run_records import Training
from edgenes_core.storage import StorageError


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    return tiny_run(tmp_path_factory.mktemp("runs"))


def files(run: Run) -> dict[str, bytes]:
    """Every file but those that hold a running job."""
    found = [
        file for file in run.path.rglob("*") if file.is_file() and file.name not in ("lock", "pid", "embedding.npz")
    ]
    return {str(file.relative_to(run.path)): file.read_bytes() for file in found}


def test_every_network_is_on_the_map_in_its_part(run):
    cells = {cell.architecture: cell for cell in stored_cells(run)}
    assert [cell.role for cell in cells.values()].count("base") == 1
    for training in run.plan():
        expected = {"pool"} if "pool" in training.roles else {"control", "path", "pool"}
        assert cells[training.architecture].role in expected | {"base"}
    assert {"control", "random"} <= {cell.role for cell in cells.values()}
    assert not {"umap", "jsd_umap", "disagreement_mds"} & set(run.embedding()), "not asked for, or too few networks"


def test_made_again_it_is_the_same_map_and_nothing_else_changes(run, capsys):
    before, stored = files(run), run.embedding()
    assert main(["embed", run.id, "--runs", str(run.path.parent), "--json"]) == 0
    reply = json.loads(capsys.readouterr().out)
    assert reply == {"run": run.id, "cells": len(stored["keys"]), "maps": ["pca", "mds", "jsd_pca", "jsd_mds"]}
    assert files(run) == before
    again = run.embedding()
    assert set(again) == set(stored)
    for name, array in stored.items():
        assert np.array_equal(again[name], array, equal_nan=array.dtype.kind == "f"), name


def test_a_network_imported_while_maps_were_drawn_is_not_lost(run):
    stranger = run.space.sample(np.random.default_rng(99))
    network = next(iter(run.networks().values()))
    with ThreadPoolExecutor(1) as executor:
        submitted = mapping.submit_maps(run, executor)
        training = Training(stranger, 0, ("imported",), 0)
        run.save_network(training, {"w": np.zeros(1, np.float32)}, network.val, network.val, {"train_loss": [1.0]})
        run.save_imported([training])
        mapping.save_maps(run, executor, submitted)
    placed = {cell.key: cell.role for cell in stored_cells(run)}
    assert placed[stranger.key] == "imported"
    assert len(run.embedding()["pca"]) == len(placed)
    assert {cell.key: cell.role for cell in cells_of(run, "disagreement").cells}[stranger.key] == "imported"


def test_an_unfinished_run_is_told_to_finish(tmp_path):
    run = sample_runs.finished(tmp_path)
    with pytest.raises(StorageError, match=f"python -m edgenes_core resume {run.id}"):
        mapping.make_again(run)


def test_cells_of_a_map_do_not_depend_on_when_it_is_made(tmp_path):
    run = page_runs.whole(tmp_path)
    assert embedded_cells(run) == embedded_cells(run)
